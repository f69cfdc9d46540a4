"""Web server of a run: /healthz, /readyz, /versions and optionally /metrics. It reads snapshots and changes nothing.

Paths and responses are Falco's where Falco has them. One thread serves all connections and never blocks on one. Each connection serves
one request within one deadline. The number of open connections is bounded: a new one beyond the bound closes the oldest. So clients
that stall or read slowly delay no other client. Requests are not logged.
"""

from __future__ import annotations

import errno
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
from typing import TYPE_CHECKING, Final

from lanner.operating.webpages import METRICS, Pages, Request
from lanner.sdk.errors import LannerError
from lanner.sdk.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.operating.snapshot import Snapshot
    from lanner.operating.webpages import Page

_DEADLINE: Final = 3.0
_MAX_HEAD: Final = 16 * 1024
_BACKLOG: Final = 1024
_MOST: Final = 256
"""Maximum number of connections; lower if the process's descriptor limit is low."""
_AT_ONCE: Final = 64
"""Connections accepted before existing connections get their turn."""
_CHUNK: Final = 32 * 1024
_CHUNKS: Final = 2
"""Bytes of a response sent before other connections get their turn; shorter responses are sent in one piece."""
_PAUSE: Final = 0.1
_LOG: Final = logging.getLogger("lanner.webserver")


class WebServer:
    """Web server, listening from its creation on `port`. `metrics` returns the text of /metrics for a snapshot; None disables it.

    `certificate` is a file with certificate and key, or "" for plain HTTP. `deadline` is the time limit of a connection in seconds.
    Raises `LannerError` if it cannot listen.
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
        deadline: float = _DEADLINE,
    ) -> None:
        self._tls = _tls(certificate) if certificate else None
        self._pages = Pages(snapshot, healthz, metrics)
        self._deadline = deadline
        self._most = min(_MOST, max(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4))
        self._closed = False
        self._clients: OrderedDict[int, _Client] = OrderedDict()  # by descriptor, oldest first
        self._listener = _listen(address, port)
        self.port: int = self._listener.getsockname()[1]
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._waking = threading.Condition()
        self._asking: list[_Client] = []  # clients that wait for /metrics
        self._made: deque[tuple[list[_Client], Page]] = deque()
        self._threads = [threading.Thread(target=self._serve, name="lanner-web", daemon=True)]
        if metrics is not None:
            self._threads.append(threading.Thread(target=self._make_metrics, name="lanner-web-metrics", daemon=True))
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
                        self._hand_out_metrics()
                    elif key.fd in self._clients:
                        self._advance(self._clients[key.fd])
                now = time.monotonic()
                while self._clients and (oldest := next(iter(self._clients.values()))).until <= now:
                    self._hang_up(oldest)
        finally:
            with self._waking:
                for client in list(self._clients.values()):
                    self._hang_up(client)
                self._listener.close()
                self._selector.close()
                self._closed = True
                os.close(self._wake)
                self._wake = -1

    def _next_deadline(self) -> float | None:
        return max(0.0, next(iter(self._clients.values())).until - time.monotonic()) if self._clients else None

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
                client = _Client(connection, self._tls, time.monotonic() + self._deadline)
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
                if self._pages.is_slow(client.request.path):
                    self._selector.unregister(client.descriptor)
                    client.is_watched = False
                    with self._waking:
                        self._asking.append(client)
                        self._waking.notify_all()
                    return
                client.put(self._pages.get(client.request.path) if client.request.path else None)
                wanted = client.advance()
        except OSError:
            self._hang_up(client)  # the client has closed the connection
            return
        except Exception:  # noqa: BLE001 - a bug must not end the thread
            _LOG.exception("responding to a request failed")
            self._hang_up(client)
            return
        self._wait_for(client, wanted)

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

    def _make_metrics(self) -> None:
        """Build /metrics once for all clients that have asked meanwhile."""
        while True:
            with self._waking:
                self._waking.wait_for(lambda: self._asking or self._closed)
                if self._closed:
                    return
                asking, self._asking = self._asking, []
            page = self._pages.get(METRICS)
            with self._waking:
                self._made.append((asking, page))
                if self._wake >= 0:
                    os.eventfd_write(self._wake, 1)

    def _hand_out_metrics(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._made:
            clients, page = self._made.popleft()
            for client in clients:
                if self._clients.get(client.descriptor) is client:
                    client.put(page)
                    self._wait_for(client, selectors.EVENT_WRITE)


class _Client:
    """One connection. Each call does what it can without blocking and returns the event mask to wait for; 0 ends the connection.

    `request` is set once the request has been read. Raises OSError if the connection has ended.
    """

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext | None, until: float) -> None:
        connection.setblocking(False)
        self._plain = connection
        self._is_secured = tls is None
        self._socket = connection if tls is None else tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.descriptor = self._socket.fileno()
        self.until = until
        self.request: Request | None = None
        self.is_answered = False
        self.is_watched = True
        """Return whether the server polls this descriptor; not while the response is being built."""
        self._head = b""
        self._outgoing: deque[memoryview] = deque()
        self._is_leaving = False

    def advance(self) -> int:
        try:
            if not self._is_secured:
                assert isinstance(self._socket, ssl.SSLSocket)
                self._socket.do_handshake()
                self._is_secured = True
            if self.request is None:
                return self._read()
            return self._write() if self.is_answered else selectors.EVENT_READ
        except (BlockingIOError, ssl.SSLWantReadError):
            return selectors.EVENT_READ if self.request is None or self._is_leaving else selectors.EVENT_WRITE
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE

    def put(self, page: Page | None) -> None:
        """Queue these bytes for sending."""
        assert self.request is not None
        self.is_answered = True
        self._outgoing.extend(memoryview(part) for part in self.request.answer(page) if part)

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> int:
        """Return the request up to its empty line, or the part received before the client closed."""
        while b"\r\n\r\n" not in self._head and b"\n\n" not in self._head and len(self._head) <= _MAX_HEAD:
            data = self._socket.recv(4096)
            if not data:
                break
            self._head += data
        self.request = Request(self._head if len(self._head) <= _MAX_HEAD else None)
        return selectors.EVENT_READ

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


def check_webserver(address: str, port: int, certificate: str = "") -> str:
    """Raise the `LannerError` of a server that could never start. Return a text if the port is in use now, else "". Nothing listens."""
    if certificate:
        _tls(certificate)
    try:
        _bind(address, port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _refusal(address, port, error)
        raise LannerError(_refusal(address, port, error)) from None
    return ""


def _listen(address: str, port: int) -> socket.socket:
    try:
        listener = _bind(address, port)
        try:
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise LannerError(_refusal(address, port, error)) from None
    return listener


def _bind(address: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except BaseException:
        listener.close()
        raise
    return listener


def _refusal(address: str, port: int, error: OSError) -> str:
    shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return f"the web server cannot listen on {shown}: {_why(error)}"


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "the port is in use, perhaps by Falco or another Lanner: set another $.webserver.listen_port, "
            "or disable this server ($.webserver.enabled: false)"
        )
    if error.errno == errno.EACCES:
        return "ports below 1024 need root: set another $.webserver.listen_port"
    advice = "set $.webserver.listen_address to an address of this machine, such as 127.0.0.1"
    return f"{(error.strerror or str(error)).lower()}; {advice}"


def _tls(certificate: str) -> ssl.SSLContext:
    def no_passphrase() -> str:
        raise LannerError(
            f"the web server's key in {certificate} has a passphrase: a service cannot ask for it, so store the key without one"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        check_regular(certificate)
        context.load_cert_chain(certificate, password=no_passphrase)
    except OSError as error:
        raise LannerError(
            f"the web server cannot use {certificate} ($.webserver.ssl_certificate): {error.strerror or error}; "
            "the file must be PEM with the certificate and its key"
        ) from None
    return context
