"""The events of one or several engines as an open instance: returns chunks of whole lines, and takes commits of the host.

Each engine has a thread that reads (`lanner.docker.watch`); all put events into one bounded buffer. Only those threads use engines.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from functools import partial

import lanner
from lanner.docker.buffer import Buffer
from lanner.docker.engine_errors import EngineAwayError, EngineError, EngineRejectionError
from lanner.docker.lending import Borrower
from lanner.docker.log import log
from lanner.docker.watch import Watch
from lanner.docker.window import NOWHERE, LastKeys
from lanner.native import HostReader, merge_events
from lanner.sdk.typing_marks import NamedTuple
from lanner.sources import Counters, Flag, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from lanner.docker.cursor import Cursor
    from lanner.docker.gaps import Part
    from lanner.docker.query import Target
    from lanner.native import Lines
    from lanner.sources import Policy

_OTHERS: Final = 1.0
"""Seconds that a start waits for further engines after the first has answered."""
_LEAVE_AFTER: Final = 2.0
"""Seconds that close() waits for the threads; then it returns without them."""
_SHOWN: Final = 3
_MOST_HELD: Final = 4096
_MOST_PENDING: Final = 4
"""Chunks at the host whose events stay in memory; those before them are reduced to keys."""


class Options(NamedTuple):
    """Options of the stream; times in seconds, "" for no cursor."""

    queue_events: int = 65_536
    queue_bytes: int = 64 * 1024 * 1024
    queue_policy: Policy = "drop_newest"
    ping_interval: float = 30.0
    inspect: bool = True
    inspect_timeout: float = 0.5
    cursor: str = ""
    cursor_interval: float = 1.0
    wait_for_engine: bool = False


class _HeldChunk:
    """A chunk at the host: its parts, or the keys of their events if it is one of many."""

    __slots__ = ("keys", "number", "parts")

    def __init__(self, number: int, parts: list[Part]) -> None:
        self.number = number
        self.parts = parts
        self.keys: dict[str, LastKeys] | None = None

    def reduce(self) -> dict[str, LastKeys]:
        """Keep only keys, and return them by the engine's name."""
        if self.keys is None:
            self.keys = {}
            for part in self.parts:
                if part.gap is None:
                    self.keys.setdefault(part.host.label, LastKeys()).add(part.events)
            self.parts = []
        return self.keys


class EventStream:
    """An open stream. `read_chunk` and `commit` are for one thread, `close` ends a waiting `read_chunk` from any."""

    def __init__(self, targets: Sequence[Target], options: Options) -> None:
        """Connect. Raises `EngineError` if no engine can be reached, `SourceError` if the cursor cannot be used.

        Raises `UsageError` if the engine rejects the filters.

        With `options.wait_for_engine` it waits for unavailable engines in the background.
        """
        self._counters = Counters()
        self.counters = self._counters.counts
        """Counters by name."""
        self._closing, self._news = Flag(), Flag()
        self._buffer = Buffer(options.queue_events, options.queue_bytes, options.queue_policy, self._counters, writers=len(targets))
        self._poll = select.poll()
        for flag in (self._buffer.ready, self._closing):
            self._poll.register(flag, select.POLLIN)
        self._given = self._committed = 0
        self._held: deque[_HeldChunk] = deque()
        self._cursor = _open_cursor(targets, options, self._counters)
        self._borrower = Borrower()
        self._watches: list[Watch] = []
        self._by_label: dict[str, Watch] = {}
        self._threads: list[threading.Thread] = []
        try:
            for target in targets:
                self._watch(target, options)
            self._wait_for_start(options)
        except BaseException:
            self.close()
            raise

    def describe(self) -> str:
        """Return the engines and their addresses, for messages."""
        shown = ", ".join(watch.describe() for watch in self._watches[:_SHOWN])
        others = len(self._watches) - _SHOWN
        return f"{shown} and {others} more" if others > 0 else shown

    @property
    def connections(self) -> dict[str, bool]:
        """Whether the event stream is open, by the engine's name."""
        return {watch.target.host.label: watch.connected for watch in self._watches}

    @property
    def host_reader(self) -> HostReader | None:
        """Reader for a host that waits without Python: from the first call on, connections are lent to it. None after `close`."""
        if self._borrower.reader is None and not self._closing.is_set:
            if self._cursor is not None:
                self._cursor.take_direct = self._take_direct
            self._borrower.reader = HostReader(self._buffer.ready.fileno(), self._note_direct if self._cursor else None)
        return self._borrower.reader

    def read_chunk(self, timeout: float) -> Lines | bytes | lanner.Nothing:
        """Return available events, NOTHING after `timeout` seconds, or b"" at the end: after close(), or past `until` for all engines."""
        if self._closing.is_set:
            return b""
        parts = self._buffer.take()
        if parts == []:
            self._poll.poll(max(0.0, min(timeout, 1e6)) * 1000)
            parts = [] if self._closing.is_set else self._buffer.take()
        if parts is None or self._closing.is_set:
            return b""
        if not parts:
            return lanner.NOTHING
        self._given += 1
        if self._cursor is not None:
            self._hold(_HeldChunk(self._given, parts))
        return merge_events([part.events for part in parts])

    def fileno(self) -> int:
        """Return the descriptor that is readable when read_chunk does not block."""
        return (self._closing if self._closing.is_set else self._buffer.ready).fileno()

    def commit(self, count: int) -> None:
        """Acknowledge the first `count` chunks of read_chunk as processed by the host."""
        if self._cursor is None:
            return
        while self._held and self._held[0].number <= count:
            held = self._held.popleft()
            if held.keys is None:
                for part in held.parts:
                    if part.gap is None:
                        label = part.host.label
                        self._cursor.add(label, part.events, self._by_label[label].since)
            else:
                self._cursor.advance({label: (new, self._by_label[label].since) for label, new in held.keys.items()})
        if self._closing.is_set:
            # the closing thread may still wait for others, and the process may end before
            self._cursor.flush()

    def close(self) -> None:
        """End the stream; a waiting read_chunk returns at once."""
        if self._closing.is_set:
            return
        self._closing.set()
        self._buffer.ready.set()  # a host may be waiting on it
        deadline = time.monotonic() + _LEAVE_AFTER
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._cursor is not None:
            self._cursor.close()
            self._cursor.take_direct = tuple
        self._borrower.reader = None

    def __del__(self) -> None:
        if "_threads" in self.__dict__:
            self.close()

    def _watch(self, target: Target, options: Options) -> None:
        past = self._cursor.position(target.host.label) if self._cursor else NOWHERE
        enricher = None
        if options.inspect:
            from lanner.docker.enrich import Enricher  # not if it is disabled

            waiting = Buffer(options.queue_events, options.queue_bytes, options.queue_policy, self._counters)
            enricher = Enricher(waiting, self._buffer, self._closing, options.inspect_timeout)
        watch = Watch(
            target,
            enricher or self._buffer,
            self._counters,
            self._closing,
            self._news,
            options.ping_interval,
            past,
            self._borrower,
            len(self._watches),
        )
        if enricher is not None:
            self._run(partial(enricher.run, watch), f"{target.host.label}-inspect")
        watch.damaged_at = self._cursor.damaged_at if self._cursor else None
        self._watches.append(watch)
        self._by_label[target.host.label] = watch
        self._run(watch.run, target.host.label)

    def _run(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=_run_undisturbed, args=[work], name=f"lanner-docker-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wait_for_start(self, options: Options) -> None:
        """Wait until all engines have been tried, or a moment longer after the first has answered."""
        deadline = None
        while any(watch.is_new for watch in self._watches):
            if deadline is None and any(watch.connected for watch in self._watches):
                deadline = time.monotonic() + _OTHERS
            left = 1e6 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                break
            wait([self._news], left)
            self._news.clear()
        missing = [watch for watch in self._watches if watch.is_new or watch.failure]
        waits = options.wait_for_engine and all(isinstance(watch.failure, EngineAwayError) for watch in missing)
        if len(missing) == len(self._watches) and not waits:
            raise _join_failures(missing)
        for watch in missing:
            watch.was_missed = True
            log().warning("%s; Lanner retries", watch.failure or f"{watch.target.endpoint} has not answered yet")

    def _note_direct(self, is_full: bool) -> None:
        assert self._cursor is not None
        self._cursor.note_direct(is_full=is_full)

    def _take_direct(self) -> list[tuple[str, list[str], int]]:
        """Return the events that a host has processed without the queue: engine, keys, the time that its queries began from."""
        reader = self._borrower.reader
        taken = reader.take_commits() if reader is not None else []
        return [(self._watches[number].target.host.label, keys, self._watches[number].since) for number, keys in taken]

    def _hold(self, held: _HeldChunk) -> None:
        if len(self._held) == _MOST_HELD:
            # a host that commits rarely: merge commits into larger ones
            older = self._held.popleft().reduce()
            for label, later in self._held[0].reduce().items():
                older.setdefault(label, LastKeys()).extend(later)
            self._held[0].keys = older
        self._held.append(held)
        if len(self._held) > _MOST_PENDING:
            for last in self._held[-_MOST_PENDING - 1].reduce().values():
                last.make()


def _open_cursor(targets: Sequence[Target], options: Options, counters: Counters) -> Cursor | None:
    if not options.cursor:
        return None
    from lanner.docker.cursor import Cursor  # only if it is configured

    return Cursor(options.cursor, options.cursor_interval, [target.host.label for target in targets], counters)


def _run_undisturbed(work: Callable[[], None]) -> None:
    # signals belong to the host's threads
    from _signal import SIG_BLOCK, pthread_sigmask, valid_signals  # type: ignore[import-not-found]  # `signal` makes enumerations of them

    pthread_sigmask(SIG_BLOCK, valid_signals())
    work()


def _join_failures(watches: list[Watch]) -> lanner.LannerError:
    failures = [watch.failure for watch in watches if watch.failure]
    text = str(failures[0]) if len(failures) == 1 else "no engine can be reached: " + "; ".join(map(str, failures[:10]))
    if all(isinstance(watch.failure, EngineRejectionError) and watch.target.query.filters for watch in watches):
        return lanner.UsageError(f"{text}. Check the `filters` of the open parameters or the configuration")
    return failures[0] if len(failures) == 1 else EngineError(text)
