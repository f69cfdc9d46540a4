"""Format of an alert store: names and tables of its SQLite files, one for each day, and bounds of their contents.

The store is a directory with these files:

- `alerts-2026-11-29.db`: the alerts that arrived on a day (UTC)
- `run.json`: the state of the run
- `raised`: an upper bound of the number of its alerts
- `lock`: locked by the writer

A file's date never decreases, even if the clock is set back, so that positions (`day << 32 | id`) grow.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION: Final = 0x4C4E4E52
"""SQLite's application_id: "LNNR"."""
VERSION: Final = 1
"""SQLite's user_version: the version of the tables."""

STATE_FILE: Final = "run.json"
LOCK_FILE: Final = "lock"
BOUND_FILE: Final = "raised"

PAGE: Final = 8192
"""Bytes of a page: with 4096, an alert takes 12 bytes more."""
EVENT_BYTES: Final = 16 << 10
"""Bytes of an event that are stored."""
SUBJECT_CHARACTERS: Final = 256
"""Characters of a subject that are stored."""

DAY: Final = 86_400 * 10**9
MINUTE: Final = 60 * 10**9
HOUR: Final = 60 * MINUTE

_EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST: Final = (1 << 63) // DAY
"""The last day that a time in ns can name."""
_NAME: Final = re.compile(r"alerts-([0-9]{4}-[0-9]{2}-[0-9]{2})\.db")

_ROLLUP: Final = (
    "CREATE TABLE {table} ({unit} INTEGER, rule INTEGER, priority INTEGER, count INTEGER, first INTEGER, last INTEGER, "
    "PRIMARY KEY ({unit}, rule, priority)) WITHOUT ROWID"
)

TABLES: Final = (
    # rule names, sources and subjects
    "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE INDEX texts_nocase ON texts (text COLLATE NOCASE)",
    # arrived, time: ns since 1970; priority: 0 Emergency to 7 Debug; rule, source, subject: strings.id; line: JSON with all members
    (
        "CREATE TABLE alerts (id INTEGER PRIMARY KEY, arrived INTEGER, time INTEGER, rule INTEGER, priority INTEGER, source INTEGER, "
        "subject INTEGER, run INTEGER, sequence INTEGER, line BLOB)"
    ),
    "CREATE INDEX by_rule ON alerts (rule)",
    "CREATE INDEX by_subject ON alerts (subject)",
    # payload: the first EVENT_BYTES of the event; size: of the whole
    "CREATE TABLE events (id INTEGER PRIMARY KEY, size INTEGER, payload BLOB)",
    # numbers of alerts by their arrival, with the range of their ids
    _ROLLUP.format(table="minutes", unit="minute"),
    _ROLLUP.format(table="hours", unit="hour"),
    # contentless, for `lanner.alerts.search_words.index_text`, and without positions: `Filter.matches` checks phrases
    "CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize='ascii', detail=none)",
    # a row for each load of rules and configuration; first: the id of the next alert at that time; about: JSON
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, key TEXT, started INTEGER, first INTEGER, plugin TEXT, about TEXT)",
    "CREATE TABLE rules_files (sha256 TEXT PRIMARY KEY, content BLOB)",
)


def day_name(day: int) -> str:
    """Return the name of a day's file; `day` counts from 1970-01-01."""
    return f"alerts-{date.fromordinal(_EPOCH + day)}.db"


def day_files(directory: Path) -> dict[int, Path]:
    """Return the files of a store by day, oldest first. Raises OSError."""
    found = {}
    for path in directory.iterdir():
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        try:
            day = date.fromisoformat(name[1]).toordinal() - _EPOCH
        except ValueError:  # the 31st of February
            continue
        if 0 <= day <= _LAST:
            found[day] = path
    return dict(sorted(found.items()))
