"""Deduplication of events: by time and a hash of the engine's own line.

Within a process, `EventWindow` uses a fast hash with a secret. Across restarts, keys use a hash that is the same everywhere
(`native/stream/event_id.hpp`), and as expensive as the rest of an event: they are made only for the last events, when they are written.
"""

from __future__ import annotations

from collections import deque

from lanner.native import EventWindow
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from lanner.native import Events

SPAN: Final = 2_000_000_000
"""Nanoseconds before the last event to query again: event times are not strictly in order."""
KEPT: Final = 512
"""Keys of each engine: twice the number of events that a Docker Engine can repeat."""
_MOST_HELD: Final = 1024 * 1024
"""Bytes of memory for events whose keys are not made yet."""


def time_of(key: str) -> int:
    """Return the time in a key, ns since 1970."""
    return int(key.partition("-")[0])


class Position(NamedTuple):
    """A run's position in an engine's events: the last keys in order of arrival, and the earliest time of its queries."""

    keys: Sequence[str]
    since: int


NOWHERE: Final = Position((), 0)


def new_window(keys: Sequence[str] = ()) -> EventWindow:
    """Return a window of the last seen events of one engine; `keys` are those of an earlier run."""
    given = b"".join(time_of(key).to_bytes(8, "big") + bytes.fromhex(key.partition("-")[2]) for key in keys)
    return EventWindow(given)


class LastKeys:
    """The keys of the last `KEPT` events of one engine, in order of arrival, made on request. For one thread at a time."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = list(keys)
        self._events: deque[Events] = deque()
        self._count = self._held = 0

    def add(self, events: Events) -> None:
        """Record arrived events."""
        if not events.timed:
            return
        if not self._events or not events.shares_memory(self._events[-1]):
            self._held += events.held
        self._events.append(events)
        self._count += events.timed
        while self._count - self._events[0].timed >= KEPT:
            first = self._events.popleft()
            self._count -= first.timed
            if not first.shares_memory(self._events[0]):
                self._held -= first.held
        if self._held > _MOST_HELD:
            self.make()

    def extend(self, later: LastKeys) -> None:
        """Record the events of further chunks."""
        if later._keys:
            self._keys = (self.make() + later._keys)[-KEPT:]
        for events in later._events:
            self.add(events)

    def make(self) -> list[str]:
        """Return the keys and release the events they were made from."""
        new = [key for events in self._events for key in events.keys(KEPT)]
        self._keys = (self._keys + new)[-KEPT:]
        self._events.clear()
        self._count = self._held = 0
        return self._keys
