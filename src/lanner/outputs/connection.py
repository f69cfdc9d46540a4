"""A TCP or TLS connection to a server for alerts: one deadline to connect, a close that loses no data, and an interrupt."""

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
"""Maximum number of unrequested bytes from a server that are read before each alert."""


class Connection:
    """Connection to `host` and `port`, by TLS with a `context`; `current` is the open socket. One thread at a time, except `interrupt`.

    Raises ValueError for an invalid host name.
    """

    def __init__(self, host: str, port: int) -> None:
        host.encode("idna")  # the encoding that the resolver uses
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
        """Return whether the server has closed. Unrequested data (a greeting, TLS session tickets) is read: it would hide the end."""
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
        """Close the connection. With `patience` (seconds), wait until the server has read all and closed: a kernel drops data on its way
        to the server if a connection is closed with unread input.
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
        """End every wait, from another thread, and open no more connections."""
        self.interrupted = True
        os.eventfd_write(self._wake, 1)
        connection = self.current
        if connection is not None:
            with suppress(OSError):  # it is closed already
                # an SSLSocket's own shutdown removes TLS first: a thread that is sending would continue in plain text
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _go_on(self) -> None:
        if self.interrupted:
            raise WokenError("interrupted")

    def _take_leave(self, timer: Timer) -> None:
        connection = self.current
        assert connection is not None
        if isinstance(connection, ssl.SSLSocket):
            connection.setblocking(False)
            with suppress(OSError):  # end of data; the server's reaction is awaited below
                connection.unwrap()
            connection = self.current = socket.socket(fileno=connection.detach())
        connection.shutdown(socket.SHUT_WR)
        while True:
            connection.settimeout(timer.left())
            if not connection.recv(_CHUNK):
                return


def send_all(connection: socket.socket, data: bytes, timer: Timer) -> None:
    """Send all of it: an SSLSocket's own `sendall` has a timeout per record. Raises TimeoutError, OSError."""
    unsent = memoryview(data)
    while unsent:
        connection.settimeout(timer.left())
        unsent = unsent[connection.send(unsent) :]
