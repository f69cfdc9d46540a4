"""Stores for tests: files of days with the tables of the schema, and rows of given alerts."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

from lanner.alerts.schema import APPLICATION, DAY, HOUR, MINUTE, TABLES, VERSION, day_name
from lanner.alerts.stored import DAY_BITS, StoredAlert
from lanner.alerts.words import index_text

START = 20_000 * DAY
RUN = "0badcafe"


def alert(number=1, *, arrived=START, rule="Shell", priority=4, source="docker", subject="web", message="", fields=None, tags=()):
    """An alert as the store returns it, but for its position."""
    line = {"message": message, "output": f"12:00:00.000000000: Warning {message}", "output_fields": fields or {}, "tags": list(tags)}
    return StoredAlert(0, f"{RUN}-{number}", arrived, arrived - 1000, rule, priority, source, subject, json.dumps(line).encode())


def make_store(directory, alerts):
    """Write alerts in the order of their days, and return them with their positions."""
    Path(directory, "lock").touch()
    databases, stored = {}, []
    for each in alerts:
        day = each.arrived // DAY
        if day not in databases:
            databases[day] = _Day(Path(directory, day_name(day)))
        stored.append(each._replace(position=day << DAY_BITS | databases[day].add(each), run=1))
    for database in databases.values():
        database.close()
    return sorted(stored)


class _Day:
    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.execute("PRAGMA journal_mode = wal")
        for statement in (f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION}", *TABLES):
            self.database.execute(statement)
        self.database.execute(f"INSERT INTO runs VALUES (1, '{RUN}', {START}, 1, 'docker', '{{}}')")
        self.texts, self.number = {}, 0
        self.counts, self.first, self.last = Counter(), {}, {}

    def text(self, text):
        if text not in self.texts:
            self.texts[text] = len(self.texts) + 1
            self.database.execute("INSERT INTO texts VALUES (?, ?)", (self.texts[text], text))
        return self.texts[text]

    def add(self, each):
        self.number += 1
        rule = self.text(each.rule)
        self.database.execute(
            "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
            (
                self.number,
                each.arrived,
                each.timestamp,
                rule,
                each.priority,
                self.text(each.source),
                self.text(each.subject),
                int(each.key.partition("-")[2]),
                each.line,
            ),
        )
        read = json.loads(each.line)
        text = index_text(each.rule, read["message"], read["output_fields"])
        self.database.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (self.number, text))
        self.database.execute("INSERT INTO events VALUES (?, ?, ?)", (self.number, 3, b"{}\n"))
        for table, length in (("minutes", MINUTE), ("hours", HOUR)):
            key = table, each.arrived // length, rule, each.priority
            self.counts[key] += 1
            self.first.setdefault(key, self.number)
            self.last[key] = self.number
        return self.number

    def close(self):
        for key, count in self.counts.items():
            table, *row = key
            self.database.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", (*row, count, self.first[key], self.last[key]))
        self.database.commit()
        self.database.close()
