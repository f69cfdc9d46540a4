"""Retention of a store: which files of earlier days are deleted, by their age and by the size of the store. A deletion is an unlink."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.alerts.store_format import DAY, day_files, day_name
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG: Final = logging.getLogger("lanner.outputs")

_ASIDE: Final = re.compile(r"alerts-[0-9-]{10}\.db\.bad[0-9]*")
_PARTS: Final = 4
"""A file gets at most this part of the size of the store, so that a deletion leaves most of the history."""
_LOGS: Final = ("", "-wal", "-shm")


class Limits(NamedTuple):
    """Age in days and size of a store in bytes; 0: no limit."""

    days: int = 0
    size: int = 0

    @property
    def file_size(self) -> int:
        """The size in bytes after which the next file begins; 0: no limit."""
        return self.size // _PARTS


class Retention:
    """The retention of the store in `directory`. For any thread."""

    def __init__(self, directory: Path, limits: Limits) -> None:
        self._directory, self._limits = directory, limits
        self._drift = _drift()
        self._said_drift = False
        self._failed: set[str] = set()

    def apply(self, current: int) -> list[Path]:
        """Delete files beyond the limits, the oldest first, but not the file of the day `current`. Return the deleted files.

        A file that cannot be deleted is logged once.
        """
        try:
            days = day_files(self._directory)
            others = [(day, path) for day, path in days.items() if day != current]
            found = [(_age_day(path), path) for path in self._directory.iterdir() if _ASIDE.fullmatch(path.name)]
            candidates = sorted(found) + others
        except OSError:  # the writer reports the error
            return []
        deleted = [path for day, path in candidates if self._is_old(day, path) and self._delete(path)]
        if self._limits.size:
            kept = [path for _, path in candidates if path not in deleted]
            size = sum(map(size_of, kept)) + size_of(self._directory / day_name(current))
            for path in kept:
                if size <= self._limits.size:
                    break
                its = size_of(path)
                if self._delete(path):
                    size -= its
                    deleted.append(path)
        return deleted

    def _is_old(self, day: int, path: Path) -> bool:
        """Return whether the alerts of a file are too old: by its date, or, if that is in the future, by its last change."""
        if not self._limits.days or self._is_set_forward():
            return False
        oldest = time.time_ns() // DAY - self._limits.days
        return min(day, _age_day(path)) < oldest

    def _is_set_forward(self) -> bool:
        """Return whether the clock was set forward by more than a day since the start, which must not delete the whole history."""
        ahead = (_drift() - self._drift) // DAY
        if ahead >= 1 and not self._said_drift:
            self._said_drift = True
            _LOG.warning(
                "the clock was set forward by %s: this run deletes no alerts by their age ($.lanner.store_output.retain_days)",
                many(ahead, "day"),
            )
        return ahead >= 1

    def _delete(self, path: Path) -> bool:
        try:
            _unlink(path)
        except FileNotFoundError:
            return True
        except OSError as error:
            if path.name not in self._failed:
                self._failed.add(path.name)
                _LOG.warning("cannot delete the alert store's file %s: %s; delete it yourself", path, error.strerror)
            return False
        for log in _LOGS[1:]:
            with suppress(OSError):
                path.with_name(path.name + log).unlink()
        _LOG.info("the alert store has deleted %s, by $.lanner.store_output.retain_days and max_size_mb", path)
        return True


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Size of a store on disk in bytes, its files (one a day), the files set aside as damaged, the first day (since 1970; -1: no file)."""

    bytes: int
    files: int
    damaged: int
    first_day: int


def measure_store(directory: Path) -> StoreSize:
    """Return the size of a store, with the damaged files in it. Raises OSError."""
    days = day_files(directory)
    damaged = [path for path in directory.iterdir() if _ASIDE.fullmatch(path.name)]
    return StoreSize(sum(map(size_of, [*days.values(), *damaged])), len(days), len(damaged), min(days, default=-1))


def _unlink(path: Path) -> None:
    """Delete a file. Another thread closes its last descriptor, as that frees the disk, which may take a second."""
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        path.unlink()
    finally:
        threading.Thread(target=os.close, args=(descriptor,), name="lanner-retention").start()


def size_of(path: Path) -> int:
    """Return the bytes on disk of a file of the store and its log."""
    return sum(_sizes(path))


def _sizes(path: Path) -> Iterator[int]:
    for log in _LOGS:
        with suppress(OSError):
            yield path.with_name(path.name + log).stat().st_size


def _age_day(path: Path) -> int:
    """Return the day of the last change of a file."""
    try:
        return path.stat().st_mtime_ns // DAY
    except OSError:
        return 1 << 40


def _drift() -> int:
    """Return the difference of the clock to one that is never set, in ns."""
    return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
