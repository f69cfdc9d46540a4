"""Alerts on disk while an output is down: one SQLite file an output, oldest first, each removed when it has been delivered.

What `append` has returned for is on disk. Alerts are kept as bytes, exactly as they are. A file that is no spool is set aside; trouble with
the disk is an `OutputError`, and what becomes of the alerts then is for the caller to say.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import Alert, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS alerts (number INTEGER PRIMARY KEY AUTOINCREMENT, line BLOB NOT NULL, rule BLOB NOT NULL, "
    "priority TEXT NOT NULL, source BLOB NOT NULL, timestamp TEXT NOT NULL)"
)
_WEIGHT: Final = "SELECT count(*), coalesce(sum(length(line)), 0) FROM alerts"
_VERSION: Final = 1
# Besides its line: the other columns, and what SQLite adds
_OVERHEAD: Final = 100


class Spool:
    """The spool of the output `name` in `directory`. For one thread at a time.

    Raises `OutputError` where there can be none, as where another process has it open.
    """

    def __init__(self, directory: str, name: str, max_bytes: int) -> None:
        self._path = Path(directory) / f"{name}.spool"
        self._max_bytes = max_bytes
        try:
            Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        except OSError as error:
            raise OutputError(f"cannot keep alerts in {directory} ($.lanner.spool.path): {error.strerror}") from None
        self.set_aside = ""
        """What was wrong with a file that was no spool, "" if nothing."""
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._failure(error) from None
            self._path.replace(f"{self._path}.bad")
            self.set_aside = f"{self._path} is no spool of alerts ({error}): it is now {self._path}.bad, and a new one begins"
            self._database = self._open()
        there: tuple[int, int] = self._database.execute(_WEIGHT).fetchone()
        self._count, self._size = there[0], there[1] + _OVERHEAD * there[0]

    def __len__(self) -> int:
        return self._count

    def append(self, alerts: Sequence[Alert]) -> int:
        """Put alerts at the end; how many, from the first on, there was room for. They are on disk then. Raises `OutputError`."""
        fitting: list[tuple[bytes, bytes, str, bytes, str]] = []
        grown = size = self._size
        for alert in alerts:
            row = (_encoded(alert.line), _encoded(alert.rule), alert.priority, _encoded(alert.source), str(alert.timestamp))
            size += len(row[0]) + _OVERHEAD
            if size > self._max_bytes:
                break
            fitting.append(row)
            grown = size
        if not fitting:
            return 0
        try:
            with self._database:
                self._database.executemany("INSERT INTO alerts (line, rule, priority, source, timestamp) VALUES (?, ?, ?, ?, ?)", fitting)
        except sqlite3.Error as error:
            raise self._failure(error) from None
        self._size = grown
        self._count += len(fitting)
        return len(fitting)

    def first(self, most: int, after: int = 0) -> list[tuple[int, Alert]]:
        """The oldest alerts behind that number, each with its own. Raises `OutputError`."""
        try:
            rows = self._database.execute(
                "SELECT number, line, rule, priority, source, timestamp FROM alerts WHERE number > ? ORDER BY number LIMIT ?", (after, most)
            ).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        return [
            (number, Alert(_decoded(line), _decoded(rule), priority, _decoded(source), int(moment)))
            for number, line, rule, priority, source, moment in rows
        ]

    def remove(self, number: int) -> None:
        """Forget the alerts up to that number. Raises `OutputError`."""
        try:
            with self._database:
                gone = self._database.execute(
                    "SELECT count(*), coalesce(sum(length(line)), 0) FROM alerts WHERE number <= ?", (number,)
                ).fetchone()
                self._database.execute("DELETE FROM alerts WHERE number <= ?", (number,))
        except sqlite3.Error as error:
            raise self._failure(error) from None
        self._count -= gone[0]
        self._size -= gone[1] + _OVERHEAD * gone[0]

    def close(self) -> None:
        """Let go of the file; one without alerts is removed."""
        with suppress(sqlite3.Error):
            self._database.close()
        if not self._count:
            for suffix in ("", "-journal"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=0.1, check_same_thread=False)
        try:
            # one process alone, for as long as it is open; a rollback journal, as that is one file and survives any end of the process
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA journal_size_limit = 1048576")
            with database:
                database.execute("BEGIN EXCLUSIVE")
                _check_version(database)
                database.execute(_SCHEMA)
                database.execute(f"PRAGMA user_version = {_VERSION}")
        except BaseException:
            database.close()
            raise
        return database

    def _failure(self, error: sqlite3.Error) -> OutputError:
        advice = ""
        if "locked" in str(error):
            advice = ": is another Lanner running with the same $.lanner.spool.path? Give each its own"
        return OutputError(f"cannot keep alerts in {self._path}: {error}{advice}")


def _check_version(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"its version is {version}, and {_VERSION} is the one that is known")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
