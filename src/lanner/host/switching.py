"""An event source that can be replaced by another one during a run, for plugins that are reloaded while they are developed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from lanner.sdk.errors import LannerError
from lanner.sdk.hosting.batches import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanner.sdk.authoring.positions import Positions
    from lanner.sdk.hosting.event_source import Source


class PositionTrack:
    """A store of positions that resumes at the last one it got, so that the next source begins after the last event of the one before."""

    def __init__(self, store: Positions | None) -> None:
        self.resumed: Any = None if store is None else store.resumed
        self._store = store

    @property
    def counters(self) -> Mapping[str, int]:
        """See `Positions`."""
        return {} if self._store is None else self._store.counters

    def advance(self, position: Any) -> None:
        """See `Positions`."""
        self.resumed = position
        if self._store is not None:
            self._store.advance(position)


class SwitchingSource:
    """A source that another one can replace. A source that fails or ends leaves it waiting for the next one; `tell` gets the reason."""

    def __init__(self, source: Source, tell: Callable[[str], None]) -> None:
        self._source = source
        self._tell = tell
        self._before = 0
        """The position at which the current source began."""
        self._counted: dict[str, int] = {}
        self._lock = threading.Lock()
        """Guards `_next` and `_source`: a source that was opened meanwhile must be closed, too."""
        self._next: Callable[[], Source] | None = None
        self._woken = threading.Event()
        self._waiting = self._closed = False
        self._commits_itself = source.commits_itself
        self.description = source.description
        self.position = 0

    def switch(self, make: Callable[[], Source]) -> None:
        """Close the current source, and continue with what `make` returns. Callable from any thread; a reader's thread calls `make`."""
        with self._lock:
            self._next = make
            self._woken.set()
            source = self._source
        source.close()

    @property
    def counters(self) -> Mapping[str, int]:
        """See `Source`: the sums of all sources."""
        return _sum(self._counted, self._source.counters)

    @property
    def connections(self) -> Mapping[str, bool]:
        """See `Source`."""
        return self._source.connections

    @property
    def stuck(self) -> str:
        """See `Source`."""
        return self._source.stuck

    @property
    def commits_itself(self) -> bool:
        """See `Source`."""
        return self._commits_itself

    @commits_itself.setter
    def commits_itself(self, value: bool) -> None:
        self._commits_itself = self._source.commits_itself = value

    def next_batch(self, timeout: float, *most: int) -> Batch:
        """See `Source`."""
        if self._closed:
            if self._waiting:
                return Batch([], ended=True)
            batch = self._source.next_batch(timeout, *most)
            self.position = self._before + self._source.position
            return batch
        if self._waiting:
            if self._next is None and not self._closed:
                self._woken.wait(timeout)
            if self._next is None:
                return Batch([], ended=self._closed)
            self._continue()
        try:
            batch = self._source.next_batch(timeout, *most)
        except LannerError as error:
            if self._closed:
                raise
            if self._next is None:
                self._wait(f"error: {error}")
            else:
                self._continue()
            return Batch([])
        self.position = self._before + self._source.position
        if batch.ended and not self._closed:
            batch.ended = False
            if self._next is not None:
                self._continue()
            else:
                self._wait("the event source has ended")
        return batch

    def commit(self, position: int) -> None:
        """See `Source`. The events of earlier sources are committed when they are replaced."""
        if position > self._before:
            self._source.commit(position - self._before)

    def close(self) -> None:
        """See `Source`."""
        with self._lock:
            self._closed = True
            self._woken.set()
            source = self._source
        source.close()

    def _wait(self, reason: str) -> None:
        self._waiting = True
        with self._lock:
            if self._next is None and not self._closed:
                self._woken.clear()
        self._tell(f"{reason}; the run waits for a change of the plugin")

    def _continue(self) -> None:
        with self._lock:
            make, self._next = self._next, None
            self._woken.clear()
        assert make is not None
        old = self._source
        old.close()
        old.commit(old.position)
        counted = _sum(self._counted, old.counters)
        try:
            source = make()
        except LannerError as error:
            self._wait(f"error: {error}")
            return
        self._counted = counted
        self._before += old.position
        source.commits_itself = self._commits_itself
        with self._lock:
            self._source, self.description = source, source.description
            must_close = self._closed or self._next is not None
        self._waiting = False
        if must_close:
            source.close()


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in (*first, *second)}
