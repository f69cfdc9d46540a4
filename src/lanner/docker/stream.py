"""The events of one or several engines, as an open instance: chunks of whole lines out, for as long as anybody wants them.

Each engine has a thread (`watch`); their lines meet in one bounded queue (`buffer`), out of which `read_chunk` takes. What the host says
that it has dealt with (`commit`) goes into the cursor, if there is one.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import lanner
from lanner.docker.buffer import Buffer
from lanner.docker.client import EngineError
from lanner.docker.cursor import Cursor, CursorError, read_cursor
from lanner.docker.seen import Seen
from lanner.docker.watch import Wake, Watch, Watched, doubt_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.docker.buffer import Entry, Policy
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.inspect import Inspector
    from lanner.docker.query import Query

_MOST: Final = 4096
_MOST_BYTES: Final = 1 << 20
_SHOWN: Final = 3
_PATIENCE: Final = 60.0


class Target(NamedTuple):
    """An engine to watch. `is_named`: events tell its name."""

    name: str
    endpoint: Endpoint
    query: Query
    is_named: bool


class Options(NamedTuple):
    """How to watch. `cursor` is a path, "" for none; intervals and timeouts are in seconds."""

    queue_events: int = 65_536
    queue_bytes: int = 64 * 1024 * 1024
    queue_policy: Policy = "drop_newest"
    cursor: str = ""
    cursor_interval: float = 1.0
    ping_interval: float = 30.0
    inspect_timeout: float | None = None
    """None: containers are not described."""


class EventStream:
    """The events of engines. `close`, from any thread, ends every wait."""

    def __init__(self, targets: Sequence[Target], options: Options = Options()) -> None:  # noqa: B008 - it cannot be changed
        """Connect. Raises `EngineError` where no engine can be reached; later, and of several engines, one that cannot is tried again."""
        self._wake = Wake()
        self._buffer = Buffer(options.queue_events, options.queue_bytes, options.queue_policy)
        self._counters: dict[str, int] = {}
        self._cursor, places, doubts = _resume(targets, options)
        self._committed = 0
        self._handed: deque[list[Entry]] = deque()
        self._closing = threading.Lock()
        timeout = options.inspect_timeout
        make_inspector = None if timeout is None else _inspectors(timeout)
        self._watches = [
            Watch(
                Watched(target.name, target.endpoint, target.query, places[target.name], target.is_named, doubts[target.name]),
                self._buffer,
                self._wake,
                self._counters,
                options.ping_interval,
                make_inspector,
                self._note_end,
            )
            for target in targets
        ]
        self._left = len(self._watches)
        for watch in self._watches:
            watch.start()
        try:
            self._wait_for_first()
        except BaseException:
            self.close()
            raise

    @property
    def counters(self) -> dict[str, int]:
        """What happened on the way, by name; what did not happen is not there."""
        cursor_failures = self._cursor.failures if self._cursor else 0
        more = {"events dropped": self._buffer.dropped, "cursor not written": cursor_failures}
        return {**self._counters, **{what: count for what, count in more.items() if count}}

    @property
    def connections(self) -> dict[str, bool]:
        """Whether there is a stream, by the engine's name."""
        return {watch.name: watch.is_connected for watch in self._watches}

    def describe(self) -> str:
        """The engines and where they are, for people."""
        shown = [f"{watch.engine} at {watch.name}" if watch.engine else f"{watch.name} (out of reach)" for watch in self._watches[:_SHOWN]]
        more = len(self._watches) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")

    def read_chunk(self, timeout: float) -> bytes | lanner.Nothing:
        """Whole lines, as many as there are up to a bound; NOTHING after `timeout` seconds; b"" where all is over, or after close()."""
        if self._wake.is_set:
            return b""
        entries = self._buffer.take(_MOST, _MOST_BYTES)
        if not entries and not self._is_over:
            poll = select.poll()
            poll.register(self._buffer, select.POLLIN)
            poll.register(self._wake.descriptor, select.POLLIN)
            poll.poll(max(0.0, timeout) * 1000)
            if self._is_closed():
                return b""
            entries = self._buffer.take(_MOST, _MOST_BYTES)
        if entries:
            if self._cursor is not None:
                self._handed.append(entries)
            lines = [entry.line for entry in entries]
            lines.append(b"")
            return b"\n".join(lines)
        if not self._is_over:
            return lanner.NOTHING
        failures = [watch.failure for watch in self._watches if watch.failure is not None]
        if failures:
            raise failures[0]
        return b""

    def fileno(self) -> int:
        """Readable when read_chunk need not wait."""
        return self._buffer.fileno()

    def commit(self, count: int) -> None:
        """The host has dealt with so many of the chunks that read_chunk gave."""
        cursor = self._cursor
        if cursor is None or count <= self._committed:
            return
        with cursor.lock:
            while self._committed < count and self._handed:
                for entry in self._handed.popleft():
                    if entry.identity is not None:
                        cursor.places[entry.engine].add(entry.identity)
                self._committed += 1
        cursor.changed()

    def close(self) -> None:
        """End the stream; a waiting read_chunk returns at once."""
        self._wake.set()
        self._buffer.close()
        with self._closing:
            for watch in self._watches:
                watch.join()
            if self._cursor is not None:
                self._cursor.close()

    def _is_closed(self) -> bool:
        # after a wait: another thread may have closed the stream meanwhile
        return self._wake.is_set

    @property
    def _is_over(self) -> bool:
        return self._left == 0

    def _note_end(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._buffer.close()

    def _wait_for_first(self) -> None:
        """Until one engine has answered, or all have been tried."""
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        while not any(watch.is_connected or (watch.is_over and watch.failure is None) for watch in self._watches):
            if all(watch.tried.is_set() for watch in self._watches):
                failures = [watch.failure for watch in self._watches if watch.failure is not None]
                if failures:
                    raise EngineError("; ".join(map(str, failures)))
            next((watch for watch in self._watches if not watch.tried.is_set()), self._watches[0]).tried.wait(0.05)
        for watch in self._watches:
            if watch.tried.is_set() and watch.failure is not None:
                import logging  # rare

                logging.getLogger("lanner.plugin.docker").warning("%s; trying again", watch.failure)


def _inspectors(timeout: float) -> Callable[[Endpoint, str, int], Inspector]:
    from lanner.docker.inspect import Inspector  # only where containers are described

    return lambda endpoint, api, wake: Inspector(endpoint, api, timeout, wake)


def _resume(targets: Sequence[Target], options: Options) -> tuple[Cursor | None, dict[str, Seen], dict[str, str]]:
    """The cursor, what was seen of each engine, and why there may be gaps before what comes."""
    found: dict[str, Seen] = {}
    unreadable = False
    if options.cursor:
        try:
            found = read_cursor(options.cursor)
        except CursorError as error:
            unreadable = True
            _set_aside(options.cursor, error)
    names = [target.name for target in targets]
    doubts = {name: doubt_of(unreadable=unreadable, is_known=name in found) for name in names}
    places = {name: found.get(name) or Seen() for name in names}
    if not options.cursor:
        return None, places, doubts
    # what is committed follows what is seen; engines that are not watched now keep their places
    committed = {name: Seen(seen.last, seen.recent()) for name, seen in {**found, **places}.items()}
    return Cursor(options.cursor, committed, options.cursor_interval), places, doubts


def _set_aside(path: str, error: CursorError) -> None:
    import logging  # rare

    try:
        os.replace(path, f"{path}.bad")
    except OSError as problem:
        raise lanner.SourceError(
            f"the cursor {path} cannot be used, {error}, and cannot be moved away: {problem.strerror}. Remove it"
        ) from None
    logging.getLogger("lanner.plugin.docker").warning(
        "the cursor %s cannot be used: %s; it is now %s.bad, and events are watched from now on", path, error, path
    )
