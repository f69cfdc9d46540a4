"""Alerts that are left out because there are too many: so many of a rule in a second, or one like those before. Only where asked for.

`Filtered` stands in front of a delivery and hands it what its filters admit. What they suppress is counted by rule, and said once a
minute. Time is that of the machine's monotonic clock: events may tell any time, and the system's clock may be set.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from lanner.sdk.text import to_lossless

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lanner.outputs.base import Alert, Delivery, SinkCounts

_LOG: Final = logging.getLogger("lanner.outputs")

_SELDOM: Final = 60.0
"""Seconds between messages."""
_REMEMBERED: Final = 100_000
"""Alerts that `Deduplicate` remembers at most: about 20 MB."""
_TIMES: Final = ("evt.time", "evt.rawtime", "evt.reltime", "evt.datetime", "evt.num")
"""What fields are called that differ from event to event by themselves."""


class Filter(Protocol):
    """Says which alerts go on. Used by one thread at a time."""

    def admits(self, alert: Alert) -> bool:
        """Whether it goes on."""


class Throttle:
    """A `Filter` for `rate` alerts a second of each rule, and up to `burst` at once where there were fewer before (a token bucket)."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(max(1, burst)), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # alerts that may come, and when that was

    def admits(self, alert: Alert) -> bool:
        """See `Filter`."""
        now = self._clock()
        tokens, before = self._buckets.get(alert.rule, (self._burst, now))
        tokens = min(self._burst, tokens + (now - before) * self._rate)
        admitted = tokens >= 1.0
        self._buckets[alert.rule] = tokens - admitted, now
        return admitted


class Deduplicate:
    """A `Filter` that suppresses an alert for `window` seconds after one of the same rule that says the same, times aside.

    Lines of JSON say the same if their output_fields do, of which `fields` may name those that count where an alert has any of them;
    others if what comes after the time does. The window is not prolonged by what is suppressed. Only so many alerts are remembered
    (`most`); the oldest are forgotten.
    """

    def __init__(
        self,
        window: float,
        fields: Collection[str] | None = None,
        *,
        most: int = _REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window, self._most, self._clock = window, most, clock
        self._fields = None if fields is None else frozenset(fields)
        self._until: OrderedDict[bytes, float] = OrderedDict()  # in the order of their ends, as all windows are the same

    def admits(self, alert: Alert) -> bool:
        """See `Filter`."""
        now, until = self._clock(), self._until
        while until and next(iter(until.values())) <= now:
            until.popitem(last=False)
        key = _digest(alert.rule, self._content(alert.line))
        if key in until:
            return False
        if len(until) >= self._most:
            until.popitem(last=False)
        until[key] = now + self._window
        return True

    def _content(self, line: str) -> object:
        if line.startswith("{"):
            try:
                alert = msgspec.json.decode(line)
            except (msgspec.MsgspecError, UnicodeEncodeError):
                return line
            return self._members(alert)
        return line.partition(": ")[2]  # after the time

    def _members(self, alert: dict[str, Any]) -> object:
        fields = alert.get("output_fields")
        if isinstance(fields, dict):
            if self._fields is not None and not self._fields.isdisjoint(fields):
                return {name: value for name, value in fields.items() if name in self._fields}
            return {name: value for name, value in fields.items() if not name.startswith(_TIMES)}
        if "message" in alert or "output" in alert:
            return [alert.get("message"), str(alert.get("output", "")).partition(": ")[2]]
        return alert  # it says nothing but when it was


class Filtered:
    """A `Delivery` that hands on to `delivery` what all `filters` admit, asked in their order.

    What is suppressed is not among the `accepted`, and nothing waits for it.
    """

    def __init__(self, delivery: Delivery, filters: Sequence[Filter]) -> None:
        self._delivery, self._filters = delivery, tuple(filters)
        self._lock = threading.Lock()
        self._suppressed: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()
        self._say_at = 0.0

    @property
    def suppressed(self) -> dict[str, int]:
        """How many alerts were left out so far, by rule."""
        with self._lock:
            return dict(self._suppressed)

    @property
    def accepted(self) -> int:
        """See `Delivery`."""
        return self._delivery.accepted

    @property
    def settled(self) -> int:
        """See `Delivery`."""
        return self._delivery.settled

    def write(self, alert: Alert) -> None:
        """See `Delivery`."""
        with self._lock:
            if all(each.admits(alert) for each in self._filters):
                self._delivery.write(alert)
            else:
                self._suppressed[alert.rule] += 1
                self._unsaid[alert.rule] += 1

    def flush(self) -> None:
        """See `Delivery`."""
        if self._unsaid and time.monotonic() >= self._say_at:
            self._say()
        self._delivery.flush()

    def reopen(self) -> None:
        """See `Delivery`."""
        self._delivery.reopen()

    def close(self) -> None:
        """See `Delivery`."""
        self._say()
        self._delivery.close()

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`."""
        return self._delivery.counts()

    def _say(self) -> None:
        with self._lock:
            unsaid, self._unsaid = self._unsaid, Counter()
            self._say_at = time.monotonic() + _SELDOM
        for rule, count in unsaid.most_common():
            _LOG.info("suppressed %d of rule %s: too many, or the same as before", count, rule)


def _digest(rule: str, content: object) -> bytes:
    text = content if isinstance(content, str) else repr(content)
    return hashlib.blake2b(to_lossless(f"{rule}\0{text}"), digest_size=16).digest()
