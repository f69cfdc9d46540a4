"""The requests of a webhook's connection, parsed by Python's `http.server` within limits.

Python's parser is kept by its maintainers and is in every bundled library; its server is not meant for hostile clients. So the limits
are here: of the sizes of head and body, of all bodies together, and one deadline for a whole request, regardless of how slowly its bytes
arrive.
"""

from __future__ import annotations

import http
import io
import re
import socket
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from lanner.native import Dechunker
from lanner.sdk.text.encoding import many
from lanner.sources.signatures import WebhookRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import WriteableBuffer

_MAX_HEAD: Final = 16 * 1024
_MAX_LINE: Final = 8 * 1024
_HEADER: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*)?\r?\n")
"""A header in one line, or the empty line."""
_IDLE: Final = 30.0
"""Seconds for which a connection without a request stays open."""
_CHUNK: Final = 64 * 1024
_LEAVE: Final = 1.0
"""Seconds for a client to read an early answer before its connection is closed."""
_MAX_UNREAD: Final = 1024 * 1024


class Limits(NamedTuple):
    """Bytes of a body, seconds of a request, the number of connections, and bytes of all bodies together."""

    body: int
    seconds: float
    connections: int
    bodies: int


class WebhookAnswer(NamedTuple):
    """An answer: status, a short text, and more headers."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class Server(Protocol):
    """The server as requests need it: `lanner.sources.hookserver.Receiver`."""

    check: Callable[[str, str, Mapping[str, str]], WebhookAnswer | None]
    answer: Callable[[WebhookRequest], WebhookAnswer]
    report: Callable[[str, str], None]
    limits: Limits
    is_closing: bool

    def reserve(self, count: int) -> bool:
        """Count bytes of bodies, and return whether all bodies together are within the limit."""
        ...


class Client(Protocol):
    """A connection as its requests need it: `lanner.sources.hookserver.HookClient`."""

    connection: socket.socket

    @property
    def receiver(self) -> Server:
        """The server."""
        ...

    def mark(self, *, is_answering: bool) -> None:
        """Note whether a whole request has arrived and is being answered. Raises `OSError` if the server is closing."""


class _HttpError(Exception):
    """A request that is answered by an error, after which the connection ends."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = WebhookAnswer(status, text)


class _Input(io.RawIOBase):
    """The client's bytes, up to a deadline and a number of bytes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.until = 0.0
        self.left = 0

    def allow(self, seconds: float, count: int) -> None:
        """Set the limits for the next part of the request."""
        self.until, self.left = time.monotonic() + seconds, count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)[: self.left]
        if not view:
            raise _HttpError(431, "the head of the request is too long")
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self._client.connection.settimeout(seconds)
        count = self._client.connection.recv_into(view)
        self.left -= count
        return count


class _Reader(io.BufferedReader):
    """Reads lines of a head. A header that servers understand in several ways could hide a request from a proxy."""

    def request_line(self) -> bytes:
        return super().readline(_MAX_LINE)

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if line.endswith(b"\n") and not _HEADER.fullmatch(line):
            raise _HttpError(400, "invalid header")
        return line


class RequestHandler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = "HTTP/1.1"

    def __init__(self, client: Client) -> None:
        self._client, self._receiver = client, client.receiver
        self._is_expecting = False
        self.command = ""
        super().__init__(client.connection, ("", 0), None)  # type: ignore[arg-type] # its server would only be for subclasses

    def setup(self) -> None:
        self._input = _Input(self._client)
        self.rfile = self._reader = _Reader(self._input)

    def finish(self) -> None:
        """Do nothing: the client closes the connection."""

    def handle_one_request(self) -> None:
        limits = self._receiver.limits
        self.close_connection = True
        try:
            self._input.allow(_IDLE, _MAX_HEAD)
            begun = self._reader.peek(1)
            if not begun:
                return
            self._input.allow(limits.seconds, _MAX_HEAD - len(begun))
        except TimeoutError:
            return
        try:
            self._serve()
        except _HttpError as error:
            self._reply(error.answer, early=True)
        except TimeoutError:
            self._reply(WebhookAnswer(408, "the request did not arrive in time"), early=True)

    def _serve(self) -> None:
        self._is_expecting = False
        self.raw_requestline = self._reader.request_line()
        if not self.raw_requestline.endswith(b"\n"):
            raise _HttpError(414 if len(self.raw_requestline) == _MAX_LINE else 400, "the request line is too long or incomplete")
        if not self.parse_request():
            return
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known}, {value}"
        refused = self._receiver.check(self.command, self.path, headers)
        if refused is not None:
            self._reply(refused, early=True)
            return
        body = self._read_body(headers)
        try:
            self._client.mark(is_answering=True)
            try:
                self._reply(self._receiver.answer(WebhookRequest(self.path, headers, body)))
            finally:
                self._client.mark(is_answering=False)
                # from here on `close` ends the connection; before, it has left it
                self.close_connection |= self._receiver.is_closing
        finally:
            self._receiver.reserve(-len(body))

    def handle_expect_100(self) -> bool:
        """Postpone the interim answer until the head was checked."""
        self._is_expecting = True
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that cannot be parsed, without quoting it."""
        del message, explain
        self._reply(WebhookAnswer(code, http.HTTPStatus(code).phrase.lower()), early=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Log nothing: clients could fill the log."""

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if coding is not None:
            if length is not None or coding.strip().lower() != "chunked":
                raise _HttpError(400, "the length of the body is ambiguous")
            reader = self._read_chunk(Dechunker())
        elif length is None:
            raise _HttpError(411, "the header Content-Length is missing")
        else:
            length = length.strip()
            if not (length.isascii() and length.isdigit()):  # also several lengths
                raise _HttpError(400, "invalid Content-Length")
            if len(length) > 18 or int(length) > self._receiver.limits.body:
                raise _HttpError(413, f"the body is longer than {many(self._receiver.limits.body, 'byte')}")
            reader = self._read_part(int(length))
        if self._is_expecting:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self._collect(reader)

    def _collect(self, read: Callable[[], bytes]) -> bytes:
        """Return the body, whose bytes stay reserved."""
        body = bytearray()  # not a list of parts: those of a client that sends few bytes at once would take many times their size
        self._input.left = 1 << 62
        try:
            while data := read():
                self._reserve(len(data), len(body))
                body += data
        except BaseException:
            self._receiver.reserve(-len(body))
            raise
        return bytes(body)

    def _reserve(self, count: int, before: int) -> None:
        if before + count > self._receiver.limits.body:
            raise _HttpError(413, f"the body is longer than {many(self._receiver.limits.body, 'byte')}")
        if not self._receiver.reserve(count):
            raise _HttpError(503, "too many requests at once")

    def _read_part(self, length: int) -> Callable[[], bytes]:
        left = length

        def read() -> bytes:
            nonlocal left
            if not left:
                return b""
            data = self.rfile.read1(min(left, _CHUNK))
            if not data:
                raise ConnectionResetError("the client closed within the body")
            left -= len(data)
            return data

        return read

    def _read_chunk(self, decoder: Dechunker) -> Callable[[], bytes]:
        self.close_connection = True  # the decoder may take bytes after the body

        def read() -> bytes:
            while not decoder.complete:
                try:
                    data = self.rfile.read1(_CHUNK)
                    if not data:
                        raise ConnectionResetError("the client closed within the body")
                    if body := decoder.feed(data):
                        return body
                except ValueError:
                    raise _HttpError(400, "invalid chunked body") from None
            return b""

        return read

    def _reply(self, answer: WebhookAnswer, *, early: bool = False) -> None:
        """Send the answer. An early one refuses a request that is not read whole: it is reported, and the connection ends."""
        if early:
            self._receiver.report(f"refused requests, status {answer.status}", f"refused a request: {answer.status} {answer.text}")
        self.close_connection |= early or self._receiver.is_closing
        text = f"{answer.text}\n".encode()
        lines = [
            f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}",
            f"Date: {self.date_time_string()}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(text)}",
            *(f"{name}: {value}" for name, value in answer.headers),
            *(["Connection: close"] if self.close_connection else []),
        ]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._send(head if self.command == "HEAD" else head + text)
        if early:
            self._take_leave()

    def _send(self, data: bytes) -> None:
        self._client.connection.settimeout(self._receiver.limits.seconds)
        try:
            self._client.connection.sendall(data)
        except TimeoutError:
            raise ConnectionAbortedError("the client does not read its answer") from None

    def _take_leave(self) -> None:
        """Read on for a moment: a kernel drops an answer on its way if the connection is closed with unread input."""
        connection, until, left = self._client.connection, time.monotonic() + _LEAVE, _MAX_UNREAD
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_WR)
            while left > 0 and (seconds := until - time.monotonic()) > 0:
                connection.settimeout(seconds)
                data = connection.recv(_CHUNK)
                if not data:
                    return
                left -= len(data)
