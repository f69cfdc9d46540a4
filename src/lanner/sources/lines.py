"""Lines from bytes as they arrive, with a bound on their length, and the base class of feeds that read lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.authoring.events import NOTHING, Event, Nothing
from lanner.sources.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE: Final = 1 << 20
"""The default bound on a line, in bytes."""
SHORTEST_BOUND: Final = 1024
"""The smallest bound on a line, in bytes."""
_FOREVER: Final = 24 * 3600.0


class LineSplitter:
    """Splits bytes after their last newline. Lines of more than `longest` bytes are dropped and counted.

    `feed` takes at most `longest` bytes at once, so only the first line of its result can be too long.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._rest = b""
        self._is_dropping = False
        self.held = 0
        """Bytes since the last newline, including dropped ones."""
        self.too_long = 0

    def feed(self, data: bytes) -> bytes:
        """Return the whole lines that `data` completes, with their newlines."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            self.held += len(data)
            return b""
        first = data.find(b"\n") + 1
        whole = data[:end]
        if self._is_dropping:
            whole = data[first:end]
        elif len(self._rest) + first - 1 > self.longest:
            self.too_long += 1
            whole = data[first:end]
        elif self._rest:
            whole = self._rest + whole
        self._rest, self._is_dropping = b"", False
        self.held = len(data) - end
        self._keep(data[end:])
        return whole

    def end(self) -> bytes:
        """Return the unfinished line, without a newline, and begin a new one."""
        rest, self._rest, self._is_dropping, self.held = self._rest, b"", False, 0
        return rest

    def skip(self) -> None:
        """Drop the bytes up to the next newline."""
        self._is_dropping = True

    def _keep(self, part: bytes) -> None:
        if self._is_dropping:
            return
        self._rest += part
        if len(self._rest) > self.longest:
            self.too_long += 1
            self._rest, self._is_dropping = b"", True


class LineFeed(Feed):
    """A feed of lines: `open` may return it, which is fast, or read its events. A subclass writes `block`."""

    position: Any = None

    def __init__(self, name: str, max_line: int) -> None:
        super().__init__(name)
        self._lines = LineSplitter(max_line)
        self._too_long = 0

    def block(self, timeout: float) -> bytes | None:
        """Return whole lines with their newlines, b"" after `timeout` seconds, and None at the end."""
        raise NotImplementedError

    def read_chunk(self, timeout: float) -> bytes | Nothing:
        """See `lanner.ChunkReader`."""
        block = self.block(timeout)
        if block is None:
            self.close()
            return b""
        return block or NOTHING

    def events(self) -> Iterator[Event]:
        """See `Feed`."""
        while (block := self.block(_FOREVER)) is not None:
            if block:
                yield from self.split(block)

    def split(self, block: bytes) -> Iterator[Event]:
        """Yield an event for each line of the last block."""
        for line in block.split(b"\n"):
            if line:
                yield Event(line)

    def count_long(self) -> None:
        """Count and report lines that the splitter has dropped."""
        if self._lines.too_long != self._too_long:
            count = self._lines.too_long - self._too_long
            self._too_long = self._lines.too_long
            self.counted.add("lines too long", count)
            self.warn("long", "%s: dropped a line of more than %s bytes", self.name, self._lines.longest, count=count)
