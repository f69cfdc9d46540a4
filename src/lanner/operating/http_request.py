"""Requests and responses of Lanner's web servers: bytes in, bytes out. This module knows no sockets."""

from __future__ import annotations

import io
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JSON: Final = "application/json"


class Page(NamedTuple):
    """Response without the headers that all responses have. `delay`: seconds before it is sent."""

    status: HTTPStatus
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0


class Task(NamedTuple):
    """A response that takes long to make: `make` runs in a thread of the server, once for all waiting requests with the same `key`.

    `lane`: the tasks of a lane have threads that those of other lanes do not keep busy.
    """

    key: str
    make: Callable[[], Page]
    lane: int = 0


def json_page(document: object, status: HTTPStatus = HTTPStatus.OK, headers: tuple[tuple[str, str], ...] = ()) -> Page:
    """Return the page of a JSON document."""
    return Page(status, JSON, json.dumps(document).encode(), headers)


def error_page(status: HTTPStatus, text: str = "", headers: tuple[tuple[str, str], ...] = (), **more: object) -> Page:
    """Return the page of an error. `text` is its message; without one it is the name of the status."""
    return json_page({"error": text or status.phrase.lower(), **more}, status, headers)


class Request(BaseHTTPRequestHandler):
    """One request, from the part of its head that the client has sent, or from None if the head was too long.

    `refusal` is the response to a request that is invalid. `is_empty`: the client sent no request, and gets no response. `answer` returns
    the parts of a response.
    """

    default_request_version = "HTTP/1.0"  # for requests without a version: HTTP/0.9 responses have no status

    def __init__(self, head: bytes | None) -> None:
        # the base class would read from a socket and respond
        self.close_connection = True
        self.requestline, self.request_version, self.command, self.path, self.query = "", "HTTP/1.1", "", "", ""
        self.rfile = io.BytesIO(head or b"")
        self.wfile = self._written = io.BytesIO()
        self.body = b""
        self.refusal: Page | None = None
        self.is_empty = False
        if head is None:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            self.is_empty = self.refusal is None
            return
        self.path, _, self.query = self.path.partition("?")

    def body_size(self) -> int | None:
        """Return the size of the request's body; None if the request does not say it in a valid way."""
        sizes = self.all_of("Content-Length")
        if self.all_of("Transfer-Encoding") or len(sizes) > 1:
            return None
        if not sizes:
            return 0
        return int(sizes[0]) if sizes[0].isascii() and sizes[0].isdigit() and len(sizes[0]) < 16 else None

    def all_of(self, name: str) -> Sequence[str]:
        """Return the values of a header, one for each time that the request has it."""
        return self.headers.get_all(name) or ()

    def answer(self, page: Page, headers: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
        """Return head and body of the response, with the page's headers and those of these that it does not have."""
        self.send_response(page.status)
        if page.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Connection", "close")
        own = {name for name, _ in page.headers}
        for name, value in (*(each for each in headers if each[0] not in own), *page.headers):
            self.send_header(name, value)
        self.end_headers()
        return self._written.getvalue(), b"" if self.command == "HEAD" else page.body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse the request, without repeating the client's data."""
        self.refusal = error_page(HTTPStatus(code))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Do nothing: requests are not logged."""

    def version_string(self) -> str:
        """Return the Server header: no version."""
        return "lanner"
