"""The host's position in each engine's events, in a file: commits are written, the last keys of each engine are read.

The file is replaced atomically, at most once per interval, by a separate thread, so that a slow disk blocks no other thread. An
unreadable file is set aside, and the run begins without it. As the file is replaced, the run locks a second file, `.lock`.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from lanner import SourceError, read_whole
from lanner.docker.log import log
from lanner.docker.window import KEPT, NOWHERE, LastKeys, Position, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lanner.docker.buffer import Counters

_VERSION: Final = 1
_MOST_BYTES: Final = 64 * 1024 * 1024
_LEAVE_AFTER: Final = 5.0
_ID: Final = re.compile(r"(\d{1,19})-([0-9a-f]{16})", re.ASCII)


class _Version(msgspec.Struct):
    version: int


class _Position(msgspec.Struct):
    last: int
    ids: list[str]
    since: int = 0


class _File(msgspec.Struct):
    version: int
    hosts: dict[str, _Position]


class Cursor:
    """The file at `path`, for the engines of these labels; the positions of other engines are kept.

    Raises `SourceError` if no file can be written there, or another run uses it.
    """

    def __init__(self, path: str, interval: float, labels: Iterable[str], counters: Counters) -> None:
        self._path = os.path.realpath(os.path.expanduser(path))
        self._new = self._path + ".tmp"
        self._interval = interval
        self._counters = counters
        self._failing = self._closed = False
        self._state = threading.Lock()
        self._writing = threading.Lock()
        self._changed, self._closing = threading.Event(), threading.Event()
        self._check_directory()
        self._lock = _locked(self._path)
        self.damaged_at: int | None = None
        """When the file was last written, ns since 1970, if it could not be read; else None."""
        try:
            found = dict.fromkeys(labels, NOWHERE) | self._read()
        except SourceError:
            os.close(self._lock)
            raise
        self._positions = {label: (LastKeys(keys), since) for label, (keys, since) in found.items()}
        # only after the first commit: a run that fails at once leaves another run's file unchanged
        self._thread = threading.Thread(target=self._run, name="lanner-docker-cursor", daemon=True)
        self._thread.start()

    def position(self, label: str) -> Position:
        """Return the host's position for an engine."""
        with self._state:
            keys, since = self._positions[label]
            return Position(keys.make(), since)

    def advance(self, positions: Mapping[str, tuple[LastKeys, int]]) -> None:
        """Record events processed by the host, and the times that the queries began from. After close() it is written at once."""
        with self._state:
            for label, (later, since) in positions.items():
                keys, _ = self._positions[label]
                keys.extend(later)
                self._positions[label] = keys, since
        self._changed.set()

    def flush(self) -> None:
        """Write unwritten changes now."""
        self._write_changes()

    def close(self) -> None:
        """Write unwritten changes."""
        self._closed = True
        self._closing.set()
        self._changed.set()
        self._thread.join(_LEAVE_AFTER)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _run(self) -> None:
        closing = False
        while not closing:
            self._changed.wait()
            # read before the write: commits during the write need another write
            closing = self._closing.wait(self._interval)
            self._write_changes()

    def _write_changes(self) -> None:
        with self._writing:
            if not self._changed.is_set():
                return
            self._changed.clear()
            try:
                self._write()
            except OSError as error:
                self._counters.add("cursor writes failed")
                if not self._failing:
                    log().warning(
                        "cannot write the cursor %s: %s; it is tried again, and until then a restart repeats events",
                        self._path,
                        error.strerror,
                    )
                self._failing = True
                if not self._closed:
                    self._changed.set()
            else:
                self._failing = False

    def _write(self) -> None:
        with self._state:
            hosts = {
                label: _Position(time_of(made[-1]), [f"{time_of(key)}-{key & 0xFFFF_FFFF_FFFF_FFFF:016x}" for key in made], since)
                for label, (keys, since) in self._positions.items()
                if (made := keys.make())
            }
        if not hosts:
            return
        text = msgspec.json.encode(_File(_VERSION, hosts))
        descriptor = self._open_new()
        try:
            with open(descriptor, "wb") as file:
                file.write(text + b"\n")
                file.flush()
                os.fsync(descriptor)
            os.rename(self._new, self._path)
        except OSError:
            os.unlink(self._new)
            raise
        directory = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _open_new(self) -> int:
        # left by a run that was killed while writing; never follow a link that another user has created there
        with suppress(FileNotFoundError):
            os.unlink(self._new)
        return os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def _check_directory(self) -> None:
        try:
            os.close(self._open_new())
            os.unlink(self._new)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(
                f"cannot write the cursor {self._path}: {said.lower()}; `cursor` is a file in a directory that Lanner may write to"
            ) from None
        if os.path.isdir(self._path):
            raise SourceError(f"cannot write the cursor {self._path}: it is a directory; `cursor` is a file")

    def _read(self) -> dict[str, Position]:
        try:
            return _decode(read_whole(self._path, _MOST_BYTES, pipes=False))
        except FileNotFoundError:
            return {}
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        except (ValueError, RecursionError) as error:
            reason = str(error)
        self.damaged_at = _written_at(self._path)
        self._set_aside(reason)
        return {}

    def _set_aside(self, reason: str) -> None:
        aside = self._path + ".bad"
        try:
            os.replace(self._path, aside)
        except OSError as error:
            raise SourceError(
                f"cannot read the cursor {self._path} ({reason}), nor set it aside ({error.strerror}): move it away, or see to its rights"
            ) from None
        log().warning(
            "cannot read the cursor %s: %s. It is kept as %s; Lanner begins without it, and events since it was written may be missing. "
            "Look through what happened since then, and delete the file",
            self._path,
            reason,
            aside,
        )


def _locked(path: str) -> int:
    """Return a descriptor that locks the cursor while it is open."""
    try:
        descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SourceError(f"cannot lock the cursor {path}: {path}.lock: {(error.strerror or str(error)).lower()}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SourceError(f"the cursor {path} is in use by another run of the plugin: configure a different `cursor` for each") from None
    return descriptor


def _written_at(path: str) -> int:
    """Return when a file was last written, ns since 1970; now, if it is not a regular file."""
    with suppress(OSError):
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            return status.st_mtime_ns
    return time.time_ns()


def _decode(text: bytes) -> dict[str, Position]:
    """Return the positions by label. Raises `ValueError` with the problem."""
    if len(text) > _MOST_BYTES:
        raise ValueError("it is too large for a cursor")
    version = msgspec.json.decode(text, type=_Version).version
    if version != _VERSION:
        raise ValueError(f"it has version {version}, but this Lanner only supports version {_VERSION}")
    found = msgspec.json.decode(text, type=_File)
    return {label: Position([_key(name) for name in each.ids][-KEPT:], max(0, each.since)) for label, each in found.hosts.items()}


def _key(name: str) -> int:
    parts = _ID.fullmatch(name)
    if parts is None:
        raise ValueError(f"{name[:60]!r} is not an event's id")
    return int(parts[1]) << 64 | int(parts[2], 16)
