"""What Lanner itself says in the stream of an engine: the member "lanner" of an event, and the event that tells of a gap.

Whether there is a gap is found out elsewhere: by the watch of an engine, which loses its connection, by the buffer, which has no room, by
the cursor, which cannot be read. How the member is added, and why an engine's own one never counts, `native/stream/events.hpp` says.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import msgspec

from lanner.docker.log import log
from lanner.native import Events, Finisher

LOST: Final = "engine restarted or out of reach"
AWAY: Final = "Lanner was away"
FULL: Final = "queue full"
BLOCKED: Final = "blocked"
CURSOR: Final = "cursor unreadable"
TOO_LONG: Final = "event too long"

_SECOND: Final = 1_000_000_000


class Host:
    """An engine as its events name it. `named`: its events tell which engine they are from, else they stay as the engine wrote them."""

    def __init__(self, label: str, *, named: bool) -> None:
        self.label = label.encode(errors="replace").decode()  # an address from the environment may hold any bytes
        self.named = named
        self._finisher = Finisher(b'"host":' + msgspec.json.encode(self.label) if named else b"")
        self._has_warned = False

    def finish(self, events: Events) -> None:
        """Add to each event what Lanner knows besides. One that is not a JSON object or gets nothing stays as it is."""
        if self._finisher.finish(events) and not self._has_warned:
            self._has_warned = True
            log().warning('%s: an event brings a member "lanner", which only Lanner writes; such members do not count', self.label)

    def describe(self, events: Events, place: int, container: bytes) -> None:
        """Add to an event JSON text about its container."""
        self._finisher.describe(events, place, container)

    def gap(self, reason: str, since: int, until: int) -> Part:
        """The part of a stream that says: between these times (ns since 1970) the engine may have told what did not arrive."""
        times = {"from": since, "until": until, "fromTime": _in_words(since), "untilTime": _in_words(until)}
        told = {
            "Type": "lanner",
            "Action": "gap",
            "Actor": {"ID": self.label, "Attributes": {"reason": reason, "from": str(since), "until": str(until)}},
            "scope": "local",
            "time": until // _SECOND,
            "timeNano": until,
            "lanner": {"host": self.label, "gap": {**times, "reason": reason}},
        }
        return Part(self, Events([msgspec.json.encode(told)]), (since, until))


class Part(NamedTuple):
    """Events of an engine, one after the other. `gap`: it is one of Lanner's, which tells of events missing between these times."""

    host: Host
    events: Events
    gap: tuple[int, int] | None = None


def _in_words(when: int) -> str:
    """A time (ns since 1970) as ISO 8601, UTC."""
    seconds, rest = divmod(when, _SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09}Z"
