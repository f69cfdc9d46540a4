"""One day's file of an alert store, opened for reading while a run may write it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from msgspec import DecodeError, json

from lanner.alerts.filter_terms import Choice
from lanner.alerts.store_errors import DamagedError, StoreError, from_sqlite, primary_code
from lanner.alerts.store_format import APPLICATION, HOUR, MINUTE, VERSION
from lanner.alerts.stored import DAY_BITS, Detail, Run, StoredAlert
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from lanner.alerts.filter_terms import AnyPattern

_BUSY: Final = 1.0
"""Seconds to wait for a process that has locked the file."""
_CACHE_KIB: Final = 8 << 10
_MOST_TEXTS: Final = 200_000
"""Strings that are compared with a pattern. In a day with more of them, the alerts are compared."""
_MOST_IDS: Final = 500
"""Strings that a statement may name."""
_MOST_WORDS: Final = 64
"""Words with one beginning that a statement may name."""
_FIRST_OF_WORD: Final = "0"
"""The first of the characters of words: no word is between one and this added to it."""
_CANNOT_WRITE: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
_KNOWN_TEXTS: Final = 20_000

COLUMNS: Final = "a.id, a.arrived, a.time, a.rule, a.priority, a.source, a.subject, a.run, a.sequence, a.line"
_ROW: Final = f"SELECT {COLUMNS} FROM alerts a WHERE a.id = ?"  # noqa: S608 - constants
_HAS_TABLES: Final = "SELECT EXISTS (SELECT 1 FROM sqlite_master)"
_HAS_VIEWS: Final = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger'))"
"""A store has no views or triggers. A view could be a statement that never ends."""

# The first and the last id on one side of a moment: of whole hours, and of the minutes in the moment's hour
_FIRST_SINCE: Final = (
    "SELECT min(id) FROM (SELECT min(first) AS id FROM hours WHERE hour > ? "
    "UNION ALL SELECT min(first) FROM minutes WHERE minute >= ? AND minute BETWEEN ? AND ?)"
)
_LAST_UNTIL: Final = (
    "SELECT max(id) FROM (SELECT max(last) AS id FROM hours WHERE hour < ? "
    "UNION ALL SELECT max(last) FROM minutes WHERE minute <= ? AND minute BETWEEN ? AND ?)"
)


class Row(NamedTuple):
    """A row of `alerts`."""

    id: int
    arrived: int
    time: int
    rule: int
    priority: int
    source: int
    subject: int
    run: int
    sequence: int
    line: bytes


class DayReader:
    """The alerts in the file at `path`, of `day` (since 1970). Used by one thread at a time.

    Raises StoreError: DamagedError if the content of the file is the cause. `is_ready` is False while a run still creates the file.
    """

    def __init__(self, path: Path, day: int) -> None:
        self.path, self.day = path, day
        self._file = _identity(path)
        self._database = _open(path)
        try:
            with self.errors():
                self.is_ready = self._check()
        except BaseException:
            self._database.close()
            raise
        self._has_vocabulary = False
        self._run_rows: dict[int, Run] = {}
        self.text = lru_cache(_KNOWN_TEXTS)(self._read_text)
        """Return the text with this id."""

    @property
    def is_current(self) -> bool:
        """Whether the path is still this file, and not another one that replaced it."""
        return self._file is not None and self._file == _identity(self.path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of SQLite into StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            raise _error_of(error, self.path) from None

    def select(self, statement: str, values: Sequence[Any] = ()) -> Generator[Any, None, None]:
        """Yield the rows of a statement. Closing the iterator ends the statement."""
        with self.errors(), closing(self._database.execute(statement, values)) as rows:
            yield from rows

    def first_row(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a statement, or None."""
        with closing(self.select(statement, values)) as rows:
            return next(rows, None)

    @property
    def last(self) -> int:
        """The id of the newest alert; 0 without one."""
        return self.first_row("SELECT max(id) FROM alerts")[0] or 0 if self.is_ready else 0

    @property
    def last_minute(self) -> int:
        """The latest minute (since 1970) in which an alert arrived; 0 without one."""
        return self.first_row("SELECT max(minute) FROM minutes")[0] or 0 if self.is_ready else 0

    def alert(self, row: Row) -> StoredAlert:
        """Return the alert of a row of COLUMNS."""
        text = self.text
        return StoredAlert(
            self.day << DAY_BITS | row[0],
            f"{self.run(row[7]).key}-{row[8]}",
            row[1],
            row[2],
            text(row[3]),
            row[4],
            text(row[5]),
            text(row[6]),
            row[9],
            row[7],
        )

    def run(self, number: int) -> Run:
        """Return the run with this number in the file."""
        found = self._run_rows.get(number)
        if found is None:
            found = self._run_rows[number] = self._read_run(number)
        return found

    def runs(self) -> list[Run]:
        """Return the runs in the file, in order of their begin."""
        return [self.run(number) for (number,) in self.select("SELECT id FROM runs ORDER BY id")] if self.is_ready else []

    def rules_file(self, sha256: str) -> bytes | None:
        """Return the stored rules file with this hash."""
        row = self.first_row("SELECT content FROM rules_files WHERE sha256 = ?", (sha256,)) if self.is_ready else None
        return None if row is None else bytes(row[0])

    def find(self, key: str, sequence: int) -> Detail | None:
        """Return the alert of this run with this sequence, or None."""
        number = self._id_of(key, sequence) if self.is_ready else None
        if number is None:
            return None
        row = self.row(number)
        payload = self.first_row("SELECT payload, size FROM events WHERE id = ?", (number,)) or (b"", 0)
        return Detail(self.alert(row), bytes(payload[0] or b""), int(payload[1] or 0), self.run(row.run))

    def sequences(self, key: str) -> tuple[int, int] | None:
        """Return the first and the last sequence of this run in the file, or None without an alert of it."""
        numbers = self._runs_of(key) if self.is_ready else []
        if not numbers:
            return None
        low = self._find_place(numbers[0], 0)
        high = self._find_place(numbers[-1] + 1, 0)
        statement = "SELECT sequence FROM alerts WHERE id {} ? AND run BETWEEN ? AND ? ORDER BY id {} LIMIT 1"
        values = numbers[0], numbers[-1]
        first = self.first_row(statement.format(">=", "ASC"), (low, *values))
        last = self.first_row(statement.format("<", "DESC"), (high, *values))
        return None if first is None or last is None else (first[0], last[0])

    def _id_of(self, key: str, sequence: int) -> int | None:
        numbers = self._runs_of(key)
        if not numbers:
            return None
        place = self._find_place(numbers[0], sequence, numbers[-1])
        row = self.first_row("SELECT run, sequence FROM alerts WHERE id = ?", (place,))
        return place if row is not None and row[0] in numbers and row[1] == sequence else None

    def _runs_of(self, key: str) -> list[int]:
        return [number for (number,) in self.select("SELECT id FROM runs WHERE key = ? ORDER BY id", (key,))]

    def _find_place(self, run: int, sequence: int, last_run: int = 0) -> int:
        """Return the id of the first alert of the runs from `run` to `last_run` with at least this sequence, or of a later run.

        By bisection: a run's alerts have increasing sequences, and runs follow each other.
        """
        low, high = self.first_row("SELECT min(id) FROM alerts")[0] or 1, self.last + 1
        while low < high:
            middle = (low + high) // 2
            number, own, found = self.first_row("SELECT id, run, sequence FROM alerts WHERE id >= ? ORDER BY id LIMIT 1", (middle,))
            if own < run or (own <= max(run, last_run) and found < sequence):
                low = number + 1
            else:
                high = middle
        row = self.first_row("SELECT min(id) FROM alerts WHERE id >= ?", (low,))
        return int(row[0] or low)

    def row(self, number: int) -> Row:
        """Return the alert with this id, which exists."""
        row = self.first_row(_ROW, (number,))
        return Row(*row)

    def ids_of(self, pattern: AnyPattern) -> list[int] | None:
        """Return the ids of the strings that match, or None if this takes too long or gives too many."""
        if isinstance(pattern, Choice):
            every = [self.ids_of(each) for each in pattern.patterns[:_MOST_IDS]]
            ids = sorted({number for each in every for number in each or ()})
            return None if len(ids) > _MOST_IDS or len(pattern.patterns) > _MOST_IDS or None in every else ids
        literal = pattern.literal
        try:
            prefix = (pattern.parts[0] if literal is None else literal).encode()
        except UnicodeEncodeError:  # the store has no such text
            return []
        if literal is not None:
            statement, values = "SELECT id, text FROM texts WHERE text = CAST(? AS TEXT) COLLATE NOCASE", [prefix]
        elif prefix:
            statement = "SELECT id, text FROM texts WHERE text COLLATE NOCASE BETWEEN CAST(? AS TEXT) AND CAST(? AS TEXT)"
            values = [prefix, prefix + b"\xff"]
        else:
            statement, values = "SELECT id, text FROM texts", []
        found: list[int] = []
        with closing(self.select(statement, values)) as rows:
            for count, (number, text) in enumerate(rows, start=1):
                if pattern.fits(text):
                    found.append(number)
                if len(found) > _MOST_IDS or count >= _MOST_TEXTS:
                    return None
        return found

    def words_with(self, beginning: str) -> list[str] | None:
        """Return the words of the index with this beginning, or None if they are too many."""
        if not self._has_vocabulary:
            with self.errors():
                self._database.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)")
            self._has_vocabulary = True
        found: list[str] = []
        least = beginning
        while row := self.first_row("SELECT term FROM vocabulary WHERE term >= ? LIMIT 1", (least,)):
            if not row[0].startswith(beginning):
                break
            found.append(row[0])
            if len(found) > _MOST_WORDS:
                return None
            least = row[0] + _FIRST_OF_WORD
        return found

    def ids_in(self, since: int | None, until: int | None) -> tuple[int, int]:
        """Return the first and last id of a range that has all alerts which arrived from `since` on, before `until`."""
        low, high = 1, self.last
        if since is not None:
            row = self._bound(_FIRST_SINCE, since)
            low = high + 1 if row is None else row
        if until is not None:
            row = self._bound(_LAST_UNTIL, until)
            high = 0 if row is None else min(high, row)
        return low, high

    def ids_within(self, since: int, until: int) -> tuple[int, int]:
        """Return the ids of the first and the last alert that arrived from `since` on, before `until`. Without one, the last is less."""
        low, high = self.ids_in(since, until)
        first = self.first_row("SELECT id FROM alerts WHERE id BETWEEN ? AND ? AND arrived >= ? ORDER BY id LIMIT 1", (low, high, since))
        last = self.first_row("SELECT id FROM alerts WHERE id BETWEEN ? AND ? AND arrived < ? ORDER BY id DESC LIMIT 1", (low, high, until))
        return (1, 0) if first is None or last is None else (first[0], last[0])

    def _bound(self, statement: str, moment: int) -> int | None:
        hour, minute = moment // HOUR, moment // MINUTE
        first = hour * HOUR // MINUTE
        row = self.first_row(statement, (hour, minute, first, first + HOUR // MINUTE - 1))
        return None if row is None else row[0]

    def _read_text(self, number: int) -> str:
        row = self.first_row("SELECT text FROM texts WHERE id = ?", (number,))
        return "" if row is None else str(row[0])

    def _read_run(self, number: int) -> Run:
        row = self.first_row("SELECT key, started, plugin, about FROM runs WHERE id = ?", (number,))
        if row is None:
            raise _make_damage_error(f"the alert store {self.path} is damaged (an alert's run is missing)", self.path)
        key, started, plugin, about = row
        try:
            read = json.decode(about)
        except DecodeError:
            read = None
        return Run(key, started, plugin, read if isinstance(read, dict) else {})

    def _check(self) -> bool:
        """Return whether the tables exist. Raises StoreError for a file of another program or version."""
        statements = ("PRAGMA application_id", "PRAGMA user_version", _HAS_TABLES, _HAS_VIEWS)
        application, version, has_tables, has_views = (self.first_row(statement)[0] for statement in statements)
        if not has_tables:
            return False
        path = printable_line(str(self.path))
        if application != APPLICATION or has_views:
            raise StoreError(f"{path} is not a file of an alert store: another program wrote it. Move it to another directory")
        if version > VERSION:
            raise StoreError(f"{path} was written by a newer Lanner (format {version}, this one reads {VERSION}): update Lanner")
        return True


def _open(path: Path) -> sqlite3.Connection:
    """Open a file for reading. Raises StoreError."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        return _connect(address)
    except sqlite3.Error as error:
        if primary_code(error) not in _CANNOT_WRITE or not os.access(path, os.R_OK):
            raise _error_of(error, path) from None
    # The log of a file needs a directory that can be written. A file without a log is complete, and needs none
    if _size(path.with_name(f"{path.name}-wal")):
        raise StoreError(
            f"cannot use the alert store {path}: it has a log, and this user may not write its directory. "
            "Read it as the user of the run, or read a copy of the directory"
        )
    try:
        return _connect(f"{address}&immutable=1")
    except sqlite3.Error as error:
        raise _error_of(error, path) from None


def _error_of(error: sqlite3.Error, path: Path) -> StoreError:
    found = from_sqlite(error, path)
    return _make_damage_error(str(found), path) if isinstance(found, DamagedError) else found


def _make_damage_error(message: str, path: Path) -> DamagedError:
    return DamagedError(f"{message}: move the file away; `sqlite3 {path} .recover` may still read a part of it")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _connect(address: str) -> sqlite3.Connection:
    database = sqlite3.connect(address, _BUSY, isolation_level=None, check_same_thread=False, uri=True, cached_statements=64)
    try:
        database.text_factory = lambda data: data.decode("utf-8", "replace")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.execute("PRAGMA temp_store = MEMORY")
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except BaseException:
        database.close()
        raise
    return database
