"""Recorded HTTP for tests of plugins that read an API: a local server that replays responses from a file, or records them.

The plugin uses the address of the server instead of the API's, so any HTTP library works.
"""

from __future__ import annotations

import base64
import http.server
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from lanner.sdk.errors import LannerError
from lanner.sdk.options.secrets import mask_option, mask_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

_TIMEOUT: Final = 30.0
# of one connection, or of the body as it was sent; cookies are secrets
_LEFT_OUT: Final = frozenset(
    {"connection", "content-encoding", "content-length", "date", "keep-alive", "server", "set-cookie", "transfer-encoding"}
)
_NOT_SENT_ON: Final = frozenset({"accept-encoding", "connection", "content-length", "host"})


class Exchange(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A request and its response, as the file has them. `body` is text; `base64` is for other bodies."""

    path: str
    method: str = "GET"
    status: int = 200
    headers: dict[str, str] = {}
    body: str = ""
    base64: str = ""

    def content(self) -> bytes:
        """Return the body of the response."""
        return base64.b64decode(self.base64) if self.base64 else self.body.encode()


class _File(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    exchanges: list[Exchange]
    upstream: str = ""


class HttpRequest(msgspec.Struct, frozen=True):
    """A request that the plugin has sent. Names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {_mask_secrets(self.path)})"  # headers and body may hold secrets


class HttpRecording:
    """The running server. `url` is its address, and `requests` are the requests that the plugin has sent."""

    def __init__(self, file: _File, *, records: bool) -> None:
        self.requests: list[HttpRequest] = []
        self.url = ""
        self.records = records
        """Whether it asks the API and records, because the file did not exist."""
        self.unknown: list[str] = []
        """Requests without a recorded response."""
        self.file = file
        self._lock = threading.Lock()
        self._next: dict[tuple[str, str], int] = {}

    def answer(self, request: HttpRequest) -> Exchange:
        """Return the response to a request: those of the same method and path in turn, and the last one repeatedly."""
        with self._lock:
            self.requests.append(request)
            if self.records:
                self.file.exchanges.append(self._ask(request))
                return self.file.exchanges[-1]
            key = request.method, _mask_secrets(request.path)
            known = [each for each in self.file.exchanges if (each.method, each.path) == key]
            if not known:
                self.unknown.append(f"{request.method} {key[1]}")
                return Exchange(request.path, status=501, body=f"lanner.testing has no recorded response to {request.method} {key[1]}\n")
            place = self._next.get(key, 0)
            self._next[key] = place + 1
            return known[min(place, len(known) - 1)]

    def localise(self, text: str) -> str:
        """Return a string of a response with the address of the API replaced by that of the server, as in links to further pages."""
        return text.replace(self.file.upstream, self.url) if self.file.upstream else text

    def _ask(self, request: HttpRequest) -> Exchange:
        """Send the request to the API."""
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_SENT_ON}
        asked = urllib.request.Request(  # noqa: S310 - the test names the address
            self.file.upstream + request.path, request.body or None, headers, method=request.method
        )
        with _OPENER.open(asked, timeout=_TIMEOUT) as response:
            status, found, body = response.status, response.headers, response.read()
        kept = {name: mask_secrets(value) for name, value in found.items() if name.lower() not in _LEFT_OUT}
        made = Exchange(_mask_secrets(request.path), request.method, status, kept)
        try:
            made.body = mask_secrets(body.decode("utf-8"))
        except UnicodeDecodeError:
            made.base64 = base64.b64encode(body).decode()
        return made


_OPENER: Final = urllib.request.OpenerDirector()
"""Opens addresses of http and https. Redirects and errors are responses like others: they are left to the plugin."""
for _kind in (urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    _OPENER.add_handler(_kind())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recording: HttpRecording

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            given = self.recording.answer(HttpRequest(self.command, self.path, headers, body))
        except OSError as error:
            given = Exchange(self.path, status=502, body=f"lanner.testing cannot reach the API: {error}\n")
        content = given.content() if given.base64 else self.recording.localise(given.body).encode()
        self.send_response(given.status)
        for name, value in given.headers.items():
            self.send_header(name, self.recording.localise(value))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: standard error belongs to the tests."""


@contextmanager
def recorded_http(path: str | PathLike[str], *, upstream: str = "") -> Iterator[HttpRecording]:
    """Serve the recorded responses of a file at an address of this machine, `recording.url`.

        with recorded_http("events.json", upstream="https://api.example.com") as recording:
            with lanner.testing.host(Poller, {"url": recording.url}) as host:
                assert host.extract(host.next(), "api.user") == "ann"

    If the file does not exist, requests go to `upstream`, and the file is written at the end. Remove the file to record again. Without an
    `upstream` a missing file is a `LannerError`. A request without a recorded response gets status 501 and fails the test at the end.

    The file has no headers of requests, no cookies and no secrets of `lanner.Secret`; review it before you commit it.
    """
    file, records = _load(Path(path), upstream.rstrip("/"))
    recording = HttpRecording(file, records=records)
    handler = type("Handler", (_Handler,), {"recording": recording})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    recording.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield recording
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if records:
        Path(path).write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")
    if recording.unknown:
        known = ", ".join(dict.fromkeys(f"{each.method} {each.path}" for each in file.exchanges)) or "none"
        raise AssertionError(f"{path} has no response to {', '.join(recording.unknown)}. It has responses to: {known}")


def _load(path: Path, upstream: str) -> tuple[_File, bool]:
    if upstream and not urlsplit(upstream).scheme.startswith("http"):
        raise LannerError(f"invalid upstream {upstream!r}: write the address of the API, such as https://api.example.com")
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File), False
    except FileNotFoundError:
        if not upstream:
            advice = "name the API to record it, as in upstream='https://api.example.com'"
            raise LannerError(f"the recording {path} does not exist: {advice}") from None
        return _File([], upstream), True
    except OSError as error:
        raise LannerError(f"cannot read the recording {path}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise LannerError(f"{path} is not a recording of HTTP: {error}") from None


def _mask_secrets(path: str) -> str:
    """Return the path of a request with secret parameters masked."""
    start, mark, query = path.partition("?")
    if not mark:
        return path
    pairs = parse_qsl(query, keep_blank_values=True)
    shown = [(name, str(mask_option(value, name))) for name, value in pairs]
    return f"{start}?{urlencode(shown, safe='*')}" if shown != pairs else mask_secrets(start) + mark + query
