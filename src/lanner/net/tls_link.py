"""Links in TLS. The link sends, which keeps SIGPIPE from the host, and waits with poll(2): no data is pending where poll cannot see it.

Importers import this module for their first link in TLS: most engines use a unix socket, and `ssl` is large. A Python without
OpenSSL lacks it.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanner.net.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.net.dial import Timer

_READ_SIZE: Final = 64 * 1024


class TlsSession:
    """The client's side of one TLS connection to `host`, without a socket: converts between network bytes and the server's bytes.

    `explain` turns an error of TLS into the one that is raised.
    """

    def __init__(self, context: ssl.SSLContext, host: str, explain: Callable[[ssl.SSLError], OSError] = lambda error: error) -> None:
        self.ended = False  # the server has ended its data
        self._explain = explain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.encode() if host.isascii() else host)

    def shake_hands(self, data: bytes | None) -> bool:
        """Process the server's bytes (None: it has closed) and continue the handshake. Return whether it is done."""
        self._take(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise self._explain(error) from None
        return True

    def end(self) -> None:
        """End the data for the server."""
        with suppress(ssl.SSLError):  # the server's own end is not awaited
            self._object.unwrap()

    def to_send(self) -> bytes:
        """Return the bytes to send to the server."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> None:
        """Encrypt `data` for sending."""
        try:
            while data:
                data = data[self._object.write(data) :]
        except ssl.SSLError as error:
            raise self._explain(error) from None

    def decrypt(self, data: bytes | None) -> bytes | None:
        """Return the data in the server's bytes (None: it has closed), as far as records are complete; None at the end."""
        self._take(data)
        parts = []
        try:
            while part := self._object.read(_READ_SIZE):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # closed, cleanly or not: HTTP determines whether the response is complete
            pass
        except ssl.SSLError as error:
            raise self._explain(error) from None
        self.ended = True
        return b"".join(parts) or None

    def _take(self, data: bytes | None) -> None:
        if data is None:
            self._incoming.write_eof()
        else:
            self._incoming.write(data)


class TlsLink(Link):
    """A connection in TLS. No complete record is kept back: if `read` returns nothing, wait for the socket."""

    def __init__(self, connection: socket.socket, session: TlsSession, timer: Timer) -> None:
        """Perform the handshake. Raises the errors of `session`, even if the certificate is not the server's, and closes the connection."""
        super().__init__(connection)
        self._session = session
        self._unsent = b""
        try:
            self._shake_hands(timer)
        except BaseException:
            with suppress(OSError):  # an alert with the reason, for the server's log
                connection.send(session.to_send(), socket.MSG_NOSIGNAL)
            connection.close()
            raise

    def _shake_hands(self, timer: Timer) -> None:
        data: bytes | None = b""
        while not self._session.shake_hands(data):
            super().send(self._session.to_send(), timer)
            self.wait(timer)
            data = super().read()
        super().send(self._session.to_send(), timer)

    def send(self, data: bytes, timer: Timer) -> None:
        self._session.encrypt(data)
        super().send(self._unsent + self._session.to_send(), timer)
        self._unsent = b""

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

    def finish(self, timer: Timer) -> None:
        self._session.end()
        with suppress(OSError):
            super().send(self._unsent + self._session.to_send(), timer)
        super().finish(timer)
