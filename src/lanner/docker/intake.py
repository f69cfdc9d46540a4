"""The events of one engine on their way into the buffer: bytes of its stream in, events that were not seen before out.

Bytes can be held back until other events have been put. What people and the host are told about the events is told here, too: an event that
is too long, one that does not end, a gap.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lanner.docker.buffer import Flag, put_all
from lanner.docker.eventframer import MAX_EVENT, EventFramer
from lanner.docker.gaps import BLOCKED, TOO_LONG, Part
from lanner.docker.log import log
from lanner.docker.window import new_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.docker.buffer import Counters, Sink
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.gaps import Host
    from lanner.native import Lines

_PATIENCE: Final = 0.1
"""Seconds after which an engine drops a listener's events without telling."""
_MOST_HELD: Final = 16 * 1024 * 1024
_UNFINISHED: Final = 10.0
"""Seconds that an event may take to arrive before people are told."""
_WARN_AGAIN: Final = 60.0
"""Seconds between two warnings of events that are too long: who creates containers can make as many as they like."""


class Intake:
    """Takes the events of one engine and puts them into `sink`. `keys` are those of a run before this one. For one thread."""

    def __init__(self, host: Host, endpoint: Endpoint, sink: Sink, counters: Counters, closing: Flag, keys: Sequence[int]) -> None:
        self.window = new_window(keys)
        """The events that were seen last."""
        self.since = 0
        """The events before this time, ns since 1970, are not wanted. 0: not known yet."""
        self.gaps = 0
        """How many gaps were told of."""
        self._host, self._endpoint, self._sink, self._counters, self._closing = host, endpoint, sink, counters, closing
        self._known_until = self.window.last
        self._room = Flag()
        self._framer = EventFramer()
        self._held: list[bytes] = []
        self._held_size = 0
        self._warn_at = self._unfinished_at = 0.0

    @property
    def known_until(self) -> int:
        """Up to when it is known what happened, ns since 1970."""
        return self._known_until or self.since

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
        """Keep bytes of the stream until `release`. Return whether there is room for more."""
        self._held.append(data)
        self._held_size += len(data)
        return self._held_size < _MOST_HELD

    def release(self) -> Lines:
        """Return the events that the bytes of `hold` complete."""
        data, self._held, self._held_size = b"".join(self._held), [], 0
        return self.frame(data)

    def end(self) -> None:
        """The connection has ended: an unfinished event is dropped, and so is what was held."""
        if self._framer.end():
            self._counters.add("dropped tails")
        self._unfinished_at = 0.0
        self._held, self._held_size = [], 0

    def put(self, lines: Lines, *, repeated: bool = True, timed: bool = False) -> None:
        """Put those events that are new; `repeated`: count the others, `timed`: leave out those that tell no time."""
        events = self.window.take(lines, timed=timed)
        count, lost = len(events), self._framer.take_lost()
        if repeated and count != len(lines):
            self._counters.add("events repeated", len(lines) - count)
        if count:
            self._known_until = self.window.last
            if sizes := events.cut:
                self._counters.add("events truncated", len(sizes))
                self._warn("%s: an event has %d bytes, and only what identifies it is kept; see docker.truncated", sizes[0])
            self._host.finish(events)
            # this wakes the host, which waits for the GIL as long as this thread does more
            if (seconds := self._put(Part(self._host, events))) > _PATIENCE and not self._closing.is_set:
                now = time.time_ns()
                self.put_gap(BLOCKED, now - int(seconds * 1e9), now)
        if lost:
            self._counters.add("lines too long", lost)
            self._warn("%s: an event of more than %d MiB could not be read and is lost", MAX_EVENT >> 20)
            self.put_gap(TOO_LONG, self.known_until, time.time_ns())

    def put_gap(self, reason: str, since: int, until: int) -> None:
        """Put the event that tells of a gap between these times."""
        until = max(since, until)
        self._counters.add("gaps")
        self.gaps += 1
        self._put(self._host.gap(reason, since, until))
        self._known_until = until

    def warn_if_unfinished(self, now: float) -> float:
        """Warn of an event that has been arriving for long. Return the seconds until this is to be called again."""
        if not self._unfinished_at:
            return _WARN_AGAIN
        if now >= self._unfinished_at:
            self._unfinished_at = now + _WARN_AGAIN
            log().warning(
                "%s: the engine began an event and has not ended it for %g s; until then no event of it is seen",
                self._endpoint,
                _UNFINISHED,
            )
        return self._unfinished_at - now

    def _put(self, part: Part) -> float:
        return put_all(self._sink, part, self._room, self._closing)

    def _warn(self, text: str, number: int) -> None:
        """Warn of an event that is too long, unless that was done just now."""
        now = time.monotonic()
        if now >= self._warn_at:
            self._warn_at = now + _WARN_AGAIN
            log().warning(text, self._endpoint, number)
