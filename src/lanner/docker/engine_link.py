"""Links to engines: connects over a unix socket, TCP, TLS, or SSH, and keeps a slow link for the next request.

All waits are bounded by a `Timer`. Errors are `OSError`: `TimeoutError`, `WokenError`, `TlsError` or an error of the system.
"""

from __future__ import annotations

import _socket
from functools import partial

from lanner.net.dial import dial
from lanner.net.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Final

    from lanner.docker.endpoint import Endpoint
    from lanner.net.dial import Timer

_UNIX_PAUSE: Final = 0.02
# The connection ends if the peer answers none of three probes, 30 + 3 * 10 s after its last byte. It also ends if the peer does not
# acknowledge data within 60 s
_TCP_OPTIONS: Final = (
    (_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPIDLE, 30),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPINTVL, 10),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPCNT, 3),
    (_socket.IPPROTO_TCP, _socket.TCP_USER_TIMEOUT, 60_000),
)


class SpareLink:
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
    from lanner.net.tls import make_context  # most engines are on a unix socket

    context = make_context(endpoint.tls)  # first: an invalid file is reported even if the engine is unavailable
    from lanner.docker.tls_errors import explain  # these need the module ssl
    from lanner.net.tls_link import TlsLink, TlsSession

    session = TlsSession(context, endpoint.host, partial(explain, endpoint.tls))
    return TlsLink(_tcp(endpoint.host, endpoint.port, timer), session, timer)


def _unix(path: str, timer: Timer) -> _socket.socket:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
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


def _set_options(connection: _socket.socket) -> None:
    for option in _TCP_OPTIONS:
        connection.setsockopt(*option)
