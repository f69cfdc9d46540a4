"""Bytes as they come to payloads: one payload a line, chunks and lines independent of each other."""

from __future__ import annotations

from typing import Final

# an endless line must not eat the memory; no engine's event comes near
MAX_LINE: Final = 64 * 1024 * 1024


class Framer:
    """The lines of one stream. Keeps what follows the last newline (the tail) for the next chunk; empty lines are no payloads."""

    __slots__ = ("_dropping", "_parts", "_size", "too_long")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False
        self.too_long = 0
        """How many lines were dropped because they were longer than `MAX_LINE`."""

    @property
    def is_within_line(self) -> bool:
        """Whether the next bytes belong to a line that has begun."""
        return self._dropping or bool(self._parts)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""
        lines = data.split(b"\n")
        tail = lines.pop()
        if lines:
            if self._dropping:
                self._dropping = False
                del lines[0]
            elif self._parts:
                self._parts.append(lines[0])
                lines[0] = b"".join(self._parts)
                self._forget()
            if b"" in lines:
                lines = [line for line in lines if line]
        if tail and not self._dropping:
            self._parts.append(tail)
            self._size += len(tail)
            if self._size > MAX_LINE:
                self._forget()
                self._dropping = True
                self.too_long += 1
        return lines

    def end(self) -> list[bytes]:
        """The tail as the last payload, if there is one; the stream begins anew after it."""
        tail = b"".join(self._parts)
        self._forget()
        self._dropping = False
        return [tail] if tail else []

    def _forget(self) -> None:
        self._parts.clear()
        self._size = 0
