"""Alerts to standard output: bytes as they are into a pipe or file, no control characters into a terminal."""

from __future__ import annotations

import errno
import os
from typing import Final

from lanner.outputs.base import LineWriter, OutputClosedError, OutputError

_STDOUT: Final = 1

# C0, DEL and C1, and single bytes that are not UTF-8 (a terminal may take 9B for an escape sequence's start). What stands in
# their place is also what JSON would write, so that a line of JSON remains one.
_ESCAPES: Final = {
    **{code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{ord(char): escape for char, escape in (("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\b", "\\b"), ("\f", "\\f"))},
    **{0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)},
}


def escape_controls(line: str) -> str:
    """The line with every control character as an escape: what comes from events must not be able to drive the terminal."""
    return line if line.isascii() and line.isprintable() else line.translate(_ESCAPES)


class StdoutOutput:
    """An `Output` on file descriptor 1 (or another that is open already, which it does not close)."""

    def __init__(self, descriptor: int = _STDOUT) -> None:
        self._writer = LineWriter(descriptor, _failure)
        self._terminal = os.isatty(descriptor)

    def write(self, line: str) -> None:
        """Take one alert."""
        self._writer.write(escape_controls(line) if self._terminal else line)

    def flush(self) -> None:
        """Write what was taken. OutputClosedError if nobody reads any more."""
        self._writer.flush()

    def close(self) -> None:
        """Write what was taken; standard output itself stays open."""
        self._writer.flush()


def _failure(error: OSError) -> Exception:
    if error.errno == errno.EPIPE:
        return OutputClosedError("nobody reads standard output any more")
    return OutputError(f"cannot write alerts to standard output: {error.strerror}")
