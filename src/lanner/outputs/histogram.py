"""Histograms of seconds for metrics: observed in batches, because each alert of a run is counted."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

DURATIONS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds for calls of an output: from a write to a file to a server that is not there."""
AGES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
"""Bounds for the ages of alerts: up to a day in the spool of an output."""
_SECOND: Final = 1_000_000_000


class HistogramCounts(NamedTuple):
    """The values so far: the number up to each of `bounds` and above the bound before, then the number above all. `total`: their sum."""

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    total: float = 0.0


NO_COUNTS: Final = HistogramCounts()


class Histogram:
    """A histogram with the upper bounds `bounds`, which ascend. Used by one thread at a time."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def observe_ages(self, now: int, times: Sequence[int]) -> None:
        """Count the seconds from each of these times to `now` (ns); 0 from a time in the future."""
        if not times:
            return
        oldest, newest = (now - min(times)) / _SECOND, (now - max(times)) / _SECOND
        place = bisect_left(self._bounds, oldest)
        if newest >= 0 and place == bisect_left(self._bounds, newest):  # the usual case
            self._counts[place] += len(times)
            self._total += (now * len(times) - sum(times)) / _SECOND
            return
        for time in times:
            self.observe(max(0, now - time) / _SECOND)

    def read(self) -> HistogramCounts:
        """Return the counts so far."""
        return HistogramCounts(self._bounds, tuple(self._counts), self._total)
