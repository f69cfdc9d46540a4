"""Alerts to outputs that live side by side: each has a `Worker`, so that none holds up another, or the run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.outputs.base import OutputError
from lanner.outputs.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.outputs.base import Alert, Sink, SinkCounts

_CLOSE_WITHIN: Final = 5.0


class Limits(NamedTuple):
    """How much may wait in front of each output, in memory and, where there is a directory for it, on disk."""

    capacity: int = 0
    max_bytes: int = 64 * 1024 * 1024
    timeout: float = 2.0
    spool: str = ""
    spool_bytes: int = 1024 * 1024 * 1024


class QueuedDelivery:
    """A `Delivery` for a run that goes on whatever an output does. `closed` is called when nobody reads standard output any more."""

    def __init__(self, sinks: Sequence[Sink], limits: Limits, closed: Callable[[], None]) -> None:
        """Begin, with what an earlier run has left in spools. Raises `OutputError` where there can be no spool."""
        self._accepted = 0
        self._writing = threading.Lock()  # all outputs have alerts in the same order
        self._is_closed = False
        self._closed = closed
        spools = {}
        if limits.spool:
            from lanner.outputs.spool import Spool  # SQLite only where it is used

            try:
                for sink in sinks:
                    if sink.name != "stdout_output":
                        spools[sink.name] = Spool(limits.spool, sink.name, limits.spool_bytes)
            except OutputError:
                for spool in spools.values():
                    spool.close()
                raise
        self._workers = [
            Worker(
                sink,
                self._note_gone,
                capacity=limits.capacity,
                max_bytes=limits.max_bytes,
                timeout=limits.timeout,
                spool=spools.get(sink.name),
            )
            for sink in sinks
        ]

    @property
    def accepted(self) -> int:
        """See `Delivery`."""
        return self._accepted

    @property
    def settled(self) -> int:
        """See `Delivery`."""
        return min((worker.settled for worker in self._workers if not worker.is_gone), default=self._accepted)

    def write(self, alert: Alert) -> None:
        """See `Delivery`."""
        with self._writing:
            self._accepted += 1
            for worker in self._workers:
                worker.put(alert)

    def flush(self) -> None:
        """Nothing to do: what is taken goes out at once."""

    def reopen(self) -> None:
        """See `Delivery`."""
        for worker in self._workers:
            worker.reopen()

    def close(self, within: float = _CLOSE_WITHIN) -> None:
        """See `Delivery`; in so many seconds. OutputError says what is lost."""
        if self._is_closed:
            return
        self._is_closed = True
        deadline = time.monotonic() + within
        for worker in self._workers:
            worker.end(deadline)
        lost = {worker.name: worker.join() for worker in self._workers}
        told = [
            f"{count:,} alerts are lost that {name} did not take: {self.counts()[name].last_error or 'it is too slow'}"
            for name, count in lost.items()
            if count
        ]
        if told:
            raise OutputError("; ".join(told) + ". A spool ($.lanner.spool) keeps them")

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`."""
        return {worker.name: worker.counts() for worker in self._workers}

    def _note_gone(self) -> None:
        if all(worker.is_gone for worker in self._workers):
            self._closed()
