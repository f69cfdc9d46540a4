"""The HTTP server of a webhook: it listens, and keeps connections within limits. `lanner.sources.hookrequests` has their requests.

A thread serves each connection. If all connections are in use, a new one ends one that waits for its client.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import SourceError
from lanner.sdk.text.printable import join_port
from lanner.sources.calls import block_signals
from lanner.sources.hookrequests import RequestHandler, WebhookAnswer
from lanner.sources.waiting import Flag

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from lanner.sources.hookrequests import Limits
    from lanner.sources.signatures import WebhookRequest


_PAUSE: Final = 0.1


class Receiver:
    """A server that listens from its creation on. `check` answers the head of a request or returns None, `answer` the whole request.

    `report` gets the counter and a description of the refused request.
    Raises `SourceError` if it cannot listen.
    """

    def __init__(
        self,
        host: str,
        port: int,
        check: Callable[[str, str, Mapping[str, str]], WebhookAnswer | None],
        answer: Callable[[WebhookRequest], WebhookAnswer],
        limits: Limits,
        report: Callable[[str, str], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.check, self.answer, self.limits, self.report = check, answer, limits, report
        self.is_closing = False
        self._tls = tls
        self._wake = Flag()
        self._changed = threading.Condition()
        self._clients: dict[HookClient, None] = {}  # oldest first
        self._reserved = 0
        self._listener = _listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept_all, name="lanner-webhook", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end the connections, except those whose request is being answered."""
        with self._changed:
            self.is_closing = True
            self._wake.set()
            for client in self._clients:
                if not client.is_answering:
                    client.interrupt()
        self._thread.join()
        # they hold the source, which holds this server: the descriptors of both are closed with their last reference
        self.answer, self.report = _refuse, _ignore

    def wait_for_answers(self, seconds: float) -> None:
        """Wait until all answers are sent, up to `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not any(client.is_answering for client in self._clients), seconds)

    def reserve(self, count: int) -> bool:
        """Count bytes of bodies; negative: their requests are answered. Return false if the bodies take too much together."""
        with self._changed:
            if count > 0 and self._reserved + count > self.limits.bodies:
                return False
            self._reserved += count
            return True

    def mark(self, client: HookClient, *, is_answering: bool) -> None:
        """Note whether the client's request is complete and being answered. Raises `OSError` if the server is closing."""
        with self._changed:
            if is_answering and self.is_closing:
                raise ConnectionAbortedError("closing")
            client.is_answering = is_answering
            self._changed.notify_all()

    def _accept_all(self) -> None:
        block_signals()  # the threads of the connections inherit that
        poll = select.poll()
        for each in (self._listener, self._wake):
            poll.register(each, select.POLLIN)
        try:
            while not self.is_closing:
                poll.poll()
                try:
                    connection, _ = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    continue
                except OSError as error:  # out of descriptors
                    self.report("refused connections", f"cannot accept a connection: {error.strerror or error}")
                    self._end_one()
                    self._wait(_PAUSE)
                    continue
                self._take(connection)
        finally:
            self._listener.close()

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.poll(seconds * 1000)

    def _take(self, connection: socket.socket) -> None:
        with self._changed:
            if self.is_closing:
                connection.close()
                return
            if len(self._clients) >= self.limits.connections and not self._end_one():
                self.report("refused connections", f"closed a new connection: all {self.limits.connections} wait for the host")
                connection.close()
                return
            client = HookClient(self, connection, self._tls)
            self._clients[client] = None
        try:
            threading.Thread(target=client.run, name="lanner-webhook-client", daemon=True).start()
        except RuntimeError:  # out of threads
            self.report("refused connections", "closed a new connection: the system has no more threads")
            self.forget(client)

    def _end_one(self) -> bool:
        """End the oldest connection that waits for its client."""
        with self._changed:
            found = next((client for client in self._clients if not client.is_answering), None)
            if found is None:
                return False
            self.report("ended connections", "ended the oldest connection without a whole request to make room for a new one")
            del self._clients[found]
            found.interrupt()
            return True

    def forget(self, client: HookClient) -> None:
        """Close a client's connection."""
        with self._changed:
            self._clients.pop(client, None)
            client.connection.close()
            self._changed.notify_all()


class HookClient:
    """One connection, and the thread that serves it."""

    def __init__(self, receiver: Receiver, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        self.receiver, self.connection = receiver, connection
        self.is_answering = False
        self._tls = tls
        self._is_interrupted = False

    def mark(self, *, is_answering: bool) -> None:
        """Note whether a whole request has arrived and is being answered. Raises `OSError` if the server is closing."""
        self.receiver.mark(self, is_answering=is_answering)

    def interrupt(self) -> None:
        """End all waits for the client."""
        self._is_interrupted = True
        with suppress(OSError):  # it has ended
            # an SSLSocket's own shutdown removes TLS first: a thread that is sending would continue in plain text
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def run(self) -> None:
        """Serve the connection."""
        try:
            self.connection.settimeout(self.receiver.limits.seconds)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                secured = self._tls.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
                self.connection = secured
                if self._is_interrupted or self.receiver.is_closing:
                    return
                self._shake_hands(secured)
            RequestHandler(self)
        except OSError:  # the client has gone, or was too slow
            pass
        finally:
            self.receiver.forget(self)

    def _shake_hands(self, secured: ssl.SSLSocket) -> None:
        from ssl import SSLEOFError, SSLError  # loaded only with TLS

        try:
            secured.do_handshake()
        except SSLEOFError:  # the client has gone, such as the health check of a load balancer
            raise
        except SSLError as error:
            self.receiver.report("failed TLS handshakes", f"a TLS handshake failed: {error}")
            raise


def _ignore(_counter: str, _text: str) -> None:
    """Drop the report of a refusal after the source was closed."""


def _refuse(_: WebhookRequest) -> WebhookAnswer:
    return WebhookAnswer(503, "the run has ended")


def _listen(host: str, port: int) -> socket.socket:
    shown = join_port(host, port)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(128)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise SourceError(f"the webhook cannot listen on {shown}: {_explain(error)}") from None
    return listener


def _explain(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use: choose another port, or stop the program that uses it"
    if error.errno == errno.EACCES:
        return "ports below 1024 need root: choose a higher port"
    return f"{(error.strerror or str(error)).lower()}; write an address of this machine, such as 127.0.0.1"
