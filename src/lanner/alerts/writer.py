"""Writes alerts to a store: chooses the file of the day, and sets a damaged one aside."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.alerts.alert_record import RunLoad
from lanner.alerts.dayfile import DayFile, check_header
from lanner.alerts.lock import find_writer, lock_store, make_lock_error
from lanner.alerts.retention import Limits, Retention, size_of
from lanner.alerts.run_file import describe_kill, newest_key
from lanner.alerts.store_errors import DamagedError, StoreError, from_system
from lanner.alerts.store_format import DAY, LOCK_FILE, day_files, day_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.alert_record import AlertWithRecord
    from lanner.alerts.lock import StoreLock

_LOG: Final = logging.getLogger("lanner.outputs")

_NO_LIMITS: Final = Limits()
_RETAIN: Final = 10.0
"""Seconds between two checks of the retention. A new file leads to another one."""
_MOMENT: Final = 0.5
"""Seconds to wait for a reader that asks who writes the store."""
_AFTER_DAMAGE: Final = 1 << 31
"""The first id of a file that replaces a damaged one whose last id is unknown: higher, so that positions grow."""


class StoreWriter:
    """The writer of the store in `directory`, which is created with mode 0700 if it does not exist. One process may have it.

    For any thread. Raises StoreError, including for a newer or foreign file. `wait`: seconds to wait for a process that is about to end.
    """

    def __init__(self, directory: str | Path, limits: Limits = _NO_LIMITS, wait: float = 5.0) -> None:
        self.directory = Path(directory)
        self.kill = ""
        """Consequences of a kill of the last run; "" if it ended."""
        self._limits = limits
        self._retention = Retention(self.directory, limits)
        self._retain_at = 0.0
        self._using = threading.Lock()
        self._closed = False
        self._file: DayFile | None = None
        self._lock: StoreLock | None = None
        self._day = self._arrival_day = -1
        self._enter(wait)

    def write(self, alerts: Sequence[AlertWithRecord]) -> None:
        """Store the alerts, all of one day in one transaction. Raises StoredPartlyError."""
        begin = 0
        for end in range(1, len(alerts) + 1):
            if end < len(alerts) and _day_of(alerts[end]) == _day_of(alerts[begin]):
                continue
            try:
                with self._using:
                    self._write(_day_of(alerts[begin]), alerts[begin:end])
            except StoreError as error:
                raise StoredPartlyError(str(error), begin) from None
            begin = end

    def note(self, load: RunLoad) -> None:
        """Store a load of rules before its first alert. Raises StoreError."""
        with self._using:
            self._write(load.started // DAY, load)

    def retain(self) -> None:
        """Delete the oldest files beyond the limits of age and size, unless that was checked a moment ago."""
        with self._using:
            if not self._closed:
                self._retain()

    def close(self) -> None:
        """Close the store. A second call does nothing."""
        with self._using:
            if self._closed:
                return
            self._closed = True
            self._leave()
            if self._lock is not None:
                self._lock.close()

    def _enter(self, wait: float) -> None:
        """Create and lock the directory, and find its newest file. Raises StoreError."""
        try:
            self.directory.mkdir(0o700, parents=True, exist_ok=True)
            days = day_files(self.directory)
        except (OSError, ValueError) as error:
            raise from_system(error, self.directory) from None
        newest = max(days, default=-1)
        if days:
            check_header(days[newest])
        self._lock = lock_store(self.directory, wait)
        try:
            days = day_files(self.directory)  # again: the run before may have begun another file until it unlocked the store
        except (OSError, ValueError) as error:
            self._lock.close()
            raise from_system(error, self.directory) from None
        newest = max(days, default=-1)
        if self._lock.users == 1 and (said := describe_kill(self.directory, newest_key(days.get(newest)))):
            self.kill = said
            _LOG.warning("%s", said)
        self._day = self._arrival_day = newest

    def _leave(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _write(self, day: int, content: Sequence[AlertWithRecord] | RunLoad) -> None:
        """Store alerts or a load in the file for this day of arrival. Raises StoreError; the next call opens the file again."""
        if self._closed:
            raise StoreError(f"the alert store {self.directory} is closed: the run has ended")
        try:
            self._return_if_deleted()
            for attempt in range(2):
                file = self._file_of(day)
                try:
                    file.note(content) if isinstance(content, RunLoad) else file.write(content)
                    break
                except DamagedError as error:
                    self._leave()
                    if attempt:
                        raise
                    _set_aside(file.path, error)
                    self._file = DayFile(file.path, file.last + 1)
        except StoreError:
            self._leave()
            raise
        self._retain()

    def _return_if_deleted(self) -> None:
        """Begin a new file if the one in use was deleted or moved: SQLite would continue to write where no reader looks."""
        file = self._file
        if file is None or file.is_in_place():
            return
        _LOG.warning("the alert store's file %s was deleted or moved while Lanner wrote it: a new one is begun", file.path)
        self._leave()
        day = self._day
        if not (self.directory / LOCK_FILE).exists():
            if self._lock is not None:
                self._lock.close()
                self._lock = None
            self._enter(_MOMENT)
        self._day = max(self._day, day)
        self._file = DayFile(self.directory / day_name(self._day), file.last + 1)

    def _file_of(self, day: int) -> DayFile:
        """Return the file for alerts that arrive on this day. Raises StoreError."""
        if self._file is None and self._day >= 0:
            self._file = self._open(self._day)
            if self._file.last_arrival:
                self._arrival_day = self._file.last_arrival // DAY
        number, arrival_day = choose_day(self._day, self._arrival_day, day)
        if self._file is not None and number == self._day and 0 < self._limits.file_size < size_of(self._file.path):
            number += 1
        if self._file is None or number != self._day:
            new = self._open(number)
            self._leave()
            self._file, self._day = new, number
            self._retain_at = 0.0
        self._arrival_day = arrival_day  # not before: after an error the next call chooses the same file
        return self._file

    def _open(self, day: int) -> DayFile:
        path = self.directory / day_name(day)
        try:
            return DayFile(path)
        except DamagedError as error:
            _set_aside(path, error)
            return DayFile(path, _AFTER_DAMAGE)

    def _retain(self) -> None:
        if self._day >= 0 and time.monotonic() >= self._retain_at:
            self._retain_at = time.monotonic() + _RETAIN
            self._retention.apply(self._day)


def check_store(directory: Path, *, is_in_use: bool = False) -> None:
    """Raise the StoreError that `StoreWriter` would raise; one in use by another process is an error unless `is_in_use`.

    Creates nothing and does not wait.
    """
    try:
        parent = next(each for each in (directory, *directory.absolute().parents) if each.exists())
        _check_directory(parent)
        days = day_files(directory) if parent == directory else {}
    except (OSError, ValueError) as error:
        raise from_system(error, directory) from None
    if days:
        check_header(days[max(days)])
    if not is_in_use and find_writer(directory):
        raise make_lock_error(directory)


def _check_directory(path: Path) -> None:
    """Raise OSError if no file can be created in this directory."""
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(path, os.W_OK | os.X_OK):
        code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(code, os.strerror(code))


class StoredPartlyError(StoreError):
    """The first `stored` alerts are stored, the next one is not."""

    def __init__(self, message: str, stored: int) -> None:
        super().__init__(message)
        self.stored = stored


def choose_day(current: int, before: int, day: int) -> tuple[int, int]:
    """Return the day of the file for an alert, and the day of arrival to remember.

    `current` is the day of the newest file, `before` the remembered one, `day` that of the alert's arrival. A clock that is set back does
    not lead back to an older file. After a day in the future each real day still gets its own file, with the next later date.
    """
    if day > before:
        return (current if day == current else max(current + 1, day)), day
    return current, (day if day < before - 1 else before)


def _set_aside(path: Path, error: DamagedError) -> None:
    """Rename a damaged file. Raises StoreError if that fails."""
    aside = path.with_name(f"{path.name}.bad")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.bad{number}")
    try:
        for suffix in ("-wal", "-shm", ""):
            log = path.with_name(path.name + suffix)
            if log.exists():
                os.replace(log, aside.with_name(aside.name + suffix))  # noqa: PTH105 - beside its error
    except OSError as failure:
        raise from_system(failure, path) from None
    _LOG.warning("%s; it is kept as %s, and a new file is begun", error, aside)


def _day_of(alert: AlertWithRecord) -> int:
    return 0 if alert.record is None else alert.record.arrived // DAY
