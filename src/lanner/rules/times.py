"""An event's time as Falco prints it: nanoseconds since 1970 in, texts out.

Local times use the offset that the time zone (TZ) has at the event's own time, so that a replay prints the same today and
after the next change of the clocks; Falco takes the offset of the moment at which it prints.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND: Final = 1_000_000_000


class Clock:
    """A callable from nanoseconds to `<the second's text>.<nine digits>`; the text of a second is kept while it lasts."""

    __slots__ = ("_second", "_shape", "_text")

    def __init__(self, shape: Callable[[int], str]) -> None:
        self._shape = shape
        self._second = ""
        self._text = ""

    def __call__(self, timestamp: int) -> str:
        digits = str(timestamp).zfill(10)
        if digits[:-9] != self._second:
            self._second = digits[:-9]
            self._text = self._shape(int(self._second)) + "."
        return self._text + digits[-9:]


def local_time(second: int) -> str:
    """`22:13:20`."""
    return time.strftime("%H:%M:%S", time.localtime(second))


def local_datetime(second: int) -> str:
    """`2023-11-14 22:13:20`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def utc_datetime(second: int) -> str:
    """`2023-11-14T22:13:20`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
