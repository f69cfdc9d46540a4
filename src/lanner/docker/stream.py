"""The events of one or several engines as an open instance: chunks of whole lines out, and what the host has dealt with in.

Each engine has a thread that reads (`lanner.docker.watch`); all put events into one bounded buffer. Nothing here talks to an engine.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import lanner
from lanner.docker.buffer import Buffer, Counters, Flag, wait
from lanner.docker.engine_errors import EngineAwayError, EngineError, EngineRejectionError
from lanner.docker.log import log
from lanner.docker.watch import Target, Watch
from lanner.docker.window import NOWHERE, LastKeys
from lanner.native import merge_events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.docker.buffer import Policy
    from lanner.docker.cursor import Cursor
    from lanner.docker.gaps import Part
    from lanner.native import Lines

_OTHERS: Final = 1.0
"""Seconds that a start waits for further engines, once one has answered."""
_LEAVE_AFTER: Final = 2.0
"""Seconds that close() waits for the threads; then they are left alone."""
_SHOWN: Final = 3
_MOST_HELD: Final = 4096
_MOST_PENDING: Final = 4
"""Chunks that the host has and that keep their events in memory; of those before them the keys are made."""


class Options(NamedTuple):
    """How the stream behaves; times in seconds, "" for no cursor."""

    queue_events: int = 65_536
    queue_bytes: int = 64 * 1024 * 1024
    queue_policy: Policy = "drop_newest"
    ping_interval: float = 30.0
    inspect: bool = True
    inspect_timeout: float = 0.5
    cursor: str = ""
    cursor_interval: float = 1.0
    wait_for_engine: bool = False


class EventStream:
    """An open stream. `read_chunk` and `commit` are for one thread, `close` ends a waiting `read_chunk` from any."""

    def __init__(self, targets: Sequence[Target], options: Options) -> None:
        """Connect. Raises `EngineError` where no engine can be reached, `SourceError` where the cursor cannot be kept.

        Raises `UsageError` where the engine refuses the filters.

        With `options.wait_for_engine` engines that are merely away are waited for in the background.
        """
        self._counters = Counters()
        self.counters = self._counters.counts
        """What happened on the way, by its name."""
        self._closing, self._news = Flag(), Flag()
        self._buffer = Buffer(options.queue_events, options.queue_bytes, options.queue_policy, self._counters, writers=len(targets))
        self._poll = select.poll()
        for flag in (self._buffer.ready, self._closing):
            self._poll.register(flag, select.POLLIN)
        self._given = self._committed = 0
        self._held: deque[tuple[int, dict[str, LastKeys]]] = deque()
        self._cursor = _open_cursor(targets, options, self._counters)
        self._watches: list[Watch] = []
        self._threads: list[threading.Thread] = []
        try:
            for target in targets:
                self._watch(target, options)
            self._wait_for_start(options)
        except BaseException:
            self.close()
            raise

    def describe(self) -> str:
        """The engines and where they are, for people."""
        shown = ", ".join(watch.describe() for watch in self._watches[:_SHOWN])
        others = len(self._watches) - _SHOWN
        return f"{shown} and {others} more" if others > 0 else shown

    @property
    def connections(self) -> dict[str, bool]:
        """Whether there is a stream of events, by the engine's name."""
        return {watch.target.host.label: watch.connected for watch in self._watches}

    def read_chunk(self, timeout: float) -> Lines | bytes | lanner.Nothing:
        """The events that there are; NOTHING after `timeout` seconds; b"" where `until` has passed for all engines, or after close()."""
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
            self._hold(parts)
        return merge_events([part.events for part in parts])

    def fileno(self) -> int:
        """Readable when read_chunk need not wait."""
        return (self._closing if self._closing.is_set else self._buffer.ready).fileno()

    def commit(self, count: int) -> None:
        """The host has dealt with the first `count` chunks that read_chunk gave."""
        if self._cursor is None:
            return
        while self._held and self._held[0][0] <= count:
            _, keys = self._held.popleft()
            since = {watch.target.host.label: watch.since for watch in self._watches}
            self._cursor.advance({label: (new, since[label]) for label, new in keys.items()})
        if self._closing.is_set:
            # whoever closed may still be waiting for threads, and the process may end before
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

    def __del__(self) -> None:
        if "_threads" in self.__dict__:
            self.close()

    def _watch(self, target: Target, options: Options) -> None:
        past = self._cursor.position(target.host.label) if self._cursor else NOWHERE
        enricher = None
        if options.inspect:
            from lanner.docker.enrich import Enricher  # not where it is turned off

            waiting = Buffer(options.queue_events, options.queue_bytes, options.queue_policy, self._counters)
            enricher = Enricher(waiting, self._buffer, self._closing, options.inspect_timeout)
        watch = Watch(target, enricher or self._buffer, self._counters, self._closing, self._news, options.ping_interval, past)
        if enricher is not None:
            self._run(partial(enricher.run, watch), f"{target.host.label}-inspect")
        watch.damaged_at = self._cursor.damaged_at if self._cursor else None
        self._watches.append(watch)
        self._run(watch.run, target.host.label)

    def _run(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=_undisturbed, args=[work], name=f"lanner-docker-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wait_for_start(self, options: Options) -> None:
        """Until all engines have been tried, or one has answered and the others have had a moment more."""
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
            raise _all_failed(missing)
        for watch in missing:
            watch.was_missed = True
            log().warning("%s; it is tried again", watch.failure or f"{watch.target.endpoint} has not answered yet")

    def _hold(self, parts: list[Part]) -> None:
        keys: dict[str, LastKeys] = {}
        for part in parts:
            if part.gap is None:
                keys.setdefault(part.host.label, LastKeys()).add(part.events)
        if len(self._held) == _MOST_HELD:
            # a host that says nothing for long: what is committed is committed in larger pieces
            _, older = self._held.popleft()
            for label, later in self._held[0][1].items():
                older.setdefault(label, LastKeys()).extend(later)
            self._held[0] = self._held[0][0], older
        self._held.append((self._given, keys))
        if len(self._held) > _MOST_PENDING:
            for last in self._held[-_MOST_PENDING - 1][1].values():
                last.make()


def _open_cursor(targets: Sequence[Target], options: Options, counters: Counters) -> Cursor | None:
    if not options.cursor:
        return None
    from lanner.docker.cursor import Cursor  # only where it is asked for

    return Cursor(options.cursor, options.cursor_interval, [target.host.label for target in targets], counters)


def _undisturbed(work: Callable[[], None]) -> None:
    # signals are for the host's own threads
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    work()


def _all_failed(watches: list[Watch]) -> lanner.LannerError:
    failures = [watch.failure for watch in watches if watch.failure]
    text = str(failures[0]) if len(failures) == 1 else "no engine can be reached: " + "; ".join(map(str, failures[:10]))
    if all(isinstance(watch.failure, EngineRejectionError) and watch.target.query.filters for watch in watches):
        return lanner.UsageError(f"{text}. See to the `filters` of the open parameters or the configuration")
    return failures[0] if len(failures) == 1 else EngineError(text)
