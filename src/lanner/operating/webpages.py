"""Pages of the web server: request bytes in, response bytes out. This module knows no sockets."""

from __future__ import annotations

import io
import json
import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.operating.falco_versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.operating.snapshot import Snapshot

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"
_LOG: Final = logging.getLogger("lanner.webserver")
METRICS: Final = "/metrics"


class Page(NamedTuple):
    """Response without headers."""

    status: HTTPStatus
    kind: str
    body: bytes


class Pages:
    """The pages by path. `metrics` returns the text of /metrics for a snapshot; None disables the page."""

    def __init__(self, snapshot: Callable[[], Snapshot], healthz: str, metrics: Callable[[Snapshot], bytes] | None) -> None:
        self._snapshot, self._metrics = snapshot, metrics
        self._pages = {"/readyz": _readyz, "/versions": _versions, healthz: _healthz}
        if metrics is not None:
            self._pages[METRICS] = self._show_metrics

    def get(self, path: str) -> Page:
        """Return the response to GET `path`."""
        try:
            page = self._pages.get(path)
            return _json({"error": "not found"}, HTTPStatus.NOT_FOUND) if page is None else page(self._snapshot())
        except Exception:  # noqa: BLE001 - the client must get a response
            _LOG.exception("the request for %s failed", path)
            return _json({"error": "see the log"}, HTTPStatus.INTERNAL_SERVER_ERROR)

    def is_slow(self, path: str) -> bool:
        """Return whether the page takes long to build."""
        return path == METRICS and self._metrics is not None

    def _show_metrics(self, snapshot: Snapshot) -> Page:
        assert self._metrics is not None
        return Page(HTTPStatus.OK, _PROMETHEUS, self._metrics(snapshot))


class Request(BaseHTTPRequestHandler):
    """One request, from the part of its head that the client has sent, or from None if the head was too long.

    `path` is the requested path, or "" if the response is already decided. `answer` returns the parts of the response.
    """

    default_request_version = "HTTP/1.0"  # for requests without a version: HTTP/0.9 responses have no status

    def __init__(self, head: bytes | None) -> None:
        # the base class would read from a socket and respond
        self.close_connection = True
        self.requestline, self.request_version, self.command, self.path = "", "HTTP/1.1", "", ""
        self.rfile = io.BytesIO(head or b"")
        self.wfile = self._written = io.BytesIO()
        self._body = b""
        if head is None:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            self.path = ""
        elif self.command not in {"GET", "HEAD"}:
            self.path = ""
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            self.path = self.path.partition("?")[0]

    def answer(self, page: Page | None) -> tuple[bytes, bytes]:
        """Return head and body. `page` is the page of the path, or None if the path does not exist."""
        if page is not None:
            self._send(page)
        return self._written.getvalue(), self._body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Respond in JSON, without repeating what the client sent."""
        self._send(_json({"error": HTTPStatus(code).phrase.lower()}, HTTPStatus(code)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Do nothing: requests are not logged."""

    def version_string(self) -> str:
        """Return the Server header: no version."""
        return "lanner"

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self._body = page.body


def _healthz(snapshot: Snapshot) -> Page:
    return _state("unhealthy", snapshot.unhealthy)


def _readyz(snapshot: Snapshot) -> Page:
    return _state("not ready", (*snapshot.not_ready, *snapshot.unhealthy))


def _versions(snapshot: Snapshot) -> Page:
    return _json(versions(snapshot))


def _state(word: str, reasons: tuple[str, ...]) -> Page:
    if reasons:
        return _json({"status": word, "reasons": reasons}, HTTPStatus.SERVICE_UNAVAILABLE)
    return _json({"status": "ok"})


def _json(document: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> Page:
    return Page(status, _JSON, json.dumps(document).encode())
