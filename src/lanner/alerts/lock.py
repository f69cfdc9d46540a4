"""The lock of a store: one process writes it. A file with the process's number and command line, locked with flock(2)."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.alerts.store_errors import StoreError, from_system
from lanner.alerts.store_format import LOCK_FILE
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from typing import TypeAlias

    Place: TypeAlias = tuple[int, int]

_POLL: Final = 0.05
_MOST_BYTES: Final = 4096

# the locks of this process: a reload creates the next sink before it closes the one before, and both share the lock
_held: dict[Place, StoreLock] = {}


class StoreLock:
    """A lock of the store in `directory`, held until `close`. `lock_store` makes it."""

    def __init__(self, descriptor: int, place: Place) -> None:
        self._descriptor, self._place = descriptor, place
        self.users = 1

    def close(self) -> None:
        """Unlock the store when its last user in this process closes it."""
        self.users -= 1
        if not self.users:
            del _held[self._place]
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)


def lock_store(directory: Path, wait: float = 5.0) -> StoreLock:
    """Lock the store; wait that many seconds for a process that is about to end. Raises StoreError that names the other process."""
    path = directory / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise from_system(error, path) from None
    status = os.fstat(descriptor)
    place = status.st_dev, status.st_ino
    if place in _held:
        os.close(descriptor)
        _held[place].users += 1
        return _held[place]
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(descriptor)
                raise make_lock_error(directory) from None
            time.sleep(_POLL)
        except OSError as error:
            os.close(descriptor)
            raise from_system(error, path) from None
    with suppress(OSError):  # a full disk: the lock holds without its description
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _about_this_process(), 0)
    _held[place] = StoreLock(descriptor, place)
    return _held[place]


def make_lock_error(directory: Path) -> StoreError:
    """Return the error about a store that another process writes."""
    return StoreError(
        f"the alert store {directory} is in use by {find_writer(directory) or 'another process'}: end it, or choose another directory "
        "($.lanner.store_output.path)"
    )


def find_writer(directory: Path) -> str:
    """Return the process that writes the store, as `process 12 (lanner run docker)`; "" if none does. Never waits."""
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, command = os.pread(descriptor, _MOST_BYTES, 0).decode("utf-8", "replace").partition(" ")
        return printable_line(f"process {pid} ({command})" if pid.isdecimal() else "another process")
    except OSError:
        return ""
    else:
        return ""
    finally:
        os.close(descriptor)


def _about_this_process() -> bytes:
    words = b""
    with suppress(OSError):
        words = b" ".join(Path("/proc/self/cmdline").read_bytes().split(b"\0")).strip()
    return b"%d %s" % (os.getpid(), words[: _MOST_BYTES // 2])
