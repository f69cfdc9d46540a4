"""Match batches on several threads with the native executor, and write alerts in order.

Batches arrive in order from one thread. Each is matched on a worker thread without the GIL. The feeding thread writes a batch's
alerts once those of all earlier batches are written. The number of waiting batches is bounded.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from lanner.host.native_rules import BatchResult, NativeRules
    from lanner.host.pump import Pump
    from lanner.sdk.hosting.batches import Batch


def count_cores() -> int:
    """Return how many threads can run in parallel."""
    return len(os.sched_getaffinity(0))


class Jobs:
    """A pump with `jobs` worker threads. With one job, or without the native executor, the feeding thread does all the work."""

    def __init__(self, pump: Pump, jobs: int) -> None:
        self._pump = pump
        self._jobs = jobs if pump.native is not None else 1
        self._pool: ThreadPoolExecutor | None = None
        self._free: list[NativeRules] = []
        self._waiting: deque[tuple[Sequence[bytes], Future[BatchResult]]] = deque()
        self._events = 0

    @property
    def events(self) -> int:
        """Number of events fed, including those whose alerts are not written yet."""
        return self._events if self._pool else self._pump.events

    def feed(self, batch: Batch, clock: Callable[[], int] | None) -> None:
        """See `Pump.feed`. With several jobs, alerts may be written by a later call.

        The feeding thread matches a batch itself if the batch has a clock, which threads would share. It also matches the first batch,
        because the time of the first event is the reference for the others.
        """
        if self._jobs == 1 or clock is not None or not self._pump.events:
            self._pump.feed(batch, clock)
            return
        native = self._pump.native
        assert native is not None
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # only needed for more than one block

            self._pool = ThreadPoolExecutor(self._jobs, "lanner-rules")
            self._free = [native, *(native.copy() for _ in range(self._jobs - 1))]
            self._events = self._pump.events
        while len(self._waiting) > 2 * self._jobs:  # each worker has its next batch ready
            self._finish()
        self._waiting.append((batch.payloads, self._pool.submit(self._run, batch, self._events, self._pump.first_timestamp)))
        self._events += len(batch.payloads)

    def drain(self) -> None:
        """Write the alerts of all batches fed."""
        while self._waiting:
            self._finish()

    def close(self) -> None:
        """Stop the threads and drop unwritten alerts."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _finish(self) -> None:
        payloads, future = self._waiting.popleft()
        self._pump.finish(payloads, future.result())

    def _run(self, batch: Batch, number: int, first: int | None) -> BatchResult:
        native = self._free.pop()
        try:
            # the last time of the previous batch is not known yet, so values that depend on it stay open
            return native.run(batch.payloads, batch.timestamps, number, None, first, None)
        finally:
            self._free.append(native)
