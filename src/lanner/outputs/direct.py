"""Delivery in the caller's thread, for replays, in which no alert may be dropped silently.

A failed sink gets no more alerts, and the run ends when no working sink is left.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError, SinkCounts, loss
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.outputs.base import Alert, Sink

_LOG: Final = logging.getLogger("lanner.outputs")

_BUFFERED: Final = 1 << 16
"""Maximum length of buffered alerts in characters."""


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
        """See `Delivery`; many alerts are sent at once."""
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
                self._send(sink, alerts)
        # continue while one output works
        if self._failure is not None and len(self._failed) == len(self._sinks):
            failure, self._failure = self._failure, None
            raise failure

    def reopen(self) -> None:
        """See `Delivery`."""
        failures = [error for sink in self._sinks if (error := _try(sink, sink.reopen)) is not None]
        if failures:
            raise failures[0]

    def close(self) -> None:
        """See `Delivery`. Logs how many alerts each failed sink has missed."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            failures = [error for sink in self._sinks if (error := _try(sink, sink.close)) is not None]
        missed = {name: self._accepted - counts.delivered for name, counts in self._counts.items()}
        failed = [(name, failure) for name, failure in self._failed.items() if missed[name] and not isinstance(failure, OutputClosedError)]
        wrong = [loss(name, missed[name], str(failure)) for name, failure in failed] if self._failure is not None else []
        wrong += map(str, failures)
        if wrong:
            raise OutputError("; ".join(wrong))
        if self._failure is not None:
            raise self._failure

    def _send(self, sink: Sink, alerts: Sequence[Alert]) -> None:
        try:
            sink.send(alerts)
        except LannerError as error:
            failure, delivered = error, error.delivered if isinstance(error, OutputError) else 0
        except Exception as error:  # noqa: BLE001 - a bug in one output must not end the others
            failure, delivered = _bug(sink, error), 0
        else:
            self._counts[sink.name].delivered += len(alerts)
            return
        self._counts[sink.name].delivered += delivered
        self._failed[sink.name] = failure
        self._failure = self._failure or failure

    @property
    def suppressed(self) -> dict[str, int]:
        """See `Delivery`."""
        return {}

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`."""
        return self._counts


def _try(sink: Sink, call: Callable[[], None]) -> LannerError | None:
    """Call it and return its error, if any."""
    try:
        call()
    except LannerError as error:
        return error
    except Exception as error:  # noqa: BLE001 - as above
        return _bug(sink, error)
    return None


def _bug(sink: Sink, error: Exception) -> OutputError:
    if not isinstance(error, OSError):
        _LOG.error("%s: a bug in the output", sink.name, exc_info=error)
    return OutputError(f"{sink.name}: {type(error).__name__}: {error}")
