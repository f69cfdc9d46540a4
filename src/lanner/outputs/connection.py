"""A connection to a server that alerts go to, over TCP or TLS: one deadline for its making, an end that loses nothing, a stop at once."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanner.net.dial import Timer, WokenError, dial
from lanner.net.tls import TlsError, make_context
from lanner.outputs.base import OutputError

if TYPE_CHECKING:
    from lanner.net.tls import Tls

_CHUNK: Final = 4096
_MOST_CHUNKS: Final = 64
"""Of what a server says that nobody asked it, so many are read before each alert."""


class Connection:
    """To `host` and `port`, by TLS where there is a `context`; `current` is what is open. For one thread at a time, but for `interrupt`.

    Raises ValueError for what can be no name of a host.
    """

    def __init__(self, host: str, port: int) -> None:
        host.encode("idna")  # as the resolver is asked
        if not host.isprintable() or " " in host:
            raise ValueError(host)
        self._host, self._port = host, port
        self.context: ssl.SSLContext | None = None
        self.current: socket.socket | None = None
        self.interrupted = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def __del__(self) -> None:
        if "_wake" in self.__dict__:
            os.close(self._wake)

    def timer(self, seconds: float) -> Timer:
        """Return a deadline for an exchange over this connection, which `interrupt` ends."""
        return Timer(seconds, self._wake)

    def secure(self, tls: Tls, where: str) -> None:
        """Use TLS with these files from now on; `where` is the block of falco.yaml for messages. Raises OutputError."""
        try:
            self.context = make_context(tls)
        except TlsError as error:
            raise OutputError(f"{error} ({where})") from None

    def open(self, timer: Timer) -> socket.socket:
        """Connect. An address that does not answer leaves time for the next one. Raises OSError."""
        connection = self.current = dial(self._host, self._port, timer, lambda _: None)
        try:
            self._go_on()
            connection.settimeout(timer.left())
            if self.context is None:
                return connection
            secured = self.current = self.context.wrap_socket(connection, server_hostname=self._host, do_handshake_on_connect=False)
            self._go_on()
            secured.do_handshake()
        except BaseException:
            self.close()
            raise
        return secured

    def has_closed(self) -> bool:
        """Whether the server has. What it says meanwhile (a greeting, TLS session tickets) is read: unread, it would look like the end."""
        connection = self.current
        if connection is None:
            return True
        connection.setblocking(False)
        try:
            for _ in range(_MOST_CHUNKS):
                if not connection.recv(_CHUNK):
                    return True
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return False

    def close(self, patience: float = 0.0) -> None:
        """Close it. With `patience` (seconds), after the server has read all and closed, too: a kernel that still has something for the
        server forgets it when a connection is closed with input unread.
        """
        if self.current is None:
            return
        try:
            if patience and not self.interrupted:
                with suppress(OSError):
                    self._take_leave(self.timer(patience))
        finally:
            connection, self.current = self.current, None
            connection.close()

    def interrupt(self) -> None:
        """End whatever is waited for, from another thread, and let nothing be opened any more."""
        self.interrupted = True
        os.eventfd_write(self._wake, 1)
        connection = self.current
        if connection is not None:
            with suppress(OSError):  # it is closed
                # an SSLSocket's own takes TLS off first: a thread that is sending would go on in plain text
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _go_on(self) -> None:
        if self.interrupted:
            raise WokenError("interrupted")

    def _take_leave(self, timer: Timer) -> None:
        connection = self.current
        assert connection is not None
        if isinstance(connection, ssl.SSLSocket):
            connection.setblocking(False)
            with suppress(OSError):  # it says that nothing more comes; what the server says to that is waited for below
                connection.unwrap()
            connection = self.current = socket.socket(fileno=connection.detach())
        connection.shutdown(socket.SHUT_WR)
        while True:
            connection.settimeout(timer.left())
            if not connection.recv(_CHUNK):
                return


def send_all(connection: socket.socket, data: bytes, timer: Timer) -> None:
    """Send all of it: an SSLSocket's own `sendall` has its timeout for each record. Raises TimeoutError, OSError."""
    unsent = memoryview(data)
    while unsent:
        connection.settimeout(timer.left())
        unsent = unsent[connection.send(unsent) :]
