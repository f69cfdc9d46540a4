"""Progress bar of a long replay on standard error: bytes, events per second, alerts.

It appears after one second, and only if standard error is a terminal that supports drawing and alerts do not go to a terminal:
alerts and bar would overwrite each other.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.terminal import can_draw
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_AFTER: Final = 1.0
_EVERY: Final = 0.1
_STDOUT: Final = 1


class Progress:
    """Bar for a replay of `total` bytes (None: unknown). `prints`: alerts go to standard output."""

    def __init__(self, total: int | None, *, prints: bool = False, after: float = _AFTER) -> None:
        self._total = total
        self._bytes = self._events = self._alerts = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._begin = time.monotonic()
        self._next = self._begin + after if _is_wanted(prints=prints) else float("inf")

    def advance(self, size: int, events: int, alerts: int) -> None:
        """Add to the counters. Cheap: the bar is drawn at most ten times per second."""
        self._bytes += size
        self._events += events
        self._alerts += alerts
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._draw(now - self._begin)

    def close(self) -> None:
        """Remove the bar and restore the terminal."""
        self._next = float("inf")
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _draw(self, seconds: float) -> None:
        if self._bar is None:
            self._bar = _new_bar()
            self._task = self._bar.add_task("replay", total=self._total, rate="", alerts="")
            self._bar.start()
        assert self._task is not None
        rate = round(self._events / max(seconds, _EVERY))
        self._bar.update(self._task, completed=self._bytes, rate=many(rate, "event"), alerts=many(self._alerts, "alert"))
        self._bar.refresh()


def _is_wanted(*, prints: bool, environ: Mapping[str, str] = os.environ) -> bool:
    if not can_draw(environ) or environ.get("NO_COLOR"):
        return False
    return _is_terminal(sys.stderr) and not (prints and os.isatty(_STDOUT))


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:  # closed
        return False


def _new_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(),
        DownloadColumn(binary_units=True),
        TextColumn("{task.fields[rate]}/s"),
        TextColumn("{task.fields[alerts]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # no thread: `advance` draws
        transient=True,
        redirect_stdout=False,
    )
