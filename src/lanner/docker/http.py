"""The little of HTTP/1.1 that GET needs: the head of a response, and its body out of chunks.

Bytes as they come in, bytes of the body out. Framing of the body's lines is not done here: chunks and lines are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 64 * 1024
_MAX_SIZE_LINE: Final = 4096


class HttpError(ValueError):
    """The other side does not speak HTTP as an engine does."""


@dataclass(frozen=True, slots=True)
class Head:
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
        self.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length", "")
        self._left: int | None = int(length) if length.isascii() and length.isdigit() and not self.chunked else None
        self._buffer = b""
        self._in_chunk = 0  # bytes of the current chunk that are still to come
        self._at_end_of_chunk = False  # the line end after a chunk is still to come
        self._in_trailer = False
        self.ended = self._left == 0

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in `data`. Raises `HttpError` where the chunks are broken."""
        if self.ended:
            return b""
        if self.chunked:
            return self._feed_chunks(data)
        if self._left is None:
            return data
        taken = data[: self._left]
        self._left -= len(taken)
        self.ended = self._left == 0
        return taken

    def _feed_chunks(self, data: bytes) -> bytes:
        buffer = self._buffer + data if self._buffer else data
        at, out = 0, []
        while not self.ended:
            if self._in_chunk:
                piece = buffer[at : at + self._in_chunk]
                if not piece:
                    break
                out.append(piece)
                at += len(piece)
                self._in_chunk -= len(piece)
                self._at_end_of_chunk = not self._in_chunk
                continue
            end = buffer.find(b"\n", at)
            if end < 0:
                if len(buffer) - at > _MAX_SIZE_LINE:
                    raise HttpError("a chunk's size line is too long")
                break
            line = buffer[at:end].rstrip(b"\r")
            at = end + 1
            self._take_line(line)
        self._buffer = buffer[at:]
        return b"".join(out)

    def _take_line(self, line: bytes) -> None:
        if self._at_end_of_chunk:
            if line:
                raise HttpError(f"a chunk is followed by {line[:20]!r} instead of a line end")
            self._at_end_of_chunk = False
        elif self._in_trailer:
            self.ended = not line
        else:
            digits = line.partition(b";")[0].strip()
            if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
                raise HttpError(f"{digits[:20]!r} is no chunk size")
            self._in_chunk = int(digits, 16)
            self._in_trailer = not self._in_chunk
