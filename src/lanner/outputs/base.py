"""What an output is, and the buffered file descriptor under those that write lines.

Lines of alerts (`str`, without their newline) go in. Which alerts there are, and when the host flushes, is not decided here.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final, Protocol

from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable

_BUFFER_BYTES: Final = 1 << 16


class OutputError(LannerError, OSError):
    """Alerts cannot be written where they should go."""


class OutputClosedError(LannerError, BrokenPipeError):
    """Whoever read the alerts has gone (`| head`): nothing is wrong, and there is nothing more to do."""


class Output(Protocol):
    """Where alerts go. Lines may be kept back until `flush`; `write` and `flush` raise OutputError or OutputClosedError."""

    def write(self, line: str) -> None:
        """Take one alert, without a newline at its end."""

    def flush(self) -> None:
        """Hand over all that was taken; the host calls it after each batch and before it waits."""

    def close(self) -> None:
        """Flush and let go; a second call does nothing."""


class LineWriter:
    """Lines into a file descriptor, one write for many lines. Bytes that are not UTF-8 leave as they came.

    `failed` makes the error for an OSError. What cannot be written is forgotten, so that `close` after a failure is quiet.
    """

    def __init__(self, descriptor: int, failed: Callable[[OSError], Exception]) -> None:
        self._descriptor = descriptor
        self._failed = failed
        self._lines: list[str] = []
        self._size = 0

    def write(self, line: str) -> None:
        """Take one line; a full buffer is flushed."""
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size >= _BUFFER_BYTES:
            self.flush()

    @property
    def pending(self) -> bool:
        """Whether there are lines to write."""
        return bool(self._lines)

    def flush(self) -> None:
        """Write all lines; a descriptor that does not block is waited for."""
        if not self._lines:
            return
        self._lines.append("")
        data = memoryview("\n".join(self._lines).encode("utf-8", "surrogateescape"))
        self._lines.clear()
        self._size = 0
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                _wait_until_writable(self._descriptor)
            except OSError as error:
                raise self._failed(error) from error


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
