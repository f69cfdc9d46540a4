"""Alerts to a program's standard input, a line each, as Falco's program_output: nothing of an alert is ever on a command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputError
from lanner.outputs.lines import LineWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

_SHELL: Final = "/bin/sh"


class ProgramOutput:
    """A `Sink` that starts `program` by the shell; its standard output and error are ours.

    With `keep_alive` one process takes all alerts, and another one takes its place when it has ended, and on `reopen`. Without, each
    alert is a start of its own, which ends within `timeout` seconds or is killed.
    """

    name = "program_output"

    def __init__(self, program: str, *, keep_alive: bool = False, timeout: float = 2.0) -> None:
        self._program, self._keep_alive, self._timeout = program, keep_alive, timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._writer = LineWriter(self._failure)
        self._interrupted = False

    def send(self, alerts: Sequence[Alert]) -> None:
        """Hand over all; without `keep_alive`, when the program has ended. OutputError where it does not take them, or fails."""
        if self._keep_alive:
            self._send_to_one(alerts)
            return
        for place, alert in enumerate(alerts):
            try:
                self._run(alert)
            except OutputError as error:
                error.delivered = place
                raise

    def reopen(self) -> None:
        """Have another process take the next alerts."""
        self._end(self._timeout)

    def interrupt(self) -> None:
        """See `Sink`."""
        self._interrupted = True
        self._writer.interrupt()
        if self._process is not None:
            _kill(self._process, signal.SIGKILL)

    def close(self) -> None:
        """Let the process read to the end, and end; after the timeout it is killed."""
        self._end(self._timeout)

    def _send_to_one(self, alerts: Sequence[Alert]) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._end(0)  # what it did not read is not known; it has been said, and the next one begins
        process = self._process or self._start()
        self._process = process
        assert process.stdin is not None
        try:
            self._writer.write(process.stdin.fileno(), [alert.line for alert in alerts], self._timeout)
        except OutputError:
            self._end(0)
            raise

    def _run(self, alert: Alert) -> None:
        process = self._process = self._start()
        if self._interrupted:  # who interrupted may not have seen it yet
            _kill(process, signal.SIGKILL)
        assert process.stdin is not None
        deadline = time.monotonic() + self._timeout
        with contextlib.suppress(OutputError):  # it did not read all, which is its own matter if it ends well
            LineWriter(self._failure).write(process.stdin.fileno(), [alert.line], self._timeout)
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process, signal.SIGKILL)
            process.wait()
            raise OutputError(
                f"{self._program!r} ($.program_output.program) did not end within {self._timeout:g} s; give it more ($.output_timeout), "
                "or keep it running (keep_alive: true)"
            ) from None
        finally:
            self._process = None
        if status and not self._interrupted:
            raise OutputError(f"{self._program!r} ($.program_output.program) ended with {_said(status)}; what it says is on standard error")

    def _start(self) -> subprocess.Popen[bytes]:
        if self._interrupted:
            raise OutputError("nobody takes the alerts, and the run has ended")
        try:
            return subprocess.Popen(  # noqa: S603 - the operator's own command line, as in Falco
                [_SHELL, "-c", self._program], stdin=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise OutputError(f"cannot start {self._program!r} ($.program_output.program): {error.strerror}") from None

    def _end(self, within: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        for patience, number in ((within, signal.SIGTERM), (within, signal.SIGKILL)):
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                _kill(process, number)
            else:
                return
        process.wait()

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self._program!r} ($.program_output.program) takes no more alerts: {error.strerror}; another one is started")


def _kill(process: subprocess.Popen[bytes], number: int) -> None:
    """The program and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _said(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"
