"""Places of options in configuration files, for messages: the file is read a second time to find the line."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.sdk.errors import LannerError
from lanner.sdk.files import read_whole
from lanner.sdk.text.encoding import from_bytes
from lanner.yamlfile.placed_values import line_of
from lanner.yamlfile.reader import YamlError, read_documents
from lanner.yamlfile.source import source_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_BYTES: Final = 16 << 20
_PATH: Final = re.compile(r"\$(?:\.[\w-]+|\[\d+\])+")
_IN_BRACKETS: Final = re.compile(rf"\(({_PATH.pattern})[),]")
_STEP: Final = re.compile(r"\.([\w-]+)|\[(\d+)\]")


class ConfigPlace(NamedTuple):
    """A value in a configuration file: the keys and indices that lead to it; empty means the whole file."""

    file: str
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: $" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)

    def locate(self, *steps: str | int) -> str:
        """Return `file:line` of the value at `steps` or of its nearest parent; only the file if it cannot be read."""
        path = [*self.steps, *steps]
        key = path.pop() if path and isinstance(path[-1], str) else ""
        try:
            text = from_bytes(read_whole(self.file, _MOST_BYTES))
            documents = read_documents(source_file(self.file, text), only_first=True)
        except (OSError, ValueError, YamlError):
            return self.file
        return f"{self.file}:{line_of(documents[0] if documents else None, path, str(key))}"


class Segment(NamedTuple):
    """The items of a list, from number `begin` on, that are from one file, where they count from 0."""

    file: str
    begin: int = 0


class Origins(NamedTuple):
    """Origins of a configuration's values. `files`: the files of each top-level key, several for a list that was appended to.

    `options`: the steps of keys set by options, with the option.
    """

    files: Mapping[str, Sequence[Segment]] = {}
    options: Sequence[tuple[Sequence[str | int], str]] = ()

    def place(self, text: str) -> str:
        """Return a sentence about a value, prefixed with `file:line` of the value, or with the option that sets it, if that is known.

        The sentence begins with the path of the value, or contains it in parentheses.
        """
        found = _PATH.match(text) or _IN_BRACKETS.search(text)
        if found is None:
            return text
        steps = [name or int(index) for name, index in _STEP.findall(found[found.lastindex or 0])]
        return "".join(f"{where}: " for where in (self._option(steps) or self._line(steps),) if where) + text

    @contextmanager
    def place_errors(self) -> Iterator[None]:
        """Context manager: prefix the errors about values as `place` does."""
        try:
            yield
        except LannerError as error:
            error.args = (self.place(str(error)), *error.args[1:])
            raise

    def _option(self, steps: Sequence[str | int]) -> str:
        """Return the last option that sets the value or a parent; for a block that is in no file, the last that sets a key of it."""
        for given, option in reversed(self.options):
            if list(steps[: len(given)]) == list(given):
                return option
        of_block = [option for given, option in self.options if given[0] == steps[0]]
        return of_block[-1] if of_block and str(steps[0]) not in self.files else ""

    def _line(self, steps: list[str | int]) -> str:
        segments = self.files.get(str(steps[0]))
        if not segments:
            return ""
        index = steps[1] if len(steps) > 1 else 0
        if not isinstance(index, int):
            return ConfigPlace(segments[-1].file, tuple(steps)).locate()
        segment = next(each for each in reversed(segments) if each.begin <= index)
        rest = (index - segment.begin, *steps[2:]) if len(steps) > 1 else ()
        return ConfigPlace(segment.file, (steps[0], *rest)).locate()


def place_option(text: str, plugin: str, place: ConfigPlace | None, steps: Sequence[str | int]) -> str:
    """Return a sentence about a plugin's option, prefixed with the plugin's name and the place of `steps`, if it has one."""
    where = "" if place is None else f"{place.locate(*steps)}: "
    return f"{where}plugin {plugin}: {text}"
