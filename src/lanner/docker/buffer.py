"""The bounded queue of events between the threads that read from engines and the host, with a policy for a full queue.

Parts of streams are put from any thread and taken in order. Dropped events are counted, and an event in their position reports them.
Waiting uses descriptors, so that a host can wait without Python and close() ends every wait.
"""

from __future__ import annotations

import _thread
import select
import time
from collections import deque

from lanner.docker.gaps import FULL, Part
from lanner.sources import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Protocol

    from lanner.docker.gaps import Host
    from lanner.native import Events
    from lanner.sources import Counters, Policy

    class Sink(Protocol):
        """Receiver of an engine's events."""

        inspects: bool
        """Whether it adds the engine's description of a container to events."""

        @property
        def is_idle(self) -> bool:
            """Whether events would now pass at once: nothing waits before the queue."""
            ...

        @property
        def is_crowded(self) -> bool:
            """See `Buffer.is_crowded`."""
            ...

        def put(self, part: Part, room: Flag | None = None) -> int:
            """See `Buffer.put`."""
            ...

        def end(self) -> None:
            """See `Buffer.end`."""
            ...


_TAKEN: Final = 4096
_TAKEN_BYTES: Final = 1024 * 1024


class Buffer:
    """At most `events` events and `size` bytes, and a report of drops; an empty queue accepts an event of any size."""

    inspects = False
    is_idle = True

    def __init__(self, events: int, size: int, policy: Policy, counters: Counters, writers: int = 1) -> None:
        self.ready = Flag()
        """Set while `take` returns something, or has ended."""
        self._most, self._most_bytes, self._policy = events, size, policy
        self._counters = counters
        self._lock = _thread.allocate_lock()
        self._parts: deque[Part] = deque()
        self._count = self._size = 0
        self._writers = writers
        self._dropped: dict[Host, tuple[int, int]] = {}  # the earliest and latest times of dropped events
        self._waiting: set[Flag] = set()

    @property
    def is_empty(self) -> bool:
        """Whether `take` has nothing to return now."""
        with self._lock:
            return not self._parts and not self._dropped

    @property
    def is_crowded(self) -> bool:
        """Whether there is more than `take` gives at once: the host is behind."""
        return self._count > _TAKEN or self._size > _TAKEN_BYTES

    def put(self, part: Part, room: Flag | None = None) -> int:
        """Accept events and return their number: with the policy to block it may be fewer; `room` is set when there is space."""
        count, size = len(part.events), part.events.size
        with self._lock:
            if self._dropped or self._count + count > self._most or self._size + size > self._most_bytes:
                taken = self._squeeze(part)
                if taken < count and room is not None:
                    self._waiting.add(room)
            else:
                self._parts.append(part)
                self._count += count
                self._size += size
                taken = count
            if self._parts and not self.ready.is_set:
                self.ready.set()
        return taken

    def take(self) -> list[Part] | None:
        """Return waiting events, up to some thousand; None at the end."""
        with self._lock:
            if not self._writers and not self._parts and not self._dropped:
                return None
            taken = self._tell_dropped() if self._dropped and self._policy == "drop_oldest" else []
            if self._count <= _TAKEN and self._size <= _TAKEN_BYTES:
                taken += self._parts
                self._parts.clear()
                self._count = self._size = 0
            else:
                self._take_some(taken)
            if not self._parts:
                if self._dropped:
                    taken += self._tell_dropped()
                if self._writers:
                    self.ready.clear()
            if self._waiting:
                for room in self._waiting:
                    room.set()
                self._waiting.clear()
        return taken

    def end(self) -> None:
        """Mark the end of one of the sources."""
        with self._lock:
            self._writers -= 1
            if not self._writers:
                self.ready.set()

    def _squeeze(self, part: Part) -> int:
        if self._policy == "drop_oldest":
            self._append(part)
            self._drop_oldest()
            return len(part.events)
        events, place = part.events, 0
        while place < len(events):
            fits = events.fitting(self._most - self._count, self._most_bytes - self._size, place)
            if fits or not self._parts:
                if self._dropped or not fits:  # the event that reports drops needs room, too
                    fits = 1
                for gap in self._tell_dropped():
                    self._append(gap)
                self._append(part._replace(events=events[place : place + fits]))
                place += fits
            elif self._policy == "block":
                break
            else:
                lost = len(events) - place if self._count >= self._most else 1
                self._drop(part._replace(events=events[place : place + lost]))
                place += lost
        return place

    def _drop_oldest(self) -> None:
        while self._count > 1 and (self._count > self._most or self._size > self._most_bytes):
            oldest = self._parts[0]
            over = min(self._count - self._most, self._count - 1)
            self._drop(self._split(min(oldest.events.covering(over, self._size - self._most_bytes), self._count - 1)))

    def _append(self, part: Part) -> None:
        self._parts.append(part)
        self._count += len(part.events)
        self._size += part.events.size

    def _split(self, count: int) -> Part:
        """Take the first part off the queue, at most `count` events of it."""
        part = self._parts[0]
        if count < len(part.events):
            self._parts[0] = part._replace(events=part.events[count:])
            part = part._replace(events=part.events[:count])
        else:
            self._parts.popleft()
        self._count -= len(part.events)
        self._size -= part.events.size
        return part

    def _take_some(self, taken: list[Part]) -> None:
        count, size = len(taken), 0
        while self._parts:
            part = self._parts[0]
            fits = part.events.fitting(_TAKEN - count, _TAKEN_BYTES - size)
            if not fits and taken:
                break
            taken.append(self._split(fits or 1))
            count += len(taken[-1].events)
            size += taken[-1].events.size

    def _drop(self, part: Part) -> None:
        since, until = part.gap or _span(part.events)
        if part.gap is None:
            self._counters.add("events dropped", len(part.events))
        earliest, latest = self._dropped.get(part.host, (since, until))
        self._dropped[part.host] = min(earliest, since), max(latest, until)

    def _tell_dropped(self) -> list[Part]:
        told = [host.gap(FULL, since, until) for host, (since, until) in self._dropped.items()]
        self._counters.add("gaps", len(told))
        self._dropped.clear()
        return told


def _span(events: Events) -> tuple[int, int]:
    found = events.span(time.time_ns())
    assert found is not None
    return found


def put_all(sink: Sink, part: Part, room: Flag, closing: Flag) -> float:
    """Put all events, waiting for room if the policy says so. Return the seconds of waiting. If `closing` is set, the rest is dropped."""
    taken = sink.put(part, room)
    if taken == len(part.events):
        return 0.0
    begun = time.monotonic()
    poll = select.poll()
    poll.register(room, select.POLLIN)
    poll.register(closing, select.POLLIN)
    while taken < len(part.events):
        poll.poll()
        if closing.is_set:
            break
        room.clear()
        part = part._replace(events=part.events[taken:])
        taken = sink.put(part, room)
    return time.monotonic() - begun
