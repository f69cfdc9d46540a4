"""A run from the first event to the last: batches of a source through a pump, alerts to a delivery, word back to the source.

Rules and outputs can be exchanged while it goes on (`exchange`), between two events. The source learns how far the host has come
(`commit`) when the alerts of those events need no more care, so that after a restart nothing is lost. Where signals come from, what
is shown to a person, and what rules and outputs are made of is told elsewhere.
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
    from lanner.sdk.batches import Batch, Source

_FOREVER: Final = 24 * 3600.0
_SETTLING: Final = 0.2
"""Seconds between looks at whether alerts have arrived, while the source has nothing."""


class Exchange(NamedTuple):
    """What takes the place of what is there: a pump, and who makes a delivery (None: the old one stays)."""

    pump: Pump
    make_delivery: Callable[[], Delivery] | None


class Runner:
    """One run. `clock` gives the time (ns) of events that tell none (None: that of the event before), `most` is how many there are to be.

    `jobs` threads match rules, where there is no clock to ask.
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
        self._held: deque[tuple[int, int]] = deque()  # alerts that have to be settled, and what may be committed then
        self._committed = 0
        self._busy_since: float | None = None
        pump.emit = delivery.write
        source.commit(0)

    def exchange(self, pump: Pump, make_delivery: Callable[[], Delivery] | None = None) -> None:
        """From the next event on take this pump, and if `make_delivery` is given, what it makes. From any thread."""
        with self._exchanging:
            self._next = Exchange(pump, make_delivery)

    def emit(self, alert: Alert) -> None:
        """An alert that comes from no event. From any thread."""
        with self._exchanging:
            self.delivery.write(alert)
            self.delivery.flush()

    def reopen(self) -> None:
        """Have outputs open anew what they have open. From any thread."""
        self.delivery.reopen()

    def busy_for(self) -> float:
        """Seconds since the batch came that is being worked at; 0 while the run waits for one. From any thread."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def run(self, nudge_after: float | None = None, nudge: Callable[[], None] = lambda: None) -> None:
        """Go on until the source ends or has been closed. Where so many seconds pass without a first event, `nudge` is called once.

        Raises `LannerError`, as the source or a delivery does.
        """
        nudge_at = None if nudge_after is None else time.monotonic() + nudge_after
        while True:
            try:
                batch = self._source.next_batch(self._patience(nudge_at))
            except LannerError:
                self._jobs.drain()
                raise
            self._busy_since = time.monotonic()
            position = self._source.position
            if self._next is not None:
                with self._exchanging:
                    self._take_over(self._next)
            if batch.payloads:
                if self._most is not None and len(batch.payloads) > self._most - self._jobs.events:
                    batch.payloads = batch.payloads[: self._most - self._jobs.events]
                    position = 0  # the chunk is not dealt with as a whole
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
        """Deliver what there is, and tell the source. Raises what the delivery raises, but not that nobody reads any more."""
        self._jobs.close()
        try:
            self.delivery.close()
        except OutputClosedError:
            pass
        finally:
            self._commit()
            # after its end a source takes note at once
            self._source.commit(self._committed)

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
                self._held = deque([(0, self._held[-1][1])])  # what could not be delivered by now has been said
            self.delivery = new.make_delivery()
        new.pump.succeed(self.pump)
        new.pump.emit = self.delivery.write
        self.pump = new.pump
        self._jobs = Jobs(new.pump, 1)
