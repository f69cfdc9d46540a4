"""A line at the bottom of a terminal that is drawn in place, above which messages on standard error pass.

While the line is on the screen, `sys.stderr` is a stand-in that erases it before each message. The line returns with its next `draw`.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from rich.cells import cell_len, set_cell_size

from lanner.outputs.terminal import RESET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Piece: TypeAlias = tuple[str, str]
    """A printable text, and the escape sequence before it ("": none)."""

_ERASE: Final = "\r\x1b[2K"
_COLUMNS: Final = 80


class StatusLine:
    """The status line of the terminal on `descriptor`. Methods are for any thread. They raise OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.RLock()
        self._shown = ""
        self._is_line_open = False  # a message without its line feed is on the screen
        self._before: tuple[TextIO, TextIO] | None = None

    def draw(self, pieces: Sequence[Piece]) -> None:
        """Replace the line by these pieces, cut at the terminal's width. Write nothing if that changes nothing."""
        line = _fit(pieces, _columns(self._descriptor) - 1)
        with self._lock:
            if line == self._shown or self._is_line_open:
                return
            self._stand_in()
            self._write(_ERASE + line)
            self._shown = line

    def close(self) -> None:
        """End the line, which stays on the screen, and restore `sys.stderr`."""
        with self._lock:
            shown, self._shown = self._shown, ""
            if self._before is not None:
                sys.stdout, sys.stderr = self._before
                self._before = None
            if shown:
                self._write("\n")

    def pass_above(self, stream: TextIO, text: str) -> int:
        """Write a message to `stream` instead of the line."""
        with self._lock:
            if self._shown:
                self._write(_ERASE)
                self._shown = ""
            self._is_line_open = not text.endswith("\n")
            return stream.write(text)

    def _stand_in(self) -> None:
        if self._before is not None or not sys.stderr.isatty():
            return
        self._before = sys.stdout, sys.stderr
        stand_in = cast("TextIO", _StandIn(sys.stderr, self))
        if sys.stdout is sys.stderr:  # what a plugin prints
            sys.stdout = stand_in
        sys.stderr = stand_in

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._descriptor, data) :]


class _StandIn:
    """A stream whose writes pass above a status line."""

    def __init__(self, stream: TextIO, line: StatusLine) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> int:
        return self._line.pass_above(self._stream, text)

    def writelines(self, lines: Sequence[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _columns(descriptor: int) -> int:
    try:
        return os.get_terminal_size(descriptor).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def _fit(pieces: Sequence[Piece], columns: int) -> str:
    """Return the first pieces, as many as fit into this number of columns."""
    parts = []
    for text, style in pieces:
        width = cell_len(text)
        cut = text if width <= columns else set_cell_size(text, max(0, columns))
        columns -= width
        parts.append(f"{style}{cut}{RESET}" if style and cut else cut)
        if columns <= 0:
            break
    return "".join(parts)
