"""One day's file of an alert store, opened for writing: creation, checks, and batches of alerts in one transaction each."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lanner.alerts.checkpoints import Checkpoints
from lanner.alerts.search_words import index_text
from lanner.alerts.store_errors import DamagedError, StoreError, from_sqlite, from_system
from lanner.alerts.store_format import APPLICATION, HOUR, MINUTE, PAGE, TABLES, VERSION
from lanner.alerts.subject import find_subject
from lanner.rules.output.json_fields import to_signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lanner.alerts.alert_record import AlertWithRecord, RunLoad

_PRIORITIES: Final = {
    name: number for number, name in enumerate(("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"))
}
_UINT64: Final = (1 << 64) - 1
_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_FRACTIONS: Final = bytes((64, 32, 32))
"""Bytes 21 to 23 of every SQLite file."""
_BUSY: Final = 2.0
"""Seconds to wait for another process that locks the file, such as sqlite3."""
_KNOWN_TEXTS: Final = 50_000
_CACHE: Final = 16 << 10
"""KiB of pages in memory."""
_ALERT: Final = "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_EVENT: Final = "INSERT INTO events VALUES (?, ?, ?)"
_WORDS: Final = "INSERT INTO words (rowid, text) VALUES (?, ?)"
_COUNT: Final = (
    "INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, "
    "first = min(first, excluded.first), last = excluded.last"
)


class _Line(msgspec.Struct, gc=False):
    """The members of an alert that the store needs."""

    rule: str = ""
    priority: str = ""
    source: str = ""
    message: str = ""
    output: str = ""
    output_fields: dict[str, Any] = {}


_decode: Final = msgspec.json.Decoder(_Line).decode


class DayFile:
    """The file at `path`, created with mode 0600 if it does not exist. `first`: the id of the first alert of a new file.

    Raises StoreError; DamagedError if its content is the cause.
    """

    def __init__(self, path: Path, first: int = 1) -> None:
        self.path = path
        self._checkpoints = Checkpoints(path)
        self._texts: dict[str, int] = {}
        self._loads: dict[int, int] = {}  # ids in `runs` by the identity of the load, which `_kept` keeps
        self._kept: list[RunLoad] = []
        try:
            if not os.path.lexists(path):
                _make(path)
            self._identity = _create(path)
            self._database = sqlite3.connect(path, _BUSY, isolation_level=None, check_same_thread=False)
        except OSError as error:
            raise from_system(error, path) from None
        except sqlite3.Error as error:
            raise from_sqlite(error, path) from None
        try:
            self._prepare()
            newest = self._database.execute("SELECT id, arrived FROM alerts ORDER BY id DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            self._database.close()
            raise from_sqlite(error, path) from None
        except BaseException:
            self._database.close()
            raise
        self.last: int
        """The id of the last alert."""
        self.last_arrival: int
        """The time of its arrival in ns; 0 in a new file."""
        self.last, self.last_arrival = newest or (first - 1, 0)

    def write(self, alerts: Sequence[AlertWithRecord]) -> None:
        """Store all alerts, or none. Raises StoreError."""
        self._change(lambda: self._insert(alerts))
        self._checkpoints.add(sum([alert.record.memory for alert in alerts if alert.record is not None]))

    def note(self, load: RunLoad) -> None:
        """Store a load of rules before its first alert. Raises StoreError."""
        self._change(lambda: self._load_id(load, self.last + 1))

    def is_in_place(self) -> bool:
        """Return whether the path still leads to this file."""
        try:
            status = self.path.lstat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def close(self) -> None:
        """Close the file, and remove its log, unless another process reads it now. Raises nothing."""
        self._checkpoints.close()
        with suppress(sqlite3.Error):
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute("PRAGMA busy_timeout = 0")
            self._database.execute("PRAGMA journal_mode = DELETE")
        with suppress(sqlite3.Error):
            self._database.close()

    def _change(self, change: Any) -> None:
        before = self.last, self.last_arrival
        try:
            self._database.execute("BEGIN IMMEDIATE")
            # while outputs are exchanged, this process has two writers
            ((newest,),) = self._database.execute("SELECT max(id) FROM alerts").fetchall()
            self.last = max(self.last, newest or 0)
            change()
            self._database.execute("COMMIT")
        except BaseException as error:
            self.last, self.last_arrival = before
            self._forget()
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise from_sqlite(error, self.path) from None
            raise

    def _forget(self) -> None:
        """Forget ids that a failed transaction may have given."""
        self._texts.clear()
        self._loads.clear()
        self._kept.clear()

    def _insert(self, alerts: Sequence[AlertWithRecord]) -> None:
        rows, events, words = [], [], []
        counts: Counter[tuple[int, int, int]] = Counter()
        ranges: dict[tuple[int, int, int], list[int]] = {}
        number, text_id = self.last, self._text_id
        for alert in alerts:
            record = alert.record
            assert record is not None  # the sink wants records
            number += 1
            line = _decode(record.json)
            rule, priority = text_id(line.rule), _PRIORITIES.get(line.priority, len(_PRIORITIES) - 1)
            arrived = record.arrived
            rows.append(
                (
                    number,
                    arrived,
                    to_signed(alert.timestamp & _UINT64),
                    rule,
                    priority,
                    text_id(line.source),
                    text_id(find_subject(line.output_fields)),
                    self._load_id(record.load, number),
                    record.sequence,
                    record.json.encode(),
                )
            )
            events.append((number, record.event_size, record.event))
            words.append((number, index_text(line.rule, line.message or line.output, line.output_fields)))
            minute = arrived // MINUTE, rule, priority
            counts[minute] += 1
            ranges.setdefault(minute, [number, number])[1] = number
            self.last_arrival = arrived
        execute = self._database.executemany
        execute(_ALERT, rows)
        execute(_EVENT, events)
        execute(_WORDS, words)
        minutes = [(*key, count, *ranges[key]) for key, count in counts.items()]
        execute(_COUNT.format(table="minutes"), minutes)
        execute(_COUNT.format(table="hours"), [(minute * MINUTE // HOUR, *others) for minute, *others in minutes])
        self.last = number

    def _text_id(self, text: str) -> int:
        found = self._texts.get(text)
        if found is not None:
            return found
        if len(self._texts) >= _KNOWN_TEXTS:
            self._texts.clear()
        execute = self._database.execute
        row = execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
        if row is None:
            execute("INSERT INTO texts (text) VALUES (?)", (text,))
            row = execute("SELECT last_insert_rowid()").fetchone()
        self._texts[text] = row[0]
        return int(row[0])

    def _load_id(self, load: RunLoad, first: int) -> int:
        found = self._loads.get(id(load))
        if found is not None:
            return found
        execute = self._database.execute
        row = execute("SELECT id FROM runs WHERE key = ? AND started = ?", (load.key, load.started)).fetchone()
        if row is None:
            self._database.executemany("INSERT OR IGNORE INTO rules_files VALUES (?, ?)", load.files.items())
            values = load.key, load.started, first, load.plugin, load.about
            execute("INSERT INTO runs (key, started, first, plugin, about) VALUES (?, ?, ?, ?, ?)", values)
            row = execute("SELECT last_insert_rowid()").fetchone()
        self._loads[id(load)] = row[0]
        self._kept.append(load)
        return int(row[0])

    def _prepare(self) -> None:
        """Check whose file it is, and create the tables in a new one. Raises StoreError, sqlite3.Error."""
        database = self._database
        ((application,),), ((version,),) = (database.execute(f"PRAGMA {name}").fetchall() for name in ("application_id", "user_version"))
        ((tables,),) = database.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if tables and application != APPLICATION:
            raise _make_foreign_error(self.path)
        if version > VERSION:
            raise _make_version_error(self.path, version)
        database.execute("PRAGMA journal_mode = WAL")
        # a transaction waits for no disk: the checkpoints, with their own connection, do
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute(f"PRAGMA cache_size = -{_CACHE}")
        if tables and version < VERSION:
            raise DamagedError(f"the alert store {self.path} is damaged (it has no version)")
        if not tables:  # an empty file that another program has made
            _create_tables(database)


def check_header(path: Path) -> None:
    """Raise StoreError if the file is not of a store, is of a newer Lanner or cannot be written. A damaged one passes."""
    try:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise from_system(error, path) from None
    if len(header) < _HEADER or not header.startswith(_MAGIC) or header[21:24] != _FRACTIONS:
        return
    changes, version, application = (int.from_bytes(header[begin : begin + 4], "big") for begin in (40, 60, 68))
    if application != APPLICATION and (application or changes):  # changes of the schema: without one the file has no tables
        raise _make_foreign_error(path)
    if application and version > VERSION:
        raise _make_version_error(path, version)


def _make_foreign_error(path: Path) -> StoreError:
    return StoreError(f"{path} is an SQLite file of another program: move it away, or choose another directory for the alert store")


def _make_version_error(path: Path, version: int) -> StoreError:
    return StoreError(
        f"the alert store {path} was written by a newer Lanner (version {version} of its format, this one knows {VERSION}): "
        "update Lanner, or choose another directory"
    )


def _make(path: Path) -> None:
    """Make a file with its tables, and rename it when it is complete: no reader sees a part of it. Raises OSError, StoreError."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # of a process that was killed
    _create(new)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as database:
            _create_tables(database)
        new.rename(path)
    except BaseException as error:
        with suppress(OSError):
            new.unlink()
        if isinstance(error, sqlite3.Error):
            raise from_sqlite(error, path.parent) from None  # the file does not exist
        raise


def _create_tables(database: sqlite3.Connection) -> None:
    database.execute(f"PRAGMA page_size = {PAGE}")
    database.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        database.execute(table)
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


def _create(path: Path) -> tuple[int, int]:
    """Create the file with mode 0600 if it does not exist: SQLite would use the umask. Return which file it is. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return status.st_dev, status.st_ino
    finally:
        os.close(descriptor)
