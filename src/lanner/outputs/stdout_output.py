"""Alerts to standard output: unchanged into a pipe or file, printable and in the colours of their priorities on a terminal."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError
from lanner.outputs.line_writer import LineWriter
from lanner.outputs.terminal import has_colours, terminal_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

STDOUT: Final = 1
"""The file descriptor."""


class StdoutOutput:
    """A `Sink` on file descriptor 1 (or another open one, which it does not close)."""

    name = "stdout_output"
    batch_size = 1
    wants_records = False

    def __init__(self, descriptor: int = STDOUT) -> None:
        self._descriptor = descriptor
        self._writer = LineWriter(stdout_failure)
        self._terminal = os.isatty(descriptor)
        self._coloured = has_colours()

    def send(self, alerts: Sequence[Alert]) -> None:
        """Print the alerts. Raises OutputClosedError if the reader has closed."""
        if self._terminal:
            lines = [terminal_line(alert.line, alert.priority, coloured=self._coloured) for alert in alerts]
        else:
            lines = [alert.line for alert in alerts]
        self._writer.write(self._descriptor, lines)

    def reopen(self) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """See `Sink`."""
        self._writer.interrupt()

    def close(self) -> None:
        """Do nothing: standard output itself stays open."""


def stdout_failure(error: OSError) -> OutputError | OutputClosedError:
    """Return the error for a failed write to standard output."""
    if error.errno == errno.EPIPE:
        return OutputClosedError("the reader of standard output has closed")
    return OutputError(f"cannot write alerts to standard output: {error.strerror}")
