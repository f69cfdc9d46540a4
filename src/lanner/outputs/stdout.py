"""Alerts to standard output: bytes as they are into a pipe or file, no control characters into a terminal."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError
from lanner.outputs.lines import LineWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

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
    """A `Sink` on file descriptor 1 (or another that is open already, which it does not close)."""

    name = "stdout_output"
    batch_size = 1

    def __init__(self, descriptor: int = _STDOUT) -> None:
        self._descriptor = descriptor
        self._writer = LineWriter(_failure)
        self._terminal = os.isatty(descriptor)

    def send(self, alerts: Sequence[Alert]) -> None:
        """Print them. OutputClosedError if nobody reads any more."""
        if self._terminal:
            self._writer.write(self._descriptor, [escape_controls(alert.line) for alert in alerts])
        else:
            self._writer.write(self._descriptor, [alert.line for alert in alerts])

    def reopen(self) -> None:
        """Nothing to do."""

    def interrupt(self) -> None:
        """See `Sink`."""
        self._writer.interrupt()

    def close(self) -> None:
        """Nothing to do: standard output itself stays open."""


def _failure(error: OSError) -> Exception:
    if error.errno == errno.EPIPE:
        return OutputClosedError("nobody reads standard output any more")
    return OutputError(f"cannot write alerts to standard output: {error.strerror}")
