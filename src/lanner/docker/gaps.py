"""What Lanner itself says in the stream of an engine: the member "lanner" of an event, and the event that tells of a gap.

Lines in, lines out, both without their end. Whether there is a gap is found out elsewhere: by the watch of an engine, which loses its
connection, by the buffer, which has no room, by the cursor, which cannot be read.
"""

from __future__ import annotations

from typing import Final

import msgspec

LOST: Final = "engine restarted or out of reach"
AWAY: Final = "Lanner was away"
FULL: Final = "queue full"
BLOCKED: Final = "blocked"
CURSOR: Final = "cursor unreadable"

_SECOND: Final = 1_000_000_000
_BRACES: Final = (b"{", b"}")


class Host:
    """An engine as its events name it. `named`: its events tell which engine they are from, else they stay as the engine wrote them."""

    def __init__(self, label: str, *, named: bool) -> None:
        self.label = label.encode(errors="replace").decode()  # an address from the environment may hold any bytes
        self.named = named
        self._name = b'"host":' + msgspec.json.encode(self.label) if named else b""
        self._member = b'"lanner":{' + self._name + b"}}" if named else b""

    def add_to(self, line: bytes, described: bytes | None = None) -> bytes:
        """The line with what Lanner knows besides; a line that is no JSON object as it is. `described`: JSON text about the container."""
        if described is None:
            member = self._member
        else:
            member = b'"lanner":{' + self._name + (b"," if self._name else b"") + b'"inspect":' + described + b"}}"
        if not member or (line[:1], line[-1:]) != _BRACES:
            return line
        head = line[:-1]
        return head + (b"" if head.rstrip() == b"{" else b",") + member

    def gap(self, reason: str, since: int, until: int) -> bytes:
        """An event that says: between these times (ns since 1970) the engine may have told what did not arrive."""
        told = {
            "Type": "lanner",
            "Action": "gap",
            "Actor": {"ID": self.label, "Attributes": {"reason": reason, "from": str(since), "until": str(until)}},
            "scope": "local",
            "time": until // _SECOND,
            "timeNano": until,
            "lanner": {"host": self.label, "gap": {"from": since, "until": until, "reason": reason}},
        }
        return msgspec.json.encode(told)


def gap_times(line: bytes) -> tuple[int, int]:
    """The times between which a gap is, from the event that `Host.gap` made of them."""
    gap = msgspec.json.decode(line)["lanner"]["gap"]
    return gap["from"], gap["until"]
