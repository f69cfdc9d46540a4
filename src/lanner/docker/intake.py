"""Filters the events of one engine on their way into the buffer: takes bytes of its stream, puts events that are new.

Bytes can be held back until other events have been put. It also logs and reports an oversized event, one that
does not end, and a gap.
"""

from __future__ import annotations

import time

from lanner.docker.buffer import put_all
from lanner.docker.eventframer import MAX_EVENT, EventFramer
from lanner.docker.gaps import BLOCKED, TOO_LONG, Part
from lanner.docker.log import log
from lanner.docker.window import new_window
from lanner.sources import Flag, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from lanner.docker.buffer import Sink
    from lanner.docker.client import Connection
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.gaps import Host
    from lanner.native import Lines, Loan
    from lanner.sources import Counters

_PATIENCE: Final = 0.1
"""Seconds after which an engine silently drops a slow listener's events."""
_BREATH: Final = 0.002
"""Seconds that the reader leaves to a busy host between two chunks: much less than the patience of engines."""
_MOST_HELD: Final = 16 * 1024 * 1024
_UNFINISHED: Final = 10.0
"""Seconds after which an incomplete event is logged."""
_WARN_AGAIN: Final = 60.0
"""Seconds between two warnings of oversized events: any creator of containers can cause them."""


class Intake:
    """Filter of one engine's events, which puts them into `sink`. `keys` are those of an earlier run. For one thread."""

    def __init__(self, host: Host, endpoint: Endpoint, sink: Sink, counters: Counters, closing: Flag, keys: Sequence[str]) -> None:
        self.window = new_window(keys)
        """The last seen events."""
        self.since = 0
        """Events before this time, ns since 1970, are ignored. 0: unknown."""
        self.gaps = 0
        """The number of reported gaps."""
        self._host, self._endpoint, self._sink, self._counters, self._closing = host, endpoint, sink, counters, closing
        self._known_until = self.window.last
        self._room = Flag()
        self._framer = EventFramer()
        self._held: list[bytes] = []
        self._held_size = 0
        self._warn_at = self._unfinished_at = 0.0

    @property
    def known_until(self) -> int:
        """Time until which all events are known, ns since 1970."""
        return self._known_until or self.since

    @property
    def is_idle(self) -> bool:
        """Whether events would now pass to the host at once."""
        return self._sink.is_idle

    def make_loan(self, connection: Connection, engine: int) -> Loan | None:
        """Return the connection for a host that reads it itself instead of `frame` and `put`; None if only `connection` can read it."""
        return connection.make_loan(self._framer.native, self.window, self._host.finisher, engine, inspects=self._sink.inspects)

    def catch_up(self, loan: Loan, lines: Lines | None) -> None:
        """Count the events that the host has read in a loan, and put the remaining ones. None: the connection has failed."""
        if not loan.heard:
            return
        if loan.taken:
            self._known_until = self.window.last
        self._counters.add("events repeated", loan.repeated)
        if not loan.unfinished_since:
            self._unfinished_at = 0.0
        elif loan.taken or loan.repeated or lines or not self._unfinished_at:
            self._unfinished_at = loan.unfinished_since + _UNFINISHED
        if lines is not None:
            self.put(lines)

    def frame(self, data: bytes) -> Lines:
        """Return the events that the bytes complete."""
        lines = self._framer.feed(data)
        if not self._framer.is_within:
            self._unfinished_at = 0.0
        elif lines or not self._unfinished_at:
            self._unfinished_at = time.monotonic() + _UNFINISHED
        else:
            self.warn_if_unfinished(time.monotonic())
        return lines

    def hold(self, data: bytes) -> bool:
        """Keep bytes of the stream until `release`, and return whether more of them have room."""
        self._held.append(data)
        self._held_size += len(data)
        return self._held_size < _MOST_HELD

    def release(self) -> Lines:
        """Return the events that the bytes of `hold` complete."""
        data, self._held, self._held_size = b"".join(self._held), [], 0
        return self.frame(data)

    def end(self) -> None:
        """End the connection: drop an incomplete event and held bytes."""
        if self._framer.end():
            self._counters.add("dropped tails")
        self._unfinished_at = 0.0
        self._held, self._held_size = [], 0

    def put(self, lines: Lines, *, repeated: bool = True, timed: bool = False) -> None:
        """Put the new events; `repeated`: count the others, `timed`: skip those without a time."""
        events = self.window.take(lines, timed=timed)
        count, lost = len(events), self._framer.take_lost()
        if repeated and count != len(lines):
            self._counters.add("events repeated", len(lines) - count)
        if count:
            self._known_until = self.window.last
            if sizes := events.cut:
                self._counters.add("events truncated", len(sizes))
                self._warn("%s: an event has %d bytes, and Lanner keeps only its identifying members; see docker.truncated", sizes[0])
            self._host.finish(events)
            # this wakes the host, which waits for the GIL as long as this thread does more
            if (
                seconds := put_all(self._sink, Part(self._host, events), self._room, self._closing)
            ) > _PATIENCE and not self._closing.is_set:
                now = time.time_ns()
                self.put_gap(BLOCKED, now - int(seconds * 1e9), now)
            elif self._sink.is_crowded:
                wait([self._closing], _BREATH)
        if lost:
            self._counters.add("lines too long", lost)
            self._warn("%s: an event of more than %d MiB could not be read, and is lost", MAX_EVENT >> 20)
            self.put_gap(TOO_LONG, self.known_until, time.time_ns())

    def put_gap(self, reason: str, since: int, until: int) -> None:
        """Put the event that reports a gap between these times."""
        until = max(since, until)
        self._counters.add("gaps")
        self.gaps += 1
        put_all(self._sink, self._host.gap(reason, since, until), self._room, self._closing)
        self._known_until = until

    def warn_if_unfinished(self, now: float) -> float:
        """Warn of an event that has been incomplete for long. Return the seconds until the next call."""
        if not self._unfinished_at:
            return _WARN_AGAIN
        if now >= self._unfinished_at:
            self._unfinished_at = now + _WARN_AGAIN
            log().warning(
                "%s: an event of the engine is incomplete after %g s; Lanner sees no further events of the engine until it ends",
                self._endpoint,
                _UNFINISHED,
            )
        return self._unfinished_at - now

    def _warn(self, text: str, number: int) -> None:
        """Warn of an oversized event, at most once per interval."""
        now = time.monotonic()
        if now >= self._warn_at:
            self._warn_at = now + _WARN_AGAIN
            log().warning(text, self._endpoint, number)
