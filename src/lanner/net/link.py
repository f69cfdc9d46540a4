"""A link to a server: a connected socket that moves bytes under deadlines. This module does not parse HTTP.

All waits are bounded by a `Timer`: one deadline for everything under it, and a descriptor that ends it from outside. Errors
are `OSError`: `TimeoutError`, `WokenError` or an error of the system.
"""

from __future__ import annotations

import _socket  # `socket` makes an enumeration of each constant, which takes 0.4 MB in each plugin's .so
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from lanner.net.dial import Timer

_READ_SIZE: Final = 128 * 1024
_MOST_UNREQUESTED: Final = 64
"""Maximum number of reads of unrequested bytes in a check whether a peer has closed."""


class Link:
    """A connection in plain text. It only blocks under a timer."""

    is_costly = False
    """Whether connecting is so slow that the link is kept for the next request."""

    def __init__(self, connection: _socket.socket) -> None:
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
        unsent = memoryview(data)
        while unsent:
            try:
                # without the flag a connection that the peer has closed would end a host that does not ignore SIGPIPE, as Python does
                unsent = unsent[self._socket.send(unsent, _socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                timer.wait(self._socket.fileno(), select.POLLOUT)

    def read(self) -> bytes | None:
        """Return the available bytes, at most 128 KiB or so; None if the peer has closed."""
        try:
            return self._socket.recv(_READ_SIZE) or None
        except (BlockingIOError, InterruptedError):
            return b""

    def wait(self, timer: Timer) -> None:
        """Wait until `read` returns something."""
        timer.wait(self.fileno(), select.POLLIN)

    def has_closed(self) -> bool:
        """Return whether the peer has closed. Unrequested data (a greeting, TLS session tickets) is dropped: it would hide the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        try:
            for _ in range(_MOST_UNREQUESTED):
                if not poll.poll(0):
                    return self.ended
                if self.read() is None:
                    return True
        except OSError:
            return True
        return False

    def finish(self, timer: Timer) -> None:
        """End the data and wait until the peer has read all and closed: a kernel drops data on its way to the peer if a connection is
        closed with unread input.
        """
        self._socket.shutdown(_socket.SHUT_WR)
        while (data := Link.read(self)) is not None:
            if not data:
                timer.wait(self._socket.fileno(), select.POLLIN)
            timer.left()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
