"""A webhook: an event source that other systems post to. Its open instance queues requests and answers them once they are processed.

A request is answered 200 when the host has processed its events, so that a killed process loses none that its sender believes to be
delivered. `lanner.sources.hookserver` is the server.
"""

from __future__ import annotations

import select
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from lanner.native import Events, merge_events
from lanner.sdk.authoring.events import NOTHING, Event, Nothing
from lanner.sdk.errors import SourceError, UsageError
from lanner.sdk.hosting.failures import plugin_failure
from lanner.sdk.text.encoding import to_bytes
from lanner.sdk.text.printable import join_port
from lanner.sources.addresses import is_loopback
from lanner.sources.arguments import (
    argument_error,
    check_count,
    check_credential,
    check_flag,
    check_path,
    check_place,
    check_seconds,
    check_text,
    check_texts_by_name,
)
from lanner.sources.bodies import ItemError, add_members, check, split
from lanner.sources.credentials import reveal
from lanner.sources.feed import Feed
from lanner.sources.hookrequests import Limits, WebhookAnswer
from lanner.sources.hookserver import Receiver
from lanner.sources.signatures import Hmac, Signature, WebhookRequest
from lanner.sources.waiting import Flag

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

    from lanner.native import Lines
    from lanner.sources.bodies import Place
    from lanner.sources.credentials import Credential

_GITHUB: Final = Hmac()
_TAKEN: Final = 4096
_FOREVER: Final = 3600.0
_TAKEN_BYTES: Final = 1024 * 1024
_ANSWERS: Final = 0.1
"""Seconds that the last commit waits until its requests are answered."""
_LOOPBACK: Final = "127.0.0.1"
_BUSY: Final = WebhookAnswer(503, "too many events are waiting: try again", (("Retry-After", "1"),))


def webhook(
    address: str,
    *,
    path: str = "/",
    secret: Credential | Sequence[Credential] | None,
    signature: Signature = _GITHUB,
    json: bool = True,
    items: Place | None = None,
    members: Mapping[str, str] | None = None,
    certificate: str = "",
    key: str = "",
    max_body: int = 25 * 1024 * 1024,
    max_connections: int = 64,
    max_events: int = 10_000,
    max_bytes: int = 64 * 1024 * 1024,
    timeout: float = 10.0,
    answer_after: float = 5.0,
) -> Webhook:
    """Return an event source whose events are the bodies of POST requests to `path` at `address`. Return it from `open`.

    `address` is `host:port`, or `:port` for 127.0.0.1. `secret` is the secret for `signature`, or several, of which one must match.
    None accepts every request, and is allowed only on a loopback address. `certificate` and `key` are PEM files for TLS.

    A body must be JSON, unless `json` is false. `items` is the place of a list in it, each item of which is an event. `members` adds
    members to an event, each with the value of a header: `{"event": "X-GitHub-Event"}`, or null without the header.

    `max_body` bounds a body, `timeout` (seconds) the time in which a request must arrive, `max_events` and `max_bytes` the events that
    wait for the host. A request is answered 200 when the host has processed its events. After `answer_after` seconds it is answered 202
    if the host has its events, else 503, and the events are dropped.

    Raise `lanner.UsageError` for invalid arguments, `lanner.SourceError` if the server cannot listen.
    """
    check_text("webhook", address=address, path=path, certificate=certificate, key=key)
    check_path("webhook", certificate=certificate, key=key)
    check_flag("webhook", json=json)
    check_count("webhook", max_body=max_body, max_connections=max_connections, max_events=max_events, max_bytes=max_bytes)
    check_seconds("webhook", timeout=timeout, answer_after=answer_after)
    check_texts_by_name("webhook", members=members or {})
    if items is not None:
        check_place("webhook", items=items)
    if isinstance(signature, type) or not callable(getattr(signature, "check", None)):
        raise argument_error("webhook", "signature must be an object with a method check, such as sources.Hmac() or sources.Token()")
    host, port = _split_address(address)
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or "?" in path or " " in path:
        raise argument_error("webhook", f"path is {path!r}: write an absolute path without a query, such as /github")
    secrets = _secrets(secret)
    if not secrets and not is_loopback(host):
        raise UsageError(
            f"the webhook listens on {address} without a secret, so any client could write events: set a secret, or listen on {_LOOPBACK}"
        )
    if not json and (items is not None or members):
        raise argument_error("webhook", "`items` and `members` need JSON bodies: leave out json=False")
    limits = Limits(max_body, timeout, max_connections, max(max_body, max_bytes))
    tls = _server_context(certificate, key)
    rules = _Rules(path, secrets, signature, json, items, dict(members or {}))
    files = [file for file in (certificate, key) if file]
    return Webhook(host, port, rules, limits, (max_events, max_bytes), answer_after, tls, files)


class _Delivery:
    """The events of one request, on their way to the host."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = payloads
        self.size = sum(map(len, payloads))
        self.is_taken = self.is_processed = False
        self._changed = threading.Event()

    def settle(self) -> None:
        """End the wait for the host."""
        self._changed.set()

    def wait(self, seconds: float) -> None:
        """Wait for `settle`."""
        self._changed.wait(seconds)


class Webhook(Feed):
    """An open webhook, a `lanner.ChunkReader`. `port` is the port on which it listens."""

    def __init__(
        self,
        host: str,
        port: int,
        rules: _Rules,
        limits: Limits,
        queue: tuple[int, int],
        answer_after: float,
        tls: ssl.SSLContext | None,
        files: Sequence[str],
    ) -> None:
        super().__init__("webhook", files)
        self._rules, self._answer_after = rules, answer_after
        self._most, self._most_bytes = queue
        self._lock = threading.Lock()
        self._waiting: deque[_Delivery] = deque()
        self._count = self._size = 0
        self._given = 0
        self._held: deque[tuple[int, list[_Delivery]]] = deque()
        self._ready, self._always = Flag(), Flag()
        self._always.set()
        self._poll = select.poll()
        for flag in (self._ready, self.closing):
            self._poll.register(flag, select.POLLIN)
        self._receiver = Receiver(host, port, self._rules.check, self._answer, limits, self._report, tls)
        self.port: int = self._receiver.port
        shown = join_port(host, self.port)
        self.name: str = f"webhook http{'s' if tls else ''}://{shown}{rules.path}"
        self.connections: dict[str, bool] = {self.name: True}  # pyright: ignore[reportIncompatibleVariableOverride]

    def events(self) -> Iterator[Event]:
        """Yield the events. A request is answered when the next event after its own is requested."""
        while not isinstance(chunk := self.read_chunk(_FOREVER), bytes):
            if not isinstance(chunk, Nothing):
                yield from map(Event, chunk)
            self.commit(self._given)

    def read_chunk(self, timeout: float) -> Lines | bytes | Nothing:
        """Return payloads, without line ends. See `lanner.ChunkReader`."""
        deliveries = self._take()
        if not deliveries and not self.closing.is_set:
            self._poll.poll(max(0.0, min(timeout, 1e6)) * 1000)
            deliveries = self._take()
        if not deliveries:
            return b"" if self.closing.is_set else NOTHING
        return merge_events([Events([payload for delivery in deliveries for payload in delivery.payloads])])

    def fileno(self) -> int:
        """Return the descriptor that is readable when read_chunk does not block, or when requests wait for the next `commit`."""
        if self.closing.is_set:
            return self.closing.fileno()
        return (self._always if self._held else self._ready).fileno()

    def commit(self, count: int) -> None:
        """Answer the requests of the first `count` chunks."""
        while self._held and self._held[0][0] <= count:
            for delivery in self._held.popleft()[1]:
                delivery.is_processed = True
                delivery.settle()
        if self.closing.is_set:  # the process may end after this
            self._receiver.wait_for_answers(_ANSWERS)

    def close(self) -> None:
        """Stop listening. Requests whose events the host does not have yet are answered 503."""
        with self._lock:
            if self.closing.is_set:
                return
            super().close()
            withdrawn, self._waiting = self._waiting, deque()
        for delivery in withdrawn:
            delivery.settle()
        self._receiver.close()
        self.connections[self.name] = False

    def _take(self) -> list[_Delivery]:
        taken: list[_Delivery] = []
        count = size = 0
        with self._lock:
            while self._waiting and not (taken and (count >= _TAKEN or size >= _TAKEN_BYTES)):
                delivery = self._waiting.popleft()
                delivery.is_taken = True
                taken.append(delivery)
                count += len(delivery.payloads)
                size += delivery.size
            self._count -= count
            self._size -= size
            if not self._waiting:
                self._ready.clear()
            if taken:
                self._given += 1
                self._held.append((self._given, taken))
        return taken

    # the methods below run in the threads of the server

    def _answer(self, request: WebhookRequest) -> WebhookAnswer:
        try:
            payloads = self._rules.payloads(request)
        except _RefusedError as error:
            self._report(error.counter, f"refused a request: {error.answer.status} {error.answer.text}")
            return error.answer
        except Exception as error:  # noqa: BLE001 - a signature scheme of the plugin may raise anything
            plugin = "webhook" if self._opening is None else self._opening.plugin
            self._report("failed checks of requests", f"refused a request: 500 {plugin_failure(plugin, 'signature', error)}")
            return WebhookAnswer(500, "internal error")
        if not payloads:
            return WebhookAnswer(200, "no events")
        delivery = _Delivery(payloads)
        if not self._put(delivery):
            self._report("refused requests, queue full", "refused a request: 503 too many events are waiting for the host, or the run ends")
            return _BUSY
        delivery.wait(self._answer_after)
        with self._lock:
            is_taken = delivery.is_taken
            if not is_taken and delivery in self._waiting:
                self._waiting.remove(delivery)
                self._count -= len(delivery.payloads)
                self._size -= delivery.size
        if delivery.is_processed:
            return WebhookAnswer(200, "processed")
        if is_taken:
            self.counted.add("requests answered before their events were processed")  # none is dropped
            return WebhookAnswer(202, "accepted, and not processed yet")
        self._report("refused requests, host busy or closing", "refused a request: 503 the host is busy, or the run ends")
        return _BUSY

    def _report(self, counter: str, text: str) -> None:
        self.counted.add(counter)
        self.warn(counter, "%s: %s", self.name, text)

    def _put(self, delivery: _Delivery) -> bool:
        with self._lock:
            if self.closing.is_set:
                return False
            is_full = self._count + len(delivery.payloads) > self._most or self._size + delivery.size > self._most_bytes
            if is_full and self._waiting:  # an empty queue takes a request of any size
                return False
            self._waiting.append(delivery)
            self._count += len(delivery.payloads)
            self._size += delivery.size
            self._ready.set()
        return True


class _RefusedError(Exception):
    """A request that is not accepted."""

    def __init__(self, status: int, text: str, counter: str) -> None:
        super().__init__(text)
        self.answer = WebhookAnswer(status, text)
        self.counter = counter


class _Rules:
    """Which requests are accepted, and what their events are."""

    def __init__(
        self, path: str, secrets: list[bytes], signature: Signature, json: bool, items: Place | None, members: dict[str, str]
    ) -> None:
        self.path = path
        self._secrets, self._signature = secrets, signature
        self._json, self._items, self._members = json, items, members

    def check(self, method: str, target: str, headers: Mapping[str, str]) -> WebhookAnswer | None:
        """Return the answer to a request that is refused for its head, or None."""
        if target.partition("?")[0] != self.path:
            return WebhookAnswer(404, "unknown path")
        if method != "POST":
            return WebhookAnswer(405, "only POST is allowed", (("Allow", "POST"),))
        if not self._secrets and not is_loopback(_host_of(headers.get("host", ""))):
            # a page in a browser on this machine could reach the server by a name that it controls
            return WebhookAnswer(421, "without a secret, the host must be a loopback address")
        if self._json and not _is_json(headers.get("content-type", "")):
            return WebhookAnswer(415, "the content type must be application/json")
        coding = headers.get("content-encoding", "identity")
        if coding.strip().lower() not in {"", "identity"}:
            return WebhookAnswer(415, "the body must not be compressed")
        return None

    def payloads(self, request: WebhookRequest) -> list[bytes]:
        """Return the events of a request. Raises `_RefusedError`."""
        if self._secrets and not sum(self._signature.check(request, secret) for secret in self._secrets):
            raise _RefusedError(401, "wrong or missing signature", "refused requests, wrong signature")
        if not self._json:
            return [request.body]
        try:
            if self._items is None:
                check(request.body)
                found = [request.body]
            else:
                found = split(request.body, self._items)
            added = {name: request.headers.get(header.lower()) for name, header in self._members.items()}
            return [add_members(item, added) for item in found]
        except ItemError as error:
            raise _RefusedError(400, str(error), "refused requests, invalid body") from None


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _split_address(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536) or "/" in host or " " in host:
        raise UsageError(f"the webhook's address is {address!r}: write host:port, such as 127.0.0.1:8080 or [::1]:8080")
    return host or _LOOPBACK, int(port)


def _host_of(header: str) -> str:
    host, colon, port = header.rpartition(":")
    return (host if colon and port.isdigit() else header).removeprefix("[").removesuffix("]")


def _secrets(given: Credential | Sequence[Credential] | None) -> list[bytes]:
    if given is None:
        return []
    several: list[Any] = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
    for each in several:
        check_credential("webhook", "secret", each)
    found = [to_bytes(reveal(each)) for each in several]
    if not found or not all(found):
        # anyone can sign with an empty secret: it is usually a variable that is not set
        raise UsageError("the webhook's secret is empty: set the same secret here and at the sender")
    return found


def _server_context(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        if key:
            raise UsageError("the webhook has a TLS key but no certificate: set both, or neither")
        return None
    from lanner.net.tls import TlsError, make_server_context

    try:
        return make_server_context(certificate, key)
    except TlsError as error:
        raise SourceError(f"the webhook cannot use TLS: {error}") from None
