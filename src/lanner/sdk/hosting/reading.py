"""Blocking sources: iterators and async iterators, run by a reader thread with a bounded queue for next_batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.authoring.events import Event, Nothing
from lanner.sdk.authoring.positions import Marks, freeze
from lanner.sdk.errors import LannerError, SourceError
from lanner.sdk.hosting.batches import Batch, close_instance, describe_instance
from lanner.sdk.hosting.failures import opening_failure, plugin_failure
from lanner.sdk.hosting.opening import where_blocked
from lanner.sdk.text.encoding import to_bytes_leniently

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Iterator, Mapping

    from lanner.sdk.authoring.positions import Positions
    from lanner.sdk.hosting.opening import Opening

MAX_QUEUED: Final = 8192
MAX_QUEUED_BYTES: Final = 16 * 1024 * 1024
MAX_BATCH: Final = 4096
LEAVE_AFTER: Final = 2.0
"""Seconds that a reader thread has to end after close(). Then it is left running, and the events that it yields are dropped."""


class ThreadedSource:
    """A source that yields events one by one and may block between them.

    The reader thread appends to a queue and waits if that is full; next_batch takes all queued events. Both sides check again
    after each clear of their event, so that no wake-up is lost and no side polls.
    """

    def __init__(self, iterator: Any, plugin: str, opening: Opening, positions: Positions | None = None) -> None:
        self._iterator = iterator
        self._plugin = plugin
        self._opening = opening
        self._positions = positions
        self._marks = None if positions is None else Marks(positions)
        self._queue: deque[tuple[bytes | None, int | None, Any]] = deque()  # no payload: only a position
        self._put_bytes = self._taken_bytes = 0  # each written by only one thread
        self._ready = threading.Event()
        self._room = threading.Event()
        self._closing = threading.Lock()
        self._closed = self._finished = self._was_closed = self._has_yielded = False
        self._failure: LannerError | None = None
        self._cancel: Any = None
        self.position = 0
        self.stuck = ""
        self.commits_itself = positions is not None
        self._is_warned = False
        # another thread cannot close a running generator, and an async one is closed in its own loop
        if not hasattr(iterator, "gi_running") and not hasattr(iterator, "__aiter__"):
            opening.add(iterator)
        self.description = describe_instance(iterator, plugin)
        self._thread = threading.Thread(target=self._run, name=f"lanner-{plugin}", daemon=True)
        self._thread.start()

    @property
    def counters(self) -> Mapping[str, int]:
        """See `lanner.sdk.hosting.event_source.Source`."""
        return self._opening.counters if self._positions is None else {**self._opening.counters, **self._positions.counters}

    @property
    def connections(self) -> Mapping[str, bool]:
        """See `lanner.sdk.hosting.event_source.Source`."""
        return self._opening.connections

    def next_batch(self, timeout: float, most: int = MAX_BATCH) -> Batch:
        """See `lanner.sdk.hosting.event_source.Source`."""
        if self.commits_itself:
            self.commit(self.position)
        if not self._queue and not self._finished and not self._closed:
            self._ready.wait(timeout)
        self._ready.clear()
        finished = self._finished  # read before the queue: events queued before the thread finished are then visible
        batch = self._drain(min(most, MAX_BATCH))
        if finished or self._closed:
            self._ready.set()
            if not self._queue:
                if not batch.payloads and self._failure is not None and not self._closed:
                    raise self._failure
                batch.ended = self._failure is None or self._closed
        return batch

    def commit(self, position: int) -> None:
        """See `lanner.sdk.hosting.event_source.Source`. `position` is a number of events."""
        if self._marks is not None:
            self._marks.commit(position)

    def close(self) -> None:
        """See `lanner.sdk.hosting.event_source.Source`. Waits up to 2 s for the reader thread, after it has released the host."""
        self._closed = True
        self._ready.set()
        self._room.set()
        with self._closing:
            if self._was_closed:
                return
            self._was_closed = True
            if self._cancel is not None:
                self._cancel()
            self._opening.close()
            self._thread.join(LEAVE_AFTER)
            if self._thread.is_alive():
                self._log().warning(
                    "the event source did not end within %g s of being closed and is left running%s; "
                    "a waiting generator ends at once if it does `yield lanner.NOTHING` now and then",
                    LEAVE_AFTER,
                    where_blocked(self._thread.ident),
                )

    def _drain(self, most: int) -> Batch:
        payloads: list[bytes] = []
        timestamps: list[int | None] = []
        reached: Any = None
        take = self._queue.popleft
        for _ in range(min(len(self._queue), most)):
            payload, timestamp, position = take()
            if position is not None:
                reached = position
            if payload is not None:
                payloads.append(payload)
                timestamps.append(timestamp)
        self.position += len(payloads)
        if reached is not None and self._marks is not None:
            self._marks.mark(self.position, reached)
        self._taken_bytes += sum(map(len, payloads))
        self._room.set()
        known = any(timestamp is not None for timestamp in timestamps)
        return Batch(payloads, timestamps if known else None)

    # the methods below run in the reader thread

    def _run(self) -> None:
        try:
            with self._opening.enter():
                if hasattr(self._iterator, "__aiter__"):
                    self._run_async(self._iterator)
                else:
                    self._run_iterator(iter(self._iterator))
        except LannerError as error:
            self._failure = self._make_failure(error)
        except BaseException as error:  # noqa: BLE001 - plugin code may raise anything, SystemExit too
            if not (isinstance(error, GeneratorExit) and self._closed):  # a closed feed ends its generator
                self._failure = self._make_failure(plugin_failure(self._plugin, "open", error))
        finally:
            if self._closed and self._failure is not None:
                self._log().warning("%s", self._failure)
            self._finished = True
            self._ready.set()

    def _make_failure(self, error: LannerError) -> LannerError:
        if not self._has_yielded:
            return opening_failure(self._plugin, "open", error)
        return error if isinstance(error, SourceError) else SourceError(str(error))

    def _run_iterator(self, iterator: Iterator[Any]) -> None:
        for item in iterator:
            if not self._put(item):
                if isinstance(iterator, Generator):
                    iterator.close()
                return

    def _run_async(self, iterator: AsyncIterator[Any]) -> None:
        import asyncio  # 70 ms that other sources save

        async def read() -> None:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None

            def cancel() -> None:
                with suppress(RuntimeError):  # the loop may have ended meanwhile
                    loop.call_soon_threadsafe(task.cancel)

            self._cancel = cancel
            try:
                # close() sets _closed before it checks _cancel, so one of the two sides sees the other
                if not self._closed:
                    async for item in iterator:
                        if not self._put(item):
                            return
            finally:
                close_instance(iterator, self._plugin)

        try:
            asyncio.run(read())
        except asyncio.CancelledError:
            if not self._closed:
                raise

    def _put(self, item: Any) -> bool:
        """Queue an item that was yielded. Return False if the source is closed."""
        self._has_yielded = True
        payload: bytes | None = None
        timestamp = position = None
        if isinstance(item, Event):
            payload, timestamp, position = item.payload, item.timestamp, item.position
        elif isinstance(item, bytes):
            payload = item
        elif isinstance(item, str):
            payload = to_bytes_leniently(item)
        elif isinstance(item, Nothing):
            position = item.position
            if position is None:
                return not self._closed
        else:
            raise SourceError(
                f"plugin {self._plugin}: open yielded {type(item).__name__}; it must yield bytes, str, lanner.Event(...) or lanner.NOTHING"
            )
        if position is not None:
            position = self._keep(position)
        while self._is_full() and not self._closed:
            self._room.clear()
            if self._is_full() and not self._closed:
                self._room.wait()
        if self._closed:
            return False
        if payload is not None:
            self._put_bytes += len(payload)
        self._queue.append((payload, timestamp, position))
        if not self._ready.is_set():
            self._ready.set()
        return True

    def _keep(self, position: Any) -> Any:
        if self._marks is not None:
            return freeze(position, self._plugin)
        if not self._is_warned and not self._opening.resumes:
            self._is_warned = True
            self._log().warning("its events have positions, but it cannot resume there: write def open(self, params: str, position: Any)")
        return None

    def _is_full(self) -> bool:
        return len(self._queue) >= MAX_QUEUED or (bool(self._queue) and self._put_bytes - self._taken_bytes >= MAX_QUEUED_BYTES)

    def _log(self) -> logging.Logger:
        import logging  # rare, and slow to import

        return logging.getLogger(f"lanner.plugin.{self._plugin}")
