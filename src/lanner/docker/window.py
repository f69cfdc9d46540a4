"""What was seen of one engine's events: lines in, those that are new out.

An event is known by its time and a hash of the engine's own line. Engines send events again when they are asked for a time before
the last one, and the Docker Engine can send its last 256 at most, so the last 1,024 in order of arrival are enough for it, whatever became
of its clock; other engines keep more, so all of the last two seconds are kept too, up to a bound.
"""

from __future__ import annotations

import re
from _blake2 import blake2b
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPAN: Final = 2_000_000_000
"""Nanoseconds before the last event that are asked for again: event times are not strictly in order."""
_LEAST: Final = 1024
_MOST: Final = 16_384

# In a text of JSON the quotes would be escaped, so this is a member's name, and labels have texts as values
_NAME: Final = b'"timeNano":'
_TIME: Final = re.compile(rb'"timeNano":\s*(\d{1,19})(?!\d)')


def key_of(line: bytes) -> int:
    """The event's time above 64 bits of hash; 0 where the line tells no time, by which it cannot be known again."""
    digits = line[line.rfind(_NAME) + 11 : -1]  # engines write it last
    if not digits.isdigit() or len(digits) > 19:
        found = _TIME.findall(line)
        if not found:
            return 0
        digits = found[-1]
    return int(digits) << 64 | int.from_bytes(blake2b(line, digest_size=8).digest(), "big")


def time_of(key: int) -> int:
    """The time in a key, ns since 1970."""
    return key >> 64


class Position(NamedTuple):
    """How far a run has come with an engine: the last keys in order of arrival, and the earliest time that it asked for."""

    keys: Sequence[int]
    since: int


NOWHERE: Final = Position((), 0)


class Window:
    """The keys of the last events, in order of arrival. For one thread."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._order = deque(keys)
        self._known = set(self._order)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: int) -> bool:
        return key in self._known

    @property
    def last(self) -> int:
        """When the event that arrived last happened, ns since 1970: clocks are set back, so it need not be the latest time. 0: none."""
        return time_of(self._order[-1]) if self._order else 0

    def take(self, lines: Iterable[bytes]) -> list[tuple[int, bytes]]:
        """The lines that were not seen before, with their keys; now they are."""
        known, remember, note = self._known, self._order.append, self._known.add
        new = []
        for line in lines:
            key = key_of(line)
            if key:
                if key in known:
                    continue
                note(key)
                remember(key)
            new.append((key, line))
        self._forget()
        return new

    def _forget(self) -> None:
        order = self._order
        oldest = self.last - SPAN
        while len(order) > _LEAST and (len(order) > _MOST or time_of(order[0]) < oldest):
            self._known.remove(order.popleft())
