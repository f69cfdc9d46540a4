"""Alerts to a file, at its end."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from lanner.outputs.base import LineWriter, OutputError

if TYPE_CHECKING:
    from pathlib import Path

_ADVICE = {
    errno.ENOENT: "create its directory first",
    errno.EACCES: "choose a file that you may write, or change its permissions",
    errno.EROFS: "choose a file on a file system that can be written",
    errno.EISDIR: "name a file in it",
    errno.ENOSPC: "make room on the device, or choose another one",
    errno.EDQUOT: "make room within your quota, or choose another file system",
}


class FileOutput:
    """An `Output` that appends to the file at `path` and creates it where there is none. OutputError if that cannot be.

    Without `keep_alive` the file is opened again for each flush, so that one that was moved away (logrotate) is made anew.
    """

    def __init__(self, path: str | Path, *, keep_alive: bool = True) -> None:
        self._path = os.fspath(path)
        self._keep_alive = keep_alive
        self._descriptor: int | None = self._open()
        self._writer = LineWriter(self._descriptor, self._failure)

    def write(self, line: str) -> None:
        """Take one alert."""
        self._writer.write(line)

    def flush(self) -> None:
        """Write what was taken. OutputError if the device is full."""
        if not self._keep_alive and self._descriptor is not None and self._writer.pending:
            again = self._open()
            os.dup2(again, self._descriptor, inheritable=False)
            os.close(again)
        self._writer.flush()

    def close(self) -> None:
        """Write what was taken and close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            self._writer.flush()
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise self._failure(error) from error
        except ValueError as error:
            raise OutputError(f"cannot write alerts to {self._path!r}: {error}") from error

    def _failure(self, error: OSError) -> OutputError:
        advice = _ADVICE.get(error.errno or 0)
        return OutputError(f"cannot write alerts to {self._path}: {error.strerror}{f'; {advice}' if advice else ''}")
