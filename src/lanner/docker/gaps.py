"""Lanner's additions to the stream of an engine: the member "lanner" of an event, and the event that reports a gap.

Other modules detect gaps: the watch of an engine, which loses its connection, the buffer, which is full, and
the cursor, which is unreadable. `native/stream/events.hpp` describes how the member is added, and why an engine's own one is ignored.
"""

from __future__ import annotations

import time

from lanner.docker.log import log
from lanner.native import Events, Finisher, encode_json
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LOST: Final = "engine restarted or out of reach"
AWAY: Final = "Lanner was away"
FULL: Final = "queue full"
BLOCKED: Final = "blocked"
CURSOR: Final = "cursor unreadable"
TOO_LONG: Final = "event too long"

_SECOND: Final = 1_000_000_000


class Host:
    """An engine by its name in events. `named`: its events include the name, else they stay as the engine wrote them."""

    def __init__(self, label: str, *, named: bool) -> None:
        self.label = label.encode(errors="replace").decode()  # an address from the environment may contain any bytes
        self.named = named
        self.finisher = Finisher(b'"host":' + encode_json(self.label) if named else b"")
        self._has_warned = False

    def finish(self, events: Events) -> None:
        """Add Lanner's members to each event. An event that is not a JSON object, or has no additions, is unchanged."""
        if self.finisher.finish(events) and not self._has_warned:
            self._has_warned = True
            log().warning('%s: an event has a member "lanner", which only Lanner writes; such members are ignored', self.label)

    def describe(self, events: Events, place: int, container: bytes) -> None:
        """Add JSON text about its container to an event."""
        self.finisher.describe(events, place, container)

    def gap(self, reason: str, since: int, until: int) -> Part:
        """Return the part of a stream that reports a gap between these times (ns since 1970)."""
        times = {"from": since, "until": until, "fromTime": _write_time(since), "untilTime": _write_time(until)}
        told = {
            "Type": "lanner",
            "Action": "gap",
            "Actor": {"ID": self.label, "Attributes": {"reason": reason, "from": str(since), "until": str(until)}},
            "scope": "local",
            "time": until // _SECOND,
            "timeNano": until,
            "lanner": {"host": self.label, "gap": {**times, "reason": reason}},
        }
        return Part(self, Events([encode_json(told)]), (since, until))


class Part(NamedTuple):
    """Consecutive events of an engine. `gap`: an event of Lanner that reports missing events between these times."""

    host: Host
    events: Events
    gap: tuple[int, int] | None = None


def _write_time(when: int) -> str:
    """Return a time (ns since 1970) as ISO 8601, UTC."""
    seconds, rest = divmod(when, _SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09}Z"
