"""Which events of an engine were seen: lines of its stream in, known or new out.

An event is known again by its time and a hash of the engine's line. Engines send their last 256 events again (moby's
daemon/events/events.go), podman what its journal has since a time; so the last events are remembered by number, whatever their times, and
those of the last two seconds, too. What came last is what came last in the stream: an engine's clock may be set back.
"""

from __future__ import annotations

from _blake2 import blake2b  # what hashlib gives, without OpenSSL
from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Identity: TypeAlias = tuple[int, bytes]

OVERLAP: Final = 2_000_000_000
"""Nanoseconds before the last event from which on an engine is asked again: events are not strictly in the order of their times."""
_LEAST: Final = 1024
_MOST: Final = 16_384
_KEPT: Final = 1024
# In a text of JSON the quotes would be escaped, and the engine writes this member last
_TIME: Final = b'"timeNano":'
_DIGITS: Final = 19


def identify(line: bytes) -> Identity:
    """The event's time (ns since 1970; 0 where the line has none) and the hash of the line."""
    at = line.rfind(_TIME)
    time = 0
    if at >= 0:
        begin = at + len(_TIME)
        digits = line[begin : begin + _DIGITS]
        if not digits.isdigit():
            digits = digits[: next(place for place, byte in enumerate(digits + b" ") if not 48 <= byte <= 57)]
        time = int(digits or b"0")
    return time, blake2b(line, digest_size=8).digest()


class Seen:
    """The events that were seen last. `last` is the time of the very last, 0 where there was none."""

    def __init__(self, last: int = 0, known: Iterable[Identity] = ()) -> None:
        self.last = last
        self._order = deque(known)
        self._known = set(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, identity: Identity) -> bool:
        return identity in self._known

    def add(self, identity: Identity) -> bool:
        """Remember an event; false where it is known."""
        known, order = self._known, self._order
        if identity in known:
            return False
        known.add(identity)
        order.append(identity)
        if identity[0]:
            self.last = identity[0]
        while len(order) > _LEAST and (len(order) > _MOST or order[0][0] < self.last - OVERLAP):
            known.discard(order.popleft())
        return True

    def recent(self) -> list[Identity]:
        """The last events, oldest first, as many as a cursor keeps."""
        return list(self._order)[-_KEPT:]
