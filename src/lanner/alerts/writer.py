"""Writes alerts to a store: chooses the file of the day, and sets a damaged one aside."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.alerts.dayfile import DayFile, check_header
from lanner.alerts.errors import DamagedError, StoreError, of_system
from lanner.alerts.lock import find_writer, in_use, lock_store
from lanner.alerts.schema import DAY, day_files, day_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.record import Recorded, RunLoad

_LOG: Final = logging.getLogger("lanner.outputs")

_AFTER_DAMAGE: Final = 1 << 31
"""The first id of a file that replaces a damaged one whose last id is unknown: higher, so that positions grow."""


class StoreWriter:
    """The writer of the store in `directory`, which is created with mode 0700 if it does not exist. One process may have it.

    Used by one thread at a time. Raises StoreError, also for a newer or foreign file. `wait`: seconds to wait for a process that is about
    to end.
    """

    def __init__(self, directory: str | Path, wait: float = 5.0) -> None:
        self.directory = Path(directory)
        try:
            self.directory.mkdir(0o700, parents=True, exist_ok=True)
            days = day_files(self.directory)
        except (OSError, ValueError) as error:
            raise of_system(error, self.directory) from None
        self._day = self._arrival_day = max(days, default=-1)
        if days:
            check_header(days[self._day])
        self._lock = lock_store(self.directory, wait)
        self._closed = False
        self._file: DayFile | None = None

    def write(self, alerts: Sequence[Recorded]) -> None:
        """Store the alerts, all of one day in one transaction. Raises StoredPartlyError."""
        begin = 0
        for end in range(1, len(alerts) + 1):
            if end < len(alerts) and _day_of(alerts[end]) == _day_of(alerts[begin]):
                continue
            try:
                self._write(_day_of(alerts[begin]), alerts[begin:end])
            except StoreError as error:
                raise StoredPartlyError(str(error), begin) from None
            begin = end

    def note(self, load: RunLoad) -> None:
        """Store a load of rules before its first alert. Raises StoreError."""
        self._file_of(load.started // DAY).note(load)

    def close(self) -> None:
        """Close the store. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._file is not None:
            self._file.close()
        self._lock.close()

    def _write(self, day: int, alerts: Sequence[Recorded]) -> None:
        try:
            self._file_of(day).write(alerts)
        except DamagedError as error:
            self._set_aside(error)
            self._file_of(day).write(alerts)

    def _file_of(self, day: int) -> DayFile:
        """Return the file for alerts that arrive on this day. Raises StoreError."""
        if self._file is None and self._day >= 0:
            self._file = self._open(self._day)
            if self._file.last_arrival:
                self._arrival_day = self._file.last_arrival // DAY
        number, self._arrival_day = choose_day(self._day, self._arrival_day, day)
        if self._file is None or number != self._day:
            new = self._open(number)
            if self._file is not None:
                self._file.close()
            self._file, self._day = new, number
        return self._file

    def _open(self, day: int) -> DayFile:
        path = self.directory / day_name(day)
        try:
            return DayFile(path)
        except DamagedError as error:
            _set_aside(path, error)
            return DayFile(path, _AFTER_DAMAGE)

    def _set_aside(self, error: DamagedError) -> None:
        """Replace the damaged file in use."""
        file = self._file
        if file is None:  # it was replaced already
            raise error
        file.close()
        self._file = None
        _set_aside(file.path, error)
        self._file = DayFile(file.path, file.last + 1)


def check_store(directory: Path) -> None:
    """Raise the StoreError that `StoreWriter` would raise. Creates nothing and does not wait."""
    try:
        parent = next(each for each in (directory, *directory.absolute().parents) if each.exists())
        _check_directory(parent)
        days = day_files(directory) if parent == directory else {}
    except (OSError, ValueError) as error:
        raise of_system(error, directory) from None
    if days:
        check_header(days[max(days)])
    if find_writer(directory):
        raise in_use(directory)


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
        raise of_system(failure, path) from None
    _LOG.warning("%s. It is kept as %s, and a new file is begun", error, aside)


def _day_of(alert: Recorded) -> int:
    return 0 if alert.record is None else alert.record.arrived // DAY
