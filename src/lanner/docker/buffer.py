"""What lies between the threads that read from engines and the host: a bounded queue of lines, with what happens where it is full.

Entries go in from any thread and come out in order. What had to be dropped is counted and told of by an event at its place. Waiting is
done on descriptors, so that a host can wait without Python and close() ends every wait.
"""

from __future__ import annotations

import _thread
import os
import select
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Literal

from lanner.docker.gaps import FULL, gap_times
from lanner.docker.window import time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.docker.gaps import Host

    Entry = tuple[Host, int, bytes]
    """Which engine, the event's key (0: it tells no time; -1: Lanner's own), the line without its end."""

Policy = Literal["drop_newest", "drop_oldest", "block"]

OWN: Final = -1
_TAKEN: Final = 4096
_TAKEN_BYTES: Final = 1024 * 1024


class Flag:
    """A descriptor that is readable while it is set. It closes itself when nobody refers to it: whoever waits on it does."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.is_set = False

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def set(self) -> None:
        """Make it readable."""
        self.is_set = True
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Make it unreadable."""
        self.is_set = False
        try:
            os.eventfd_read(self._descriptor)
        except BlockingIOError:
            return


def wait(flags: Sequence[Flag], timeout: float) -> None:
    """Wait until one of them is set, or `timeout` seconds have passed."""
    poll = select.poll()
    for flag in flags:
        poll.register(flag, select.POLLIN)
    poll.poll(max(0.0, min(timeout, 1e6)) * 1000)


class Counters:
    """Counts by name, from any thread. Only what has happened is there."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._lock = _thread.allocate_lock()

    def add(self, name: str, count: int = 1) -> None:
        """Count; nothing for 0."""
        if count:
            with self._lock:
                self.counts[name] = self.counts.get(name, 0) + count


class Buffer:
    """At most `events` lines and `size` bytes, and what tells of drops; one line is taken whatever its size where there is no other."""

    def __init__(self, events: int, size: int, policy: Policy, counters: Counters, writers: int = 1) -> None:
        self.ready = Flag()
        """Set while `take` has something, or never will again."""
        self._most, self._most_bytes, self._policy = events, size, policy
        self._counters = counters
        self._lock = _thread.allocate_lock()
        self._entries: deque[Entry] = deque()
        self._size = 0
        self._writers = writers
        self._dropped: dict[Host, tuple[int, int]] = {}  # the earliest and the latest time of what had no room
        self._waiting: set[Flag] = set()

    def put(self, entries: Sequence[Entry], room: Flag | None = None) -> int:
        """Take the entries, and say how many: where the policy is to block fewer than all, and `room` will be set when there is some."""
        size = sum([len(line) for _, _, line in entries])
        with self._lock:
            if self._dropped or len(self._entries) + len(entries) > self._most or self._size + size > self._most_bytes:
                taken = self._squeeze(entries)
                if taken < len(entries) and room is not None:
                    self._waiting.add(room)
            else:
                self._entries.extend(entries)
                self._size += size
                taken = len(entries)
            if self._entries and not self.ready.is_set:
                self.ready.set()
        return taken

    def take(self) -> list[Entry] | None:
        """What is there, up to some thousand lines; None where nothing will come any more."""
        with self._lock:
            if not self._writers and not self._entries and not self._dropped:
                return None
            taken = self._tell_dropped() if self._policy == "drop_oldest" else []
            if len(self._entries) <= _TAKEN and self._size <= _TAKEN_BYTES:
                taken += self._entries
                self._entries.clear()
                self._size = 0
            else:
                self._take_some(taken)
            if not self._entries:
                taken += self._tell_dropped()
                if self._writers:
                    self.ready.clear()
            for room in self._waiting:
                room.set()
            self._waiting.clear()
        return taken

    def end(self) -> None:
        """One of those who put will put nothing more."""
        with self._lock:
            self._writers -= 1
            if not self._writers:
                self.ready.set()

    def _squeeze(self, entries: Sequence[Entry]) -> int:
        for number, entry in enumerate(entries):
            size = len(entry[2])
            if self._policy == "drop_oldest":
                while self._entries and not self._fits(size):
                    oldest = self._entries.popleft()
                    self._size -= len(oldest[2])
                    self._drop(oldest)
            elif not self._fits(size):
                if self._policy == "block":
                    return number
                self._drop(entry)
                continue
            elif self._dropped:
                self._append(self._tell_dropped())
            self._append([entry])
        return len(entries)

    def _fits(self, size: int) -> bool:
        return not self._entries or (len(self._entries) < self._most and self._size + size <= self._most_bytes)

    def _append(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._entries.append(entry)
            self._size += len(entry[2])

    def _take_some(self, taken: list[Entry]) -> None:
        size = 0
        while self._entries and len(taken) < _TAKEN and (not taken or size + len(self._entries[0][2]) <= _TAKEN_BYTES):
            entry = self._entries.popleft()
            size += len(entry[2])
            taken.append(entry)
        self._size -= size

    def _drop(self, entry: Entry) -> None:
        host, key, line = entry
        if key == OWN:
            since, until = gap_times(line)
        else:
            since = until = time_of(key) if key else time.time_ns()
            self._counters.add("events dropped")
        earliest, latest = self._dropped.get(host, (since, until))
        self._dropped[host] = min(earliest, since), max(latest, until)

    def _tell_dropped(self) -> list[Entry]:
        told = [(host, OWN, host.gap(FULL, since, until)) for host, (since, until) in self._dropped.items()]
        self._counters.add("gaps", len(told))
        self._dropped.clear()
        return told


def put_all(buffer: Buffer, entries: Sequence[Entry], room: Flag, closing: Flag) -> float:
    """Put all of them, wait for room where the policy says so; the seconds that this took. Where `closing` is set the rest is left."""
    taken = buffer.put(entries, room)
    if taken == len(entries):
        return 0.0
    begun = time.monotonic()
    poll = select.poll()
    poll.register(room, select.POLLIN)
    poll.register(closing, select.POLLIN)
    while taken < len(entries):
        poll.poll()
        if closing.is_set:
            break
        room.clear()
        entries = entries[taken:]
        taken = buffer.put(entries, room)
    return time.monotonic() - begun
