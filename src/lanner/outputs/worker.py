"""One output's thread: it sends alerts from the output's queue to its sink, and survives failures of the sink.

Alerts enter by `put` and leave when they are delivered, on disk, or dropped; `settled` counts them. A failed sink is
retried with growing pauses, and all alerts wait in their order: on disk if there is a spool, else in memory. The delivery
decides which sinks exist and when to end.
"""

from __future__ import annotations

import logging
import math
import random
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.outputs.base import OutputClosedError, OutputError, SinkCounts, SpoolError
from lanner.outputs.histogram import AGES, Histogram
from lanner.outputs.sender import Sender
from lanner.outputs.spooling import SpoolUse
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from lanner.outputs.base import Alert, Sink
    from lanner.outputs.spool import Spool

    Queued: TypeAlias = tuple[int, Alert, int]

_LOG: Final = logging.getLogger("lanner.outputs")

_PLENTY: Final = 256
"""Number of alerts that wakes the thread before the end of the batch."""
ENTRY: Final = 200
"""Measured overhead of an alert in the queue in bytes, in addition to its line and record."""
_TRANSACTION: Final = 5000
"""Maximum number of alerts per append to the spool."""
_HEED: Final = 300.0
"""Maximum pause in seconds that a receiver may request."""
_SELDOM: Final = 60.0
"""Seconds between messages of the same kind."""
_FULL: Final = "its queue is full"


class Backoff(NamedTuple):
    """Return the seconds until a failed sink is tried again: doubled each time, with up to a half of jitter."""

    first: float = 0.1
    longest: float = 30.0

    def delay(self, failures: int) -> float:
        """Return the pause after that number of consecutive failures."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Limits(NamedTuple):
    """Limits of one queue: alerts (0: no limit) and bytes. `timeout`: seconds after which a sink that has not returned is logged."""

    capacity: int
    most_bytes: int
    timeout: float


class Worker:
    """The queue and thread of `sink`. `settling` is notified when alerts are settled; its lock guards the queues of all workers.

    `gone` is called, in the thread, when the reader of the sink's alerts has closed. Methods are for any thread; if they say so, with
    the lock held.
    """

    def __init__(
        self,
        sink: Sink,
        settling: threading.Condition,
        lock: threading.Lock,
        gone: Callable[[], None],
        limits: Limits,
        backoff: Backoff,
        spool: Spool | None,
    ) -> None:
        self.name = sink.name
        self._is_store = sink.wants_records
        self._sink, self._settling, self._lock, self._gone = sink, settling, lock, gone
        self._backoff = backoff
        self._sender = Sender(sink, lock, limits.timeout)
        self._spool = SpoolUse(sink.name, spool) if spool is not None else None
        self._capacity, self._most_bytes = limits.capacity or sys.maxsize, limits.most_bytes
        self._wake = threading.Condition(lock)
        self._queue: deque[Queued] = deque()  # the current batch stays at its head until it has arrived
        self._size = 0
        self._counts = SinkCounts()
        self._ages = Histogram(AGES)
        self._lost = 0
        self._failures = 0  # consecutive
        self._down_since = 0.0
        self._said_down = False
        self._retry_at = 0.0
        self._reopening = False
        self._deadline = math.inf  # of the shutdown, once it begins
        self._abandoned = False
        self._said_dropped, self._said_dropped_at = 0, -math.inf
        self._why_dropped = ""
        self.trouble = ""
        """The first problem other than a failed delivery: a bug, or its end."""
        self._thread = threading.Thread(target=self._run, name=f"lanner-{sink.name}", daemon=True)
        self._thread.start()

    def put(self, queued: Queued) -> None:
        """Accept an alert with its number and its size in memory, or drop it if the queue is full. With the lock held."""
        size = queued[2]
        queue = self._queue
        if self._size + size > self._most_bytes or len(queue) >= self._capacity:
            self._counts.dropped += 1
            self._why_dropped = _FULL
            return
        self._size += size
        queue.append(queued)
        if len(queue) == _PLENTY:
            self._wake.notify()

    def wake(self) -> None:
        """Make the thread check its queue. With the lock held."""
        if self._queue:
            self._wake.notify()

    def count_settled(self, accepted: int) -> int:
        """Return its progress with the first `count` alerts. With the lock held."""
        # a failing store must not make a restart repeat events for the other outputs
        return self._queue[0][0] - 1 if self._queue and not (self._is_store and self._failures) else accepted

    def counts(self) -> SinkCounts:
        """Return the counters so far. With the lock held."""
        return replace(
            self._counts,
            dropped=self._counts.dropped + self._lost,
            pending=len(self._queue) - self._lost,
            spooled=self._spool.waiting if self._spool else 0,
            timeouts=self._sender.timeouts,
            damaged=self._spool.damaged if self._spool else 0,
            durations=self._sender.durations.read(),
            ages=self._ages.read(),
        )

    def drop(self) -> None:
        """Count an alert after the end. With the lock held."""
        self._counts.dropped += 1

    def reopen(self) -> None:
        """Make the sink reopen its files and connections before its next alert. With the lock held."""
        self._reopening = True
        self._wake.notify()

    def look(self) -> None:
        """Log a stuck sink and dropped alerts, which the thread itself may be too busy to log."""
        self._sender.look()
        now = time.monotonic()
        if now - self._said_dropped_at >= _SELDOM and self._say_drops():
            self._said_dropped_at = now

    def end(self, deadline: float) -> None:
        """Deliver what can be delivered until `deadline` (`time.monotonic`), and end. With the lock held."""
        self._deadline = deadline
        self._failures, self._retry_at = min(self._failures, 1), 0.0
        self._wake.notify()

    def wait_end(self, patience: float) -> int:
        """Wait for its end until the deadline, and longer if the sink can be interrupted. Return the number of lost alerts."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            try:
                self._sink.interrupt()
            except Exception as error:  # noqa: BLE001 - as above
                self._note(error, "%s: cannot be interrupted: %s", self.name, error)
            self._thread.join(patience)
        with self._lock:
            self._abandoned = True  # a thread that returns later has nothing to do
        if self._spool is not None:
            while self._queue and self._set_aside():
                pass
            self._spool.close()
        with self._lock:
            self._lost = len(self._queue)
        self._say_drops()
        return self._lost

    def _run(self) -> None:
        try:
            while self._goes_on():
                pass
        finally:
            try:
                self._sink.close()
            except BaseException as error:  # noqa: BLE001 - a bug in one output must not end the others
                self._note(error, "%s: %s", self.name, error)
                self.trouble = self.trouble or f"{self.name}: {error}"

    def _goes_on(self) -> bool:
        """Wait for work and do it. Return False at the end."""
        try:
            if not self._is_due():
                return False
            self._step()
        except OutputClosedError:
            self._give_up()
            return False
        except BaseException as error:  # noqa: BLE001 - as above; otherwise no code would report it
            self._note(error, "%s: a bug in Lanner; Lanner retries", self.name)
            self.trouble = self.trouble or f"{self.name}: a bug in Lanner: {type(error).__name__}: {error}"
            self._note_error(OutputError(f"{type(error).__name__}: {error}"))
            with self._lock:
                self._wake.wait_for(lambda: self._is_ending, self._retry_at - time.monotonic())
                return not self._is_ending
        return True

    @property
    def _is_ending(self) -> bool:
        return self._abandoned or self._deadline < math.inf

    def _note(self, error: BaseException, message: str, *about: object) -> None:
        """Log the error, with a traceback unless it is a failed system call."""
        if isinstance(error, OSError):
            _LOG.error(message, *about)
        else:
            _LOG.error(message, *about, exc_info=error)

    def _give_up(self) -> None:
        """Drop waiting and new alerts, because the reader has closed."""
        with self._lock:
            self._counts.dropped += len(self._queue)
            self._queue.clear()
            self._size, self._capacity = 0, -1
            self._settling.notify_all()
        self._gone()

    def _is_due(self) -> bool:
        """Wait for work. Return False at the end."""
        with self._lock:
            while not self._is_over():
                wait = min(self._due_to_send(), self._due_to_set_aside(), self._deadline) - time.monotonic()
                if wait <= 0 or self._reopening:
                    return True
                self._wake.wait(None if wait == math.inf else wait)
            return False

    def _is_over(self) -> bool:
        if self._abandoned:
            return True
        if self._deadline == math.inf:
            return False
        # with a spool, one more attempt is made near the end; the rest is for the next run
        tried = self._spool is not None and self._failures > 0 and self._retry_at > 0
        waits = self._queue or (self._spool is not None and self._spool.waiting and self._spool.is_readable)
        return not waits or tried or time.monotonic() >= self._deadline

    def _due_to_send(self) -> float:
        if self._queue:
            return self._retry_at
        return max(self._retry_at, self._spool.read_at) if self._spool is not None and self._spool.waiting else math.inf

    def _due_to_set_aside(self) -> float:
        spool, queue = self._spool, self._queue
        if spool is None or not queue:
            return math.inf
        crowded = self._size > self._most_bytes // 2 or len(queue) > self._capacity // 2
        behind = spool.waiting and spool.is_readable
        return spool.append_at if self._failures or behind or crowded else math.inf

    def _step(self) -> None:
        with self._lock:
            reopening, self._reopening = self._reopening, False
            setting_aside = self._due_to_set_aside() <= time.monotonic()
        if reopening:
            try:
                self._sink.reopen()
            except BaseException as error:  # noqa: BLE001 - as above
                self._counts.last_error = str(error)
                self._note(error, "%s: %s; it keeps the old file or connection", self.name, error)
        if setting_aside:
            self._set_aside()
        if self._due_to_send() <= time.monotonic():
            self._send_next()

    def _set_aside(self) -> int:
        """Move the queue's head to the disk. Return how many alerts were moved."""
        assert self._spool is not None
        head = self._head(_TRANSACTION)
        taken = self._spool.append([alert for _, alert, _ in head])
        with self._lock:
            self._forget(head[:taken])
        return taken

    def _send_next(self) -> None:
        spool = self._spool
        if spool is not None and not (spool.waiting and spool.read_at <= time.monotonic()):
            spool = None
        head: list[Queued] = []
        alerts: list[Alert] = []
        if spool is not None:
            try:
                alerts = spool.first(self._sender.most)
            except SpoolError as error:
                if spool.is_readable and self._deadline == math.inf:
                    self._note_error(OutputError(str(error)))
                    return
                spool = None
        if spool is None:
            head = self._head(self._sender.most)
            alerts = [alert for _, alert, _ in head]
        if not alerts:
            return
        if self._failures:
            self._counts.retried += 1
        delivered, failure = self._sender.send(alerts)
        now = time.time_ns()
        refused = 1 if failure is not None and failure.permanent and delivered < len(alerts) else 0
        if spool:
            spool.remove(delivered + refused)
        with self._lock:
            if self._abandoned:
                return  # they are counted as lost, or in the spool
            self._counts.delivered += delivered
            self._ages.observe_ages(now, [alert.timestamp for alert in alerts[:delivered]])
            self._counts.dropped += refused
            if refused:
                self._why_dropped = str(failure)
                if self._why_dropped == self._sender.bug:
                    self.trouble = self.trouble or f"{self.name}: an alert is lost: {self._sender.bug}"
            self._forget(head[: delivered + refused])
        if failure is None:
            self._works()
        else:
            if delivered:
                self._failures = min(self._failures, 1)
            self._note_error(failure)

    def _works(self) -> None:
        if self._failures:
            level = logging.INFO if self._said_down else logging.DEBUG
            _LOG.log(level, "%s: works again, after %.1f s", self.name, time.monotonic() - self._down_since)
        self._failures, self._retry_at, self._said_down = 0, 0.0, False

    def _note_error(self, error: OutputError) -> None:
        self._counts.failures += 1
        self._counts.last_error = str(error)
        if error.permanent:
            return  # the next alert may be accepted
        if not self._failures:
            self._down_since = time.monotonic()
        if not self._said_down and not error.is_usual:
            self._said_down = True
            _LOG.warning("%s: %s; Lanner retries until it works", self.name, error)
        self._failures += 1
        self._retry_at = time.monotonic() + max(self._backoff.delay(self._failures), min(error.retry_after, _HEED))

    def _head(self, most: int) -> list[Queued]:
        with self._lock:
            return list(islice(self._queue, most))

    def _forget(self, head: list[Queued]) -> None:
        """Mark these alerts as settled. With the lock held."""
        last = head[-1][0] if head else 0
        while self._queue and self._queue[0][0] <= last:
            self._size -= self._queue.popleft()[2]
        self._settling.notify_all()

    def _say_drops(self) -> bool:
        dropped, before = self._counts.dropped, self._said_dropped
        if dropped == before or self._capacity < 0:
            return False
        self._said_dropped = dropped
        _LOG.warning("%s: %s dropped, %d so far: %s", self.name, many(dropped - before, "alert"), dropped, self._why_dropped)
        return True
