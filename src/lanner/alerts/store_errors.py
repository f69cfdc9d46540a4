"""Errors of an alert store, with the file and what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from pathlib import Path


class StoreError(LannerError):
    """The store cannot be written or read: what, where, what to do."""


class DamagedError(StoreError):
    """A file of the store is damaged. The message has no advice: the writer replaces the file, a reader cannot."""


class NoDirectoryError(StoreError):
    """The path of a store leads to a file."""


_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, or lower $.lanner.store_output.max_size_mb",
    sqlite3.SQLITE_READONLY: "it cannot be written: check its owner and mode, and whether the file system is read-only",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the owner and mode of the file and its directory",
    sqlite3.SQLITE_PERM: "it cannot be opened: check its owner and mode",
    sqlite3.SQLITE_BUSY: "another process has locked it, such as sqlite3: end that process",
    sqlite3.SQLITE_LOCKED: "another process has locked it, such as sqlite3: end that process",
    sqlite3.SQLITE_IOERR: "an input/output error: check the disk",
}
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SYSTEM: Final = {
    errno.EACCES: "choose a directory that this user may write, or change its permissions",
    errno.EPERM: "choose a directory that this user may write, or change its permissions",
    errno.EROFS: "choose a directory on a file system that can be written",
    errno.ENOSPC: "free some space on the disk, or choose another one",
    errno.EDQUOT: "free some space within your quota, or choose another file system",
    errno.ENOTDIR: "choose a directory: a part of this path is a file",
    errno.EEXIST: "choose a directory: this is a file",
    errno.ELOOP: "choose another directory: this is a loop of links",
    errno.ENAMETOOLONG: "choose a shorter path",
}


def from_sqlite(error: sqlite3.Error, path: Path) -> StoreError:
    """Return the error of the store for one of SQLite in this file."""
    code = primary_code(error)
    if code in _DAMAGE:
        return DamagedError(f"the alert store {path} is damaged ({error})")
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and is_full(path):
        code = sqlite3.SQLITE_FULL
    return StoreError(f"cannot use the alert store {path}: {_ADVICE.get(code, str(error))}")


def from_system(error: OSError | ValueError, path: Path) -> StoreError:
    """Return the error of the store for a failed system call on this path."""
    if not isinstance(error, OSError):
        return StoreError(f"cannot use the alert store {str(path)!r}: {error}")
    advice = _SYSTEM.get(error.errno or 0, "")
    return StoreError(f"cannot use the alert store {path}: {error.strerror}{f'; {advice}' if advice else ''}")


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; SQLITE_CORRUPT for an error without one, such as text that cannot be decoded."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF


def is_full(path: Path) -> bool:
    """Return whether the disk of this path has no room."""
    with suppress(OSError):
        return os.statvfs(path if path.is_dir() else path.parent).f_bavail == 0
    return False
