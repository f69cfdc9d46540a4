"""Suppression of alerts on request: more than a rate per rule, or repeated ones.

`FilterChain` precedes a delivery and passes on what its filters admit. It counts suppressed alerts by rule, and logs them once a
minute. Time is the machine's monotonic clock: event times are arbitrary, and the system's clock may be set.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from lanner.sdk.text.encoding import to_lossless

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lanner.outputs.base import Alert, Delivery, SinkCounts

_LOG: Final = logging.getLogger("lanner.outputs")

_SELDOM: Final = 60.0
"""Seconds between messages."""
_REMEMBERED: Final = 100_000
"""Maximum number of alerts that `Deduplicator` remembers: about 20 MB."""
_TIMES: Final = ("evt.time", "evt.rawtime", "evt.reltime", "evt.datetime", "evt.num")
"""Names of fields that always differ between events."""


class Filter(Protocol):
    """A criterion for alerts that pass. Used by one thread at a time."""

    def admits(self, alert: Alert) -> bool:
        """Return whether the alert passes."""
        ...


class Throttle:
    """A `Filter` for `rate` alerts per second of each rule, with bursts of up to `burst` after quieter times (a token bucket)."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(max(1, burst)), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # available alerts, and the time of that count

    def admits(self, alert: Alert) -> bool:
        """See `Filter`."""
        now = self._clock()
        tokens, before = self._buckets.get(alert.rule, (self._burst, now))
        tokens = min(self._burst, tokens + (now - before) * self._rate)
        admitted = tokens >= 1.0
        self._buckets[alert.rule] = tokens - admitted, now
        return admitted


class Deduplicator:
    """A `Filter` that suppresses an alert for `window` seconds after an alert of the same rule with the same content, ignoring times.

    Lines of JSON are compared by their output_fields, or those in `fields` if an alert has any of them; other lines
    by the text after the time. Links to alerts, which begin with `link`, do not count. Suppressed alerts do not extend
    the window. Up to `most` alerts are remembered; then the oldest are forgotten.
    """

    def __init__(
        self,
        window: float,
        fields: Collection[str] | None = None,
        *,
        link: str = "",
        most: int = _REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window, self._most, self._clock = window, most, clock
        self._fields = None if fields is None else frozenset(fields)
        self._link = re.compile(re.escape(link) + "[0-9a-f]{8}-[0-9]+") if link else None
        self._until: OrderedDict[bytes, float] = OrderedDict()  # ordered by their ends, as all windows are equal

    def admits(self, alert: Alert) -> bool:
        """See `Filter`."""
        now, until = self._clock(), self._until
        while until and next(iter(until.values())) <= now:
            until.popitem(last=False)
        line = alert.line if self._link is None else self._link.sub("", alert.line)
        key = _digest(alert.rule, self._content(line))
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
        return alert  # an alert of only a time


class FilterChain:
    """A `Delivery` that passes on to `delivery` what all `filters` admit, in their order.

    Suppressed alerts are not counted in `accepted`.
    """

    def __init__(self, delivery: Delivery, filters: Sequence[Filter]) -> None:
        self._delivery, self._filters = delivery, tuple(filters)
        self._lock = threading.Lock()
        self._suppressed: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()
        self._say_at = 0.0

    @property
    def suppressed(self) -> dict[str, int]:
        """The number of suppressed alerts, by rule."""
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
