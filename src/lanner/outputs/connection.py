"""A TCP or TLS connection to a server for alerts: one deadline to connect, a close that loses no data, and an interrupt."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from lanner.net.dial import Timer, WokenError, dial
from lanner.net.link import Link
from lanner.net.tls import TlsError, make_context
from lanner.net.tls_link import TlsLink, TlsSession
from lanner.outputs.base import OutputError

if TYPE_CHECKING:
    import socket
    import ssl

    from lanner.net.tls import Tls


class Connection:
    """Connection to `host` and `port`, by TLS with a `context`; `link` is the open link. One thread at a time, except `interrupt`.

    `options` are for `setsockopt`. Raises ValueError for an invalid host name.
    """

    def __init__(self, host: str, port: int, options: tuple[tuple[int, int, int], ...] = ()) -> None:
        host.encode("idna")  # the encoding that the resolver uses
        if not host.isprintable() or " " in host:
            raise ValueError(host)
        self._host, self._port, self._options = host, port, options
        self.context: ssl.SSLContext | None = None
        self.link: Link | None = None
        self.interrupted = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def __del__(self) -> None:
        if "_wake" in self.__dict__:
            os.close(self._wake)

    def timer(self, seconds: float) -> Timer:
        """Return a deadline for an exchange over this connection, which `interrupt` ends. Raises `WokenError` after an interrupt."""
        if self.interrupted:
            raise WokenError("interrupted")
        return Timer(seconds, self._wake)

    def secure(self, tls: Tls, where: str) -> None:
        """Use TLS with these files from now on; `where` is the block of falco.yaml for messages. Raises OutputError."""
        try:
            self.context = make_context(tls)
        except TlsError as error:
            raise OutputError(f"{error} ({where})") from None

    def open(self, timer: Timer) -> Link:
        """Connect. An address that does not answer leaves time for the next one. Raises OSError."""
        connection = dial(self._host, self._port, timer, self._set_options)
        if self.context is None:
            self.link = Link(connection)
        else:
            self.link = TlsLink(connection, TlsSession(self.context, self._host), timer)
        return self.link

    def close(self, patience: float = 0.0) -> None:
        """Close the connection. With `patience` (seconds), wait until the server has read all and closed."""
        link, self.link = self.link, None
        if link is None:
            return
        try:
            if patience and not self.interrupted:
                with suppress(OSError):
                    link.finish(self.timer(patience))
        finally:
            link.close()

    def interrupt(self) -> None:
        """End every wait, from another thread, and open no more connections."""
        self.interrupted = True
        os.eventfd_write(self._wake, 1)

    def _set_options(self, connection: socket.socket) -> None:
        for option in self._options:
            connection.setsockopt(*option)
