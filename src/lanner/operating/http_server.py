"""HTTP server for a few clients of which none is trusted: the web server of a run, and the console.

One thread serves all connections and never blocks on one. Other threads make the responses that take long. Each
connection serves one request within one deadline. Heads and bodies are bounded, and so is the number of open connections: a new one
beyond the bound closes the oldest. So clients that stall or read slowly delay no other client. Requests are not logged.
"""

from __future__ import annotations

import heapq
import logging
import os
import resource
import selectors
import socket
import ssl
import threading
import time
from collections import OrderedDict, deque
from contextlib import suppress
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from lanner.operating.http_request import Page, Request, Task, error_page

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKLOG: Final = 1024
_MAX_HEAD: Final = 16 * 1024
_MOST: Final = 256
"""Maximum number of connections; lower if the process's descriptor limit is low."""
_AT_ONCE: Final = 64
"""Connections accepted before existing connections get their turn."""
_CHUNK: Final = 32 * 1024
_CHUNKS: Final = 2
"""Chunks of a response sent before other connections get their turn; shorter responses are sent in one piece."""
_PAUSE: Final = 0.1
_LOG: Final = logging.getLogger("lanner.webserver")


class Handler(Protocol):
    """Responses of a server. `headers` are those of every response, including errors. `max_body` is the size limit of a request's body."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def max_body(self) -> int: ...

    def start(self, request: Request) -> Page | Task:
        """Return the response at once, or a task that makes it. Called in the thread that serves all connections."""
        ...


class HttpServer:
    """Server on a listening socket, which it closes at its end. `workers` are the numbers of threads for tasks, by lane."""

    def __init__(
        self,
        listener: socket.socket,
        handler: Handler,
        *,
        tls: ssl.SSLContext | None = None,
        deadline: float,
        workers: Sequence[int] = (),
    ) -> None:
        self._listener, self._handler, self._tls, self._deadline = listener, handler, tls, deadline
        self._most = min(_MOST, max(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4))
        self._closed = False
        self._clients: OrderedDict[int, _Client] = OrderedDict()  # by descriptor, oldest first
        listener.setblocking(False)
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._waking = threading.Condition()
        self._asking: list[list[tuple[_Client, Task]]] = [[] for _ in workers]
        self._made: deque[tuple[list[_Client], Page]] = deque()
        self._later: list[tuple[float, int, _Client, Page]] = []
        self._numbers = count()
        self._threads = [threading.Thread(target=self._serve, name="lanner-web", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, args=(lane,), name=f"lanner-web-{lane}-{number}", daemon=True)
            for lane, threads in enumerate(workers)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening and close all connections. A second call does nothing."""
        with self._waking:
            if self._closed:
                return
            self._closed = True
            self._waking.notify_all()
            os.eventfd_write(self._wake, 1)
        for thread in self._threads:
            thread.join(self._deadline)

    def _serve(self) -> None:
        try:
            while not self._closed:
                ready = self._selector.select(self._next_deadline())
                ready.sort(key=lambda each: each[1])  # large responses wait for new requests
                for key, _ in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fd == self._wake:
                        self._hand_out()
                    elif key.fd in self._clients:
                        self._advance(self._clients[key.fd])
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    _, _, client, page = heapq.heappop(self._later)
                    self._send(client, page)
                while self._clients and (oldest := next(iter(self._clients.values()))).until <= now:
                    self._hang_up(oldest)
        finally:
            with self._waking:
                for client in list(self._clients.values()):
                    self._hang_up(client)
                self._listener.close()
                self._selector.close()
                self._closed = True
                self._waking.notify_all()
                os.close(self._wake)
                self._wake = -1

    def _next_deadline(self) -> float | None:
        times = [next(iter(self._clients.values())).until] if self._clients else []
        times += [self._later[0][0]] if self._later else []
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError:  # out of descriptors
                if self._clients:
                    self._hang_up(next(iter(self._clients.values())))
                else:
                    time.sleep(_PAUSE)
                return
            while len(self._clients) >= self._most:
                self._hang_up(next(iter(self._clients.values())))
            try:
                client = _Client(connection, self._tls, time.monotonic() + self._deadline, self._handler.max_body)
            except OSError:
                connection.close()
                continue
            self._clients[client.descriptor] = client
            self._selector.register(client.descriptor, selectors.EVENT_READ)
            self._advance(client)

    def _advance(self, client: _Client) -> None:
        """Advance a client as far as possible without blocking."""
        try:
            wanted = client.advance()
            if client.request is not None and not client.is_answered:
                started = self._start(client.request)
                if isinstance(started, Task):
                    self._ignore(client)
                    with self._waking:
                        self._asking[started.lane].append((client, started))
                        self._waking.notify_all()
                    return
                if started is not None and started.delay:
                    self._ignore(client)
                    heapq.heappush(self._later, (time.monotonic() + started.delay, next(self._numbers), client, started))
                    return
                client.put(started, self._handler.headers)
                wanted = client.advance()
        except OSError:
            self._hang_up(client)  # the client has closed the connection
            return
        except Exception:  # noqa: BLE001 - a bug must not end the thread
            _LOG.exception("responding to a request failed")
            self._hang_up(client)
            return
        self._wait_for(client, wanted)

    def _start(self, request: Request) -> Page | Task | None:
        """Return the response or its task; None for a client that has sent no request."""
        if request.is_empty:
            return None
        if request.refusal is not None:
            return request.refusal
        try:
            return self._handler.start(request)
        except Exception:  # noqa: BLE001 - the client must get a response
            return _make_failure(request.path)

    def _ignore(self, client: _Client) -> None:
        """Do not poll a client until its response is made."""
        self._selector.unregister(client.descriptor)
        client.is_watched = False

    def _wait_for(self, client: _Client, wanted: int) -> None:
        if not wanted:
            self._hang_up(client)
        elif client.is_watched:
            self._selector.modify(client.descriptor, wanted)
        else:
            self._selector.register(client.descriptor, wanted)
            client.is_watched = True

    def _hang_up(self, client: _Client) -> None:
        if self._clients.get(client.descriptor) is client:
            del self._clients[client.descriptor]
            if client.is_watched:
                self._selector.unregister(client.descriptor)
            client.close()

    def _work(self, lane: int) -> None:
        """Perform the tasks of a lane: each once for all clients that wait for the same."""
        asking = self._asking[lane]
        while True:
            with self._waking:
                self._waking.wait_for(lambda: asking or self._closed)
                if self._closed:
                    return
                _, task = asking[0]
                clients = [client for client, asked in asking if asked.key == task.key]
                asking[:] = [each for each in asking if each[1].key != task.key]
                if all(self._clients.get(client.descriptor) is not client for client in clients):
                    continue  # all have gone meanwhile
            try:
                page = task.make()
            except Exception:  # noqa: BLE001 - the clients must get a response
                page = _make_failure(task.key)
            with self._waking:
                self._made.append((clients, page))
                if self._wake >= 0:
                    os.eventfd_write(self._wake, 1)

    def _hand_out(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._made:
            clients, page = self._made.popleft()
            for client in clients:
                self._send(client, page)

    def _send(self, client: _Client, page: Page) -> None:
        if self._clients.get(client.descriptor) is client:
            client.put(page, self._handler.headers)
            self._wait_for(client, selectors.EVENT_WRITE)


def _make_failure(what: str) -> Page:
    _LOG.exception("the request for %s failed", what)
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log")


class _Client:
    """One connection. Each call does what it can without blocking and returns the event mask to wait for; 0 ends the connection.

    `request` is set once the request has been read. Raises OSError if the connection has ended.
    """

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext | None, until: float, max_body: int) -> None:
        connection.setblocking(False)
        self._is_secured = tls is None
        self._socket = connection if tls is None else tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.descriptor = self._socket.fileno()
        self.until = until
        self.request: Request | None = None
        self.is_answered = False
        self.is_watched = True
        """Whether the server polls this descriptor; not while the response is being made."""
        self._max_body = max_body
        self._read_so_far = b""
        self._outgoing: deque[memoryview] = deque()
        self._is_leaving = False

    def advance(self) -> int:
        try:
            if not self._is_secured:
                assert isinstance(self._socket, ssl.SSLSocket)
                self._socket.do_handshake()
                self._is_secured = True
            if self.request is None:
                self._read()
                return selectors.EVENT_READ
            return self._write() if self.is_answered else selectors.EVENT_READ
        except (BlockingIOError, ssl.SSLWantReadError):
            return selectors.EVENT_READ if self.request is None or self._is_leaving else selectors.EVENT_WRITE
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE

    def put(self, page: Page | None, headers: Sequence[tuple[str, str]]) -> None:
        """Queue the response for sending; None: close the connection without one."""
        assert self.request is not None
        self.is_answered = True
        if page is not None:
            self._outgoing.extend(memoryview(part) for part in self.request.answer(page, headers) if part)

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        """Read the request with its body, or the part received before the client closed."""
        ended = False
        while (end := _end_of_head(self._read_so_far)) < 0 and len(self._read_so_far) <= _MAX_HEAD and not ended:
            ended = not self._receive()
        if end > _MAX_HEAD or (end < 0 and not ended):
            self.request = Request(None)
            return
        request = Request(self._read_so_far[:end] if end >= 0 else self._read_so_far)
        if self._max_body and request.refusal is None and not request.is_empty:
            size = request.body_size()
            if size is None:
                request.send_error(HTTPStatus.BAD_REQUEST)
            elif size > self._max_body:
                request.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            else:
                while len(self._read_so_far) - end < size and not ended:
                    ended = not self._receive()
                request.body = self._read_so_far[end : end + size]
                if len(request.body) < size:
                    request.send_error(HTTPStatus.BAD_REQUEST)
        self.request = request

    def _receive(self) -> bool:
        data = self._socket.recv(4096)
        self._read_so_far += data
        return bool(data)

    def _write(self) -> int:
        for _ in range(_CHUNKS):
            if not self._outgoing:
                break
            sent = self._socket.send(self._outgoing[0][:_CHUNK])
            self._outgoing[0] = self._outgoing[0][sent:]
            if not self._outgoing[0]:
                self._outgoing.popleft()
        if self._outgoing:
            return selectors.EVENT_WRITE
        if not self._is_leaving:
            self._is_leaving = True
            self._socket.shutdown(socket.SHUT_WR)
        # closing with unread input would make the kernel discard data that the client has not read yet
        return selectors.EVENT_READ if self._socket.recv(_CHUNK) else 0


def _end_of_head(data: bytes) -> int:
    """Return the offset after the head's empty line; -1 if it is not complete."""
    ends = [found + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (found := data.find(mark)) >= 0]
    return min(ends, default=-1)
