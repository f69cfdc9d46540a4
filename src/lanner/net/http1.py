"""HTTP/1.1 as a client: writes requests, and reads responses from bytes as they arrive, within limits. A `Link` moves the bytes.

The body is not split into lines: chunks and lines are independent. A plugin's `.so` imports this module, so it imports little.
"""

from __future__ import annotations

import time

from lanner.native import Dechunker
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from lanner.net.dial import Timer
    from lanner.net.link import Link

MAX_HEAD: Final = 64 * 1024
MAX_HEADERS: Final = 256
MAX_INTERIM: Final = 32
"""Interim responses (1xx) before a response."""
_HEAD_ENDS: Final = (b"\n\n", b"\n\r\n")
_LONGEST_END: Final = 4
_TOKEN: Final = frozenset("!#$%&'*+.^_`|~-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_SWITCHING_PROTOCOLS: Final = 101
_WITHOUT_BODY: Final = frozenset({204, 304})
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HttpError(ValueError):
    """The peer does not speak HTTP/1.1."""


class NotHttpError(HttpError):
    """The peer speaks another protocol: its answer begins with the bytes `beginning`."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__(f"the answer begins with {beginning!r}, which is not HTTP")
        self.beginning = beginning


class NoAnswerError(HttpError):
    """The connection was closed before a response: proxies do so while their server is down."""


class Head(NamedTuple):
    """Status line and headers; the headers' names in lower case, the values of a repeated one joined by commas.

    `minor` is the second number of the version: 0 for HTTP/1.0.
    """

    status: int
    reason: str
    headers: dict[str, str]
    minor: int = 1

    @property
    def keeps_open(self) -> bool:
        """Whether the server leaves the connection open after this response."""
        options = {option.strip() for option in self.headers.get("connection", "").lower().split(",")}
        return "close" not in options and (self.minor > 0 or "keep-alive" in options)


def write_request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """Return the bytes of a request. Raises ValueError for a target or header that would change the lines around it."""
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError("invalid request target: it must be printable ASCII without spaces")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        # the value may be a secret: no message contains it
        if not name or not _TOKEN.issuperset(name) or any(char in value for char in "\r\n\0"):
            raise ValueError(f"invalid header value or name: {name!r}")
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def basic_authorization(user: str, password: str) -> str:
    """Return the value of the header Authorization for this login."""
    from binascii import b2a_base64

    return f"Basic {b2a_base64(f'{user}:{password}'.encode(), newline=False).decode()}"


def parse_head(data: bytes | bytearray, searched: int = 0) -> tuple[Head, bytes] | None:
    """Return the head at the beginning of `data` and the bytes after it; None while it is incomplete. Raises `HttpError`.

    The first `searched` bytes are known to be incomplete.
    """
    if not data.startswith(b"HTTP/1."[: len(data)]):
        raise NotHttpError(bytes(data[:20]))
    end = _find_end(data, max(0, searched - _LONGEST_END))
    if end is None:
        if len(data) > MAX_HEAD:
            raise HttpError(f"the answer's head is longer than {MAX_HEAD} bytes")
        return None
    first, *lines = (line.removesuffix("\r") for line in data[: end[0]].decode("latin-1").split("\n"))
    words = first.split(" ", 2)
    if len(words) < 2 or not (len(words[1]) == 3 and words[1].isascii() and words[1].isdigit()):
        raise HttpError(f"the answer begins with {first[:40]!r}, which is not a status line")
    if len(lines) > MAX_HEADERS:
        raise HttpError(f"the answer has more than {MAX_HEADERS} headers")
    reason = words[2] if len(words) > 2 else ""
    return Head(int(words[1]), reason, _headers(lines), int(words[0] != "HTTP/1.0")), bytes(data[end[1] :])


def _find_end(data: bytes | bytearray, start: int) -> tuple[int, int] | None:
    """Return where the head ends, and where the body begins; None if that is not in `data`."""
    found = [(at, at + len(end)) for end in _HEAD_ENDS if (at := data.find(end, start)) >= 0]
    if not found:
        return None
    end, begin = min(found)
    return end - (end > start and data[end - 1] == ord("\r")), begin


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        if name and line[:1] in {" ", "\t"}:  # an old form: the value continues
            headers[name] = f"{headers[name]} {line.strip()}"
            continue
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def read_date(text: str) -> int | None:
    """Return a `Date` header, "Sat, 02 Oct 2100 07:06:40 GMT", as seconds since 1970; None if it is invalid."""
    try:
        _, day, month, year, clock, _ = text.split()
        hours, minutes, seconds = map(int, clock.split(":"))
        date = int(year), _MONTHS.index(month) + 1, int(day)
        found = (_day_number(*date) * 24 + hours) * 3600 + minutes * 60 + min(seconds, 59)
        is_valid = time.gmtime(found)[:6] == (*date, hours, minutes, min(seconds, 59))
    except (ValueError, OverflowError):
        return None
    return found if is_valid and date[0] > 0 else None


def _day_number(year: int, month: int, day: int) -> int:
    """Return the days from 1970 to a date. `datetime` knows it too, but takes 0.2 MB and a millisecond in each plugin's .so."""
    year, month = (year, month) if month > 2 else (year - 1, month + 12)  # February last: leap days end a year
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469


class Body:
    """The body of one response: `feed` takes received bytes and returns those of the body; `ended` when it is complete."""

    def __init__(self, headers: dict[str, str]) -> None:
        """Read from the headers how the body ends: chunked, after a given length, or with the connection."""
        coding = headers.get("transfer-encoding", "").lower().rpartition(",")[2].strip()
        self._chunks = Dechunker() if coding == "chunked" else None
        length = headers.get("content-length", "") if not coding else ""
        # int() raises its own error for a number of thousands of digits
        self._left: int | None = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None

    @property
    def ended(self) -> bool:
        """Whether the body is complete; False for one without a length. A trailer may follow, which is not awaited."""
        return self._left == 0 if self._chunks is None else self._chunks.ended

    @property
    def chunks(self) -> Dechunker | None:
        """The decoder of a body in chunks."""
        return self._chunks

    @property
    def has_length(self) -> bool:
        """Whether the body ends after a given number of bytes."""
        return self._left is not None

    @property
    def is_complete(self) -> bool:
        """Whether the whole response has arrived, so that the connection is free for the next one."""
        return self._left == 0 if self._chunks is None else self._chunks.complete

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body in `data`. Raises `HttpError` for invalid chunks."""
        if self._chunks is not None:
            try:
                return self._chunks.feed(data)
            except ValueError as error:
                raise HttpError(str(error)) from None
        if self._left is None:
            return data
        taken = data[: self._left]
        self._left -= len(taken)
        return taken


class Response:
    """One response: `feed` takes received bytes. Interim responses (1xx) before it are skipped."""

    def __init__(self) -> None:
        self.head: Head | None = None
        """None until it has arrived."""
        self._received = bytearray()
        self.body: Body | None = None
        """None until the head has arrived."""
        self.has_begun = False
        self._interim = 0

    @property
    def ended(self) -> bool:
        """Whether the body is complete; see `Body.ended`."""
        return self.body is not None and self.body.ended

    @property
    def is_complete(self) -> bool:
        """Whether the whole response has arrived; see `Body.is_complete`."""
        return self.body is not None and self.body.is_complete

    @property
    def leaves_open(self) -> bool:
        """Whether the connection is free for the next request."""
        return self.is_complete and self.head is not None and self.head.keeps_open

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body in `data`; none while the head is incomplete. Raises `HttpError`."""
        if self.body is not None:
            return self.body.feed(data)
        self.has_begun = True
        searched = len(self._received)
        self._received += data
        while self._received and (found := parse_head(self._received, searched)) is not None:
            head, rest = found
            if head.status >= 200 or head.status == _SWITCHING_PROTOCOLS:
                self.head, self._received = head, bytearray()
                self.body = Body({"content-length": "0"} if head.status in _WITHOUT_BODY else head.headers)
                return self.body.feed(rest)
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise HttpError(f"more than {MAX_INTERIM} interim answers came before the answer")
            self._received, searched = bytearray(rest), 0
        return b""


def read_head(link: Link, response: Response, timer: Timer) -> bytes:
    """Read from the link until the response's head is complete, and return the bytes of the body after it.

    Raises `HttpError`, `TimeoutError` and the errors of the link.
    """
    first = b""
    while response.head is None:
        data = link.read()
        if data is None:
            raise NoAnswerError("its answer broke off" if response.has_begun else "it closed the connection without an answer")
        timer.left()
        if data:
            first = response.feed(data)
        else:
            link.wait(timer)
    return first
