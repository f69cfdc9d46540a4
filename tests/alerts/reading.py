"""Stores as SQLite sees them, and alerts to write."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import NamedTuple

from lanner.alerts.alert_record import Record, RunLoad

LOAD = RunLoad("0badcafe", 1_795_000_000_000_000_000, "kv", '{"plugin":"kv"}', {"aa": b"- rule: r"})
MOMENT = 1_795_000_000_000_000_000


class Raised(NamedTuple):
    """An alert, as the store gets it."""

    timestamp: int
    record: Record


def raised(number, *, rule="a rule", priority="Warning", arrived=MOMENT, load=LOAD, event=b"{}", fields=(), output=None):
    fields = {"evt.time": MOMENT, **dict(fields)}
    line = json.dumps(
        {"output": output or f"alert {number}", "output_fields": fields, "priority": priority, "rule": rule, "source": "kv"},
        ensure_ascii=False,
    )
    return Raised(MOMENT + number, Record(line, event[: 16 << 10], len(event), number, arrived, load))


@contextlib.contextmanager
def opened(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        yield database


def ask(path, question, *values):
    """Return the rows of the answer, from all files of a store or from one file."""
    path = Path(path)
    rows = []
    for file in [path] if path.is_file() else sorted(path.glob("alerts-*.db")):
        with opened(file) as database:
            rows += database.execute(question, values).fetchall()
    return rows


def lines(path):
    """Return the stored alerts in order of arrival."""
    return [row[0].decode() for row in ask(path, "SELECT line FROM alerts ORDER BY id")]


def outputs(path):
    return [json.loads(line)["output"] for line in lines(path)]
