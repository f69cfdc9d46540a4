"""Read and write whole files that a user has named. Names of pipes or devices cannot make it hang or exhaust the memory."""

from __future__ import annotations

import errno
import os
import select
import stat
import time

from lanner.sdk.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from typing import Final

_PIECE: Final = 1 << 20
_PATIENCE: Final = 5.0
_MOST: Final = 16 << 20
_NULL: Final = os.makedev(1, 3)


class TooLargeError(OSError):
    """The file exceeds the size limit."""


def read_whole(path: str | PathLike[str], most: int, patience: float = _PATIENCE, *, pipes: bool = True) -> bytes:
    """Return the content of a file, or of a pipe that is written and closed within `patience` seconds, as in `<(command)`.

    Raises OSError, whose `strerror` describes the problem. A device, a pipe without a writer (any pipe, if not `pipes`), and more
    than `most` bytes are errors, too.
    """
    try:
        # without O_NONBLOCK, opening a pipe without a writer would block
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a socket, not a regular file") from None
        raise
    except ValueError as error:  # a null byte in the name
        raise OSError(errno.EINVAL, str(error)) from None
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode) or status.st_rdev == _NULL):
            if stat.S_ISDIR(status.st_mode):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            raise OSError(errno.EINVAL, "it is a device, not a regular file")
        if stat.S_ISFIFO(status.st_mode) and not pipes:
            raise OSError(errno.EINVAL, "it is a pipe, not a regular file")
        return _read(descriptor, most, time.monotonic() + patience, is_pipe=stat.S_ISFIFO(status.st_mode))
    finally:
        os.close(descriptor)


def write_whole(path: str | PathLike[str], content: bytes) -> None:
    """Write a file, or a pipe that another process reads. Raises OSError, including for a pipe without a reader, which would block."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe that no process reads, or a socket") from None
        raise
    except ValueError as error:  # a null byte in the name
        raise OSError(errno.EINVAL, str(error)) from None
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def check_regular(path: str | PathLike[str], most: int = _MOST) -> None:
    """Raise OSError as `read_whole` does, and for any pipe: call it before a library opens the file and would block."""
    read_whole(path, most, pipes=False)


def check_apart(written: Iterable[tuple[str, str | int]], read: Iterable[tuple[str, str | int]]) -> None:
    """Raise `UsageError` if a command would write to a file that it reads, under any name.

    A file is a path or a descriptor. With each of `written` comes its option, with each of `read` its use ("reads the recording").
    """
    inputs: dict[tuple[int, int] | str, tuple[str, str | int]] = {}
    for what, path in read:
        if identity := _identify(path):
            inputs.setdefault(identity, (what, path))
    for option, path in written:
        if found := inputs.get(_identify(path) or ""):
            what, known = found
            name = f"{what} {known}" if isinstance(known, str) else what
            other = f", as {path}" if isinstance(path, str) and path != known else ""
            raise UsageError(f"this command {name}, and would also write to it{other} ({option}): name another file")


def _identify(file: str | int) -> tuple[int, int] | str:
    """Return what all names of a regular file have in common: its path if it does not exist. "": it is of another kind."""
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return os.path.realpath(file) if isinstance(file, str) else ""
    except (OSError, ValueError):  # opening it reports the error
        return ""
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else ""


def _read(descriptor: int, most: int, deadline: float, *, is_pipe: bool) -> bytes:
    content = bytearray()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        if is_pipe and not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise OSError(errno.ETIMEDOUT, "it is a pipe that no process has written and closed in time")
        data = os.read(descriptor, min(_PIECE, most + 1 - len(content)))
        content += data
        if len(content) > most:
            raise TooLargeError(errno.EFBIG, f"it is larger than {f'{most >> 20} MiB' if most >> 20 else f'{most >> 10} KiB'}")
        if not data:
            return bytes(content)
