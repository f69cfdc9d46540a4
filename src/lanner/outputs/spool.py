"""Alerts of one output on disk while it is unavailable: an SQLite file, oldest first, each kept until it is marked as delivered.

An alert accepted by `append` survives kill -9 and loss of power. `Spool` neither sends nor schedules; the worker does.
Damaged parts are set aside and counted: a row, or the file with everything that cannot be saved from it.

Measured (SQLite 3.40, ext4): a commit of one alert takes 0.23 ms with a write-ahead log and 0.43 ms with a rollback journal, both synced;
of 256 alerts, 9 us an alert with either.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import SpoolError, SpoolInUseError
from lanner.outputs.spoolfile import (
    APPLICATION,
    INSERT,
    TABLE,
    VERSION,
    Log,
    alert_of,
    check,
    code_of,
    is_damage,
    rescue_rows,
    row_of,
    upgrade,
)
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanner.outputs.base import Alert

_LOG: Final = logging.getLogger("lanner.outputs")

_ABOUT: Final = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
_OLDEST: Final = "SELECT id, line, rule, priority, source, timestamp, crc FROM alerts WHERE id > ? ORDER BY id LIMIT ?"
_REMOVE: Final = "DELETE FROM alerts WHERE id <= ?"
_REMOVE_ONE: Final = "DELETE FROM alerts WHERE id = ?"
_SMALLEST: Final = 512
"""Minimum size of an SQLite file in bytes."""
_ROW: Final = 50
"""Maximum overhead of a row in bytes."""
_READ: Final = 1 << 20
"""Approximate size in bytes of the alerts returned by `first`: a host may have little memory, and events may be long."""


class Spool:
    """The alerts of one output in the file at `path`, which is created (mode 0600, its directory 0700) if missing.

    Raises SpoolInUseError. Any other problem with the file is logged and raised by `append`; the next call tries again.
    A damaged file, or one that is not a spool, is moved to `<path>.bad`, and its intact alerts are copied into a new one.
    `wait`: seconds to wait for an earlier run that still uses it. May be used by several threads.
    """

    def __init__(self, path: str | Path, most_bytes: int, wait: float = 5.0) -> None:
        self._path, self._most, self._wait = Path(path), most_bytes, wait
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._closed = self._is_behind = False  # delivered alerts could not be removed
        self._page = self._used = 0
        self._delivered = self._last = 0  # by their ids
        self._given: list[int] = []  # the ids that `first` returned
        self._bad_rows: set[int] = set()
        self._is_aside = False  # a damaged file with possibly intact alerts
        self.waiting = 0
        """The number of stored alerts."""
        self.damaged = 0
        """The number of damages: a row, the file, its log."""
        try:
            self._open()
        except SpoolInUseError:
            raise
        except SpoolError as error:
            _LOG.warning("%s; alerts wait in memory", error)

    def append(self, alerts: Sequence[Alert]) -> int:
        """Append alerts and sync them to disk. Return how many were stored: the first ones that had room.

        Raises SpoolError if none was stored.
        """
        with self._lock:
            if self._database is None:
                self._open()
            rows, room, number = [], self._most - self._used, self._last
            for alert in alerts:
                row = row_of(number + 1, alert)
                room -= sum(len(value) for value in row if isinstance(value, bytes)) + _ROW
                if room < 0:
                    break
                number += 1
                rows.append(row)
            if rows:
                self._change(INSERT, rows)
                self._last = number
                self.waiting += len(rows)
            return len(rows)

    def first(self, most: int) -> list[Alert]:
        """Return the oldest alerts; damaged rows are skipped and removed. Raises SpoolError."""
        with self._lock:
            while True:
                if self._database is None:
                    self._open()
                found, bad = self._read(most)
                if bad:
                    self._drop(bad)
                if found or not bad:
                    break
            if not found:
                self.waiting = 0  # another process has removed them
            self._given = [number for number, _ in found]
            return [alert for _, alert in found]

    def remove(self, count: int) -> None:
        """Mark the first `count` alerts of `first` as delivered. If that fails it is retried; this run does not send them again."""
        with self._lock:
            if not count:
                return
            self._delivered = self._given[count - 1]
            self.waiting -= count
            self._given = self._given[count:]
            if self._closed or self._database is None:
                return
            try:
                self._is_behind = True
                self._change(_REMOVE, [(self._delivered,)])
                self._is_behind = False
                if not self.waiting:
                    self._shrink()
            except SpoolError as error:
                _LOG.warning("%s; alerts that are delivered may be delivered again after a restart", error)

    def close(self) -> None:
        """Close the file and keep its content. A second call does nothing."""
        with self._lock:
            if self._is_behind and self._database is not None:
                with suppress(SpoolError):  # there may be room now
                    self._change(_REMOVE, [(self._delivered,)])
            self._closed, self._is_behind = True, False
            self._let_go()

    def _read(self, most: int) -> tuple[list[tuple[int, Alert]], list[int]]:
        """Return the oldest alerts with their ids, and the ids of damaged rows before and among them."""
        assert self._database is not None
        found: list[tuple[int, Alert]] = []
        bad: list[int] = []
        size = 0
        try:
            with closing(self._database.execute(_OLDEST, (self._delivered, most))) as rows:
                for row in rows:
                    alert = alert_of(row)
                    if alert is None:
                        bad.append(row[0])
                        continue
                    found.append((row[0], alert))
                    size += len(alert.line)
                    if size >= _READ:
                        break
        except Exception as error:
            raise self._to_error(error) from error
        return found, bad

    def _drop(self, bad: list[int]) -> None:
        """Remove damaged rows; if that fails they are read again, but neither counted nor logged again."""
        new = [number for number in bad if number not in self._bad_rows]
        if new:
            self._bad_rows.update(new)
            self.damaged += len(new)
            self.waiting = max(0, self.waiting - len(new))
            _LOG.error("the spool %s: %d damaged %s left out and lost", self._path, len(new), "alert is" if len(new) == 1 else "alerts are")
        self._change(_REMOVE_ONE, [(number,) for number in bad])

    def _open(self) -> None:
        if self._closed:
            raise SpoolError(f"the spool {self._path} is closed")
        try:
            try:
                self._connect()
            except OSError:
                raise
            except Exception as error:
                if not is_damage(error, self._path):
                    raise
                self._set_aside(str(error))
                self._connect()
            if self._is_aside:
                self._save()
        except OSError as error:
            self._let_go()
            raise SpoolError(f"cannot use the spool {self._path}: {error.strerror}") from error
        except Exception as error:
            raise self._to_error(error) from error

    def _connect(self) -> None:
        path = self._path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # opened only if missing: closing any descriptor of a file releases this process's locks on it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            is_new = True
        except FileExistsError:
            is_new = False
        if path.is_symlink() or not path.is_file():
            raise OSError(errno.EINVAL, "it is not a regular file")
        if not is_new and path.stat().st_size < _SMALLEST:
            raise sqlite3.DatabaseError("it is cut off")  # SQLite would silently start it again
        log = Log(path)
        database = self._database = sqlite3.connect(path, self._wait, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # before the log is created: then shared memory is not needed
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        if log.is_cut(database):
            self._keep_log(log.content)
        database.execute("BEGIN IMMEDIATE")
        application, version, tables = (_number(database, query) for query in _ABOUT)
        if not tables:
            database.execute(TABLE)
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
        elif application != APPLICATION or version not in (1, VERSION):
            raise sqlite3.DatabaseError("it is not a spool of this version")
        else:
            check(database, version)
            if version != VERSION:
                upgrade(database)
        database.execute("COMMIT")
        self._page = _number(database, "PRAGMA page_size")
        self._measure()
        ((first, last),) = database.execute("SELECT min(id), max(id) FROM alerts")
        if last is None:
            self._last = max(self._last, self._delivered)
        else:
            # after a reopen in the same run it may contain delivered alerts that could not be removed
            self._delivered = max(first - 1, self._delivered) if self._delivered <= last else first - 1
            self._last = last
        self._count()

    def _count(self) -> None:
        assert self._database is not None
        ((self.waiting,),) = self._database.execute("SELECT count(*) FROM alerts WHERE id > ?", (self._delivered,))
        self._given, self._bad_rows = [], set()

    def _save(self) -> None:
        """Copy the intact alerts from the file that was set aside."""
        assert self._database is not None
        self._is_aside = False
        bad = Path(f"{self._path}.bad")
        if bad.is_symlink() or not bad.is_file():
            return
        lost: list[object] = []
        self._change(INSERT, rescue_rows(bad, self._delivered, lost))
        ((last,),) = self._database.execute("SELECT max(id) FROM alerts")
        self._last = max(self._delivered, last or 0)
        self._count()
        also = f", {len(set(lost))} are damaged and lost" if lost else ""
        _LOG.warning("the spool %s: %s of the damaged file taken over%s", self._path, many(self.waiting, "alert"), also)

    def _keep_log(self, content: bytes) -> None:
        self.damaged += 1
        kept = Path(f"{self._path}.bad-wal")
        with suppress(OSError):
            kept.unlink(missing_ok=True)
            with os.fdopen(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(content)
        _LOG.error("the spool %s: the log of a killed run is damaged, alerts in it are lost; it is kept as %s", self._path, kept)

    def _change(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        assert self._database is not None
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
            self._measure()
        except Exception as error:
            with suppress(sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
            raise self._to_error(error) from error

    def _measure(self) -> None:
        """Return the used size in bytes; the file may be larger by free pages."""
        assert self._database is not None
        pages, free = _number(self._database, "PRAGMA page_count"), _number(self._database, "PRAGMA freelist_count")
        self._used = (pages - free) * self._page

    def _shrink(self) -> None:
        """Return an empty file's free pages to the file system, if worthwhile."""
        assert self._database is not None
        with suppress(sqlite3.Error):  # there may be no room for it
            if _number(self._database, "PRAGMA page_count") * self._page > _READ:
                self._database.execute("VACUUM")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _to_error(self, error: Exception) -> SpoolError:
        if isinstance(error, SpoolError):
            return error
        if code_of(error) == sqlite3.SQLITE_BUSY:
            self._let_go()
            return SpoolInUseError(f"the spool {self._path} is in use by another lanner: give each its own directory in lanner.spool.path")
        if is_damage(error, self._path):
            self._set_aside(str(error))
        elif code_of(error) != sqlite3.SQLITE_FULL:
            self._let_go()  # it may be another file, or writable, next time
        return SpoolError(f"cannot use the spool {self._path}: {error}")

    def _set_aside(self, reason: str) -> None:
        """Move an unusable file aside for inspection, replacing an earlier one."""
        self._let_go()
        self._is_aside = True
        self.damaged += 1
        _LOG.error("the spool %s cannot be used: %s; it is set aside as %s.bad", self._path, reason, self._path)
        for suffix in ("-wal", ""):
            with suppress(OSError):
                Path(f"{self._path}.bad{suffix}").unlink(missing_ok=True)
            with suppress(OSError):  # it may be missing or impossible to move: then it is found again
                Path(f"{self._path}{suffix}").replace(f"{self._path}.bad{suffix}")

    def _let_go(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _number(database: sqlite3.Connection, query: str) -> int:
    ((number,),) = database.execute(query)
    return int(number)
