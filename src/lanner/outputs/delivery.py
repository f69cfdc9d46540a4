"""Delivery of alerts to sinks that may be slow, unreachable or stuck, without stopping the run: a queue and a thread per sink.

`worker` handles the alerts of one output; this module hands them to all workers in the same order, and
waits for them at the end of the run.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.outputs.base import OutputError, loss
from lanner.outputs.spool_place import spool_file
from lanner.outputs.worker import ENTRY, Backoff, Limits, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lanner.outputs.base import Alert, Sink, SinkCounts
    from lanner.outputs.spool import Spool

_BACKOFF: Final = Backoff()
_MOST_BYTES: Final = 64 << 20
_LOOK: Final = 1.0
_LOOK_OFTEN: Final = 0.05
"""Seconds between checks for stuck outputs and dropped alerts: as long as a timeout, within these bounds."""
_INTERRUPTED: Final = 0.5
"""Seconds that an interrupted sink has to return."""


class SpoolSettings(NamedTuple):
    """Directory of the spools, one file per output, and the maximum size of each in bytes.

    `wait`: seconds to wait for an earlier run that still uses it.
    """

    directory: str | Path
    most_bytes: int = 1 << 30
    wait: float = 5.0


class QueuedDelivery:
    """A `Delivery` that never waits for a sink and continues if a sink fails.

    `capacity`: maximum number of alerts waiting for each sink (0: as many as fit into `most_bytes` of memory with their
    overhead); further alerts are dropped. `closed` is called, from another thread, when the reader of standard output has closed.
    Alerts after the end are dropped.

    Raises SpoolInUseError, and OutputError if Python lacks SQLite. It owns the sinks from then on.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        closed: Callable[[], None] = lambda: None,
        capacity: int = 0,
        most_bytes: int = _MOST_BYTES,
        timeout: float = 2.0,
        spool: SpoolSettings | None = None,
        backoff: Backoff = _BACKOFF,
    ) -> None:
        lock = self._lock = threading.Lock()
        self._settling = threading.Condition(lock)
        self._accepted = 0
        self._closed = False
        self._ending = threading.Event()
        limits = Limits(capacity, most_bytes, timeout)
        self._workers = tuple(
            Worker(sink, self._settling, lock, closed, limits, backoff, own)
            for sink, own in zip(sinks, _open_spools(sinks, spool), strict=True)
        )
        self._puts = tuple(worker.put for worker, sink in zip(self._workers, sinks, strict=True) if not sink.wants_records)
        self._record_puts = tuple(worker.put for worker, sink in zip(self._workers, sinks, strict=True) if sink.wants_records)
        every = max(_LOOK_OFTEN, min(_LOOK, timeout))
        self._looker = threading.Thread(target=self._look, args=(every,), name="lanner-outputs", daemon=True)
        self._looker.start()

    @property
    def accepted(self) -> int:
        """See `Delivery`."""
        return self._accepted

    @property
    def settled(self) -> int:
        """See `Delivery`."""
        with self._lock:
            return self._count_settled()

    def wait_settled(self, count: int, timeout: float) -> bool:
        """Wait until the first `count` alerts are settled. Return False if they are not after `timeout` seconds."""
        with self._lock:
            return self._settling.wait_for(lambda: self._count_settled() >= count, timeout)

    def write(self, alert: Alert) -> None:
        """See `Delivery`; it never blocks. The sinks get the alert at the next `flush`, or within a second."""
        with self._lock:
            if self._closed:
                for worker in self._workers:
                    worker.drop()
                return
            self._accepted += 1
            size = alert.line.__sizeof__() + ENTRY
            if alert.record is not None:
                for put in self._record_puts:
                    put((self._accepted, alert, size + alert.record.memory))
                # a slow output must not keep the events of its alerts in memory
                alert = alert._replace(record=None)
            queued = self._accepted, alert, size
            for put in self._puts:
                put(queued)

    def flush(self) -> None:
        """See `Delivery`; it neither blocks nor raises."""
        with self._lock:
            for worker in self._workers:
                worker.wake()

    def reopen(self) -> None:
        """See `Delivery`; each worker reopens its sink before its next alert."""
        with self._lock:
            for worker in self._workers:
                worker.reopen()

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what can be delivered within `timeout` seconds, and keep the rest in the spool.

        Raises OutputError if alerts are lost, or an output failed with a bug. Lost alerts are not `settled`, so a source
        that can repeat its events does so.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._ending.set()
            deadline = time.monotonic() + timeout
            for worker in self._workers:
                worker.end(deadline)
        self._looker.join()
        lost = {worker.name: worker.wait_end(_INTERRUPTED) for worker in self._workers}
        counts = self.counts()
        wrong = [loss(name, count, counts[name].last_error) for name, count in lost.items() if count]
        wrong += [worker.trouble for worker in self._workers if worker.trouble and not lost[worker.name]]
        if wrong:
            raise OutputError("; ".join(wrong))

    @property
    def suppressed(self) -> dict[str, int]:
        """See `Delivery`."""
        return {}

    def counts(self) -> dict[str, SinkCounts]:
        """See `Delivery`; the result is a copy."""
        with self._lock:
            return {worker.name: worker.counts() for worker in self._workers}

    def _count_settled(self) -> int:
        return min((worker.count_settled(self._accepted) for worker in self._workers), default=self._accepted)

    def _look(self, every: float) -> None:
        while not self._ending.wait(every):
            self.flush()
            for worker in self._workers:
                worker.look()
        for worker in self._workers:
            worker.look()


def import_spool() -> type[Spool]:
    """Return the class of spools. Raises `OutputError` without Python's sqlite3."""
    try:
        from lanner.outputs.spool import Spool
    except ImportError as error:
        raise OutputError(f"$.lanner.spool.path needs Python's sqlite3, which this Python lacks: {error}") from error
    return Spool


def _open_spools(sinks: Sequence[Sink], settings: SpoolSettings | None) -> list[Spool | None]:
    if settings is None:
        return [None] * len(sinks)
    make_spool = import_spool()
    with ExitStack() as opened:
        spools: list[Spool | None] = []
        for sink in sinks:
            if sink.wants_records:
                spools.append(None)
                continue
            spool = make_spool(spool_file(settings.directory, sink.name), settings.most_bytes, settings.wait)
            opened.callback(spool.close)
            spools.append(spool)
        opened.pop_all()
    return spools
