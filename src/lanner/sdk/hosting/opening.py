"""The parts of an open event source: what `open` returned, and the feeds (`lanner.sources`) that it uses.

A generator has no members for counters, connections and `close()`. The feeds that it reads have: each registers itself with the
source that is being opened, or whose reader thread runs, so that hosts see its health and can end its waits.
"""

from __future__ import annotations

import threading

from lanner.sdk.hosting.batches import close_instance, instance_connections, instance_counters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from lanner.sdk.hosting.inputs import Inputs, ListFiles

_LEAVE_AFTER: Final = 2.0
_current = threading.local()


class Opening:
    """The parts of one open source of `plugin`. Any thread may use it.

    `resumes`: its `open` takes a position. `inputs` gets the files that its parts read.
    """

    def __init__(self, plugin: str, *, resumes: bool = False, inputs: Inputs | None = None) -> None:
        self.plugin = plugin
        self.resumes = resumes
        self._inputs = inputs
        self.is_closed = False
        self.returned: Any = None
        """The result of `open`, until `close`: the host itself reads it."""
        self._lock = threading.Lock()
        self._parts: list[Any] = []
        self._ended: dict[str, int] = {}

    def add(self, part: Any) -> None:
        """Add a part. After `close` it is closed at once."""
        with self._lock:
            closed = self.is_closed
            if not closed and not any(each is part for each in self._parts):
                self._parts.append(part)
        if closed:
            close_instance(part, self.plugin)

    def remove(self, part: Any) -> None:
        """Remove a part that has ended. Its counters remain."""
        with self._lock:
            if any(each is part for each in self._parts):
                self._parts = [each for each in self._parts if each is not part]
                _add(self._ended, instance_counters(part))

    def add_files(self, list_files: ListFiles) -> None:
        """Add files that a part reads or keeps. Raises `UsageError` if the host writes to one of them."""
        if self._inputs is not None:
            self._inputs.add(list_files)

    def remove_files(self, list_files: ListFiles) -> None:
        """Remove the files of a part that has ended."""
        if self._inputs is not None:
            self._inputs.remove(list_files)

    @property
    def counters(self) -> dict[str, int]:
        """The sums of the parts' counters."""
        with self._lock:
            parts, total = list(self._parts), dict(self._ended)
        for part in parts:
            _add(total, instance_counters(part))
        return total

    @property
    def connections(self) -> dict[str, bool]:
        """The parts' connections."""
        with self._lock:
            parts = list(self._parts)
        return {name: is_open for part in parts for name, is_open in instance_connections(part).items()}

    def close(self) -> None:
        """Close all parts: those that wait return at once.

        A close() of the plugin that blocks is left running, and logged.
        """
        with self._lock:
            self.is_closed, self.returned = True, None
            parts = list(self._parts)
        if not parts:
            return
        closing = threading.Thread(target=self._close, args=[parts], name="lanner-close", daemon=True)
        closing.start()
        closing.join(_LEAVE_AFTER)
        if closing.is_alive():
            import logging  # rare

            text = "close() did not return within %g s and is left running%s"
            logging.getLogger(f"lanner.plugin.{self.plugin}").warning(text, _LEAVE_AFTER, where_blocked(closing.ident))

    def _close(self, parts: list[Any]) -> None:
        for part in parts:
            close_instance(part, self.plugin)

    def enter(self) -> _OpeningContext:
        """Return a context in which feeds that this thread creates become parts."""
        return _OpeningContext(self)


class _OpeningContext:
    """Context in which an opening is the current one of this thread."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def __enter__(self) -> None:
        self._before = current_opening()
        _current.opening = self._opening

    def __exit__(self, *_: object) -> None:
        _current.opening = self._before


def current_opening() -> Opening | None:
    """Return the source that this thread opens or reads; None outside."""
    return getattr(_current, "opening", None)


def where_blocked(thread: int | None) -> str:
    """Return where a thread is now, for a message: the innermost function, and the last one outside of Python's library and packages."""
    import sys
    import traceback  # rare, and slow to import

    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001
    if frame is None:
        return ""
    stack = traceback.extract_stack(frame)
    library = traceback.__file__.rpartition("/")[0] + "/"
    own = [each for each in stack if not each.filename.startswith((library, "<frozen ")) and "/lanner/sdk/" not in each.filename]
    places = [f"{each.name} ({each.filename}, line {each.lineno})" for each in (stack[-1], *own[-1:])]
    return f": it is in {', called from '.join(dict.fromkeys(places))}"


def _add(total: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in dict(counts).items():
        total[name] = total.get(name, 0) + count
