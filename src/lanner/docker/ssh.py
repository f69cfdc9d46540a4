"""Engines over SSH: the user's own `ssh` program runs `docker system dial-stdio` on the other machine, as Docker's client does.

Keys, known hosts, jump hosts and multiplexing are configured in ssh. It cannot ask for input: it runs in batch mode
and without a terminal. Its standard input and output are the link; standard error of ssh and the remote command explains a
failed link.
"""

from __future__ import annotations

import fcntl
import os
import select
import shlex
import signal
import socket
import time
from typing import TYPE_CHECKING, Final

import lanner
from lanner.docker.ssh_error import SSH_TIMEOUT, SshError
from lanner.net.link import Link

if TYPE_CHECKING:
    from lanner.docker.endpoint import Ssh
    from lanner.net.dial import Timer

_PROGRAM: Final = "ssh"
_OPTIONS: Final = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={SSH_TIMEOUT}")
_MAX_MESSAGE: Final = 4096
_GRACE: Final = 1.0
"""Seconds that ssh has to exit, at the end of a connection and after SIGTERM."""
_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05
_FAILED: Final = 255
_NOT_FOUND: Final = 127
_ADVICE: Final = (
    ("permission denied (", "Lanner answers no questions: give ssh a key without a passphrase, or an agent (SSH_AUTH_SOCK), for this user"),
    ("host key", "Connect once by hand as the user that Lanner runs as, to accept the host's key into its known_hosts"),
    ("permission denied", "The user on the other machine must be root or a member of the group `docker`"),
    ("raw stream connection", "Start the engine on the other machine (systemctl start docker), or put its socket's path into the address"),
    ("dial-stdio", "The other machine needs Docker 18.09 or later"),
)
# messages of ssh, and of the docker program on the other machine, for an unreachable machine or engine
_AWAY: Final = (
    *("connection refused", "connection timed out", "timed out", "timeout", "no route to host", "network is unreachable"),
    *(
        "connection reset",
        "connection closed",
        "could not resolve hostname",
        "raw stream connection",
        "cannot connect to the docker daemon",
    ),
)


class SshLink(Link):
    """A connection through a child process. Its descriptor is readable when ssh has sent output or a message."""

    is_costly = True

    def __init__(self, ssh: Ssh) -> None:
        """Start ssh, which connects while the request is already sent. Raises `SshError` if it cannot be started."""
        self._ssh = ssh
        self._said = b""
        self._has_answered = False
        self._pid, connection, self._errors = _start(_command(ssh))
        super().__init__(connection)
        self._poll = select.epoll()
        self._poll.register(connection, select.EPOLLIN)
        self._poll.register(self._errors, select.EPOLLIN)

    def fileno(self) -> int:
        """Return a descriptor to wait on; -1 once closed."""
        return -1 if self._poll.closed else self._poll.fileno()

    @property
    def remark(self) -> str:
        self._listen()
        return f"; ssh says: {text}" if (text := _tidy(self._said)) else ""

    def send(self, data: bytes, timer: Timer) -> None:
        try:
            super().send(data, timer)
        except ConnectionError:
            return  # `read` tells why ssh has ended

    def read(self) -> bytes | None:
        """Return the bytes that are there; None at the end of the stream. Raises `SshError` if ssh or the remote command failed."""
        self._listen()
        try:
            data = super().read()
        except ConnectionError:  # it has ended without reading our request
            data = None
        if data is None:
            self._explain_end()
        self._has_answered |= bool(data)
        return data

    def close(self) -> None:
        super().close()
        self._poll.close()
        if self._errors >= 0:
            os.close(self._errors)
            self._errors = -1
        if self._pid:
            _end(self._pid)
            self._pid = 0

    def _listen(self) -> None:
        """Read standard error. Unread it would fill the pipe and stop ssh."""
        try:
            while self._errors >= 0 and (said := os.read(self._errors, _MAX_MESSAGE)):
                self._said = (self._said + said)[-_MAX_MESSAGE:]
        except BlockingIOError:
            return
        if self._errors >= 0:
            self._poll.unregister(self._errors)
            os.close(self._errors)
            self._errors = -1

    def _explain_end(self) -> None:
        status = _end(self._pid, at_once=False)
        self._pid = 0
        self._listen()
        if status == 0 and self._has_answered:
            return
        said = _tidy(self._said)
        lower = said.lower()
        advice = next((advice for sign, advice in _ADVICE if sign in lower), "")
        if not advice:
            port = f"-p {self._ssh.port} " if self._ssh.port else ""
            login = f"ssh {port}{self._ssh.user + '@' if self._ssh.user else ''}{self._ssh.host}"
            what = "log in" if status == _FAILED else "run `docker` on the other machine"
            advice = f"Check that the user that Lanner runs as can {what} without a question: {login} docker version"
            if status == _NOT_FOUND:
                advice += "; `docker` must be in the PATH of commands that ssh runs"
        ended = "ended" if status == 0 else f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        is_away = any(sign in lower for sign in _AWAY) and "permission denied" not in lower
        raise SshError(f"ssh {ended}: {said}" if said else f"ssh {ended} without a message", advice, is_away=is_away)


def _command(ssh: Ssh) -> list[str]:
    """Return the command line. No part of the address can be an option or a word of the remote shell."""
    words = [_PROGRAM, *_OPTIONS]
    if ssh.user:
        words += ["-l", ssh.user]
    if ssh.port:
        words += ["-p", str(ssh.port)]
    engine = ["--host", f"unix://{ssh.path}"] if ssh.path else []
    return [*words, "--", ssh.host, shlex.join(["docker", *engine, "system", "dial-stdio"])]


def _start(command: list[str]) -> tuple[int, socket.socket, int]:
    """Start the command in a session without a terminal. Return its process, its input and output, and its standard error."""
    ours, theirs = socket.socketpair()
    errors, said = os.pipe()
    # above the numbers that they get in the child: a process may run without a standard input
    inner = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 3) for each in (theirs, said)]
    try:
        actions: list[tuple[int, ...]] = [
            (os.POSIX_SPAWN_DUP2, inner[0], 0),
            (os.POSIX_SPAWN_DUP2, inner[0], 1),
            (os.POSIX_SPAWN_DUP2, inner[1], 2),
            *((os.POSIX_SPAWN_CLOSE, each) for each in _inheritable_descriptors() if each > 2),
        ]
        # no fork: the process belongs to the host, with other threads. ssh must not inherit their signal mask
        pid = os.posix_spawnp(
            command[0],
            command,
            {**os.environ, "SSH_ASKPASS_REQUIRE": "never"},  # a jump host's ssh is not in batch mode
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
    except OSError as error:
        ours.close()
        os.close(errors)
        reason = "there is no such program in PATH" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise SshError(f"cannot start ssh: {reason}", "Install it (Debian: apt-get install openssh-client)") from None
    finally:
        theirs.close()
        for each in (said, *inner):
            os.close(each)
    ours.setblocking(False)
    os.set_blocking(errors, False)
    return pid, ours, errors


def _inheritable_descriptors() -> list[int]:
    """Return the open descriptors that a child would inherit."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:  # the descriptor of this listing
            continue
    return found


def _end(pid: int, *, at_once: bool = True) -> int:
    """Reap the process, with its own children, and return its exit status, as `subprocess` gives it.

    Without `at_once` it first waits a moment for its exit.
    """
    try:
        has_exited = not at_once and _has_exited(pid)
        _signal(pid, signal.SIGTERM)  # even after its exit: a proxy command may still run
        if not has_exited and not _has_exited(pid):
            _signal(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:  # the host lets the kernel reap it
        return 0
    return os.waitstatus_to_exitcode(status)


def _has_exited(pid: int) -> bool:
    """Wait a moment for its exit. Its process ID stays reserved until it is reaped."""
    # kernels before 5.3 have no descriptor for a child's exit
    deadline, pause = time.monotonic() + _GRACE, _FIRST_PAUSE
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _tidy(said: bytes) -> str:
    """Return the messages as one line."""
    lines = (lanner.printable_line(line.strip()) for line in said.decode("utf-8", "replace").splitlines())
    return "; ".join(line for line in lines if line)
