"""`program`: the lines that a program writes to its standard output; it is started again when it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lanner.sdk.errors import SourceError
from lanner.sdk.text.printable import printable_line
from lanner.sources.arguments import argument_error, check_choice, check_count, check_path, check_texts_by_name
from lanner.sources.backoff import Backoff
from lanner.sources.lines import MAX_LINE, SHORTEST_BOUND, LineFeed, LineSplitter

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE: Final = 1 << 16
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_STEADY: Final = 10.0
"""Seconds after which a program counts as started, so that the next start is made without a longer pause."""
_EXIT: Final = 1.0
"""Seconds that a program has to exit after it has closed its output."""
_LOOK: Final = 0.1
"""Seconds between two looks whether the program has ended while others keep its output open."""
_GRACE: Final = 0.06
"""Seconds that a program has to end after SIGTERM, before SIGKILL."""
_MESSAGE: Final = 4096
_MESSAGES: Final = 100
"""Lines of standard error in `_PERIOD` seconds that are logged."""
_PERIOD: Final = 10.0
_UNSTARTABLE: Final = (FileNotFoundError, NotADirectoryError, PermissionError)

Restart: TypeAlias = Literal["always", "on-failure", "never"]


def program(
    command: Sequence[str],
    *,
    restart: Restart = "always",
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    max_line: int = MAX_LINE,
) -> Program:
    """Run a program without a shell: each line that it writes is an event, and its standard error goes to the log.

    When it ends, Lanner restarts it (`restart`: `always`, `on-failure`, `never`), after growing pauses. When the source is closed,
    its whole process group is ended. `cwd` and `env` are its directory and its whole environment; by default those of the host.

    Lines of more than `max_line` bytes (at least 1024) are dropped and counted, and empty lines are skipped.
    """
    return Program(command, restart=restart, cwd=cwd, env=env, max_line=max_line)


class Program(LineFeed):
    """The result of `program`. `open` may return it, or be a generator that reads it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        restart: Restart = "always",
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        max_line: int = MAX_LINE,
    ) -> None:
        """Raise `UsageError` for invalid arguments."""
        if not isinstance(command, Sequence) or isinstance(command, str) or not command or not all(isinstance(w, str) for w in command):
            raise argument_error("program", 'the command must be a list of strings, such as ["journalctl", "-f", "-o", "json"]')
        check_count("program", SHORTEST_BOUND, max_line=max_line)
        check_choice("program", ("always", "on-failure", "never"), restart=restart)
        if cwd is not None:
            check_path("program", cwd=cwd)
        if env is not None:
            check_texts_by_name("program", env=env)
        super().__init__(os.path.basename(command[0]), max_line)
        self._command, self._restart, self._cwd, self._env = list(command), restart, cwd, env
        self._piece = min(_PIECE, max_line)
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._process: subprocess.Popen[bytes] | None = None
        self._poll = select.poll()
        self._messages = LineSplitter(_MESSAGE)
        self._logged = 0
        self._period = 0.0
        self._begun = 0.0
        self._start_at = 0.0
        self._ended = False
        self._failure: SourceError | None = None
        self._reading = threading.Lock()

    def block(self, timeout: float) -> bytes | None:
        """See `LineFeed`."""
        deadline = time.monotonic() + timeout
        with self._reading:
            while not self.closing.is_set and not self._ended:
                left = deadline - time.monotonic()
                if self._process is None:
                    self._start(left)
                elif block := self._look(max(0.0, left)):
                    return block
                if left <= 0:
                    return b""
        if self._failure is not None and not self.closing.is_set:
            raise self._failure
        return None

    def close(self) -> None:
        """See `OpenInstance`. The program has ended when it returns."""
        super().close()
        with self._reading:
            process = self._process
            if process is not None:
                _end_group(process)
                self._forget(process)

    def _start(self, left: float) -> None:
        pause = self._start_at - time.monotonic()
        if pause > 0 and (self.wait(min(pause, max(0.0, left))) or pause > left):
            return
        try:
            # its own session, so that it is ended with its children
            self._process = subprocess.Popen(  # noqa: S603 - the plugin's own command, without a shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._cwd,
                env=self._env,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._handle_failed_start(error)
            return
        self._begun = time.monotonic()
        self.connections[self.name] = True
        self._poll = select.poll()
        self._poll.register(self.closing, select.POLLIN)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._poll.register(stream, select.POLLIN)

    def _handle_failed_start(self, error: OSError | ValueError) -> None:
        said = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        if not self._begun and isinstance(error, (*_UNSTARTABLE, ValueError)):
            raise SourceError(f"cannot start the program {self._shown}: {said}") from None
        self._start_at = time.monotonic() + self._backoff.next()
        self.warn("start", "cannot start the program %s: %s; Lanner retries", self._shown, said)

    @property
    def _shown(self) -> str:
        return printable_line(self._command[0])

    def _look(self, timeout: float) -> bytes:
        """Wait for output, and return whole lines."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        # a child that keeps the pipe open must not hide the end of the program
        self._poll.poll(min(timeout, _LOOK) * 1000)
        if self.closing.is_set:
            return b""
        if not process.stderr.closed:
            self._log_messages(process)
        has_ended = _has_exited(process)  # first: its output is then in the pipe
        data = _read(process.stdout.fileno(), self._piece)
        if data:
            whole = self._lines.feed(data)
            self.count_long()
            return whole
        return self._end(process) if data is None or has_ended else b""

    def _end(self, process: subprocess.Popen[bytes]) -> bytes:
        """Report the program's end, and return its unfinished last line."""
        # one that has closed its output is about to exit
        deadline = time.monotonic() + _EXIT
        while not _has_exited(process) and time.monotonic() < deadline:
            if self.wait(0.005):
                return b""
        if not process.stderr or not process.stderr.closed:
            self._log_messages(process)
        if message := self._messages.end():
            self._log_message(message)
        _end_group(process)
        self._forget(process)
        status = process.returncode
        if time.monotonic() - self._begun >= _STEADY:
            self._backoff.reset()
        ended = "ended" if not status else f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        self._ended = self._restart == "never" or (self._restart == "on-failure" and not status)
        if not self._ended:
            pause = self._backoff.next()
            self._start_at = time.monotonic() + pause
            self.counted.add("program restarts")
            self.warn("end", "the program %s %s; it is started again in %.1f s", self._shown, ended, pause)
        elif status:
            self._failure = SourceError(f"the program {self._shown} {ended}")  # raised after its last line
        rest = self._lines.end()
        return rest + b"\n" if rest else b""

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        self.connections[self.name] = False
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _log_messages(self, process: subprocess.Popen[bytes]) -> None:
        """Log the lines of the program's standard error."""
        assert process.stderr is not None
        for _ in range(4):  # one that only writes errors must not hide its lines
            data = _read(process.stderr.fileno(), _MESSAGE)
            if not data:
                if data is None:
                    self._poll.unregister(process.stderr)
                    process.stderr.close()
                return
            for line in self._messages.feed(data).splitlines():
                self._log_message(line)
            self.counted.add("messages dropped", self._messages.too_long)
            self._messages.too_long = 0

    def _log_message(self, line: bytes) -> None:
        now = time.monotonic()
        if now >= self._period:
            self._period, self._logged = now + _PERIOD, 0
        self._logged += 1
        if self._logged > _MESSAGES:
            self.counted.add("messages dropped")
            self.warn("messages", "%s: dropped a message: more than %s within %g s", self._shown, _MESSAGES, _PERIOD)
        elif line.strip():
            self.log().info("%s: %s", self._shown, printable_line(line.decode("utf-8", "replace").strip()))


def _read(descriptor: int, size: int) -> bytes | None:
    """Return available bytes, b"" for none now, and None at the end."""
    try:
        return os.read(descriptor, size) or None
    except BlockingIOError:
        return b""


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Return whether the program has exited, without reaping it: until then its process group belongs to it."""
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # the host lets the kernel reap it
        return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and its children within `_GRACE` seconds, and reap it."""
    _signal(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while not _has_exited(process) and time.monotonic() < deadline:
        time.sleep(0.002)  # kernels before 5.3 have no descriptor for a child's exit
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
