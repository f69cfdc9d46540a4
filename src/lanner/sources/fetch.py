"""GET requests of a poller by Lanner's own client: one deadline for a request, an end by `close`, redirects within one server only."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from lanner._version import __version__
from lanner.net.dial import Timer, WokenError, dial
from lanner.net.http1 import HttpError, NoAnswerError, Response, basic_authorization, read_head, write_request
from lanner.net.link import Link
from lanner.net.tls import Tls, TlsError, make_context
from lanner.sdk.errors import SourceError, UsageError
from lanner.sdk.options.address import Address
from lanner.sources.addresses import is_loopback
from lanner.sources.credentials import reveal
from lanner.sources.pages import PORTS, Page, PollError, PollResponse, origin, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from urllib.parse import SplitResult

    from lanner.sources.credentials import Credential
    from lanner.sources.pages import PollRequest
    from lanner.sources.waiting import Flag

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_LENGTHS: Final = frozenset({"content-length", "transfer-encoding"})
_MOST_DRAINED: Final = 64 * 1024
_PLACE: Final = re.compile(r"\{(cursor|page)\}")
_CLOSED: Final = (ConnectionError, NoAnswerError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Fetcher:
    """A function for `poll` that requests `url`. In its query, `{cursor}` and `{page}` are replaced; a parameter without value is left out.

    Raises `UsageError` for an invalid address, `SourceError` for an unusable file of authorities.
    """

    ends_when_closed = True
    """Whether a call ends as soon as the source is closed."""

    def __init__(self, url: str, headers: Mapping[str, Credential], ca: str, closing: Flag) -> None:
        self._base, _, self._query = url.partition("?")
        if not origin(self._base) or not url.isascii() or not url.isprintable() or " " in url or "#" in url:
            raise UsageError(f"the address to poll is {str(Address(url))!r}: write http://host/path or https://...")
        parts = urlsplit(self._base)
        if parts.scheme == "http" and (headers or parts.username is not None) and not is_loopback(parts.hostname or ""):
            raise UsageError(f"{origin(url)} is not encrypted, so its token could be read on the way: write https://")
        self._headers = {"User-Agent": f"lanner/{__version__}", "Accept": "application/json", **headers}
        if parts.username is not None:
            self._headers["Authorization"] = basic_authorization(unquote(parts.username), unquote(parts.password or ""))
            self._base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._closing = closing
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            try:
                self._context = make_context(Tls(ca=ca))
            except TlsError as error:
                raise SourceError(str(error)) from None
        self._link: Link | None = None

    def __call__(self, request: PollRequest) -> PollResponse:
        """Request a page. Raises `PollError`."""
        url = self._fill(request)
        if request.page is not None and "{page}" not in self._query:
            url = resolve(request.page, Page(200, {}, b"", url))
        timer = Timer(request.timeout, self._closing.fileno())
        for _ in range(_MOST_REDIRECTS):
            response = self._get(url, request.headers, timer)
            if response.status not in _REDIRECTS:
                return response
            url = resolve(response.headers.get("location", ""), Page(response.status, {}, b"", url))
            self._drain(response)
        raise PollError(f"{origin(url)} redirects more than {_MOST_REDIRECTS} times")

    def close(self) -> None:
        """Close the connection."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _fill(self, request: PollRequest) -> str:
        values = {"cursor": request.cursor, "page": request.page}
        given = []
        for part in self._query.split("&") if self._query else []:
            names = _PLACE.findall(part)
            if any(values[name] is None for name in names):
                continue
            given.append(_PLACE.sub(lambda found: quote(str(values[found[1]]), safe=""), part))
        return self._base + ("?" + "&".join(given) if given else "")

    def _get(self, url: str, headers: Mapping[str, str], timer: Timer) -> PollResponse:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc.rpartition("@")[2], **{name: reveal(value) for name, value in self._headers.items()}, **headers}
        try:
            data = write_request("GET", target, fields)
        except ValueError as error:
            raise PollError(str(error)) from None
        try:
            response, first = self._exchange(parts, data, timer)
        except (OSError, HttpError) as error:
            self.close()
            raise _failure(error, url, timer) from None
        assert response.head is not None
        return PollResponse(response.head.status, response.head.headers, self._body(response, first, timer, url), url)

    def _exchange(self, parts: SplitResult, data: bytes, timer: Timer) -> tuple[Response, bytes]:
        if self._link is not None and self._link.has_closed():
            self.close()
        was_open = self._link is not None
        try:
            return self._send(parts, data, timer)
        except _CLOSED:
            # the server has closed a connection that was kept open: a new one may work
            self.close()
            if not was_open:
                raise
            return self._send(parts, data, timer)

    def _send(self, parts: SplitResult, data: bytes, timer: Timer) -> tuple[Response, bytes]:
        if self._link is None:
            self._link = self._connect(parts, timer)
        self._link.send(data, timer)
        response = Response()
        return response, read_head(self._link, response, timer)

    def _connect(self, parts: SplitResult, timer: Timer) -> Link:
        host = parts.hostname or ""
        connection = dial(host, parts.port or PORTS[parts.scheme], timer, lambda _: None)
        if self._context is None:
            return Link(connection)
        from lanner.net.tls_link import TlsLink, TlsSession

        return TlsLink(connection, TlsSession(self._context, host), timer)

    def _body(self, response: Response, first: bytes, timer: Timer, url: str) -> Iterator[bytes]:
        """Yield the parts of the body. Unless it is read to its end, the connection is closed."""
        is_free = False
        try:
            yield first
            while not response.is_complete:
                assert self._link is not None
                data = self._link.read()
                if data is None:
                    if response.head is not None and not _LENGTHS.isdisjoint(response.head.headers):
                        raise PollError(f"{origin(url)} closed the connection within its response")
                    break
                timer.left()
                if data:
                    yield response.feed(data)
                else:
                    self._link.wait(timer)
            is_free = response.leaves_open
        except (OSError, HttpError) as error:
            raise _failure(error, url, timer) from None
        finally:
            if not is_free:
                self.close()

    def _drain(self, response: PollResponse) -> None:
        size = 0
        with suppress(PollError):
            for part in response.body:
                size += len(part) if isinstance(part, bytes) else 0
                if size > _MOST_DRAINED:
                    break
        close = getattr(response.body, "close", None)
        if callable(close):
            close()


def _failure(error: Exception, url: str, timer: Timer) -> PollError:
    place = origin(url)
    if isinstance(error, WokenError):
        return PollError("closed")
    if isinstance(error, TimeoutError):
        return PollError(f"{place} did not answer within {timer.timeout:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return PollError(f"{place} is not trusted: {error.verify_message}; name its authority in a file (ca=...)")
    if isinstance(error, HttpError):
        return PollError(f"{place} does not answer as an HTTP server does: {error}")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return PollError(f"{place} cannot be reached: {reason}")
