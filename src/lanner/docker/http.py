"""The part of HTTP/1.1 that GET needs: parses the head of a response, and removes chunked encoding from its body.

It does not split the body into lines: chunks and lines are independent.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from lanner import Dechunker

MAX_HEAD: Final = 64 * 1024


class HttpError(ValueError):
    """The peer does not speak HTTP as an engine does."""


class Head(NamedTuple):
    """Status line and headers; the headers' names in lower case."""

    status: int
    reason: str
    headers: dict[str, str]


def parse_head(data: bytes) -> tuple[Head, bytes] | None:
    """Return the head at the beginning of `data` and the bytes after it; None while it is incomplete. Raises `HttpError`."""
    if not data.startswith(b"HTTP/1."[: len(data)]):
        raise HttpError(f"the answer begins with {data[:20]!r}, which is not HTTP")
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD:
            raise HttpError(f"the answer's head is longer than {MAX_HEAD} bytes")
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not (len(words[1]) == 3 and words[1].isascii() and words[1].isdigit()):
        raise HttpError(f"the answer begins with {first[:40]!r}, which is not a status line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Head(int(words[1]), words[2] if len(words) > 2 else "", headers), data[end + 4 :]


class Body:
    """The body of one response: `feed` takes received bytes and returns those of the body; `ended` when it is complete."""

    def __init__(self, headers: dict[str, str]) -> None:
        """Read from the headers how the body ends: chunked, after a given length, or with the connection."""
        self._chunks = Dechunker() if "chunked" in headers.get("transfer-encoding", "").lower() else None
        length = headers.get("content-length", "")
        # int() raises its own error for a number of thousands of digits
        self._left: int | None = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None

    @property
    def ended(self) -> bool:
        """Whether the body is complete; False for one without a length. A trailer may follow, which is not awaited."""
        return self._left == 0 if self._chunks is None else self._chunks.ended

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
