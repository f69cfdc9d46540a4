"""An in-memory image registry for an engine's push and pull (Docker Registry HTTP API v2).

It listens on a port of 127.0.0.1, where engines accept plain HTTP, and keeps the layers and manifests that they push.
For tests and recordings only: no checks, users or deletion.
"""

from __future__ import annotations

import hashlib
import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    blobs: dict[str, bytes]  # by digest; unfinished uploads by path
    manifests: dict[str, bytes]  # by path, /v2/NAME/manifests/TAG

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.rstrip("/") == "/v2":
            return self._answer(200, b"{}", Docker_Distribution_Api_Version="registry/2.0")
        data = self.manifests.get(path) if "/manifests/" in path else self.blobs.get(path.rpartition("/")[2])
        if data is None:
            return self._answer(404, b'{"errors": []}')
        kind = _MANIFEST if "/manifests/" in path else "application/octet-stream"
        return self._answer(200, data, Content_Type=kind, Docker_Content_Digest=_digest(data))

    do_HEAD = do_GET  # noqa: N815 - http.server's names

    def do_POST(self) -> None:
        place = f"{urlsplit(self.path).path.rstrip('/')}/{threading.get_ident()}-{len(self.blobs)}"
        self.blobs[place] = b""
        self._answer(202, Location=place, Docker_Upload_UUID="1", Range="0-0")

    def do_PATCH(self) -> None:
        place = urlsplit(self.path).path
        self.blobs[place] += self._body()
        self._answer(202, Location=place, Docker_Upload_UUID="1", Range=f"0-{len(self.blobs[place]) - 1}")

    def do_PUT(self) -> None:
        address = urlsplit(self.path)
        data = self._body()
        if "/manifests/" in address.path:
            self.manifests[address.path] = data
            self.manifests[f"{address.path.rpartition('/')[0]}/{_digest(data)}"] = data
        else:
            data = self.blobs.pop(address.path) + data
            self.blobs[parse_qs(address.query)["digest"][0]] = data
        self._answer(201, Location=address.path, Docker_Content_Digest=_digest(data))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: standard error belongs to the tests."""


@contextmanager
def registry() -> Iterator[str]:
    """Serve an empty registry and return its name for image references ("127.0.0.1:PORT")."""
    handler = type("Handler", (_Handler,), {"blobs": {}, "manifests": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
