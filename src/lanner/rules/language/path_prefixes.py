"""`pmatch`: a set of paths, and whether another path equals one of them or is below one.

Paths are compared by components. Each may contain the wildcards `?`, `*` and `[` (as in fnmatch(3)). Empty components
do not count, so leading, doubled or trailing slashes make no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.sdk.text.encoding import to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILDCARDS: Final = frozenset("?*[")


class _Directory:
    """The possible next components. None after a component means that a path ends there."""

    def __init__(self) -> None:
        self.plain: dict[str, _Directory | None] = {}
        self.globs: dict[str, _Directory | None] = {}


class PathPrefixes:
    """The paths of one `pmatch`."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._root = _Directory()
        self._everything = False
        for path in paths:
            self._add(_components(path))

    def _add(self, components: list[str]) -> None:
        if not components:
            self._everything = True
            return
        directory = self._root
        for component in components[:-1]:
            entries = _entries(directory, component)
            below = entries.setdefault(component, _Directory())
            if below is None:  # a shorter path already covers this one
                return
            directory = below
        _entries(directory, components[-1])[components[-1]] = None

    def match(self, path: str) -> bool:
        """Return whether the path is one of the paths or below one of them."""
        if self._everything:
            return True
        components = _components(path)
        level = [self._root]
        # Level by level, so that the cost is at most the path's length times the number of wildcards
        for component in components:
            following: list[_Directory] = []
            for directory in level:
                for below in _find_matching(directory, component):
                    if below is None:
                        return True
                    following.append(below)
            if not following:
                return False
            level = following
        return False


def _components(path: str) -> list[str]:
    return [component for component in path.split("/") if component]


def _entries(directory: _Directory, component: str) -> dict[str, _Directory | None]:
    return directory.plain if _WILDCARDS.isdisjoint(component) else directory.globs


def _find_matching(directory: _Directory, component: str) -> Iterable[_Directory | None]:
    if component in directory.plain:
        yield directory.plain[component]
    if directory.globs:
        from lanner.native import fnmatch

        text = to_bytes(component).partition(b"\0")[0]
        for pattern, below in directory.globs.items():
            if fnmatch(to_bytes(pattern), text, False):
                yield below
