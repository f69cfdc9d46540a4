"""Alerts to a program's standard input, one per line, as Falco's program_output: no part of an alert is ever on a command line."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputError
from lanner.outputs.line_writer import LineWriter
from lanner.sdk.text.encoding import many, to_bytes_leniently

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

_LOG: Final = logging.getLogger("lanner.outputs")

_SHELL: Final = "/bin/sh"
_GRACE: Final = 1.0
"""Seconds that a program has to end after SIGTERM, and after SIGKILL."""
_OFTEN: Final = 0.01
_PIPE: Final = 1 << 16
"""Capacity of a pipe in bytes."""


class ProgramOutput:
    """A `Sink` that starts `program` with the shell; its standard output and error are those of Lanner.

    With `keep_alive` one process receives all alerts, each within `timeout` seconds. When it has ended, and on `reopen`, a new process
    replaces it and first gets the unread alerts. Without, each alert starts a process, which must end within `timeout` seconds or is
    killed.
    """

    name = "program_output"
    batch_size = 1
    wants_records = False

    def __init__(self, program: str, *, keep_alive: bool = False, timeout: float = 2.0) -> None:
        self._program, self._keep_alive, self._timeout = program, keep_alive, timeout
        self._shown = f"{program!r} ($.program_output.program)"
        self._process: subprocess.Popen[bytes] | None = None
        self._writer = LineWriter(self._failure)
        self._handed: deque[str] = deque()  # lines that may still be in the pipe, and their characters
        self._size = 0
        self._unread: list[str] = []  # alerts of earlier calls that an ended process has not read
        self._interrupted = False

    def send(self, alerts: Sequence[Alert]) -> None:
        """Write all alerts; without `keep_alive`, wait for the program's end. Raises OutputError if it reads no more, or fails."""
        if self._keep_alive:
            self._send_to_one([alert.line for alert in alerts])
            return
        for place, alert in enumerate(alerts):
            try:
                self._run(alert)
            except OutputError as error:
                error.delivered = place
                raise

    def reopen(self) -> None:
        """Start a new process for the next alerts."""
        _, unread = self._end(reads_on=True)
        self._unread = unread + self._unread

    def interrupt(self) -> None:
        """See `Sink`."""
        self._interrupted = True
        self._writer.interrupt()
        process = self._process
        if process is not None:
            _kill(process, signal.SIGKILL)

    def close(self) -> None:
        """Let the process read to the end, and end; kill it after the timeout. Raises OutputError if it fails, or leaves alerts unread."""
        said, unread = self._end(reads_on=True)
        count, self._unread = len(unread) + len(self._unread), []
        if said or count:
            raise OutputError(f"{self._shown} {said or 'has ended'}{_describe_left(count)}")

    def _send_to_one(self, lines: list[str]) -> None:
        if self._process is not None and self._process.poll() is not None:
            said, unread = self._end()
            self._unread = unread
            if said or unread:
                raise OutputError(f"{self._shown} {said or 'has ended'}{_describe_left(len(unread))}; another one is started")
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        again = self._unread
        try:
            self._writer.write(process.stdin.fileno(), again + lines, self._timeout)
            if again:
                self._prove(process.stdin.fileno(), len(again + lines))
        except OutputError as error:
            whole = error.delivered
            self._hand((again + lines)[:whole])
            said, unread = self._end(self._writer.forget())
            own = max(0, whole - len(again))
            self._unread = unread[: max(0, len(unread) - own)] + again[whole:]
            message = f"{error}; it {said or 'has ended'}{_describe_left(len(unread))}; another one is started"
            raise OutputError(message, delivered=max(0, own - len(unread))) from None
        self._hand(again + lines)
        self._unread = []

    def _prove(self, pipe: int, count: int) -> None:
        """Wait until a replacement process has read the contents of the pipe before considering it healthy."""
        deadline = time.monotonic() + self._timeout
        while _bytes_in(pipe) and time.monotonic() < deadline:
            if _is_broken(pipe, within=_OFTEN):
                raise OutputError(f"{self._shown} takes no more alerts", delivered=count)

    def _hand(self, lines: list[str]) -> None:
        """Remember the contents of the pipe. Each character is one byte or more, so this is at least the number of bytes in it."""
        self._handed.extend(lines)
        self._size += sum(map(len, lines))
        while self._handed and self._size - len(self._handed[0]) >= _PIPE:
            self._size -= len(self._handed.popleft())

    def _run(self, alert: Alert) -> None:
        process = self._process = self._start()
        if self._interrupted:  # the interrupting thread may not have seen it yet
            _kill(process, signal.SIGKILL)
        assert process.stdin is not None
        deadline = time.monotonic() + self._timeout
        with contextlib.suppress(OutputError):  # unread input is the program's decision if it ends with success
            self._writer.write(process.stdin.fileno(), [alert.line], self._timeout)
        self._writer.forget()
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process, signal.SIGKILL)
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                _LOG.warning("%s cannot be ended; Lanner leaves it running", self._shown)
            raise OutputError(
                f"{self._shown} did not end within {self._timeout:g} s; give it more ($.output_timeout), "
                "or keep it running (keep_alive: true)"
            ) from None
        finally:
            self._process = None
        if status:
            raise OutputError(f"{self._shown} ended with {_describe_status(status)}; its messages are on standard error")

    def _start(self) -> subprocess.Popen[bytes]:
        if self._interrupted:
            raise OutputError("the alerts are not accepted any more: the run has ended")
        try:
            return subprocess.Popen(  # noqa: S603 - the operator's own command line, as in Falco
                [_SHELL, "-c", self._program], stdin=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise OutputError(f"cannot start {self._shown}: {error.strerror}") from None

    def _end(self, begun: int = 0, *, reads_on: bool = False) -> tuple[str, list[str]]:
        """End the process; with `reads_on` it may read to the end first. `begun`: bytes of an incomplete line in the pipe.

        Return the message about its end, and the unread alerts.
        """
        process = self._process
        if process is None:
            return "", []
        assert process.stdin is not None
        # a process that has closed its end is about to exit
        patience = self._timeout if reads_on else _GRACE if _is_broken(process.stdin.fileno()) else 0.0
        pipe = _open_read_end(process.stdin.fileno())
        try:
            if reads_on:
                process.stdin.close()
            said = _await_end(process, patience)
            count = _bytes_in(pipe) - begun
        finally:
            process.stdin.close()
            os.close(pipe)
            self._process = None  # not earlier: the interrupting thread must find it
        unread: deque[str] = deque()
        while count > 0 and self._handed:
            unread.appendleft(self._handed.pop())
            count -= len(to_bytes_leniently(unread[0])) + 1
        self._handed.clear()
        self._size = 0
        return said, list(unread)

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self._shown} takes no more alerts: {error.strerror}")


def _await_end(process: subprocess.Popen[bytes], patience: float) -> str:
    """Wait up to `timeout` for its end, then kill it. Return the message about its end, empty for success."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(patience)
        return f"ended with {_describe_status(status)}" if status else ""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _kill(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return f"was ended by {number.name}"
    return "cannot be ended and is left running"


def _kill(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal the program and its child processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _describe_status(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"


def _describe_left(count: int) -> str:
    return f", and left {many(count, 'alert')} unread" if count else ""


def _is_broken(pipe: int, within: float = 0.0) -> bool:
    """Return whether no process reads the pipe any more."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(within * 1000))


def _open_read_end(pipe: int) -> int:
    """Yield a pipe that shows its content after all other processes have closed it."""
    return os.open(f"/proc/self/fd/{pipe}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _bytes_in(pipe: int) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
