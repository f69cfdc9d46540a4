"""Messages for system errors that no other code has handled: the error and the fix."""

from __future__ import annotations

import errno
import os
from typing import Final

_ADVICE: Final = {
    errno.EMFILE: "the process has reached its limit of open files: raise it (ulimit -n, or LimitNOFILE= of the service)",
    errno.ENFILE: "this machine has reached its limit of open files: see fs.file-max",
    errno.ENOSPC: "free space on the device",
    errno.EDQUOT: "free space within your quota",
    errno.EROFS: "choose a writable place",
    errno.EACCES: "change its permissions, or run as a user with access",
    errno.EPERM: "run as a user with this permission",
    errno.ENOMEM: "the machine has too little memory",
    errno.EAGAIN: "the user has reached the limit of processes: raise it (ulimit -u, or TasksMax= of the service)",
}


def describe_fault(error: BaseException) -> str:
    """Return a message for a system error, or "" for any other error."""
    if isinstance(error, MemoryError):
        return "out of memory: give the process more memory, or less work"
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
