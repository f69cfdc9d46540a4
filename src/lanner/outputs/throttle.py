"""Alerts that are left out on purpose: so many of a rule and no more, and the same alert once. Off if not asked for, and counted.

Both go by the host's own clock, the monotonic one: what an operator wants to bound is what arrives, whatever times events tell.
"""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.outputs.base import Alert, Delivery, SinkCounts

_MOST_REMEMBERED: Final = 100_000
_TELL_EVERY: Final = 60.0


class Filter(Protocol):
    """Says of an alert whether it goes on."""

    def passes(self, alert: Alert) -> bool:
        """Whether it does."""


class Throttle:
    """A token bucket for each rule: `rate` alerts a second in the long run, `burst` at once."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # by rule, what is left and since when; there are as many as rules

    def passes(self, alert: Alert) -> bool:
        """See `Filter`."""
        now = self._clock()
        left, since = self._buckets.get(alert.rule, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        passes = left >= 1
        self._buckets[alert.rule] = (left - passes, now)
        return passes


class Deduplicate:
    """An alert like one that went on within `window` seconds does not. Alike are alerts of one rule that differ in their time alone."""

    def __init__(self, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window, self._clock = window, clock
        self._known: OrderedDict[int, float] = OrderedDict()

    def passes(self, alert: Alert) -> bool:
        """See `Filter`."""
        now, key = self._clock(), hash((alert.rule, alert.source, _without_time(alert.line)))
        known = self._known
        while known and next(iter(known.values())) <= now - self._window:
            known.popitem(last=False)
        if key in known:
            return False
        known[key] = now
        if len(known) > _MOST_REMEMBERED:
            known.popitem(last=False)
        return True


def _without_time(line: str) -> str:
    """What an alert says, but when."""
    if line.startswith("{"):
        try:
            alert = json.loads(line)
        except ValueError:
            return line
        fields = alert.get("output_fields")
        if isinstance(fields, dict):
            alert["output_fields"] = {key: value for key, value in fields.items() if not key.startswith("evt.time")}
        output = alert.get("output")
        if isinstance(output, str):
            alert["output"] = output.partition(": ")[2]
        return json.dumps({key: value for key, value in alert.items() if key != "time"}, sort_keys=True)
    # `HH:MM:SS.nnnnnnnnn: Priority message`
    return line.partition(": ")[2]


class FilteredDelivery:
    """A `Delivery` in front of another: alerts that a filter stops are settled at once, and counted by rule."""

    def __init__(self, delivery: Delivery, filters: Sequence[Filter], clock: Callable[[], float] = time.monotonic) -> None:
        self._delivery, self._filters, self._clock = delivery, tuple(filters), clock
        self.suppressed: dict[str, int] = {}
        self._told = clock()
        self._told_count = 0

    @property
    def accepted(self) -> int:
        """See `Delivery`; of those that go on."""
        return self._delivery.accepted

    @property
    def settled(self) -> int:
        """See `Delivery`; of those that go on."""
        return self._delivery.settled

    def write(self, alert: Alert) -> None:
        """See `Delivery`."""
        if all(each.passes(alert) for each in self._filters):
            self._delivery.write(alert)
            return
        self.suppressed[alert.rule] = self.suppressed.get(alert.rule, 0) + 1
        if self._clock() - self._told >= _TELL_EVERY:
            self._tell()

    def flush(self) -> None:
        """See `Delivery`."""
        self._delivery.flush()

    def reopen(self) -> None:
        """See `Delivery`."""
        self._delivery.reopen()

    def close(self) -> None:
        """See `Delivery`."""
        self._tell()
        self._delivery.close()

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`."""
        return self._delivery.counts()

    def _tell(self) -> None:
        self._told = self._clock()
        count = sum(self.suppressed.values()) - self._told_count
        if count:
            self._told_count += count
            logging.getLogger("lanner.outputs").warning("%d alerts left out, as $.lanner.throttle or $.lanner.deduplicate say", count)
