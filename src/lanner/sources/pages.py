"""The requests of a poller and their responses, for a plugin's own function too, and bodies read within limits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import urljoin, urlsplit

from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SECOND_HEADERS: Final = ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
"""Headers with the time of the next allowed request: seconds since 1970, or from now on."""
_YEAR_2001: Final = 10**9
PORTS: Final = {"http": 80, "https": 443}

Scalar: TypeAlias = str | int | float


class PollRequest(NamedTuple):
    """A request to make. Send `headers` with it: they make it conditional.

    `cursor` is the cursor of the last event, None without one. `page` is the next page, as the last response named it: an address or a
    token; None for the first page.
    """

    cursor: Scalar | None
    page: str | None
    headers: Mapping[str, str]
    timeout: float


class PollResponse(NamedTuple):
    """A response. `body` may be an iterator of parts, so that a huge body is not read. `url` is the address that was requested.

    With httpx: `PollResponse(response.status_code, response.headers, response.iter_bytes(), str(response.url))`; with urllib3 (and
    `preload_content=False`): `PollResponse(response.status, response.headers, response.stream(), url)`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterable[bytes]
    url: str = ""


Request: TypeAlias = "Callable[[PollRequest], PollResponse]"


class PollError(Exception):
    """A failed request. `retry_after`: the server asks to wait this number of seconds. `is_rejected`: it does not accept this request."""

    def __init__(self, text: str, *, retry_after: float | None = None, is_rejected: bool = False) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.is_rejected = is_rejected


class Page(NamedTuple):
    """A response that was read: status, headers with names in lower case, body, address."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


def read_page(response: PollResponse, most: int, until: float) -> Page:
    """Read a response up to `most` bytes, and until that monotonic time. Raises `PollError`."""
    if not isinstance(response, PollResponse):
        raise PollError(f"the function returned {type(response).__name__}; it must return sources.PollResponse(...)")
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    body = response.body
    if not isinstance(body, bytes | bytearray | memoryview):
        body = _collect(body, most, until)
    elif len(body) > most:
        raise _make_length_error(most)
    return Page(response.status, headers, bytes(body), response.url)


def _collect(parts: Iterable[bytes], most: int, until: float) -> bytes:
    collected = bytearray()
    try:
        for part in parts:
            if len(collected) + len(part) > most:
                raise _make_length_error(most)
            if time.monotonic() > until:
                raise PollError("the response did not arrive in time")
            collected += part
    finally:
        close = getattr(parts, "close", None)
        if callable(close):
            close()
    return bytes(collected)


def _make_length_error(most: int) -> PollError:
    return PollError(f"the response is longer than {many(most, 'byte')}: ask for smaller pages, or raise max_body")


def check_status(page: Page) -> None:
    """Raise `PollError` for a response without events."""
    status = page.status
    if 200 <= status < 300 or status == 304:
        return
    if 300 <= status < 400:
        raise PollError(f"the server redirects (status {status}) to {origin(page.headers.get('location', '')) or 'an unknown place'}")
    wait = _wanted_pause(page.headers) if status in {403, 413, 429} or status >= 500 else None
    raise PollError(f"the server answers {status}", retry_after=wait, is_rejected=400 <= status < 500 and status not in {408, 429})


def _wanted_pause(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if text:
        if (seconds := _number(text)) is not None:
            return seconds
        from lanner.net.http1 import read_date

        moment = read_date(text)
        return None if moment is None else max(0.0, moment - time.time())
    if _number(headers.get("x-ratelimit-remaining", "0")) == 0:
        for name in _SECOND_HEADERS:
            if (seconds := _number(headers.get(name, ""))) is not None:
                return max(0.0, seconds - time.time()) if seconds > _YEAR_2001 else seconds
    return None


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 16 else None


def next_link(headers: Mapping[str, str]) -> str | None:
    """Return the address of the next page in the header `Link` (RFC 8288), or None."""
    rest = headers.get("link", "")
    while rest:
        _, found, rest = rest.partition("<")
        if not found:
            return None
        address, _, rest = rest.partition(">")
        parameters, _, _ = rest.partition("<")
        for parameter in parameters.rstrip(", ").split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "rel" and "next" in value.strip().strip('"').lower().split():
                return address.strip()
    return None


def resolve(address: str, page: Page) -> str:
    """Return an address that a response names as an absolute one. Raises `PollError` if it leads to another server."""
    if not origin(page.url):
        raise PollError("the response names the address of a next page: return PollResponse(..., url=...) with the requested address")
    try:
        found = urljoin(page.url, address)
    except ValueError:
        found = ""
    if not found or origin(found) != origin(page.url):
        # the request has a token, which another server must not get
        raise PollError(f"the response leads to another server, {origin(address) or 'an invalid address'}, which does not get the request")
    return found


def origin(url: str) -> str:
    """Return scheme, host and port of an address; "" for an invalid one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or PORTS[parts.scheme]}"
