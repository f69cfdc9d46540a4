"""The newest alerts, as many as memory is meant for: a stream of alerts with megabytes of text must not fill it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.alerts.stored import StoredAlert

MOST_ALERTS: Final = 5000
MOST_BYTES: Final = 8 << 20
"""Limits of the alerts, and of the bytes of their lines."""


class NewestAlerts:
    """The last alerts that were added, within the limits; at least one."""

    def __init__(self, alerts: Iterable[StoredAlert] = ()) -> None:
        self._alerts: deque[StoredAlert] = deque()
        self._size = 0
        self.add(alerts)

    def add(self, alerts: Iterable[StoredAlert]) -> None:
        """Add alerts at the end, and drop the oldest beyond the limits."""
        kept = self._alerts
        for alert in alerts:
            kept.append(alert)
            self._size += len(alert.line)
            while len(kept) > MOST_ALERTS or (self._size > MOST_BYTES and len(kept) > 1):
                self._size -= len(kept.popleft().line)

    def take(self) -> list[StoredAlert]:
        """Return the alerts, the oldest first, and forget them."""
        taken, self._alerts, self._size = list(self._alerts), deque(), 0
        return taken

    def __len__(self) -> int:
        return len(self._alerts)

    def __getitem__(self, place: int) -> StoredAlert:
        return self._alerts[place]

    def __iter__(self) -> Iterator[StoredAlert]:
        return iter(self._alerts)
