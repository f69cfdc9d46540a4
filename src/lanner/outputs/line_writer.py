"""Writes lines of alerts to a file descriptor, whole and without delay.

Progress is known line by line, so that a retry neither repeats an alert nor leaves one incomplete.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from typing import TYPE_CHECKING

from lanner.outputs.base import OutputError
from lanner.sdk.text.encoding import to_bytes_leniently

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class LineWriter:
    """Writer of lines to a descriptor, which waits if the descriptor does not accept them at once.

    `failed` creates the error for an OSError. A partial line is truncated from a file; if that is impossible, as in a
    pipe, the rest is written first when the next call begins with the same line.
    """

    def __init__(self, failed: Callable[[OSError], Exception]) -> None:
        self._failed = failed
        self._rest: tuple[str, bytes, int] | None = None  # of a line, with the number of bytes written
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._interrupted = False

    def __del__(self) -> None:
        # not earlier: another thread may be waiting on it
        if "_wake" in self.__dict__:
            os.close(self._wake)

    def interrupt(self) -> None:
        """End a wait, from another thread, and reject later writes."""
        self._interrupted = True
        os.eventfd_write(self._wake, 1)

    def forget(self) -> int:
        """Forget a partial line, because its reader has closed. Return how many bytes of it were written."""
        rest, self._rest = self._rest, None
        return rest[2] if rest else 0

    def write(self, descriptor: int, lines: Sequence[str], patience: float | None = None) -> None:
        """Write all lines, each within `patience` seconds if given.

        Raises what `failed` creates; an `OutputError` gets the number of written lines.
        """
        if not lines:
            return
        outgoing = [to_bytes_leniently(line) + b"\n" for line in lines]
        if self._rest is not None and self._rest[0] == lines[0]:
            outgoing[0] = self._rest[1]
        self._rest = None
        data = memoryview(b"".join(outgoing))
        # a writable pipe accepts this much without a wait
        most = len(data) if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
        written = whole = begun = 0  # bytes, written lines, bytes of the next one
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
            if begun and not _take_back(descriptor, begun):
                self._rest = lines[whole], outgoing[whole][begun:], begun
            failure = error if isinstance(error, OutputError) else self._failed(error)
            if isinstance(failure, OutputError):
                failure.delivered = whole
            try:
                raise failure from None
            finally:
                del failure  # a reference cycle with this frame

    def _wait(self, descriptor: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        poll.register(self._wake, select.POLLIN)
        ready = poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000)
        if self._interrupted:
            raise OutputError("the alerts are not accepted any more: the run has ended")
        if not ready:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _after(patience: float | None) -> float | None:
    return None if patience is None else time.monotonic() + patience


def _take_back(descriptor: int, count: int) -> bool:
    """Return whether that many bytes could be truncated from the end of a file."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        os.ftruncate(descriptor, max(0, status.st_size - count))
    except OSError:
        return False
    return True
