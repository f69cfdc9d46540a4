"""Stored alerts as the page gets them. Text from events is bounded in lists, and is always valid Unicode."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from lanner.sdk.printable import escape_bytes

_LONGEST: Final = 500
"""Characters of a message in a list; the alert's own page has all."""
_NS: Final = 1_000_000
PRIORITIES: Final = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")


class _Line(msgspec.Struct):
    message: str = ""


_LINES: Final = msgspec.json.Decoder(_Line)


def row_of(alert: Any) -> list[Any]:
    """Return an alert of a list: [position, key, arrived_ms, priority, rule, subject, text, source]."""
    text = _message(alert.line)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return [alert.position, alert.key, alert.arrived // _NS, alert.priority, alert.rule, alert.subject, text, alert.source]


def _message(line: bytes) -> str:
    try:
        return _LINES.decode(line).message
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return str(read_line(line).get("message", ""))


def read_line(line: bytes) -> dict[str, Any]:
    """Return the members of an alert's line; bytes that are not UTF-8 are escaped. A damaged line is {"message": line}."""
    text = escape_bytes(line.decode("utf-8", "surrogateescape"))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return _valid(found) if isinstance(found, dict) else {"message": text}


def _valid(value: Any) -> Any:
    """Return a JSON value without lone surrogates, which JSON can write but UTF-8 cannot."""
    if isinstance(value, str):
        return escape_bytes(value)
    if isinstance(value, dict):
        return {escape_bytes(key): _valid(each) for key, each in value.items()}
    return [_valid(each) for each in value] if isinstance(value, list) else value


def detail_of(detail: Any) -> dict[str, Any]:
    """Return an alert with all its fields, and its event."""
    line = read_line(detail.line)
    return {
        "position": detail.position,
        "key": detail.key,
        "arrived": _iso(detail.arrived),
        "time": _iso(detail.timestamp),
        "rule": detail.rule,
        "priority": PRIORITIES[detail.priority],
        "source": detail.source,
        "subject": detail.subject,
        "output": line.get("message") or line.get("output", ""),
        "fields": line.get("output_fields") or {},
        "tags": line.get("tags") or [],
        "event": escape_bytes(detail.event.decode("utf-8", "surrogateescape")) if detail.event else None,
        "event_size": detail.event_size,
        "rules_file": detail.rules_file,
    }


def _iso(nanoseconds: int) -> str:
    """Return a time in ISO 8601 with nanoseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
