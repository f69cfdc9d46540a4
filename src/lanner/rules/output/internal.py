"""Alerts about the program itself, not from a rule: the input are a message and figures, the output is Falco's exact text or JSON.

The layouts are those of falco_outputs::handle_msg in Falco 0.44.1: source `internal`, no tags, and the usual times.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from lanner.rules.output.json_text import quote
from lanner.rules.output.times import SECOND, local_time, utc_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.rules.output.alert import AlertWriter

SOURCE: Final = "internal"
RELOAD_FAILED: Final = "Falco internal: hot restart failure"
METRICS: Final = "Falco internal: metrics snapshot"


def internal_line(writer: AlertWriter, rule: str, priority: str, message: str, fields: Mapping[str, str | float], timestamp: int) -> str:
    """Return the line of such an alert, without a newline; `timestamp` in ns since 1970."""
    shown = {key: quote(value) if isinstance(value, str) else json.dumps(value) for key, value in sorted(fields.items())}
    if writer.kind == "json":
        members = ",".join(f"{quote(key)}:{value}" for key, value in shown.items())
        return (
            f'{{"hostname":{quote(writer.hostname)},"output":{quote(message)},"output_fields":{{{members}}},"priority":{quote(priority)},'
            f'"rule":{quote(rule)},"source":{quote(SOURCE)},"time":"{_write_precisely(utc_datetime(timestamp // SECOND), timestamp)}Z"}}'
        )
    figures = " ".join(f"{key}={value}" for key, value in shown.items())
    return f"{_write_precisely(local_time(timestamp // SECOND), timestamp)}: {priority} {message} ({figures})"


def _write_precisely(seconds: str, timestamp: int) -> str:
    return f"{seconds}.{timestamp % SECOND:09}"
