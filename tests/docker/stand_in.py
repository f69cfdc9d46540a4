"""An engine that is none: a server that says what a test tells it to, so that what a real engine does rarely can be had at will."""

import contextlib
import json
import queue
import socket
import threading
from pathlib import Path

# as an engine of API 1.41 begins the answer to GET /events
STREAM = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    b"Server: Docker/20.10.24 (linux)\r\nTransfer-Encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data):
    """`data` as one chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(body, status="200 OK", kind="application/json"):
    """A whole response; a body that is no bytes is put as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def version(api="1.41", **others):
    """What GET /version is answered with."""
    known = {"Components": [{"Name": "Engine", "Version": "20.10.24"}], "Version": "20.10.24", "ApiVersion": api}
    return answer(known | others)


class Exchange:
    """One connection: the line of the request that came on it, and what is said to it."""

    def __init__(self, connection):
        self.connection = connection
        self.request = ""
        self.unasked = b""  # what the client said after its request
        self.ended = threading.Event()  # either side has closed, and the engine's socket is closed

    def send(self, data):
        self.connection.sendall(data)

    def close(self):
        """End the connection in order: the client reads what was sent, then the end."""
        self._shut(socket.SHUT_RDWR)

    def reset(self):
        """Break the connection; on tcp alone."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._shut(socket.SHUT_RD)

    def _shut(self, how):
        # not close(): the exchange's thread is reading; it closes the socket when this has woken it
        with contextlib.suppress(OSError):  # the client was first
            self.connection.shutdown(how)


class StandInEngine:
    """Stands in for a Docker engine, on unix:///path or tcp://127.0.0.1:0. There is no container behind it.

    `version` and `events` are the answers to GET /version and GET /v*/events, as bytes. The connection is closed after the answer,
    but for a stream of events that begins with `STREAM`: it stays open, and `stream()` gives it to the test.
    """

    def __init__(self, url):
        self.url = url
        self.version = version()
        self.events = STREAM
        self.exchanges = []
        self._streams = queue.Queue()
        self.start()

    @property
    def requests(self):
        """The request lines, in the order of their connections."""
        return [exchange.request for exchange in self.exchanges]

    @property
    def has_stream(self):
        """Whether stream() gives one at once."""
        return not self._streams.empty()

    def stream(self):
        """The next open stream of events, as soon as a client has asked for it."""
        return self._streams.get(timeout=10)

    def start(self):
        """Listen; again, after stop(), at the same address."""
        scheme, _, place = self.url.partition("://")
        if scheme == "unix":
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(place)
            self._listener.listen()
        else:
            host, _, port = place.rpartition(":")
            self._listener = socket.create_server((host, int(port)))
            self.url = f"{scheme}://{host}:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, args=[self._listener])
        self._acceptor.start()

    def stop(self):
        """Go away: nobody listens, all connections are closed."""
        if self._acceptor.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._acceptor.join()
            self._listener.close()
            if self.url.startswith("unix://"):
                Path(self.url.removeprefix("unix://")).unlink()
        for exchange in self.exchanges:
            if not exchange.ended.is_set():
                exchange.close()
        self.wait_until_idle()

    def wait_until_idle(self):
        """Wait for the end of all connections that there are."""
        for exchange in self.exchanges:
            assert exchange.ended.wait(10), f"the connection of {exchange.request!r} is still open"

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # stopped
                return
            self.exchanges.append(Exchange(connection))
            threading.Thread(target=self._talk, args=[self.exchanges[-1]]).start()

    def _talk(self, exchange):
        with exchange.connection, contextlib.suppress(OSError):  # the client did not wait for the end
            self._answer(exchange)
        exchange.ended.set()

    def _answer(self, exchange):
        head = b""
        while b"\r\n\r\n" not in head:
            data = exchange.connection.recv(4096)
            if not data:
                return
            head += data
        exchange.request = head.partition(b"\r\n")[0].decode()
        said = self.version if exchange.request.split()[1] == "/version" else self.events
        if said.startswith(STREAM):
            exchange.send(STREAM)
            self._streams.put(exchange)
            exchange.send(said.removeprefix(STREAM))
            while data := exchange.connection.recv(4096):
                exchange.unasked += data
        else:
            exchange.send(said)
