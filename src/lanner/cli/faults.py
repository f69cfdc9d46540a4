"""Faults of the machine that a command met where nothing closer knew them: what they are, and what to do."""

from __future__ import annotations

import errno
import os
from typing import Final

_ADVICE: Final = {
    errno.EMFILE: "the process may open too few files: raise the limit (ulimit -n, or LimitNOFILE= of the service)",
    errno.ENFILE: "this machine has no more files to open: see fs.file-max",
    errno.ENOSPC: "make room on the device",
    errno.EDQUOT: "make room within your quota",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: "change its permissions, or run as a user who may",
    errno.EPERM: "run as a user who may",
    errno.ENOMEM: "the machine has too little memory",
    errno.EAGAIN: "the user may start too few processes: raise the limit (ulimit -u, or TasksMax= of the service)",
}


def describe_fault(error: BaseException) -> str:
    """Return a message for a fault of the machine, "" for any other error."""
    if isinstance(error, MemoryError):
        return "out of memory: give the process more, or less to do"
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return f"cannot start a thread: {_ADVICE[errno.EAGAIN]}"
    if isinstance(error, FileNotFoundError) and not _has_directory():
        return "the working directory no longer exists: change to another one"
    if isinstance(error, OSError) and error.errno:
        named = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        where = f"{', '.join(named)}: " if named else ""
        advice = _ADVICE.get(error.errno)
        return f"{where}{os.strerror(error.errno).lower()}{f'; {advice}' if advice else ''}"
    return ""


def _has_directory() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - to see whether it fails
    except OSError:
        return False
    return True
