"""What an alert is to outputs, and what an output is to those that deliver to it.

An `Alert` is a formatted line with what outputs need to know of its rule. A `Sink` takes alerts in order to one place; when it is
called, what becomes of alerts that it cannot take, and how several sinks live side by side is the matter of deliveries
(`Delivery`): `DirectDelivery` for replays, `QueuedDelivery` for what has to go on whatever an output does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Alert(NamedTuple):
    """One alert: its line as it is printed, without a newline; `timestamp` is the event's, ns since 1970.

    A line may hold newlines where alerts are texts, and bytes that are no UTF-8 as surrogate escapes. `priority` as Falco prints it
    ("Critical").
    """

    line: str
    rule: str
    priority: str
    source: str
    timestamp: int


class OutputError(LannerError, OSError):
    """Alerts cannot be written where they should go.

    `delivered` of the alerts of the call, from its first on, have arrived. `permanent`: trying the next one again is of no use, as its
    receiver refuses it. `retry_after`: the receiver wants to be left alone for so many seconds. `is_usual`: it happens now and then, and is
    not worth a warning.
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
    """Alerts cannot be put on disk, or read from there, just now."""


class SpoolInUseError(SpoolError):
    """Another run has the spool."""


class OutputClosedError(LannerError, BrokenPipeError):
    """Whoever read the alerts has gone (`| head`): nothing is wrong, and there is nothing more to do."""


class Sink(Protocol):
    """A place where alerts go. Used by one thread at a time, but for `interrupt`."""

    name: str
    """As in falco.yaml: `file_output`, `http_output`."""

    batch_size: int
    """The number of alerts that it can take at once."""

    def send(self, alerts: Sequence[Alert]) -> None:
        """Hand over all alerts, in order; they have arrived when it returns. Raises OutputError, OutputClosedError."""

    def reopen(self) -> None:
        """Open anew what was opened (SIGUSR1, after a rotation). Raises OutputError."""

    def interrupt(self) -> None:
        """End a `send` that waits, from another thread; it and later ones raise OutputError."""

    def close(self) -> None:
        """Let go. A second call does nothing."""


@dataclass(slots=True)
class SinkCounts:
    """What became of a sink's alerts. `pending` and `spooled` are what waits now, in memory and on disk.

    `retried`: how often alerts were sent once more. `timeouts`: how often a sink took longer than output_timeout. `damaged`: how often
    something on disk was (an alert, a file, its log) and was set aside.
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


class Delivery(Protocol):
    """All sinks of a run, as a host uses them. `write` may be called by several threads."""

    @property
    def accepted(self) -> int:
        """How many alerts `write` has taken so far."""

    @property
    def settled(self) -> int:
        """The first so many accepted alerts need no more care: each of their sinks has them, has them on disk, or has dropped them."""

    def write(self, alert: Alert) -> None:
        """Take one alert."""

    def flush(self) -> None:
        """The host calls it after each batch: what was taken goes out. Raises OutputError, OutputClosedError."""

    def reopen(self) -> None:
        """Have every sink open anew what it has open."""

    def close(self) -> None:
        """Deliver what can be delivered, and let go. A second call does nothing. Raises OutputError, OutputClosedError."""

    def counts(self) -> dict[str, SinkCounts]:
        """By the sinks' names."""

    @property
    def suppressed(self) -> dict[str, int]:
        """How many alerts were left out on purpose, by rule."""


def loss(name: str, count: int, reason: str) -> str:
    """What is said of alerts that did not get to the sink of that name."""
    return f"{name}: {count} {'alert' if count == 1 else 'alerts'} could not be delivered and are lost{f': {reason}' if reason else ''}"
