"""Batches through the native executor on several threads, their alerts in order.

In come batches, one after the other, from one thread; each is matched on a thread of its own without the GIL, and the pump writes
its alerts, in the thread that feeds, when those of all batches before are written. Not more than a few batches are kept.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from lanner.host.native import Found, NativeRules
    from lanner.host.pump import Pump
    from lanner.sdk.batches import Batch


def cores() -> int:
    """How many threads can run at once."""
    return len(os.sched_getaffinity(0))


class Jobs:
    """A pump that is fed by `jobs` threads. One job, or a pump without the native executor, and all is done by the feeding thread."""

    def __init__(self, pump: Pump, jobs: int) -> None:
        self._pump = pump
        self._jobs = jobs if pump.native is not None else 1
        self._pool: ThreadPoolExecutor | None = None
        self._free: list[NativeRules] = []
        self._waiting: deque[tuple[Sequence[bytes], Future[Found]]] = deque()
        self._events = 0

    @property
    def events(self) -> int:
        """How many events were fed, also those whose alerts are still to be written."""
        return self._events if self._pool else self._pump.events

    def feed(self, batch: Batch, clock: Callable[[], int] | None) -> None:
        """See `Pump.feed`. With several jobs the alerts may come with a later call.

        With a clock, which several threads would have to ask in turn, and for the first event, whose time the others count from,
        nothing is left to threads.
        """
        if self._jobs == 1 or clock is not None or not self._pump.events:
            self._pump.feed(batch, clock)
            return
        native = self._pump.native
        assert native is not None
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # where there is more than one block

            self._pool = ThreadPoolExecutor(self._jobs, "lanner-rules")
            self._free = [native, *(native.copy() for _ in range(self._jobs - 1))]
            self._events = self._pump.events
        while len(self._waiting) > 2 * self._jobs:  # each job has one at hand when it is done
            self._finish()
        self._waiting.append((batch.payloads, self._pool.submit(self._run, batch, self._events, self._pump.first_timestamp)))
        self._events += len(batch.payloads)

    def drain(self) -> None:
        """Write the alerts of all that was fed."""
        while self._waiting:
            self._finish()

    def close(self) -> None:
        """End the threads; what is not written yet is left."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _finish(self) -> None:
        payloads, future = self._waiting.popleft()
        self._pump.finish(payloads, future.result())

    def _run(self, batch: Batch, number: int, first: int | None) -> Found:
        native = self._free.pop()
        try:
            # when the batch before ended is not known yet: what depends on it is left open
            return native.run(batch.payloads, batch.timestamps, number, None, first, None)
        finally:
            self._free.append(native)
