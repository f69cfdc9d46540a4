"""A connection to a server that alerts go to, over TCP or TLS: one deadline for its making, an end that loses nothing, a stop at once."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

from lanner.sdk.lookup import look_up

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

    def open(self, deadline: float) -> socket.socket:
        """Connect until then (`time.monotonic`). An address that does not answer leaves time for the next one. Raises OSError."""
        found = look_up(self._host, self._port, lambda descriptor: _wait(descriptor, select.POLLIN, deadline))
        self._go_on()
        for place, (family, _, _, _, address) in enumerate(found, 1):
            now = time.monotonic()
            try:
                return self._open(family, address, now + (deadline - now) / (len(found) - place + 1), deadline)
            except ssl.SSLError:
                raise
            except OSError:
                if place == len(found) or self.interrupted:
                    raise
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

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
                    self._take_leave(time.monotonic() + patience)
        finally:
            connection, self.current = self.current, None
            connection.close()

    def interrupt(self) -> None:
        """End whatever is waited for, from another thread, and let nothing be opened any more."""
        self.interrupted = True
        connection = self.current
        if connection is not None:
            with suppress(OSError):  # it is closed
                # an SSLSocket's own takes TLS off first: a thread that is sending would go on in plain text
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _open(self, family: int, address: Any, answered: float, deadline: float) -> socket.socket:
        self.current = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._dial(self.current, address, answered)
            self.current.settimeout(left(deadline))
            if self.context is None:
                return self.current
            secured = self.context.wrap_socket(self.current, server_hostname=self._host, do_handshake_on_connect=False)
            self.current = secured
            self._go_on()
            secured.do_handshake()
        except BaseException:
            self.close()
            raise
        return secured

    def _dial(self, connection: socket.socket, address: Any, deadline: float) -> None:
        connection.setblocking(False)
        code = connection.connect_ex(address)
        self._go_on()  # one that is being connected can be interrupted; before, it would not notice
        if code == errno.EINPROGRESS:
            _wait(connection.fileno(), select.POLLOUT, deadline)
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._go_on()
        if code:
            raise OSError(code, os.strerror(code))

    def _go_on(self) -> None:
        if self.interrupted:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))

    def _take_leave(self, deadline: float) -> None:
        connection = self.current
        assert connection is not None
        if isinstance(connection, ssl.SSLSocket):
            connection.setblocking(False)
            with suppress(OSError):  # it says that nothing more comes; what the server says to that is waited for below
                connection.unwrap()
            connection = self.current = socket.socket(fileno=connection.detach())
        connection.shutdown(socket.SHUT_WR)
        while True:
            connection.settimeout(left(deadline))
            if not connection.recv(_CHUNK):
                return


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Wait for the event of poll(2) until then. Raises TimeoutError."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(left(deadline) * 1000):
        raise TimeoutError


def left(deadline: float) -> float:
    """Seconds until then (`time.monotonic`). Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def send_all(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send all of it until then: an SSLSocket's own `sendall` has its timeout for each record. Raises TimeoutError, OSError."""
    unsent = memoryview(data)
    while unsent:
        connection.settimeout(left(deadline))
        unsent = unsent[connection.send(unsent) :]
