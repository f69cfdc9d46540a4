"""Lines of alerts into a file descriptor, whole and at once.

What went out is known line by line, so that whoever tries again repeats no alert and leaves none half written.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from typing import TYPE_CHECKING

from lanner.outputs.base import OutputError
from lanner.sdk.text import to_bytes_leniently

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class LineWriter:
    """Writes lines to a descriptor; one that does not take them at once is waited for.

    `failed` makes the error for an OSError. A line that a failure cut in two is taken out of a file again; where that cannot be, as in a
    pipe, the rest of it goes out first when the next call begins with it.
    """

    def __init__(self, failed: Callable[[OSError], Exception]) -> None:
        self._failed = failed
        self._rest: tuple[str, bytes, int] | None = None  # of a line, with how many bytes of it are out
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._interrupted = False

    def __del__(self) -> None:
        # not before: another thread may be waiting on it
        if "_wake" in self.__dict__:
            os.close(self._wake)

    def interrupt(self) -> None:
        """End a wait, from another thread, and refuse whatever comes later."""
        self._interrupted = True
        os.eventfd_write(self._wake, 1)

    def forget(self) -> int:
        """Have done with a line that was cut, as its reader has gone. Gives how many bytes of it are out."""
        rest, self._rest = self._rest, None
        return rest[2] if rest else 0

    def write(self, descriptor: int, lines: Sequence[str], patience: float | None = None) -> None:
        """Write all lines, each of them within `patience` seconds if it is given.

        Raises what `failed` makes; an `OutputError` is told how many of them are out.
        """
        if not lines:
            return
        outgoing = [to_bytes_leniently(line) + b"\n" for line in lines]
        if self._rest is not None and self._rest[0] == lines[0]:
            outgoing[0] = self._rest[1]
        self._rest = None
        data = memoryview(b"".join(outgoing))
        # a pipe that can be written to takes so much without a wait that nobody could end
        most = len(data) if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
        written = whole = begun = 0  # bytes, lines that are out, bytes of the next one
        deadline = _after(patience)
        try:
            while written < len(data):
                self._wait(descriptor, deadline)
                try:
                    count = os.write(descriptor, data[written : written + most])
                except BlockingIOError:
                    continue
                written, begun = written + count, begun + count
                while whole < len(outgoing) and begun >= len(outgoing[whole]):
                    begun, whole, deadline = begun - len(outgoing[whole]), whole + 1, _after(patience)
        except OSError as error:
            if begun and not _taken_back(descriptor, begun):
                self._rest = lines[whole], outgoing[whole][begun:], begun
            failure = error if isinstance(error, OutputError) else self._failed(error)
            if isinstance(failure, OutputError):
                failure.delivered = whole
            try:
                raise failure from None
            finally:
                del failure  # it knows this frame, which would know it

    def _wait(self, descriptor: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        poll.register(self._wake, select.POLLIN)
        ready = poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000)
        if self._interrupted:
            raise OutputError("nobody takes the alerts, and the run has ended")
        if not ready:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _after(patience: float | None) -> float | None:
    return None if patience is None else time.monotonic() + patience


def _taken_back(descriptor: int, count: int) -> bool:
    """Whether so many bytes could be taken off a file's end."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        os.ftruncate(descriptor, max(0, status.st_size - count))
    except OSError:
        return False
    return True
