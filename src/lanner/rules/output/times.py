"""An event's time as Falco prints it, from nanoseconds since 1970.

Local times use the offset of the time zone (TZ) at the event's own time, so that a replay prints the same today and
after the next clock change. Falco uses the offset at the time of printing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND: Final = 1_000_000_000


class Clock:
    """A callable from nanoseconds to `<the second's text>.<nine digits>`, for any thread. It caches the text of the last second."""

    __slots__ = ("_known", "_shape")

    def __init__(self, shape: Callable[[int], str]) -> None:
        self._shape = shape
        self._known = (0, 0, "")  # from, to (exclusive), the text

    def __call__(self, timestamp: int) -> str:
        begin, end, text = self._known
        if begin <= timestamp < end:
            return text + str(timestamp)[-9:]
        second, fraction = divmod(timestamp, SECOND)
        text = self._shape(second) + "."
        if second:  # before the first second is over, a time has fewer digits
            self._known = second * SECOND, (second + 1) * SECOND, text
        return f"{text}{fraction:09}"


def local_time(second: int) -> str:
    """Return `22:13:20`."""
    return time.strftime("%H:%M:%S", time.localtime(second))


def local_datetime(second: int) -> str:
    """Return `2023-11-14 22:13:20`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def utc_datetime(second: int) -> str:
    """Return `2023-11-14T22:13:20`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
