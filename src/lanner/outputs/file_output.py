"""Alerts appended to a file."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final, NoReturn

from lanner.outputs.base import OutputError
from lanner.outputs.line_writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lanner.outputs.base import Alert

_ADVICE: Final = {
    errno.ENOENT: "create its directory first",
    errno.EACCES: "choose a file that you may write, or change its permissions",
    errno.EROFS: "choose a file on a file system that can be written",
    errno.EISDIR: "name a file in it",
    errno.ENXIO: "it is a socket, or a pipe without a reader: start its reader first",
    errno.ENOSPC: "free space on the device, or choose another one",
    errno.EDQUOT: "free space within your quota, or choose another file system",
}


class FileOutput:
    """A `Sink` that appends to the file at `path` and creates it if it does not exist. Raises OutputError if that fails.

    Without `keep_alive` the file is reopened for each batch of alerts, so that a moved file (logrotate) is created again.
    """

    name = "file_output"
    batch_size = 1
    wants_records = False

    def __init__(self, path: str | Path, *, keep_alive: bool = True) -> None:
        self._path = os.fspath(path)
        self._keep_alive = keep_alive
        self._descriptor: int | None = self._open()
        self._writer = LineWriter(self._failure)

    def send(self, alerts: Sequence[Alert]) -> None:
        """Append the alerts. Raises OutputError if the device is full."""
        assert self._descriptor is not None
        if not self._keep_alive:
            self.reopen()
        self._writer.write(self._descriptor, [alert.line for alert in alerts])

    def reopen(self) -> None:
        """Continue with the file that is now at the path."""
        assert self._descriptor is not None
        again = self._open()
        os.dup2(again, self._descriptor, inheritable=False)
        os.close(again)

    def interrupt(self) -> None:
        """See `Sink`."""
        self._writer.interrupt()

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            # alerts contain text from events. A pipe without a reader must not block the start
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        except (OSError, ValueError) as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError | ValueError) -> OutputError:
        return _failure(self._path, error)


def check_file(path: str) -> None:
    """Raise OutputError if `FileOutput` could not open this file now. Creates nothing, and does not open a pipe."""
    try:
        target = os.path.realpath(path)
        if path.endswith("/") or os.path.isdir(target):  # noqa: PTH112 - it is a string
            _refuse(errno.EISDIR)
        if os.path.exists(target):  # noqa: PTH110
            writable = os.access(target, os.W_OK)
        else:
            target = os.path.dirname(target)  # noqa: PTH120
            if not stat.S_ISDIR(os.stat(target).st_mode):  # noqa: PTH116
                _refuse(errno.ENOTDIR)
            writable = os.access(target, os.W_OK | os.X_OK)
        if not writable:
            _refuse(errno.EROFS if os.statvfs(target).f_flag & os.ST_RDONLY else errno.EACCES)
    except (OSError, ValueError) as error:
        raise _failure(path, error) from error


def _refuse(code: int) -> NoReturn:
    raise OSError(code, os.strerror(code))


def _failure(path: str, error: OSError | ValueError) -> OutputError:
    if not isinstance(error, OSError):
        return OutputError(f"cannot write alerts to {path!r}: {error}")
    advice = _ADVICE.get(error.errno or 0)
    return OutputError(f"cannot write alerts to {path}: {error.strerror}{f'; {advice}' if advice else ''}")
