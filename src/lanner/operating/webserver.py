"""The web server of a run: /healthz, /readyz, /versions and, if asked for, /metrics. It reads snapshots and changes nothing.

Paths and answers are Falco's where Falco has them. A few threads take one connection each, answer one request and hang up, all within
a deadline: a slow client delays others by that much at most, and no number of them makes more threads. No request is logged.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final

from lanner.operating.falco import versions
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from lanner.operating.snapshot import Snapshot

_THREADS: Final = 4
_DEADLINE: Final = 3.0
_MAX_HEAD: Final = 16 * 1024
_BACKLOG: Final = 32
_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"
_LOG: Final = logging.getLogger("lanner.webserver")


class WebServer:
    """Listens once it is made; `port` is where. `metrics` makes the text of /metrics of a snapshot, None: there is none.

    `certificate` is a file with certificate and key, "" for no TLS. Raises `LannerError` where it cannot listen.
    """

    def __init__(
        self,
        address: str,
        port: int,
        snapshot: Callable[[], Snapshot],
        *,
        healthz: str = "/healthz",
        metrics: Callable[[Snapshot], bytes] | None = None,
        certificate: str = "",
        threads: int = 0,
        deadline: float = _DEADLINE,
    ) -> None:
        self._tls = _tls(certificate) if certificate else None
        self._pages = _Pages(snapshot, healthz, metrics)
        self._deadline = deadline
        self._closed = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = _listen(address, port)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._work, name=f"lanner-web-{n}", daemon=True) for n in range(threads or _THREADS)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening, and hang up on whoever is connected."""
        self._closed.set()
        for each in (self._listener, *list(self._open)):
            _shut(each)
        for thread in self._threads:
            thread.join(self._deadline)
        self._listener.close()

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                connection, peer = self._listener.accept()
            except OSError:
                self._closed.wait(0.1)  # no descriptors left, or closed
                continue
            with connection:
                self._open.add(connection)
                try:
                    self._answer(connection, peer)
                except OSError:
                    pass  # the client has gone, or was too slow
                except Exception:  # noqa: BLE001 - a defect must not take the thread with it
                    _LOG.exception("a request could not be answered")
                finally:
                    self._open.discard(connection)

    def _answer(self, connection: socket.socket, peer: object) -> None:
        until = time.monotonic() + self._deadline
        if self._tls is None:
            _Request(connection, peer, self._pages, until)
            return
        connection.settimeout(self._deadline)
        with self._tls.wrap_socket(connection, server_side=True) as wrapped:
            _Request(wrapped, peer, self._pages, until)


class _Pages:
    """What is answered to which path: status, content type and body."""

    def __init__(self, snapshot: Callable[[], Snapshot], healthz: str, metrics: Callable[[Snapshot], bytes] | None) -> None:
        self._snapshot = snapshot
        self._metrics = metrics
        self._pages = {"/readyz": self._readyz, "/versions": self._versions, healthz: self._healthz}
        if metrics is not None:
            self._pages["/metrics"] = self._show_metrics

    def get(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """The answer to GET `path`."""
        page = self._pages.get(path)
        return _json({"error": "not found"}, HTTPStatus.NOT_FOUND) if page is None else page(self._snapshot())

    @staticmethod
    def _healthz(snapshot: Snapshot) -> tuple[HTTPStatus, str, bytes]:
        return _state("unhealthy", snapshot.unhealthy)

    @staticmethod
    def _readyz(snapshot: Snapshot) -> tuple[HTTPStatus, str, bytes]:
        return _state("not ready", (*snapshot.not_ready, *snapshot.unhealthy))

    @staticmethod
    def _versions(snapshot: Snapshot) -> tuple[HTTPStatus, str, bytes]:
        return _json(versions(snapshot))

    def _show_metrics(self, snapshot: Snapshot) -> tuple[HTTPStatus, str, bytes]:
        assert self._metrics is not None
        return HTTPStatus.OK, _PROMETHEUS, self._metrics(snapshot)


class _Request(BaseHTTPRequestHandler):
    """One request on one connection, until a moment of the monotonic clock. Being made is all that it does."""

    default_request_version = "HTTP/1.0"  # of what names none: HTTP/0.9 has answers without a status

    def __init__(self, connection: socket.socket, peer: object, pages: _Pages, until: float) -> None:
        self._pages, self._until = pages, until
        super().__init__(connection, peer, None)  # type: ignore[arg-type]  # no server is asked for anything

    def setup(self) -> None:
        """Not files on the socket: those have no deadline for all of a request."""
        self.connection = self.request
        self.wfile = self._written = io.BytesIO()

    def handle(self) -> None:
        """Answer, if there is a request."""
        self.close_connection = True
        head = self._read_head()
        if head is None:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self.rfile = io.BytesIO(head)
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            return
        if self.command not in {"GET", "HEAD"}:
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
            return
        try:
            answer = self._pages.get(self.path.partition("?")[0])
        except Exception:  # noqa: BLE001 - whoever asked has to be told
            _LOG.exception("%s could not be answered", self.path)
            answer = _json({"error": "see the log"}, HTTPStatus.INTERNAL_SERVER_ERROR)
        self._send(*answer)

    def finish(self) -> None:
        """Send what was written, in the time that is left."""
        self.connection.settimeout(self._left())
        self.connection.sendall(self._written.getvalue())
        _shut(self.connection, socket.SHUT_WR)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """In JSON, and without what the client said."""
        self._send(*_json({"error": HTTPStatus(code).phrase.lower()}, HTTPStatus(code)))

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""

    def version_string(self) -> str:
        """For the header Server: no version."""
        return "lanner"

    def _read_head(self) -> bytes | None:
        """The request up to its empty line, or what came of it before the client closed; None where it is too long."""
        head = b""
        while b"\r\n\r\n" not in head and b"\n\n" not in head and len(head) <= _MAX_HEAD:
            self.connection.settimeout(self._left())
            data = self.connection.recv(4096)
            if not data:
                break
            head += data
        return head if len(head) <= _MAX_HEAD else None

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _state(word: str, reasons: tuple[str, ...]) -> tuple[HTTPStatus, str, bytes]:
    if reasons:
        return _json({"status": word, "reasons": reasons}, HTTPStatus.SERVICE_UNAVAILABLE)
    return _json({"status": "ok"})


def _json(document: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> tuple[HTTPStatus, str, bytes]:
    return status, _JSON, json.dumps(document).encode()


def _listen(address: str, port: int) -> socket.socket:
    shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise LannerError(f"the web server cannot listen on {shown}: {_why(error)}") from None
    return listener


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "the port is in use, perhaps by Falco or another Lanner: write another $.webserver.listen_port, "
            "or turn this one off ($.webserver.enabled: false)"
        )
    if error.errno == errno.EACCES:
        return "ports below 1024 are root's: write another $.webserver.listen_port"
    advice = "write an address of this machine as $.webserver.listen_address, such as 127.0.0.1"
    return f"{(error.strerror or str(error)).lower()}; {advice}"


def _tls(certificate: str) -> SSLContext:
    import ssl

    def no_passphrase() -> str:
        raise LannerError(
            f"the web server's key in {certificate} has a passphrase: a service has nobody to ask, so write the key without one"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, password=no_passphrase)
    except OSError as error:
        raise LannerError(
            f"the web server cannot use {certificate} ($.webserver.ssl_certificate): {error.strerror or error}; "
            "it is a PEM file with the certificate and its key"
        ) from None
    return context


def _shut(each: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with suppress(OSError):  # it was never connected, or the other side was first
        each.shutdown(how)
