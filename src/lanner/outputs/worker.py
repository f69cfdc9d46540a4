"""One output with a queue and a thread of its own: alerts in, in order to its sink, whatever the sink does.

A sink that fails is tried again, with growing pauses. Alerts wait meanwhile in memory, or in a spool if there is one, behind which new ones
queue up as long as it holds any. What there is no room for is dropped and counted, the newest first, as in Falco. Nothing here ends a run.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError, SinkCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.outputs.base import Alert, Sink
    from lanner.outputs.spool import Spool

_MOST: Final = 512
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
_TELL_EVERY: Final = 60.0
_DISK_PAUSE: Final = 1.0
_LAST_TRY: Final = 0.2
"""Seconds between tries while the run ends."""
_LOG: Final = logging.getLogger("lanner.outputs")


class Worker:
    """The thread of one sink. `capacity` is how many alerts may wait, 0 for no such bound, `max_bytes` how much of them.

    `closed` is called when whoever read the alerts has gone. What takes longer than `timeout` seconds is logged.
    """

    def __init__(
        self, sink: Sink, closed: Callable[[], None], *, capacity: int, max_bytes: int, timeout: float, spool: Spool | None = None
    ) -> None:
        self.name = sink.name
        self._sink, self._closed, self._spool = sink, closed, spool
        self._capacity, self._max_bytes, self._timeout = capacity, max_bytes, timeout
        self._alerts: deque[Alert] = deque()  # those that are being sent among them
        self._weights: deque[int] = deque()  # for each, how many are settled with it: itself, and what was dropped behind it
        self._size = 0
        self._settled = 0
        self._counts = SinkCounts()
        self._changed = threading.Condition()
        self._is_gone = self._is_ending = self._is_asked_to_reopen = False
        self._deadline = 0.0
        self._pause, self._retry_at, self._failing = _FIRST_PAUSE, 0.0, False
        self._disk_at = 0.0  # when the spool may be tried again
        self._on_disk = 0 if spool is None else len(spool)
        self._spooled_to = 0  # the number of the last alert from the spool that has been delivered
        self._told: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name=f"lanner-{self.name}", daemon=True)
        self._thread.start()

    @property
    def is_gone(self) -> bool:
        """Whether nobody is there any more to take alerts."""
        return self._is_gone

    @property
    def settled(self) -> int:
        """The first so many alerts that were put need no more care."""
        return self._settled

    def put(self, alert: Alert) -> None:
        """Take an alert; from any thread."""
        with self._changed:
            if self._is_gone or (self._is_ending and not self._thread.is_alive()):
                self._settled += 1
                self._counts.dropped += 1
                return
            waiting = self._alerts
            if waiting and ((self._capacity and len(waiting) >= self._capacity) or self._size + len(alert.line) > self._max_bytes):
                self._counts.dropped += 1
                self._weights[-1] += 1
            else:
                waiting.append(alert)
                self._weights.append(1)
                self._size += len(alert.line)
            self._changed.notify()

    def reopen(self) -> None:
        """Have the sink open anew what it has open, before its next alert."""
        with self._changed:
            self._is_asked_to_reopen = True
            self._changed.notify()

    def end(self, deadline: float) -> None:
        """Deliver what can be delivered until then (monotonic), and end; does not wait."""
        with self._changed:
            self._is_ending, self._deadline = True, deadline
            self._changed.notify()

    def join(self) -> int:
        """Wait for the end; how many alerts are lost."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            self._sink.interrupt()
            self._thread.join(_LAST_TRY * 2)
        with self._changed:
            lost = 0 if self._is_gone else len(self._alerts)
            self._counts.dropped += lost
            self._settle(len(self._alerts))
        if not self._thread.is_alive():  # else the sink is still in use
            self._sink.close()
            if self._spool is not None:
                self._spool.close()
        return lost

    def counts(self) -> SinkCounts:
        """What became of its alerts."""
        with self._changed:
            self._counts.pending = len(self._alerts)
            self._counts.spooled = self._on_disk
            return self._counts

    # what follows runs in the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, self._patience())
                if self._is_gone or (self._is_ending and self._is_done()):
                    return
            try:
                self._work()
            except Exception:  # noqa: BLE001 - whatever is wrong with one output is not to end the run
                _LOG.exception("%s: a defect; trying again", self.name)
                self._fail("a defect")

    def _has_work(self) -> bool:
        if self._is_gone or self._is_asked_to_reopen or (self._is_ending and self._is_done()):
            return True
        now = time.monotonic()
        return (self._wants_disk() and now >= self._disk_at) or (bool(self._alerts or self._on_disk) and now >= self._retry_at)

    def _wants_disk(self) -> bool:
        return bool(self._alerts) and self._spool is not None and bool(self._failing or self._on_disk)

    def _is_done(self) -> bool:
        if time.monotonic() >= self._deadline:
            return True
        # with a spool, what cannot be delivered now is delivered by the next run
        return not self._alerts and (not self._on_disk or self._failing)

    def _patience(self) -> float | None:
        if not self._alerts and not self._on_disk:
            return None
        until = [self._retry_at]
        if self._wants_disk():
            until.append(self._disk_at)
        if self._is_ending:
            until.append(self._deadline)
        return max(0.0, min(until) - time.monotonic())

    def _work(self) -> None:
        if self._is_asked_to_reopen:
            self._is_asked_to_reopen = False
            try:
                self._sink.reopen()
            except OutputError as error:
                self._fail(str(error))
        if self._spool is not None and self._wants_disk() and time.monotonic() >= self._disk_at:
            self._put_on_disk(self._spool)
        if time.monotonic() < self._retry_at:
            return
        if self._spool is not None and self._on_disk:
            self._send_from_disk(self._spool)
        elif self._alerts:
            batch = list(islice(self._alerts, _MOST))
            done = self._send(batch)
            with self._changed:
                self._settle(done)

    def _settle(self, count: int) -> None:
        for _ in range(count):
            self._size -= len(self._alerts.popleft().line)
            self._settled += self._weights.popleft()

    def _put_on_disk(self, spool: Spool) -> None:
        while self._alerts:
            batch = list(islice(self._alerts, _MOST))
            try:
                kept = spool.append(batch)
            except OutputError as error:
                self._tell("spool", f"{error}; they wait in memory")
                self._disk_at = time.monotonic() + _DISK_PAUSE
                return
            self._on_disk += kept
            dropped = len(batch) - kept
            if dropped:
                self._tell("full", f"the spool is full ($.lanner.spool.max_size_mb): new alerts for {self.name} are dropped")
            with self._changed:
                self._counts.dropped += dropped
                self._settle(len(batch))

    def _send_from_disk(self, spool: Spool) -> None:
        try:
            rows = spool.first(_MOST, self._spooled_to)
        except OutputError as error:
            self._fail(str(error))
            return
        if not rows:
            self._on_disk = 0
            return
        done = self._send([alert for _, alert in rows])
        if not done:
            return
        self._on_disk -= done
        self._spooled_to = rows[done - 1][0]
        try:
            spool.remove(self._spooled_to)
        except OutputError as error:
            # they are not delivered again by this run, but by the next one if they are still there
            self._tell("spool", str(error))

    def _send(self, alerts: Sequence[Alert]) -> int:
        """Try; how many alerts, from the first on, need no more care."""
        begin = time.monotonic()
        try:
            self._sink.send(alerts)
        except OutputClosedError:
            with self._changed:
                self._is_gone = True
                self._settle(len(self._alerts))
            self._closed()
            return 0
        except OutputError as error:
            done = error.delivered
            self._counts.delivered += done
            if error.permanent and done < len(alerts):
                self._counts.dropped += 1
                self._counts.last_error = str(error)
                self._tell("refused", f"{error}; the alert is dropped")
                return done + 1
            self._counts.retried += 1
            self._fail(str(error), error.retry_after)
            return done
        self._counts.delivered += len(alerts)
        if self._failing:
            self._failing, self._pause, self._retry_at = False, _FIRST_PAUSE, 0.0
            _LOG.warning("%s works again", self.name)
        if time.monotonic() - begin > self._timeout:
            self._tell("slow", f"{self.name} took {time.monotonic() - begin:.1f} s for {len(alerts)} alerts ($.output_timeout)")
        return len(alerts)

    def _fail(self, message: str, retry_after: float = 0.0) -> None:
        self._counts.failures += 1
        self._counts.last_error = message
        if not self._failing:
            where = "in the spool" if self._spool is not None else "in memory"
            _LOG.error("%s; alerts wait %s until it works again", message, where)
        self._failing = True
        # jitter: many that lost one server do not come back in one moment
        pause = max(retry_after, self._pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        self._retry_at = time.monotonic() + (min(pause, _LAST_TRY) if self._is_ending else pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _tell(self, what: str, message: str) -> None:
        """Log it, but once a minute at most."""
        now = time.monotonic()
        if now - self._told.get(what, -_TELL_EVERY) >= _TELL_EVERY:
            self._told[what] = now
            _LOG.warning("%s", message)
