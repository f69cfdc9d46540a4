"""The bounded queue between threads that read engines and the host that takes events.

A reader puts events and is never kept from its socket, but by the policy `block`. What does not fit is dropped and counted, and an event
that tells of the gap stands in its place.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from lanner.docker.marks import BLOCKED, QUEUE_FULL, gap_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.docker.seen import Identity

Policy: TypeAlias = Literal["drop_newest", "drop_oldest", "block"]

# An engine drops an event for a listener that does not take it within so many seconds (moby's daemon/events/events.go)
_ENGINES_PATIENCE: Final = 0.1
_MOST_SAVED: Final = 256


class Entry(NamedTuple):
    """A line without its newline, of the engine with this name; `identity` is the engine's event in it, None for one of Lanner's own."""

    line: bytes
    engine: str
    identity: Identity | None = None


class Buffer:
    """Entries in order, at most `most` of them and `most_bytes` of lines. `fileno` is readable while `take` gives something."""

    def __init__(self, most: int, most_bytes: int, policy: Policy) -> None:
        self.most, self.most_bytes, self.policy = most, most_bytes, policy
        self._entries: deque[Entry] = deque()
        self._size = 0
        self._lost: dict[str, tuple[int, int]] = {}  # by engine, the times of the first and the last event that was dropped
        self._saved: list[Entry] = []  # what tells of gaps is not dropped with the events around it
        self._ready = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._is_ready = self._closed = False
        self._room = threading.Condition()
        self.dropped = 0

    def __del__(self) -> None:
        if "_ready" in self.__dict__:
            os.close(self._ready)

    def __len__(self) -> int:
        return len(self._entries)

    def fileno(self) -> int:
        """A descriptor to wait on."""
        return self._ready

    def put(self, entries: Iterable[Entry]) -> None:
        """Take entries at the end."""
        with self._room:
            for entry in entries:
                if self._has_room(entry) or entry.identity is None:
                    self._append(entry)
                elif self.policy == "block":
                    self._append_when_there_is_room(entry)
                elif self.policy == "drop_oldest":
                    while self._entries and not self._has_room(entry):
                        self._drop(self._entries.popleft())
                    self._append(entry)
                else:
                    self._lose(entry)
            self._tell()

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """The first entries; none where there is none. One that is too large comes alone."""
        taken: list[Entry] = []
        size = 0
        with self._room:
            if self.policy == "drop_oldest":
                taken += [*self._saved, *self._gaps()]
                self._saved.clear()
            while self._entries and len(taken) < most and (size + len(self._entries[0].line) <= most_bytes or not size):
                entry = self._entries.popleft()
                size += len(entry.line)
                taken.append(entry)
            self._size -= size
            for gap in self._gaps():
                self._append(gap)
            if not self._entries and self._is_ready and not self._closed:
                os.eventfd_read(self._ready)
                self._is_ready = False
            self._room.notify_all()
        return taken

    def close(self) -> None:
        """Keep nobody waiting any more: `fileno` stays readable, and what does not fit is dropped."""
        with self._room:
            self._closed = True
            self._tell()
            self._room.notify_all()

    def _has_room(self, entry: Entry) -> bool:
        return not self._entries or (len(self._entries) < self.most and self._size + len(entry.line) <= self.most_bytes)

    def _append(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._size += len(entry.line)

    def _append_when_there_is_room(self, entry: Entry) -> None:
        self._tell()
        begin = time.monotonic()
        since = time.time_ns()
        self._room.wait_for(lambda: self._closed or self._has_room(entry))
        if self._closed:
            return
        self._append(entry)
        if time.monotonic() - begin > _ENGINES_PATIENCE:
            self._append(Entry(gap_line(entry.engine, since, time.time_ns(), BLOCKED), entry.engine))

    def _drop(self, entry: Entry) -> None:
        self._size -= len(entry.line)
        if entry.identity is not None:
            self._lose(entry)
        elif len(self._saved) < _MOST_SAVED:
            self._saved.append(entry)

    def _lose(self, entry: Entry) -> None:
        self.dropped += 1
        moment = entry.identity[0] if entry.identity else 0
        first, _ = self._lost.get(entry.engine, (moment, moment))
        self._lost[entry.engine] = (first, moment)

    def _gaps(self) -> list[Entry]:
        gaps = [Entry(gap_line(engine, *times, QUEUE_FULL), engine) for engine, times in self._lost.items()]
        self._lost.clear()
        return gaps

    def _tell(self) -> None:
        if (self._entries or self._closed) and not self._is_ready:
            os.eventfd_write(self._ready, 1)
            self._is_ready = True
