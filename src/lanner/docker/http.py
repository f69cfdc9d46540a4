"""The little of HTTP/1.1 that GET needs: the head of a response, and its body out of chunks.

Bytes as they come in, bytes of the body out. Framing of the body's lines is not done here: chunks and lines are independent.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from lanner import Dechunker

MAX_HEAD: Final = 64 * 1024


class HttpError(ValueError):
    """The other side does not speak HTTP as an engine does."""


class Head(NamedTuple):
    """Status line and headers; the headers' names in lower case."""

    status: int
    reason: str
    headers: dict[str, str]


def parse_head(data: bytes) -> tuple[Head, bytes] | None:
    """The head at the beginning of `data` and what follows it; None while it is not whole. Raises `HttpError`."""
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
        raise HttpError(f"the answer begins with {first[:40]!r}, which is no status line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Head(int(words[1]), words[2] if len(words) > 2 else "", headers), data[end + 4 :]


class Body:
    """The body of one response: `feed` takes what came and gives what it holds; `ended` when the body is whole."""

    def __init__(self, headers: dict[str, str]) -> None:
        """Know from the headers how long the body is: chunked, of a given length, or up to the end of the connection."""
        self._chunks = Dechunker() if "chunked" in headers.get("transfer-encoding", "").lower() else None
        length = headers.get("content-length", "")
        # int() refuses a number of thousands of digits with an error of its own
        self._left: int | None = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None

    @property
    def ended(self) -> bool:
        """Whether the body is whole; False for one without a length. A trailer may follow, which is not waited for."""
        return self._left == 0 if self._chunks is None else self._chunks.ended

    @property
    def is_complete(self) -> bool:
        """Whether all of the answer has come, so that the connection is free for the next one."""
        return self._left == 0 if self._chunks is None else self._chunks.complete

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in `data`. Raises `HttpError` where the chunks are broken."""
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
