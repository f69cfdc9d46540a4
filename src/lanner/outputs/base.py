"""Interfaces of alerts, sinks and deliveries.

An `Alert` is a formatted line and the attributes of its rule that outputs need. A `Sink` accepts alerts in order for one
destination. A `Delivery` decides when sinks are called, how failures are handled and how several sinks work side by
side: `DirectDelivery` for replays, `QueuedDelivery` for runs that must not stop for an output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lanner.outputs.histogram import NO_COUNTS, HistogramCounts
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lanner.alerts.alert_record import Record, RunLoad


class Alert(NamedTuple):
    """An alert: its printed line without a newline; `timestamp` is the event's, ns since 1970.

    The line of an alert as text may contain newlines, and invalid UTF-8 as surrogate escapes. `priority` is as Falco prints it
    ("Critical"). `record` is only for sinks that ask for it.
    """

    line: str
    rule: str
    priority: str
    source: str
    timestamp: int
    record: Record | None = None


class OutputError(LannerError, OSError):
    """A failure to write alerts to their destination.

    The first `delivered` alerts of the call have arrived. `permanent`: the receiver rejects the next one, so a retry is
    useless. `retry_after`: the receiver asks to wait that many seconds. `is_usual`: it happens now and then, and does
    not need a warning.
    """

    def __init__(
        self, message: str, *, delivered: int = 0, permanent: bool = False, retry_after: float = 0.0, is_usual: bool = False
    ) -> None:
        super().__init__(message)
        self.delivered = delivered
        self.permanent = permanent
        self.retry_after = retry_after
        self.is_usual = is_usual


class SpoolError(OutputError):
    """The alerts cannot be written to disk or read from disk now."""


class SpoolInUseError(SpoolError):
    """Another run uses the spool."""


class OutputClosedError(LannerError, BrokenPipeError):
    """The reader of the alerts has closed the pipe (`| head`). This is not an error: the run ends."""


class Sink(Protocol):
    """A destination for alerts. Used by one thread at a time, except `interrupt`."""

    name: str
    """Name of its block in falco.yaml: `file_output`, `http_output`."""

    batch_size: int
    """The maximum number of alerts per `send`."""

    wants_records: bool
    """Whether it is a `RecordSink`."""

    def send(self, alerts: Sequence[Alert]) -> None:
        """Deliver all alerts in order; they have arrived when it returns. Raises OutputError, OutputClosedError."""

    def reopen(self) -> None:
        """Reopen files and connections (SIGUSR1, after a rotation). Raises OutputError."""

    def interrupt(self) -> None:
        """End a waiting `send`, from another thread; it and later ones raise OutputError."""

    def close(self) -> None:
        """Close files and connections. A second call does nothing."""


class RecordSink(Sink, Protocol):
    """A sink that needs `Alert.record`. It has no spool, as it writes to a disk of this machine itself."""

    @property
    def directory(self) -> Path:
        """The directory of its store."""
        ...

    @property
    def kill(self) -> str:
        """Consequences of a kill of the run before; "" if it ended."""
        ...

    def note(self, load: RunLoad) -> None:
        """Store a load of rules, even if it never raises an alert. For any thread. Raises nothing: the first alert tries again."""

    def retain(self) -> None:
        """Delete the oldest data beyond the limits of age and size. For any thread."""


@dataclass(slots=True)
class SinkCounts:
    """Counters of a sink's alerts. `pending` and `spooled` are those waiting now, in memory and on disk.

    `retried`: alerts that were sent again. `timeouts`: deliveries longer than output_timeout. `damaged`: damaged items on disk
    (an alert, a file, its log) that were set aside. `durations`: seconds of each call of the sink. `ages`: seconds from the time of
    each delivered alert's event to its delivery.
    """

    delivered: int = 0
    dropped: int = 0
    retried: int = 0
    failures: int = 0
    pending: int = 0
    spooled: int = 0
    last_error: str = ""
    timeouts: int = 0
    damaged: int = 0
    durations: HistogramCounts = NO_COUNTS
    ages: HistogramCounts = NO_COUNTS


class Delivery(Protocol):
    """All sinks of a run, as seen by a host. `write` may be called by several threads."""

    @property
    def accepted(self) -> int:
        """The number of alerts that `write` has accepted so far."""
        ...

    @property
    def settled(self) -> int:
        """The number of the first accepted alerts that are settled: each of their sinks has received, stored or dropped them."""
        ...

    def write(self, alert: Alert) -> None:
        """Accept one alert."""

    def flush(self) -> None:
        """Send the accepted alerts; the host calls it after each batch. Raises OutputError, OutputClosedError."""

    def reopen(self) -> None:
        """Make every sink reopen its files and connections."""

    def close(self) -> None:
        """Deliver what can be delivered, and close the sinks. A second call does nothing. Raises OutputError, OutputClosedError."""

    def counts(self) -> dict[str, SinkCounts]:
        """Return the counters by sink name."""
        ...

    @property
    def suppressed(self) -> dict[str, int]:
        """The number of suppressed alerts by rule."""
        ...


def loss(name: str, count: int, reason: str) -> str:
    """Return the message about undelivered alerts of the sink `name`."""
    verb = "is" if count == 1 else "are"
    return f"{name}: {many(count, 'alert')} could not be delivered and {verb} lost{f': {reason}' if reason else ''}"
