"""Lines of alerts into a file descriptor, whole and at once.

What went out is known line by line, so that whoever tries again repeats no alert and leaves none half written.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.outputs.base import OutputError


class LineWriter:
    """Writes lines to a descriptor; one that does not block is waited for. Bytes that are not UTF-8 leave as they came.

    `failed` makes the error for an OSError. Of a line that a failure cut in two the rest goes out first where the next call begins with it.
    """

    def __init__(self, failed: Callable[[OSError], Exception]) -> None:
        self._failed = failed
        self._rest: tuple[str, bytes] | None = None

    def write(self, descriptor: int, lines: Sequence[str]) -> None:
        """Write all lines. Raises what `failed` makes; an `OutputError` is told how many of them are out."""
        if not lines:
            return
        encoded = [line.encode("utf-8", "surrogateescape") + b"\n" for line in lines]
        if self._rest is not None and self._rest[0] == lines[0]:
            encoded[0] = self._rest[1]
        self._rest = None
        data = memoryview(b"".join(encoded))
        written = 0
        while written < len(data):
            try:
                written += os.write(descriptor, data[written:])
            except BlockingIOError:
                _wait_until_writable(descriptor)
            except OSError as error:
                raise self._told(self._failed(error), lines, encoded, written) from error

    def _told(self, error: Exception, lines: Sequence[str], encoded: Sequence[bytes], written: int) -> Exception:
        for place, line in enumerate(encoded):
            if written < len(line):
                if written:
                    self._rest = lines[place], line[written:]
                _set_delivered(error, place)
                break
            written -= len(line)
        return error


def _set_delivered(error: Exception | OutputError, count: int) -> None:
    if hasattr(error, "delivered"):
        error.delivered = count


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
