"""Alerts straight to their sinks, in the caller's thread: for replays, where nothing may be dropped in silence.

A sink that failed gets no more alerts, and the run ends when there is no other that works.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError, SinkCounts, loss
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert, Sink

_BUFFERED: Final = 1 << 16
"""Characters of alerts that go out without being asked."""


class DirectDelivery:
    """A `Delivery` without threads or queues."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._counts = {sink.name: SinkCounts() for sink in sinks}
        self._alerts: list[Alert] = []
        self._size = 0
        self._accepted = 0
        self._failed: dict[str, LannerError] = {}
        self._failure: LannerError | None = None
        self._closed = False

    @property
    def accepted(self) -> int:
        """See `Delivery`."""
        return self._accepted

    @property
    def settled(self) -> int:
        """See `Delivery`."""
        return self._accepted - len(self._alerts)

    def write(self, alert: Alert) -> None:
        """See `Delivery`; many alerts go out at once."""
        self._alerts.append(alert)
        self._accepted += 1
        self._size += len(alert.line)
        if self._size >= _BUFFERED:
            self.flush()

    def flush(self) -> None:
        """See `Delivery`."""
        alerts, self._alerts, self._size = self._alerts, [], 0
        for sink in self._sinks if alerts else ():
            if sink.name not in self._failed:
                try:
                    sink.send(alerts)
                    self._counts[sink.name].delivered += len(alerts)
                except LannerError as error:
                    self._counts[sink.name].delivered += error.delivered if isinstance(error, OutputError) else 0
                    self._failed[sink.name] = error
                    self._failure = self._failure or error
        # while there is an output that works, the run is worth its while
        if self._failure is not None and len(self._failed) == len(self._sinks):
            failure, self._failure = self._failure, None
            raise failure

    def reopen(self) -> None:
        """See `Delivery`."""
        with ExitStack() as stack:  # one that fails keeps none from its turn
            for sink in reversed(self._sinks):
                stack.callback(sink.reopen)

    def close(self) -> None:
        """See `Delivery`. Says how many alerts each sink has missed that failed."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.callback(sink.close)
            self.flush()
        if self._failure is not None:
            missed = {name: self._accepted - counts.delivered for name, counts in self._counts.items()}
            failed = [
                (name, failure) for name, failure in self._failed.items() if missed[name] and not isinstance(failure, OutputClosedError)
            ]
            if failed:
                raise OutputError("; ".join(loss(name, missed[name], str(failure)) for name, failure in failed))
            raise self._failure

    @property
    def suppressed(self) -> dict[str, int]:
        """See `Delivery`."""
        return {}

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`."""
        return self._counts
