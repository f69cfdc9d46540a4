"""One engine's thread: connects, resumes where the last connection ended, and reads. `lanner.docker.intake` processes the events.

After a disconnect it reconnects with growing pauses, resumes two seconds before the last seen event, and drops
the events that it has already seen. The engine proves whether events were lost in between: while it still lists an earlier event, it
has forgotten none since. A request on another connection tells a silent stream from a dead one.
"""

from __future__ import annotations

import select
import time
from functools import partial

from lanner.docker.client import Connection, Engine, find_engine, open_events, ping
from lanner.docker.engine_errors import EngineError, EngineTimeoutError
from lanner.docker.engine_link import SpareLink
from lanner.docker.eventframer import EventFramer
from lanner.docker.gaps import AWAY, CURSOR, LOST
from lanner.docker.intake import Intake
from lanner.docker.lending import Lender
from lanner.docker.listing import list_events
from lanner.docker.log import log
from lanner.docker.window import SPAN
from lanner.net.http1 import HttpError
from lanner.sources import Backoff, Flag, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeVar

    from lanner.docker.buffer import Sink
    from lanner.docker.lending import Borrower
    from lanner.docker.query import Target
    from lanner.docker.window import Position
    from lanner.native import Lines
    from lanner.sources import Counters

    _T = TypeVar("_T")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_STEADY: Final = 5.0
"""Seconds after which a connection is considered stable, so that the next one is made without a longer pause."""
_SECOND: Final = 1_000_000_000
_PING_TIMEOUT: Final = 5.0
_GRACE: Final = 1.0
"""Seconds for the stream to deliver the events that the engine already lists."""
_NO_LINES: Final = EventFramer().feed(b"")


class _LostError(Exception):
    """The stream has ended, with the reason in the message."""


class _ClosedError(_LostError):
    """The engine, or a proxy, has closed the stream. This does not lose events by itself."""


class Watch:
    """Watch of one engine until `closing` is set or the query's end has passed; `run` is the thread's function.

    `past` is the position of an earlier run. `news` is also set after the first attempt. `number` is that of the engine in the stream.
    """

    def __init__(
        self,
        target: Target,
        sink: Sink,
        counters: Counters,
        closing: Flag,
        news: Flag,
        ping_interval: float,
        past: Position,
        borrower: Borrower,
        number: int,
    ) -> None:
        self.target = target
        self.engine: Engine | None = None
        self.connected = False
        self.failure: EngineError | None = None
        """The error of the last attempt, before the first connection."""
        self.is_new = True
        """Whether the first attempt is not finished."""
        self.over = False
        self.was_missed = False
        """Whether the engine was unreachable at the start."""
        self.damaged_at: int | None = None
        """Time since which an unreadable cursor may have had events."""
        self._sink, self._counters, self._closing, self._news = sink, counters, closing, news
        self._ping_interval = ping_interval
        # a run that resumes queries from its own position
        self._query = target.query.from_time(None) if past.keys else target.query
        self._intake = Intake(target.host, target.endpoint, sink, counters, closing, past.keys)
        self._intake.since = past.since or target.query.since or 0
        self._window = self._intake.window
        self._lender = Lender(borrower, number, self._intake, closing)
        self._asked: int | None = None
        self._reason = AWAY if past.keys else LOST
        self._begun = time.time_ns()
        self._is_first = True
        self._lost_at = 0.0
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._spare = SpareLink()
        self._closed_because = ""
        self._is_alarmed = False  # an outage was logged as a warning
        self._broken = ""
        self._suspects = _NO_LINES
        self._judge_at = 0.0
        self._is_proven = False

    @property
    def since(self) -> int:
        """The query's start, or the first connection's time by the engine's clock: earlier events are ignored. 0: unknown."""
        return self._intake.since

    def describe(self) -> str:
        """Return the engine and its address, for messages."""
        what = f"{self.engine} at {self.target.endpoint}" if self.engine else f"{self.target.endpoint} (not reached yet)"
        label = self.target.host.label
        return what if label == str(self.target.endpoint) else f"{label}: {what}"

    def run(self) -> None:
        """Watch. Nothing is raised."""
        try:
            while not self._closing.is_set:
                try:
                    self._watch_once()
                except EngineError as error:
                    self._take_failure(error)
                    self._tell_outage(error)
                except Exception as error:  # noqa: BLE001 - a fault of ours costs a connection, not the events of a year
                    self._take_failure(EngineError(f"{self.target.endpoint}: {error!r}"))
                    log().exception("%s: reading failed", self.target.endpoint)
                if self.over:
                    return
                self.is_new = False
                self._news.set()
                if not self._closing.is_set:
                    self._wait_to_try()
        finally:
            self.over = True
            self._spare.close()
            self._sink.end()
            self._news.set()

    def _take_failure(self, error: EngineError) -> None:
        """Remember why the first connection failed. The start reports the first reason, this logs the later ones."""
        if self._is_first:
            if self.was_missed and str(error) != str(self.failure) and not self._closing.is_set:
                log().warning("%s; Lanner retries", str(error))
            self.failure, self.was_missed = error, True

    def _watch_once(self) -> None:
        connection = self._connect()
        begun = time.monotonic()
        try:
            with select.epoll() as poll:
                poll.register(self._closing, select.EPOLLIN)
                poll.register(connection, select.EPOLLIN)
                self._follow(connection, poll)
        except _LostError as lost:
            if time.monotonic() - begun >= _STEADY:
                self._backoff.reset()
            if not self._closing.is_set:
                self._tell_loss(lost)
        finally:
            self.connected = False
            self._lost_at = time.monotonic()
            self._lender.end()
            connection.close()
            self._intake.end()
            self._broken = ""

    # messages

    def _tell_loss(self, lost: _LostError) -> None:
        self._counters.add("connections lost")
        self._closed_because = str(lost)
        keeps_closing = self._backoff.pause >= _LONGEST_PAUSE / 2
        self._is_alarmed = keeps_closing or not isinstance(lost, _ClosedError)
        tell = log().warning if self._is_alarmed else log().info
        how = f"reconnecting with pauses of up to {_LONGEST_PAUSE:g} s" if keeps_closing else "reconnecting"
        tell("%s: %s; %s", self.target.endpoint, self._closed_because, how)

    def _tell_outage(self, error: EngineError) -> None:
        if self._is_first or self._is_alarmed or self._closing.is_set:
            log().debug("%s", error)
            return
        self._is_alarmed = True
        # a log record with the error would keep its frames alive
        log().warning("%s: %s, and then: %s; trying again", self.target.endpoint, self._closed_because, str(error))

    def _tell_connected(self, gaps: int) -> None:
        if self._is_first and not self.was_missed:
            return
        lost = self._intake.gaps > gaps
        tell = log().warning if lost and not self._is_first else log().info
        again = "" if self._is_first else " again"
        tell("connected%s to %s%s", again, self.describe(), "; events may be missing" if lost else "")
        self._is_alarmed = self.was_missed = False

    # connecting, and missed events

    def _connect(self) -> Connection:
        self.engine = find_engine(self.target.endpoint, self._closing.fileno(), self._spare)
        before = time.time_ns()
        if self.was_missed and not self.since:
            self._intake.since = self._begun  # the first events of an engine that has just come up are wanted, too
        connection = self._open(self._find_start())
        if not self.since:
            self._intake.since = before if _agrees(connection.engine_time(), before) else connection.engine_time() - _SECOND
        if self._window and (now := connection.engine_time()) < self._window.last:
            # the engine's clock was set back: events since then are before the last seen event
            away = int((time.monotonic() - self._lost_at) * _SECOND) if self._lost_at else 0
            connection.close()
            connection = self._open(now - _SECOND - away - SPAN)
        return connection

    def _open(self, since: int | None) -> Connection:
        assert self.engine is not None
        self._asked = since
        target = self._target(since, self._query.until)
        return open_events(self.target.endpoint, target, self._closing.fileno(), self._spare, self.engine.ahead)

    def _target(self, since: int | None, until: int | None) -> str:
        assert self.engine is not None
        if since is not None:
            since = max(0, since if until is None else min(since, until))  # engines reject a span that ends before it begins
        return self._query._replace(since=since, until=until).target(self.engine.api)

    def _find_start(self) -> int | None:
        """Return the time to query from: two seconds before the last event, but not before the query's start; None: from now on."""
        since = self._window.last - SPAN
        if not self._window or since < self.since <= self._window.last:
            return self.since or None
        return since

    def _resume(self, connection: Connection) -> None:
        """Put the listed events from before this connection, after a gap event unless the list proves that no event is missing."""
        try:
            listed = self._list(connection, self._asked or 0, self._window.last) if self._window else _NO_LINES
        except EngineError as error:
            log().debug("%s", error)
            listed = _NO_LINES
        if self._closing.is_set:
            return
        self._drain(connection)
        early = self._intake.release()
        # count the beginning of the stream as well: since then the engine may have forgotten more
        if not self._window.has_seen(listed) and not self._window.has_seen(early):
            self._intake.put_gap(self._reason, self._intake.known_until, _engine_now(connection))
        self._reason = LOST
        self._intake.put(listed, repeated=False)
        self._put_early(early)

    def _list(self, connection: Connection, since: int, until: int) -> Lines:
        return list_events(
            self.target.endpoint,
            self._target(since, max(since, until)),
            connection,
            partial(self._drain, connection),
            self._closing,
            self._spare,
        )

    def _drain(self, connection: Connection) -> bool:
        """Keep what arrives on the stream during other requests: engines drop the events of slow listeners."""
        try:
            data = connection.read()
        except (OSError, HttpError, EngineError) as error:
            self._broken = str(error)
            return False
        has_room = not data or self._intake.hold(data)
        return data is not None and not connection.ended and has_room

    def _put_early(self, early: Lines) -> None:
        self._intake.put(early)
        if self._broken:
            raise _LostError(self._broken)

    # reading

    def _follow(self, connection: Connection, poll: select.epoll) -> None:
        gaps = self._intake.gaps
        if self.damaged_at is not None:
            self._intake.put_gap(CURSOR, self.damaged_at, _engine_now(connection))
            self.damaged_at = None
        came_late = self._is_first and self.was_missed and not self._window
        if not self._is_first or self._window:
            self._resume(connection)
        self._tell_connected(gaps)
        if came_late:
            self._intake.put_gap(self._reason, max(self.since, self._begun), _engine_now(connection))
        self._is_first = False
        self.connected, self.is_new, self.failure = True, False, None
        self._news.set()
        heard = time.monotonic()
        self._suspects = _NO_LINES
        while not self._closing.is_set:
            data = self._read(connection.read)
            if data is None or (not data and connection.ended):
                if self._query.until is not None and connection.engine_time() >= self._query.until:
                    self.over = True  # a stopping engine also ends its responses cleanly
                    return
                raise _ClosedError("the engine closed the stream")
            now = time.monotonic()
            lines, has_more = _NO_LINES, False
            if data:
                heard = now
                lines = self._intake.frame(data)
                has_more = not connection.waits
            wake_at = self._judge_at if self._suspects else heard + self._ping_interval
            patience = min(wake_at - now, self._intake.warn_if_unfinished(now), 1e6)
            if data:
                self._intake.put(lines)
            if patience > 0:
                if not has_more:
                    heard = max(heard, self._wait(connection, poll, patience))
            elif data:
                continue
            elif self._suspects:
                self._judge()
            else:
                self._ask_whether_alive(connection, poll)
                heard = time.monotonic()

    def _read(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except ConnectionError as error:
            raise _ClosedError(str(error)) from None
        except (OSError, ValueError, EngineError) as error:  # `HttpError` is a `ValueError`
            raise _LostError(str(error)) from None

    def _wait(self, connection: Connection, poll: select.epoll, seconds: float) -> float:
        """Wait for the stream. Return when the host's thread has read from it last meanwhile, or 0.0."""
        heard = None if self._suspects else self._read(partial(self._lender.lend, connection, seconds))
        if heard is None:
            poll.poll(seconds)
        return heard or 0.0

    # a silent stream

    def _ask_whether_alive(self, connection: Connection, poll: select.epoll) -> None:
        try:
            # it also ends when the stream is readable
            ping(self.target.endpoint, poll.fileno(), _PING_TIMEOUT, self._spare)
            listed = self._list_missed(connection)
        except EngineError as error:
            if poll.poll(0):
                return
            raise _LostError(f"silent for {self._ping_interval:g} s, and the engine does not answer: {error}") from None
        self._is_proven = self._window.has_seen(listed)
        self._put_early(self._intake.release())
        self._suspects = listed if self._window.has_missed(listed) else _NO_LINES
        self._judge_at = time.monotonic() + _GRACE

    def _list_missed(self, connection: Connection) -> Lines:
        now = _engine_now(connection) - _SECOND  # a span into the future would stay open until then
        try:
            return self._list(connection, self._find_start() or 0, now)
        except EngineTimeoutError:
            if connection.head is not None:
                raise
            return _NO_LINES  # an engine that begins no response without an event: it has answered the ping

    def _judge(self) -> None:
        suspects, self._suspects = self._suspects, _NO_LINES
        if self._window.has_missed(suspects):
            if not self._is_proven:
                self._intake.put_gap(LOST, self._intake.known_until, time.time_ns())
            self._intake.put(suspects, repeated=False, timed=True)
            raise _LostError(f"silent for {self._ping_interval:g} s, while the engine has events")

    # waiting

    def _wait_to_try(self) -> None:
        wait([self._closing], self._backoff.next())


def _engine_now(connection: Connection) -> int:
    """Return the engine's clock; this machine's, which is finer, if both agree."""
    latest, now = connection.engine_time(), time.time_ns()
    return now if _agrees(latest, now) else latest


def _agrees(latest: int, now: int) -> bool:
    # an engine's header has whole seconds
    return latest - _SECOND <= now <= latest
