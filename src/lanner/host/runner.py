"""Run a source from its first event to its last: batches through a pump, alerts to a delivery, commits back to the source.

Rules and outputs can be exchanged between two events (`exchange`). The source learns the host's position
(`commit`) once the alerts up to it are settled, so that a restart loses no event. Signals, terminal output, and creating rules and
outputs are the caller's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.host.jobs import Jobs
from lanner.outputs.base import OutputClosedError
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.host.pump import Pump
    from lanner.outputs.base import Alert, Delivery
    from lanner.sdk.hosting.batches import Batch
    from lanner.sdk.hosting.event_source import Source

_FOREVER: Final = 24 * 3600.0
_SETTLING: Final = 0.2
"""Seconds between checks for delivered alerts while the source is idle."""


class Exchange(NamedTuple):
    """A new pump, and a function that creates a delivery (None: keep the current one)."""

    pump: Pump
    make_delivery: Callable[[], Delivery] | None


class Runner:
    """One run. `clock` returns the time (ns) of events without one (None: the previous event's time). `most`: stop after that many events.

    `jobs` threads match rules if there is no clock.
    """

    def __init__(
        self, source: Source, pump: Pump, delivery: Delivery, clock: Callable[[], int] | None, most: int | None = None, jobs: int = 1
    ) -> None:
        self._source = source
        self.pump = pump
        self._jobs = Jobs(pump, jobs)
        self.delivery = delivery
        self._clock = clock
        self._most = most
        self.watch: Callable[[Batch], None] | None = None
        """Called after each batch of events."""
        self._exchanging = threading.Lock()
        self._next: Exchange | None = None
        self._held: deque[tuple[int, int]] = deque()  # alerts to settle, and the position to commit then
        self._committed = 0
        self._busy_since: float | None = None
        self.last_event: int | None = None
        """The arrival of the last events, ns since 1970."""
        pump.emit = delivery.write
        source.commits_itself = False

    def exchange(self, pump: Pump, make_delivery: Callable[[], Delivery] | None = None) -> None:
        """Use this pump from the next event on, and what `make_delivery` creates, if given. Callable from any thread."""
        with self._exchanging:
            self._next = Exchange(pump, make_delivery)

    def emit(self, alert: Alert) -> None:
        """Raise an alert that belongs to no event. Callable from any thread."""
        with self._exchanging:
            self.delivery.write(alert)
            self.delivery.flush()

    def reopen(self) -> None:
        """Have outputs reopen their files and connections. Callable from any thread."""
        self.delivery.reopen()

    def busy_for(self) -> float:
        """Return the seconds since the current batch arrived; 0 while waiting for one. Callable from any thread."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def run(self, nudge_after: float | None = None, nudge: Callable[[], None] = lambda: None) -> None:
        """Run until the source ends or is closed. Call `nudge` once if no event arrives within `nudge_after` seconds.

        Raises `LannerError` from the source or a delivery.
        """
        nudge_at = None if nudge_after is None else time.monotonic() + nudge_after
        while True:
            try:
                batch = self._source.next_batch(self._patience(nudge_at), *self._count_left())
            except LannerError:
                self._jobs.drain()
                raise
            self._busy_since = time.monotonic()
            position = self._source.position
            if self._next is not None:
                with self._exchanging:
                    self._take_over(self._next)
            if batch.payloads:
                self.last_event = time.time_ns()
                if self._most is not None and len(batch.payloads) > self._most - self._jobs.events:
                    batch.payloads = batch.payloads[: self._most - self._jobs.events]
                    position = 0  # the chunk was processed only in part
                self._jobs.feed(batch, self._clock)
                self.delivery.flush()
                if position:
                    self._held.append((self.delivery.accepted, position))
                if self.watch is not None:
                    self.watch(batch)
            self._commit()
            self._busy_since = None
            if batch.ended or self._jobs.events == self._most:
                self._jobs.drain()
                return
            if nudge_at is not None and (self._jobs.events or time.monotonic() >= nudge_at):
                nudge_at = None
                if not self._jobs.events:
                    nudge()

    def close(self) -> None:
        """Deliver the remaining alerts and commit. Raises the delivery's errors, except that standard output is closed."""
        self._jobs.close()
        try:
            self.delivery.close()
        except OutputClosedError:
            pass
        finally:
            self._commit()
            # after its end, a source handles commits at once
            self._source.commit(self._committed)

    def _count_left(self) -> tuple[int, ...]:
        """Return the number of events that are still wanted, if that is limited."""
        return () if self._most is None else (self._most - self._jobs.events,)

    def _patience(self, nudge_at: float | None) -> float:
        wait = _FOREVER if nudge_at is None else max(0.0, nudge_at - time.monotonic())
        return min(wait, _SETTLING) if self._held else wait

    def _commit(self) -> None:
        settled, position = self.delivery.settled, None
        while self._held and self._held[0][0] <= settled:
            position = self._held.popleft()[1]
        if position is not None:
            self._committed = position
            self._source.commit(position)

    def _take_over(self, new: Exchange) -> None:
        self._next = None
        if new.make_delivery is not None:
            try:
                self.close()
            except LannerError as error:
                logging.getLogger("lanner.run").error("%s", error)  # noqa: TRY400 - its message is all there is to know
            if self._held:
                self._held = deque([(0, self._held[-1][1])])  # undeliverable alerts have been reported by now
            self.delivery = new.make_delivery()
        new.pump.succeed(self.pump)
        new.pump.emit = self.delivery.write
        self.pump = new.pump
        self._jobs = Jobs(new.pump, 1)
