"""Alerts to standard output: unchanged into a pipe or file, without control characters to a terminal."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError
from lanner.outputs.line_writer import LineWriter
from lanner.sdk.printable import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

_STDOUT: Final = 1


class StdoutOutput:
    """A `Sink` on file descriptor 1 (or another open one, which it does not close)."""

    name = "stdout_output"
    batch_size = 1
    wants_records = False

    def __init__(self, descriptor: int = _STDOUT) -> None:
        self._descriptor = descriptor
        self._writer = LineWriter(_failure)
        self._terminal = os.isatty(descriptor)

    def send(self, alerts: Sequence[Alert]) -> None:
        """Print the alerts. Raises OutputClosedError if the reader has closed."""
        if self._terminal:
            self._writer.write(self._descriptor, [escape_controls(alert.line) for alert in alerts])
        else:
            self._writer.write(self._descriptor, [alert.line for alert in alerts])

    def reopen(self) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """See `Sink`."""
        self._writer.interrupt()

    def close(self) -> None:
        """Do nothing: standard output itself stays open."""


def _failure(error: OSError) -> Exception:
    if error.errno == errno.EPIPE:
        return OutputClosedError("the reader of standard output has closed")
    return OutputError(f"cannot write alerts to standard output: {error.strerror}")
