"""An engine that is none: a server that says what a test tells it to, so that what a real engine does rarely can be had at will."""

import contextlib
import fcntl
import json
import os
import queue
import re
import socket
import struct
import termios
import threading
import time
from collections import deque
from email.utils import formatdate
from pathlib import Path

from ..waiting import PATIENCE

SECOND = 1_000_000_000
NOW = 1795426345 * SECOND

# as an engine of API 1.41 begins the answer to GET /events
STREAM = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    b"Server: Docker/20.10.24 (linux)\r\nTransfer-Encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def event(time=NOW, **others):
    """A line as an engine writes it."""
    known = {"Type": "container", "Action": "start", "Actor": {"ID": "4f2d", "Attributes": {"name": "web"}}, "scope": "local"}
    return json.dumps(known | others | {"time": time // SECOND, "timeNano": time}, separators=(",", ":")).encode() + b"\n"


def chunk(data):
    """`data` as one chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(body, status="200 OK", kind="application/json"):
    """A whole response; a body other than bytes is converted to JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def version(api="1.41", **others):
    """The response to GET /version."""
    known = {"Components": [{"Name": "Engine", "Version": "20.10.24"}], "Version": "20.10.24", "ApiVersion": api}
    return answer(known | others)


class Exchange:
    """One connection: the line of its request, and the response."""

    def __init__(self, connection):
        self.connection = connection
        self.request = ""
        self.unasked = b""  # what the client said after its request
        self.ended = threading.Event()  # either side has closed, and the engine's socket is closed

    def send(self, data):
        self.connection.sendall(data)

    def wait_until_read(self):
        """Wait until the client has read all that was sent, or has closed the connection; on a unix socket only."""
        deadline = time.monotonic() + PATIENCE
        while self._unread():
            assert time.monotonic() < deadline, "what was sent is not read"
            os.sched_yield()

    def _unread(self):
        """Return the number of bytes that were sent and not read; 0 for a connection that the exchange's thread has closed."""
        try:
            return struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, bytes(4)))[0]
        except (ValueError, OSError):  # a closed socket has the descriptor -1
            if self.ended.wait(PATIENCE):
                return 0
            raise

    def close(self):
        """End the connection in order: the client reads what was sent, then the end."""
        self._shut(socket.SHUT_RDWR)

    def reset(self):
        """Break the connection; only on tcp."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._shut(socket.SHUT_RD)

    def _shut(self, how):
        # not close(): the exchange's thread is reading; it closes the socket when this has woken it
        with contextlib.suppress(OSError):  # the client was first
            self.connection.shutdown(how)


class StandInEngine:
    """A stand-in for a Docker engine, on unix:///path or tcp://127.0.0.1:0. There is no container behind it.

    `version` and `events` are the answers to GET /version and GET /v*/events, as bytes. The connection is closed after the answer,
    unless `keeps_alive` is set, but for a stream of events that begins with `STREAM`: it stays open, and `stream()` gives it to the test. `listing` is the answer where
    events are asked for up to another time than the first stream was, `pong` that to GET /_ping; None for never.
    """

    keeps_alive = False

    def __init__(self, url):
        self.url = url
        self.version = version()
        self.events = STREAM
        self.listing = answer(b"")
        self.pong = answer(b"OK")
        self._until = None
        self.exchanges = []
        self._streams = queue.Queue()
        self.start()

    @property
    def requests(self):
        """The request lines, in the order of their connections."""
        return [exchange.request for exchange in self.exchanges]

    def stream(self):
        """The next open stream of events, as soon as a client has asked for it."""
        return self._streams.get(timeout=PATIENCE)

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
        """Stop: the socket is closed, and all connections are closed."""
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
        """Wait for the end of all connections."""
        for exchange in self.exchanges:
            assert exchange.ended.wait(PATIENCE), f"the connection of {exchange.request!r} is still open"

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # stopped
                return
            self.exchanges.append(Exchange(connection))
            threading.Thread(target=self._talk, args=[self.exchanges[-1]]).start()

    def _talk(self, exchange):
        exchanges = [exchange]
        with exchange.connection, contextlib.suppress(OSError):  # the client did not wait for the end
            while self._answer(exchanges[-1]) and self.keeps_alive:
                exchanges.append(Exchange(exchange.connection))
        for each in exchanges:
            each.ended.set()

    def _answer(self, exchange):
        head = b""
        while b"\r\n\r\n" not in head:
            data = exchange.connection.recv(4096)
            if not data:
                return False
            head += data
        if exchange not in self.exchanges:
            self.exchanges.append(exchange)
        exchange.request = head.partition(b"\r\n")[0].decode()
        self.respond(exchange, exchange.request.split()[1])
        return True

    def respond(self, exchange, target):
        """Send the response to GET `target`."""
        until = re.search("until=([0-9.]+)", target)
        if target == "/version":
            said = self.version
        elif target == "/_ping":
            said = self.pong
        elif self._until is not None and until and until[1] != self._until:
            said = self.listing
        else:
            said = self.events
            if "/events" in target and self._until is None:
                self._until = until[1] if until else ""
        if said is None:
            self.listen(exchange)
        elif said.startswith(STREAM):
            exchange.send(said)  # at once: with the head of the stream a client has what comes after it
            self._streams.put(exchange)
            self.listen(exchange)
        else:
            exchange.send(said)

    def listen(self, exchange):
        """Until the client closes: it has nothing more to say."""
        while data := exchange.connection.recv(4096):
            exchange.unasked += data


class RememberingEngine(StandInEngine):
    """Does with events what a Docker Engine does: keeps the last 256, lists them, and sends them to all that listen.

    `clock` gives its time in ns. While `mute` is set streams are open and nothing comes on them.
    """

    def __init__(self, url):
        self.clock = time.time_ns
        self.mute = False
        self.memory = deque(maxlen=256)
        self._listeners = []
        self._publishing = threading.Lock()
        super().__init__(url)

    def publish(self, *lines):
        """Add these events, one after the other."""
        with self._publishing:
            self.memory += lines
            if not self.mute:
                for exchange in self._listeners:
                    with contextlib.suppress(OSError):  # it is gone
                        exchange.send(chunk(b"".join(lines)))

    def miss(self, *lines):
        """Add events that no listener receives."""
        with self._publishing:
            self.memory += lines

    def cut(self):
        """Break all streams, and leave the other connections."""
        with self._publishing:
            for exchange in self._listeners:
                exchange.close()
            self._listeners.clear()

    def restart(self):
        """Restart with an empty memory."""
        self.stop()
        self._listeners.clear()
        self.memory.clear()
        self.start()

    def respond(self, exchange, target):
        if "/events" not in target or not self.events.startswith(STREAM):
            super().respond(exchange, target)
            return
        asked = {name: int(seconds) * SECOND + int(rest) for name, seconds, rest in re.findall(r"(since|until)=(\d+)\.(\d+)", target)}
        head = STREAM[:-2] + f"Date: {formatdate(self.clock() // SECOND, usegmt=True)}\r\n\r\n".encode()
        with self._publishing:
            exchange.send(head)
            lines = self._remembered(asked.get("since"), asked.get("until")) if asked else []
            if lines:
                exchange.send(chunk(b"".join(lines)))
            if asked.get("until", 2**63) <= self.clock():
                exchange.send(LAST_CHUNK)
                return
            if "until" not in asked:
                self._listeners.append(exchange)
                self._streams.put(exchange)
        self.listen(exchange)

    def _remembered(self, since, until):
        # from the newest back to the first that is older, as the engine does
        found = []
        for line in reversed(self.memory):
            when = json.loads(line)["timeNano"]
            if when < (since or 0):
                break
            if until is None or when <= until:
                found.append(line)
        return found[::-1]
