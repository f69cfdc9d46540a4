"""One engine watched by a thread: its lines, each once and marked, go into a buffer, for as long as it takes.

A stream that ends is opened again with growing pauses, from two seconds before the last event on. Whether the engine still had what
happened meanwhile shows in what it sends first: an event that is known proves it, and where none comes an event that tells of a gap stands
in front. A stream that is silent for long is looked after: the engine is asked whether it lives, and whether it has told others more.
"""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.docker.buffer import Buffer, Entry
from lanner.docker.client import TIMEOUT, EngineError, EngineTimeoutError, find_engine, get, open_events, ping
from lanner.docker.http import HttpError
from lanner.docker.marks import CURSOR, NOT_RUNNING, RESTARTED, gap_line, host_member, with_member
from lanner.docker.seen import OVERLAP, Seen, identify
from lanner.native import Framer

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from lanner.docker.client import Connection, Engine
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.inspect import Inspector
    from lanner.docker.query import Query
    from lanner.docker.seen import Identity
    from lanner.native import Lines

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_LEAVE_AFTER: Final = 2.0
# An engine sends what it has kept at once, its last 256 events at most (moby's daemon/events/events.go)
_PROOF_WITHIN: Final = 2.0
_MOST_KEPT: Final = 256
# A stream that has not brought what others were told is given so long
_LATE: Final = 1.0
_LONGEST_LINE: Final = 64 * 1024 * 1024
_SECOND: Final = 1_000_000_000


class Wake:
    """A descriptor that becomes readable when all is to end, for every wait of every thread."""

    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.is_set = False

    def set(self) -> None:
        """End all waits, now and later."""
        if not self.is_set:
            self.is_set = True
            os.eventfd_write(self.descriptor, 1)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is set; whether it is."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)
        return self.is_set

    def __del__(self) -> None:
        # not in set(): threads may be waiting on it
        if "descriptor" in self.__dict__:
            os.close(self.descriptor)


class Watched(NamedTuple):
    """What is to be watched. `is_named`: its events are marked with its name. `doubt`: why there may be a gap before the first event."""

    name: str
    endpoint: Endpoint
    query: Query
    seen: Seen
    is_named: bool
    doubt: str = ""


class Watch:
    """The thread of one engine. `counters` are everybody's; a count more or less in a race is none that matters."""

    def __init__(
        self,
        watched: Watched,
        buffer: Buffer,
        wake: Wake,
        counters: dict[str, int],
        ping_interval: float,
        make_inspector: Callable[[Endpoint, str, int], Inspector] | None,
        over: Callable[[], None],
    ) -> None:
        """`over` is called when nothing more comes from here."""
        self.name, self._endpoint, self._query, self._seen, is_named, self._doubt = watched
        self._buffer, self._wake, self._counters, self._ping_interval = buffer, wake, counters, ping_interval
        self._member = host_member(self.name) if is_named else b""
        self._make_inspector, self._over = make_inspector, over
        self._inspector: Inspector | None = None
        self._describer: threading.Thread | None = None
        self._described = Buffer(buffer.most, buffer.most_bytes, buffer.policy)
        self._pause = _FIRST_PAUSE
        self._asked_from = 0  # the engine's time (ns) when its first stream was opened
        self._brought_from = 0  # from when on all events have to have come, before there was one
        self._gap = 0, 0  # between which times events may be missing, if they are
        self._held: list[Entry] | None = None  # what came while it is not known whether there is a gap
        self._proof_until = 0.0
        self._connection: Connection | None = None
        self.engine: Engine | None = None
        self.failure: EngineError | None = None
        self.is_over = False
        self.tried = threading.Event()
        """Set when the first connection has been made, or has failed."""
        self._thread = threading.Thread(target=self._run, name=f"lanner-docker-{self.name}", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Whether there is a stream."""
        return self._connection is not None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread, which ends when the wake is set."""
        self._thread.join(_LEAVE_AFTER)
        if self._describer is not None:
            self._describer.join(_LEAVE_AFTER)

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001 - a defect here must not look like silence
            _log().exception("watching %s failed", self._endpoint)
            self.failure = self.failure or EngineError(f"watching {self._endpoint} failed: {type(error).__name__}: {error}")
        finally:
            self._drop_connection()
            self.is_over = True
            self.tried.set()
            self._described.close()
            if self._describer is None:
                self._over()

    def _watch(self) -> None:
        while not self._wake.is_set:
            try:
                connection = self._connect()
            except EngineError as error:
                self._missed(error)
                if self._wake.wait(self._next_pause()):
                    return
                continue
            reason = self._read(connection)
            if reason is None:
                return
            self._lost(reason)
            if self._wake.wait(self._next_pause()):
                return

    # connecting

    def _connect(self) -> Connection:
        engine = find_engine(self._endpoint, self._wake.descriptor)
        is_again = self._asked_from > 0
        since = self._query.since
        if self._seen.last:
            since = max(0, self._seen.last - OVERLAP)
        elif is_again:
            since = self._asked_from
        connection = open_events(self._endpoint, self._query.from_time(since).target(engine.api), self._wake.descriptor)
        self.failure = None
        opened = connection.engine_time() - _SECOND  # a Date is whole seconds
        self._gap = self._seen.last or self._asked_from or opened, opened
        self._asked_from = self._asked_from or opened
        self._brought_from = self._brought_from or opened + 2 * _SECOND
        if is_again or self._doubt:
            self._held, self._proof_until = [], time.monotonic() + _PROOF_WITHIN
            if not self._seen:
                self._decide(known=False)
        if is_again:
            _log().warning("connected again to %s at %s", engine, self._endpoint)
            self._count("reconnects")
        self.engine, self._connection = engine, connection
        if self._make_inspector is not None and (self._inspector is None or self._inspector.api != engine.api):
            self._inspector = self._make_inspector(self._endpoint, engine.api, self._wake.descriptor)
            if self._describer is None:
                self._describer = threading.Thread(target=self._describe, name=f"lanner-inspect-{self.name}", daemon=True)
                self._describer.start()
        self.tried.set()
        return connection

    def _missed(self, error: EngineError) -> None:
        if self._wake.is_set:
            return
        if self.failure is None and self._asked_from == 0 and self.tried.is_set():
            _log().warning("%s; trying again", error)
        self.failure = error
        self.tried.set()
        _log().debug("%s", error)

    def _lost(self, reason: str) -> None:
        self._drop_connection()
        if self._held is not None:
            self._decide(known=False)
        _log().warning("%s: %s; connecting again", self._endpoint, reason)

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _next_pause(self) -> float:
        # jitter: many hosts that lost one engine do not come back in one moment
        import random

        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return pause

    # reading

    def _read(self, connection: Connection) -> str | None:
        """Read until the stream ends: why it was lost; None where it is over, or all is to end."""
        framer = Framer(_LONGEST_LINE)
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(self._wake.descriptor, select.POLLIN)
        quiet_since = time.monotonic()
        try:
            while not self._wake.is_set:
                data = connection.read()
                if data:
                    self._pause = _FIRST_PAUSE
                    self._take(framer.feed(data))
                    quiet_since = time.monotonic()
                elif data is None or connection.ended:
                    return None if self._is_finished(connection) else "the engine closed the stream"
                elif not self._wait(poll, quiet_since):
                    if reason := self._look_after(connection, framer):
                        return reason
                    quiet_since = time.monotonic()
        except (OSError, HttpError) as error:
            return str(error)
        finally:
            self._count("lines too long", framer.too_long)
            self._count("dropped tails", len(framer.end()))
        return None

    def _wait(self, poll: select.poll, quiet_since: float) -> bool:
        """Wait for more; false where nothing came for so long that the engine is to be asked."""
        while True:
            now = time.monotonic()
            if self._held is not None and now >= self._proof_until:
                self._decide(known=False)
            until = quiet_since + self._ping_interval
            if now >= until:
                return False
            if self._held is not None:
                until = min(until, self._proof_until)
            if poll.poll((until - now) * 1000 + 1):
                return True

    def _is_finished(self, connection: Connection) -> bool:
        # a stopping engine ends its answers in good order, too
        return self._query.until is not None and connection.engine_time() >= self._query.until

    def _take(self, lines: Lines) -> None:
        add, name = self._seen.add, self.name
        fresh: list[Entry] = []
        repeated = 0
        for line in lines:
            identity = identify(line)
            if add(identity):
                fresh.append(Entry(line, name, identity))
            else:
                repeated += 1
        if repeated:
            self._count("events repeated", repeated)
        if self._held is None:
            self._hand_on(fresh)
            return
        self._held += fresh
        if repeated or len(self._held) > _MOST_KEPT:
            self._decide(known=repeated > 0)

    def _decide(self, *, known: bool) -> None:
        """It is known now whether the engine still had all since the last event."""
        held, self._held = self._held or [], None
        reason, self._doubt = self._doubt or RESTARTED, ""
        if not known:
            since, opened = self._gap
            first = next((entry.identity[0] for entry in held if entry.identity and entry.identity[0] > since), opened)
            self._count("gaps")
            self._hand_on([Entry(gap_line(self.name, since, max(since, min(first, opened)), reason), self.name)])
        self._hand_on(held)

    def _hand_on(self, entries: list[Entry]) -> None:
        if self._inspector is not None:
            self._described.put(entries)
        elif self._member:
            self._buffer.put([entry._replace(line=with_member(entry.line, self._member)) if entry.identity else entry for entry in entries])
        else:
            self._buffer.put(entries)

    # a stream that is silent

    def _look_after(self, connection: Connection, framer: Framer) -> str:
        """Why the stream is of no use any more; "" where the engine lives and has nothing to say."""
        try:
            ping(self._endpoint, self._wake.descriptor, TIMEOUT)
            told = self._told_others(connection)
        except EngineError as error:
            return "" if self._wake.is_set else f"nothing came for {self._ping_interval:g} s, and the engine does not answer: {error}"
        if not told:
            return ""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        deadline = time.monotonic() + _LATE
        while (left := deadline - time.monotonic()) > 0 and not self._wake.is_set:
            poll.poll(left * 1000 + 1)
            data = connection.read()
            if not data:
                if data is None:
                    break
                continue
            self._take(framer.feed(data))
            if all(identity in self._seen for identity in told):
                return ""
        return f"the engine tells others of events that do not come here: {len(told)} in {self._ping_interval:g} s"

    def _told_others(self, connection: Connection) -> list[Identity]:
        """The events since the last one that the engine has kept, and that have not come."""
        since = self._seen.last or self._brought_from
        until = connection.engine_time() - 2 * _SECOND  # in the past, so that the answer ends at once
        assert self.engine is not None
        if until <= since:
            return []
        target = self._query._replace(since=since, until=until).target(self.engine.api)
        try:
            head, text = get(self._endpoint, target, self._wake.descriptor)
        except EngineTimeoutError:
            return []  # it lives, as it has just said, and may have its own idea of the time
        if head.status != 200:
            return []
        lines = text.split(b"\n")[:-1]
        return [identity for identity in map(identify, lines) if identity[0] > since and identity not in self._seen]

    # the thread that describes containers

    def _describe(self) -> None:
        """Hand on what the reader has taken, with descriptions; the reader goes on meanwhile."""
        poll = select.poll()
        poll.register(self._described, select.POLLIN)
        while True:
            entries = self._described.take(1024, 1 << 20)
            if entries:
                for entry in entries:
                    self._buffer.put([self._with_description(entry)])
            elif self.is_over:
                self._over()
                return
            else:
                poll.poll()

    def _with_description(self, entry: Entry) -> Entry:
        inspector = self._inspector
        if entry.identity is None or inspector is None:
            return entry
        member = self._member
        if inspector.wants(entry.line) and (description := inspector.describe(entry.line)) is not None:
            member = b'%b%b"inspect":%b' % (member, b"," if member else b"", description)
        return entry._replace(line=with_member(entry.line, member)) if member else entry

    def _count(self, what: str, more: int = 1) -> None:
        if more:
            self._counters[what] = self._counters.get(what, 0) + more


def doubt_of(*, unreadable: bool, is_known: bool) -> str:
    """Why events may be missing before the first one of a run that goes by a cursor; "" where there was none yet."""
    if unreadable:
        return CURSOR
    return NOT_RUNNING if is_known else ""


def _log() -> logging.Logger:
    import logging  # a .so that has nothing to say starts without it

    return logging.getLogger("lanner.plugin.docker")
