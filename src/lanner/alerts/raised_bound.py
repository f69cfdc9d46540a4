"""`raised`: a bound for the number of alerts that a run has raised, written before it raises them.

If the run is killed, the next one knows how many alerts may be missing in the store.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.alerts.store_format import BOUND_FILE
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE: Final = 0.05
"""Seconds between two writes, in which the bound grows by one alert only; it grows faster when alerts are more frequent."""
_MOST_STEP: Final = 256
_WIDTH: Final = 64
"""Bytes of the file: it is written over in place, which needs no room on a full disk."""
# The last word of the file: the state of the run
_RUNS: Final = "runs"
_ENDED: Final = "ended"


class Bound(NamedTuple):
    """The run's key, the number of its alerts before it used the store, and the greatest number that it may have raised.

    `has_ended`: the run has closed the store.
    """

    run: str
    first: int
    most: int
    has_ended: bool


class RaisedBound:
    """The bound of the run with this key, which has raised `raised` alerts so far. A file that cannot be written holds no bound."""

    def __init__(self, directory: Path, key: str, raised: int) -> None:
        self._key, self._first = key, raised
        self._step, self._written = 1, 0.0
        self._descriptor = -1
        with suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(directory / BOUND_FILE, flags, 0o600)
        self._write(raised)

    def extend(self, number: int) -> int:
        """Write and return a bound of at least `number`, the next alert's. Raises nothing."""
        now = time.monotonic()
        self._step = 1 if now - self._written > _PAUSE else min(2 * self._step, _MOST_STEP)
        self._written = now
        most = number + self._step - 1
        self._write(most)
        return most

    def close(self, raised: int) -> None:
        """Write that the run has ended after this number of alerts, even on a full disk. The file stays."""
        self._write(raised, _ENDED)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, most: int, state: str = _RUNS) -> None:
        try:
            os.pwrite(self._descriptor, f"{self._key} {self._first} {most} {state}".encode().ljust(_WIDTH), 0)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)


def read_bound(directory: Path) -> Bound | None:
    """Return the bound that the last run has written, or None."""
    try:
        run, first, most, state = read_whole(directory / BOUND_FILE, _WIDTH, pipes=False).decode("ascii").split()
        return Bound(run, int(first), int(most), state == _ENDED)
    except (OSError, ValueError):
        return None
