"""Alerts of one output on disk while it cannot take them: an SQLite file, oldest first, each kept until it is said to be delivered.

An alert that `append` has taken survives kill -9 and loss of power. `Spool` neither sends nor decides when to; that is the worker's.
Strings are stored as bytes that give back every `str`, also one with surrogates.

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

from lanner.outputs.base import Alert, SpoolError, SpoolInUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOG: Final = logging.getLogger("lanner.outputs")

_APPLICATION: Final = 0x4C_61_6E_53  # "LanS": what file(1) and another SQLite see
_VERSION: Final = 1
_TABLE: Final = "CREATE TABLE alerts (id INTEGER PRIMARY KEY, line BLOB, rule BLOB, priority BLOB, source BLOB, timestamp BLOB)"
_ABOUT: Final = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
_OLDEST: Final = "SELECT * FROM alerts WHERE id > ? ORDER BY id LIMIT ?"
_REMOVE: Final = "DELETE FROM alerts WHERE id <= ?"
_ROW: Final = 40
"""Bytes that a row takes besides what is in it, at most."""
_READ: Final = 1 << 20
"""Bytes of alerts that `first` gives, about: a host may have little memory, and events may be long."""
_NOT_OURS: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Spool:
    """The alerts of one output in the file at `path`, which is made (mode 0600, its directory 0700) where there is none.

    Raises SpoolInUseError. Whatever else is wrong with the file is logged, raised again by `append`, and tried anew by the next one;
    a file that is no spool, or damaged, is set aside as `<path>.bad`. `wait`: seconds in which an earlier run may let go of it.
    May be used by several threads.
    """

    def __init__(self, path: str | Path, most_bytes: int, wait: float = 5.0) -> None:
        self._path, self._most, self._wait = Path(path), most_bytes, wait
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._closed = self._is_behind = False  # as far as what is delivered could not be removed
        self._page = self._used = 0
        self._delivered = self._last = 0  # by their ids; what lies between them waits
        try:
            self._open()
        except SpoolInUseError:
            raise
        except SpoolError as error:
            _LOG.warning("%s; alerts wait in memory", error)

    @property
    def waiting(self) -> int:
        """How many alerts there are."""
        return self._last - self._delivered

    def append(self, alerts: Sequence[Alert]) -> int:
        """Put them behind those that there are; they are on disk when it returns. Gives how many were taken: the first that had room.

        Raises SpoolError: none was taken.
        """
        with self._lock:
            if self._database is None:
                self._open()
            rows, room, number = [], self._most - self._used, self._last
            for alert in alerts:
                texts = [_bytes(text) for text in (alert.line, alert.rule, alert.priority, alert.source, str(alert.timestamp))]
                room -= sum(map(len, texts)) + _ROW
                if room < 0:
                    break
                number += 1
                rows.append((number, *texts))
            if rows:
                self._change("INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?)", rows)
                self._last = number
            return len(rows)

    def first(self, most: int) -> list[Alert]:
        """The oldest alerts. Raises SpoolError."""
        with self._lock:
            if self._database is None:
                self._open()
            assert self._database is not None
            found, size = [], 0
            try:
                with closing(self._database.execute(_OLDEST, (self._delivered, most))) as rows:
                    for _, *texts in rows:
                        line, rule, priority, source, timestamp = (_text(each) for each in texts)
                        found.append(Alert(line, rule, priority, source, int(timestamp)))
                        size += len(line)
                        if size >= _READ:
                            break
            except (sqlite3.Error, ValueError) as error:
                raise self._failed(error) from error
            if not found:
                self._delivered = self._last  # somebody else has taken them out
            return found

    def remove(self, count: int) -> None:
        """So many of the oldest are delivered. Where that cannot be written now it is later; this run does not send them again."""
        with self._lock:
            self._delivered += count
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
        """Let go of the file; what is in it stays. A second call does nothing."""
        with self._lock:
            if self._is_behind and self._database is not None:
                with suppress(SpoolError):  # there may be room again
                    self._change(_REMOVE, [(self._delivered,)])
            self._closed, self._is_behind = True, False
            self._let_go()

    def _open(self) -> None:
        if self._closed:
            raise SpoolError(f"the spool {self._path} is closed")
        try:
            try:
                self._connect()
            except sqlite3.DatabaseError as error:
                if _code(error) not in _NOT_OURS:
                    raise
                self._set_aside(str(error))
                self._connect()
        except sqlite3.Error as error:
            self._let_go()
            raise self._failed(error) from error
        except OSError as error:
            self._let_go()
            raise SpoolError(f"cannot use the spool {self._path}: {error.strerror}") from error

    def _connect(self) -> None:
        path = self._path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # opened only where there is none: closing any descriptor of a file lets go of the locks that this process has on it
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        if path.is_symlink() or not path.is_file():
            raise OSError(errno.EINVAL, "it is not a regular file")
        database = self._database = sqlite3.connect(path, self._wait, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # before the log is begun: then there is no shared memory
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        application, version, tables = (_number(database, query) for query in _ABOUT)
        if not tables:
            database.execute(_TABLE)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
        elif (application, version) != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError("it is no spool of this version")
        database.execute("COMMIT")
        self._page = _number(database, "PRAGMA page_size")
        ((first, last),) = database.execute("SELECT min(id), max(id) FROM alerts")
        if last is None:
            self._delivered = self._last
        else:
            # opened again in the same run, it may hold alerts that are delivered and could not be removed
            self._delivered = max(first - 1, self._delivered) if self._delivered <= last else first - 1
            self._last = last
        self._measure()

    def _change(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        assert self._database is not None
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
            self._measure()
        except sqlite3.Error as error:
            if self._database.in_transaction:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
            raise self._failed(error) from error

    def _measure(self) -> None:
        """How many bytes are used; the file may be longer by pages that are free again."""
        assert self._database is not None
        pages, free = _number(self._database, "PRAGMA page_count"), _number(self._database, "PRAGMA freelist_count")
        self._used = (pages - free) * self._page

    def _shrink(self) -> None:
        """Give an empty file's room back, if it is worth it."""
        assert self._database is not None
        if _number(self._database, "PRAGMA page_count") * self._page > _READ:
            with suppress(sqlite3.Error):  # there may be no room to do it
                self._database.execute("VACUUM")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _failed(self, error: Exception) -> SpoolError:
        code = _code(error)
        if code == sqlite3.SQLITE_BUSY:
            self._let_go()
            return SpoolInUseError(f"the spool {self._path} is in use by another lanner: give each its own directory in lanner.spool.path")
        if code in _NOT_OURS:
            self._set_aside(str(error))
        elif code != sqlite3.SQLITE_FULL:
            self._let_go()  # it may be another file, or writable, when it is opened next
        return SpoolError(f"cannot use the spool {self._path}: {error}")

    def _set_aside(self, reason: str) -> None:
        """What cannot be used is out of the way and there for a person to look at, in the place of an earlier one."""
        self._let_go()
        self._delivered = self._last
        _LOG.error("the spool %s cannot be used: %s; it is set aside as %s.bad", self._path, reason, self._path)
        for suffix in ("-wal", ""):
            with suppress(OSError):  # there may be none, or no way to move it: then it is found again
                Path(f"{self._path}{suffix}").replace(f"{self._path}.bad{suffix}")

    def _let_go(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _number(database: sqlite3.Connection, query: str) -> int:
    ((number,),) = database.execute(query)
    return int(number)


def _code(error: Exception) -> int:
    """SQLite's; what cannot be decoded was damaged, too."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
