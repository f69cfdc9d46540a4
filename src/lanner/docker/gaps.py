"""What Lanner itself says in the stream of an engine: the member "lanner" of an event, and the event that tells of a gap.

Lines in, lines out, both without their end. Whether there is a gap is found out elsewhere: by the watch of an engine, which loses its
connection, by the buffer, which has no room, by the cursor, which cannot be read.

An engine's own member "lanner" never counts. Lanner's is the last member of the event, and of equal names the last counts; an event that
brings one gets an empty one where Lanner has nothing to add. If the line with the new member is valid JSON, then the line without it was an
object, and the member is its last: the text before it ends where a comma and a name may follow, which is within an object, and the brace
that closes this object ends the line.
"""

from __future__ import annotations

import time
from typing import Final

import msgspec

from lanner.docker.eventframer import TruncatedEvent
from lanner.docker.log import log
from lanner.native import Reader
from lanner.sdk.values import payload

LOST: Final = "engine restarted or out of reach"
AWAY: Final = "Lanner was away"
FULL: Final = "queue full"
BLOCKED: Final = "blocked"
CURSOR: Final = "cursor unreadable"
TOO_LONG: Final = "event too long"

_SECOND: Final = 1_000_000_000
_BRACES: Final = (b"{", b"}")
_BLANKS: Final = b" \t\r\n"


class Host:
    """An engine as its events name it. `named`: its events tell which engine they are from, else they stay as the engine wrote them."""

    def __init__(self, label: str, *, named: bool) -> None:
        self.label = label.encode(errors="replace").decode()  # an address from the environment may hold any bytes
        self.named = named
        self._name = b'"host":' + msgspec.json.encode(self.label) if named else b""
        self._member = b'"lanner":{' + self._name + b"}}"
        self._own = Reader([payload["lanner"].keys().data()])
        self._has_warned = False

    def add_to(self, line: bytes, described: bytes | None = None) -> bytes:
        """Return the line with what Lanner knows besides. For one thread.

        `described`: JSON text about the container. A line that is no JSON object, and one to which nothing is to be added, stays as it is.
        """
        if described is None and type(line) is bytes:
            if not self.named and not self._is_forged(line):
                return line
            member = self._member
        else:
            members = [self._name] if self.named else []
            if isinstance(line, TruncatedEvent):
                members.append(b'"truncated":"true","bytes":%d' % line.size)
            if described is not None:
                members.append(b'"inspect":' + described)
            member = b'"lanner":{' + b",".join(members) + b"}}"
        whole = line.strip(_BLANKS)
        if (whole[:1], whole[-1:]) != _BRACES:
            return line
        head = whole[:-1]
        return head + (b"" if head.rstrip(_BLANKS) == b"{" else b",") + member

    def _is_forged(self, line: bytes) -> bool:
        """Whether the line has a member "lanner" in which a field would find something."""
        # of the escapes only those with digits can stand for letters
        if (b"lanner" not in line and b"\\u00" not in line) or not self._own.load(line) or self._own.get(0) is None:
            return False
        if not self._has_warned:
            self._has_warned = True
            log().warning('%s: an event brings a member "lanner", which only Lanner writes; such members do not count', self.label)
        return True

    def gap(self, reason: str, since: int, until: int) -> bytes:
        """An event that says: between these times (ns since 1970) the engine may have told what did not arrive."""
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
        return msgspec.json.encode(told)


def _in_words(when: int) -> str:
    """A time (ns since 1970) as ISO 8601, UTC."""
    seconds, rest = divmod(when, _SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09}Z"


def gap_times(line: bytes) -> tuple[int, int]:
    """The times between which a gap is, from the event that `Host.gap` made of them."""
    gap = msgspec.json.decode(line)["lanner"]["gap"]
    return gap["from"], gap["until"]
