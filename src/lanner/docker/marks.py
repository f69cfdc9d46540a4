"""What Lanner adds to the engine's events: the member `lanner` in a payload, and events of its own about gaps.

An engine's line stays as it came, byte for byte, but for that one member before its closing brace.
"""

from __future__ import annotations

import msgspec

RESTARTED = "engine restarted or out of reach"
NOT_RUNNING = "not running"
QUEUE_FULL = "queue full"
BLOCKED = "blocked"
CURSOR = "cursor unreadable"


def with_member(line: bytes, member: bytes) -> bytes:
    """The line with `"lanner":{member}` in it; one that is no JSON object stays as it is."""
    line = line.rstrip()
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return line
    inner = line[:-1].rstrip()
    return b'%b%b"lanner":{%b}}' % (inner, b"" if inner == b"{" else b",", member)


def host_member(name: str) -> bytes:
    """The part of the member that names the engine."""
    return b'"host":' + msgspec.json.encode(name)


def gap_line(host: str, since: int, until: int, reason: str) -> bytes:
    """An event that says that others may be missing, of that engine between these times (ns since 1970)."""
    attributes = {"reason": reason, "from": str(since), "until": str(until)}
    event = {
        "Type": "lanner",
        "Action": "gap",
        "Actor": {"ID": host, "Attributes": attributes},
        "scope": "local",
        "time": until // 1_000_000_000,
        "timeNano": until,
        "lanner": {"host": host, "gap": {"from": since, "until": until, "reason": reason}},
    }
    return msgspec.json.encode(event)
