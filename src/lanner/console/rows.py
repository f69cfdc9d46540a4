"""Stored alerts as the page gets them. Text from events is bounded in lists, and is always valid Unicode."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lanner.rules import Priority
from lanner.sdk.text.encoding import from_bytes
from lanner.sdk.text.printable import escape_bytes, escape_bytes_in

if TYPE_CHECKING:
    from lanner.alerts.stored import Detail, StoredAlert

_LONGEST: Final = 500
"""Characters of a message in a list; the alert's own page has all."""
_NS: Final = 1_000_000


class _Line(msgspec.Struct):
    message: str = ""


_LINES: Final = msgspec.json.Decoder(_Line)


def row_of(alert: StoredAlert) -> list[Any]:
    """Return an alert of a list: [position, key, arrived_ms, priority, rule, subject, text, source]."""
    text = message_of(alert.line)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return [alert.position, alert.key, alert.arrived // _NS, alert.priority, alert.rule, alert.subject, text, alert.source]


def message_of(line: bytes) -> str:
    """Return the message of an alert's line, without time and priority."""
    try:
        return _LINES.decode(line).message
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return str(read_line(line).get("message", ""))


def read_line(line: bytes) -> dict[str, Any]:
    """Return the members of an alert's line, with escapes for bytes that are not UTF-8. A damaged line is {"message": line}."""
    text = escape_bytes(from_bytes(line))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return escape_bytes_in(found) if isinstance(found, dict) else {"message": text}


def detail_of(detail: Detail) -> dict[str, Any]:
    """Return an alert with all its fields, and its event."""
    alert, line = detail.alert, read_line(detail.alert.line)
    return {
        "position": alert.position,
        "key": alert.key,
        "arrived": _iso(alert.arrived),
        "time": _iso(alert.timestamp),
        "rule": alert.rule,
        "priority": str(Priority(alert.priority)),
        "source": alert.source,
        "subject": alert.subject,
        "output": line.get("message") or line.get("output", ""),
        "fields": line.get("output_fields") or {},
        "tags": line.get("tags") or [],
        "event": escape_bytes(from_bytes(detail.event)) if detail.event_size else None,
        "event_size": detail.event_size,
        "hostname": line.get("hostname", ""),
        "plugin": detail.run.plugin,
    }


def _iso(nanoseconds: int) -> str:
    """Return a time in ISO 8601 with nanoseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
