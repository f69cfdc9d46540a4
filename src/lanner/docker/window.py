"""How an event is known again: by its time and a hash of the engine's own line.

While a process lives, `EventWindow` knows them by a fast hash with a secret of its own. What is kept over a restart are keys with a hash
that is the same everywhere, and costs as much as all else of an event: those of the last events alone are made, when they are written.
"""

from __future__ import annotations

import os
from _blake2 import blake2b
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.native import EventWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.native import Events

SPAN: Final = 2_000_000_000
"""Nanoseconds before the last event that are asked for again: event times are not strictly in order."""
KEPT: Final = 512
"""Keys of each engine: twice of what a Docker Engine can send again."""
_MOST_HELD: Final = 1024 * 1024
"""Bytes of memory of events whose keys are not made yet."""


def key_of(time: int, line: bytes) -> int:
    """The event's time above 64 bits of hash."""
    return time << 64 | int.from_bytes(digest(line), "big")


def time_of(key: int) -> int:
    """The time in a key, ns since 1970."""
    return key >> 64


def digest(line: bytes) -> bytes:
    """The hash in a key."""
    return blake2b(line, digest_size=8).digest()


class Position(NamedTuple):
    """How far a run has come with an engine: the last keys in order of arrival, and the earliest time that it asked for."""

    keys: Sequence[int]
    since: int


NOWHERE: Final = Position((), 0)


def new_window(keys: Sequence[int] = ()) -> EventWindow:
    """The events of one engine that were seen last; `keys` are those of a run before this one."""
    return EventWindow(os.urandom(8), b"".join(key.to_bytes(16, "big") for key in keys), digest)


class LastKeys:
    """The keys of the last `KEPT` events of one engine, in order of arrival, made when they are asked for. For one thread at a time."""

    def __init__(self, keys: Sequence[int] = ()) -> None:
        self._keys = list(keys)
        self._events: deque[Events] = deque()
        self._count = self._held = 0

    def add(self, events: Events) -> None:
        """These have arrived, too."""
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
        """So have those."""
        if later._keys:
            self._keys = (self.make() + later._keys)[-KEPT:]
        for events in later._events:
            self.add(events)

    def make(self) -> list[int]:
        """The keys. What they are made of is let go."""
        new = [key_of(time, line) for events in self._events for time, line in events.timed_lines(KEPT)]
        self._keys = (self._keys + new)[-KEPT:]
        self._events.clear()
        self._count = self._held = 0
        return self._keys
