"""Moves the log of a day's file into the file in another thread: only that waits for the disk, not the transactions."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_LOG: Final = logging.getLogger("lanner.outputs")

_DUE: Final = 3 << 20
"""Bytes of alerts and events after which the log, which has some three times as many, is moved."""
_LEAVE_AFTER: Final = 5.0


class Checkpoints:
    """The checkpoints of the file at `path`. The log is synced before the file is written, so the file survives a loss of power."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._is_closed = False
        self._due = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, size: int) -> None:
        """Count bytes that a transaction has written."""
        self._size += size
        if self._size < _DUE:
            return
        self._size = 0
        self._due.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lanner-store-log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread, after the checkpoint that it makes."""
        self._is_closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join(_LEAVE_AFTER)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._is_closed:
                return
            try:
                with closing(sqlite3.connect(self._path, isolation_level=None)) as database:
                    database.execute("PRAGMA synchronous = NORMAL")
                    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
            except sqlite3.Error as error:  # a full disk also fails the next transaction, which reports it
                _LOG.debug("%s: the log could not be moved into the file this time: %s", self._path, error)
