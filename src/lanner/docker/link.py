"""A link to an engine: connects over a unix socket, TCP, TLS, or SSH, and moves bytes. This module does not parse HTTP.

All waits are bounded by a `Timer`: one deadline for everything under it, and a descriptor that ends it from outside. Errors
are `OSError`: `TimeoutError`, `WokenError`, `TlsError` or an error of the system.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Final

from lanner.net.dial import dial

if TYPE_CHECKING:
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.tls import Session
    from lanner.net.dial import Timer

_READ_SIZE: Final = 128 * 1024
SSH_TIMEOUT: Final = 10
"""Timeout of ssh to connect and log in, in seconds, before the request's own timeout begins."""
_UNIX_PAUSE: Final = 0.02
# A silently lost peer is noticed by the third unanswered probe, 30 + 3 * 10 s after its last byte, and data
# that is not acknowledged within 60 s ends the connection, too
_TCP_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
)


class SshError(OSError):
    """ssh or the remote command failed: one sentence with the reason, and `advice`.

    `is_away`: the machine or its engine did not answer now, and nothing indicates an invalid configuration.
    """

    def __init__(self, message: str, advice: str, *, is_away: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        self.is_away = is_away


class Link:
    """A connection in plain text. It only blocks under a timer."""

    is_costly = False
    """Whether connecting is so slow that the link is kept for the next request."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def fileno(self) -> int:
        """Return the socket's descriptor, to wait on; -1 once closed."""
        return self._socket.fileno()

    @property
    def ended(self) -> bool:
        """Whether `read` returns None without an event of the socket."""
        return False

    @property
    def remark(self) -> str:
        """Return more information about a failure, to be appended to an error."""
        return ""

    def send(self, data: bytes, timer: Timer) -> None:
        """Send all of `data`."""
        while data:
            try:
                # without the flag a connection that the engine has closed would end a host that does not ignore SIGPIPE, as Python does
                data = data[self._socket.send(data, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                timer.wait(self._socket.fileno(), select.POLLOUT)

    def read(self) -> bytes | None:
        """Return the available bytes, at most 128 KiB or so; None if the engine has closed."""
        try:
            return self._socket.recv(_READ_SIZE) or None
        except (BlockingIOError, InterruptedError):
            return b""

    def wait(self, timer: Timer) -> None:
        """Wait until `read` returns something."""
        timer.wait(self.fileno(), select.POLLIN)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class TlsLink(Link):
    """A connection in TLS. No complete record is kept back: if `read` returns nothing, wait for the socket."""

    def __init__(self, connection: socket.socket, session: Session, timer: Timer) -> None:
        """Perform the handshake. Raises `TlsError`, also if the certificate is not the engine's."""
        super().__init__(connection)
        self._session = session
        self._unsent = b""
        data: bytes | None = b""
        while not session.shake_hands(data):
            super().send(session.to_send(), timer)
            self.wait(timer)
            data = super().read()
        super().send(session.to_send(), timer)

    def send(self, data: bytes, timer: Timer) -> None:
        self._session.encrypt(data)
        try:
            super().send(self._session.to_send(), timer)
        except ConnectionError:
            # an engine that rejects the client certificate closes at once: its alert must still be read
            return

    @property
    def ended(self) -> bool:
        return self._session.ended

    def read(self) -> bytes | None:
        if self._session.ended:
            return None
        data = super().read()
        if data == b"":
            return b""
        found = self._session.decrypt(data)
        self._answer()
        return found

    def _answer(self) -> None:
        # a small TLS record; an unsent rest is sent with the next data
        self._unsent += self._session.to_send()
        if self._unsent:
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                return


class Spare:
    """Storage of a slow link that a response has left open, for the next request. For one thread."""

    def __init__(self) -> None:
        self._link: Link | None = None

    def take(self) -> Link | None:
        """Return the link and pass on its ownership; None if there is none or the engine has closed it."""
        link, self._link = self._link, None
        if link is None:
            return None
        try:
            if link.read() == b"":
                return link
        except OSError:
            pass
        link.close()
        return None

    def keep(self, link: Link) -> None:
        """Keep this link and close the previous one."""
        self.close()
        self._link = link

    def close(self) -> None:
        """Close the kept link."""
        link, self._link = self._link, None
        if link is not None:
            link.close()


def open_link(endpoint: Endpoint, timer: Timer) -> Link:
    """Connect."""
    if endpoint.ssh is not None:
        from lanner.docker.ssh import SshLink  # most engines are on a unix socket

        return SshLink(endpoint.ssh)
    if endpoint.tls is None:
        return Link(_unix(endpoint.path, timer) if endpoint.path else _tcp(endpoint.host, endpoint.port, timer))
    from lanner.docker.tls import Session  # most engines are on a unix socket

    session = Session(endpoint.tls, endpoint.host)  # first: an invalid file is reported even if the engine is unavailable
    connection = _tcp(endpoint.host, endpoint.port, timer)
    try:
        return TlsLink(connection, session, timer)
    except BaseException:
        connection.close()
        raise


def _unix(path: str, timer: Timer) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        while True:
            try:
                connection.connect(path)
            except BlockingIOError:  # its queue of connections is full, and no event reports when it has room
                timer.pause(_UNIX_PAUSE)
            else:
                return connection
    except BaseException:
        connection.close()
        raise


def _tcp(host: str, port: int, timer: Timer) -> socket.socket:
    return dial(host, port, timer, _set_options)


def _set_options(connection: socket.socket) -> None:
    for option in _TCP_OPTIONS:
        connection.setsockopt(*option)
