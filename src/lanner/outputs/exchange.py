"""One HTTP exchange over an open connection: a POST and its response, with a deadline regardless of how slowly bytes arrive."""

from __future__ import annotations

import http.client
import io
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.net.dial import Timer
from lanner.outputs.connection import send_all

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer

_MOST_READ: Final = 64 * 1024
"""Maximum size of a response's body in bytes."""

CLOSED: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Errors that mean the server has closed the connection, including RemoteDisconnected."""


class Answer(NamedTuple):
    """A response. `is_last`: the connection cannot be used again."""

    status: int
    reason: str
    retry_after: str
    text: bytes
    is_last: bool


class Client(http.client.HTTPConnection):
    """A client over an open connection; `timer` is the deadline of a request."""

    def __init__(self, host: str, port: int, connection: socket.socket) -> None:
        super().__init__(host, port)
        if isinstance(connection, ssl.SSLSocket):
            self.default_port = http.client.HTTPS_PORT  # the header Host names another port
        self.sock = connection
        self.timer = Timer(0)

    def send(self, data: Any) -> None:
        """Send a part of the request."""
        send_all(self.sock, data, self.timer)


def post(client: Client, target: str, body: bytes, headers: Mapping[str, str], timer: Timer) -> Answer:
    """Send the body and read the response: its status decides, even if the rest cannot be read. Raises OSError, HTTPException."""
    client.timer = timer
    client.response_class = partial(_Response, timer)  # type: ignore[assignment]
    try:
        client.request("POST", target, body, headers)
    except CLOSED as error:
        response = _early(client)
        if response is None:
            raise error from None
    else:
        response = client.getresponse()
    try:
        text = _body(response)
    except (OSError, http.client.HTTPException):
        text, response.will_close = b"", True
        response.close()
    return Answer(response.status, response.reason, response.getheader("Retry-After", ""), text, response.will_close)


def _early(client: Client) -> http.client.HTTPResponse | None:
    """Return the response of a server that stopped reading (413), if it has sent one."""
    try:
        response = client.getresponse()
    except (OSError, http.client.HTTPException):
        return None
    response.will_close = True
    if response.status < 300:  # it has not read the body, so it cannot have accepted it
        response.close()
        return None
    return response


class _Response(http.client.HTTPResponse):
    """Response that is read until the deadline, skipping interim responses (1xx)."""

    def __init__(self, timer: Timer, connection: socket.socket, **options: Any) -> None:
        super().__init__(_Reads(connection, timer), **options)  # type: ignore[arg-type]

    def begin(self) -> None:
        super().begin()
        while 100 < self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment] # how it tells that none has come yet
            super().begin()


class _Reads(io.RawIOBase):
    """The part of a socket that HTTPResponse needs: reads with a deadline."""

    def __init__(self, connection: socket.socket, timer: Timer) -> None:
        self._connection, self._timer = connection, timer
        # http.client closes a connection without keep-alive before its response is read: this keeps it open until then
        self._file = connection.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connection.settimeout(self._timer.left())
        return self._file.readinto(buffer) or 0

    def close(self) -> None:
        self._file.close()
        super().close()


def _body(response: http.client.HTTPResponse) -> bytes:
    """Return the beginning of the body; the rest is not awaited, and ends the connection."""
    parts, size = [], 0
    while size < _MOST_READ and not response.isclosed():
        data = response.read1(_MOST_READ - size)
        if not data:
            break
        parts.append(data)
        size += len(data)
    if not response.isclosed():
        response.will_close |= response.length != 0
        response.close()
    return b"".join(parts)
