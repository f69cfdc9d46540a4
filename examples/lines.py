"""Events from programs that write JSON lines to a unix socket: fields as data, a configuration, and a source of chunks.

lanner run examples/lines.py --config '{"path": "/tmp/lines.sock"}' -r rules.yaml
echo '{"name": "front", "state": "open", "at": 1767323045}' | nc -NU /tmp/lines.sock
"""

import contextlib
import selectors
import socket
from pathlib import Path
from typing import Annotated, cast

import lanner
from lanner import KEY, Meta, field, payload


class LinesConfig(lanner.Config):
    """Options of `init_config`."""

    path: Annotated[str, Meta(min_length=1, description="Path of the socket")] = "/tmp/lines.sock"  # noqa: S108


class Lines(lanner.Plugin):
    """JSON lines from a unix socket."""

    id, name, version, event_source = 4243, "lines", "0.1.0", "lines"
    contact = "github.com/you/lines"
    config: LinesConfig
    timestamp = payload["at"].time("s")
    fields = (
        field("lines.name", payload["name"], "Name of the writer"),
        field("lines.state", payload["state"] | payload["status"], "State of the writer"),
        field("lines.label", payload["labels", KEY], "A label: lines.label[color]"),
    )

    def open(self, _params: str) -> "Listener":
        return Listener(self.config.path)


class Listener:
    """The open instance. Each connection is its own stream, so partial lines of two connections do not mix."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(self._server, selectors.EVENT_READ)

    def read_chunk(self, timeout: float) -> bytes | lanner.Chunk | lanner.Nothing:
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._woken:
                return b""
            if key.fileobj is self._server:
                self._selector.register(self._server.accept()[0], selectors.EVENT_READ)
            else:
                return self._read(cast("socket.socket", key.fileobj))
        return lanner.NOTHING

    def _read(self, connection: socket.socket) -> lanner.Chunk:
        stream = connection.fileno()
        with contextlib.suppress(OSError):
            if data := connection.recv(65536):
                return lanner.Chunk(data, stream)
        self._selector.unregister(connection)
        connection.close()
        return lanner.Chunk(b"\n", stream)  # end its last line, which may lack a newline

    def close(self) -> None:
        self._wake.send(b"x")  # may run in another thread: ends a waiting read_chunk
        Path(self._path).unlink(missing_ok=True)

    def __del__(self) -> None:
        # not in close(): another thread may still wait for these sockets
        for key in list(self._selector.get_map().values()):
            cast("socket.socket", key.fileobj).close()
        self._selector.close()
        self._wake.close()
