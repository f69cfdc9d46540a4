"""`queue`: events from a client that calls back, in any thread."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from lanner.sdk.authoring.events import Event
from lanner.sdk.errors import SourceError
from lanner.sdk.text.encoding import many
from lanner.sources.arguments import check_choice, check_count, check_text
from lanner.sources.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sources.policy import Policy


def queue(name: str = "queue", *, max_events: int = 65_536, max_bytes: int = 64 << 20, policy: Policy = "block") -> Queue:
    """Return a queue for a client that calls back: its callback puts events, and the source reads them.

    At most `max_events` events of `max_bytes` bytes wait for the host; an empty queue accepts an event of any size. A full queue makes
    `put` wait (`block`), or drops and counts the new event (`drop_newest`) or the oldest ones (`drop_oldest`).
    """
    return Queue(name, max_events=max_events, max_bytes=max_bytes, policy=policy)


class Queue(Feed):
    """The result of `queue`. `put`, `end`, `fail` and `set_connected` are for any thread."""

    def __init__(self, name: str = "queue", *, max_events: int = 65_536, max_bytes: int = 64 << 20, policy: Policy = "block") -> None:
        """Raise `UsageError` for invalid arguments."""
        check_text("queue", name=name)
        check_count("queue", max_events=max_events, max_bytes=max_bytes)
        check_choice("queue", ("block", "drop_newest", "drop_oldest"), policy=policy)
        super().__init__(name)
        self.connections.clear()  # a queue has none, until its client tells
        self._most, self._most_bytes, self._policy = max_events, max_bytes, policy
        self._waiting: deque[Event] = deque()
        self._size = 0
        self._ended = False
        self._failure: str | None = None
        self._changed = threading.Condition()

    def put(self, event: bytes | str | Event, timeout: float | None = None) -> bool:
        """Add an event, and return whether it was accepted. With the policy `block` it waits for room, up to `timeout` seconds.

        It is not accepted after the source was closed or has ended. Raises `TypeError` for another type.
        """
        added = event if isinstance(event, Event) else Event(event)
        size = len(added.payload)
        with self._changed:
            if self._policy == "block":
                self._changed.wait_for(lambda: self._has_room(size) or self._is_over, timeout)
            if self._is_over:
                return False
            if self._policy == "drop_oldest":
                self._make_room(size)
            if not self._has_room(size):
                if self._policy != "block":  # a caller that has waited in vain still has its event
                    self._drop(1)
                return False
            self._waiting.append(added)
            self._size += size
            self._changed.notify_all()
        return True

    def set_connected(self, connected: bool) -> None:
        """Report whether the client is connected, for /readyz and the metrics."""
        self.connections[self.name] = connected

    def end(self) -> None:
        """End the source after the waiting events."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """End the source after the waiting events, with an error."""
        with self._changed:
            self._failure = reason
            self._changed.notify_all()

    def close(self) -> None:
        """See `OpenInstance`. Events that still wait are dropped and counted."""
        super().close()
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
            self._size = 0
            self.counted.add("events dropped", left)
            self._changed.notify_all()
        if left:
            self.warn("closed", "%s: the source was closed: dropped %s that waited", self.name, many(left, "event"))

    def events(self) -> Iterator[Event]:
        """See `Feed`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
                if not self._waiting:
                    break
                found = self._waiting.popleft()
                self._size -= len(found.payload)
                self._changed.notify_all()
            yield found
        if self._failure is not None and not self.closing.is_set:
            raise SourceError(self._failure)

    @property
    def _is_over(self) -> bool:
        return self._ended or self._failure is not None or self.closing.is_set

    def _has_room(self, size: int) -> bool:
        return not self._waiting or (len(self._waiting) < self._most and self._size + size <= self._most_bytes)

    def _make_room(self, size: int) -> None:
        dropped = 0
        while not self._has_room(size):
            self._size -= len(self._waiting.popleft().payload)
            dropped += 1
        if dropped:
            self._drop(dropped)

    def _drop(self, count: int) -> None:
        self.counted.add("events dropped", count)
        self.warn(
            "full", "%s: the queue is full with %s, and an event was dropped", self.name, many(len(self._waiting), "event"), count=count
        )
