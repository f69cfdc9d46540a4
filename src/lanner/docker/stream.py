"""The stream of an engine's events, as an open instance: chunks of lines out, a new connection where one ends.

A stream that ends, as it does when the engine restarts, is opened again with growing pauses, from the nanosecond after the last
event that was seen. The engine keeps its last 256 events in memory: what happens while it is down, or more than that while
nobody reads, is lost, and this part does not notice.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

import lanner
from lanner.docker.client import Connection, Engine, EngineError, find_engine, open_events
from lanner.docker.http import HttpError

if TYPE_CHECKING:
    import logging

    from lanner.docker.endpoint import Endpoint
    from lanner.docker.query import Query

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
# In a text of JSON the quotes would be escaped, so this is the event's own member; the line has to be whole
_TIME: Final = re.compile(rb'"timeNano":(\d{1,19})[^\n]*\n')
_KEPT: Final = 64 * 1024


class EventStream:
    """The events of one engine. `read_chunk` waits in epoll(7) on the socket; `close`, from any thread, ends the wait."""

    def __init__(self, endpoint: Endpoint, query: Query) -> None:
        """Connect. Raises `EngineError` where that fails; only a stream that was open once is opened again."""
        self._endpoint = endpoint
        self._query = query
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closed = False
        self._recent: deque[bytes] = deque()
        self._recent_size = 0
        self._pause = _FIRST_PAUSE
        self._next_try = 0.0
        self._connection: Connection | None = None
        self._poll = select.epoll()
        self._poll.register(self._wake, select.EPOLLIN)
        try:
            self.engine = self._connect()
        except BaseException:
            os.close(self._wake)
            raise

    def describe(self) -> str:
        """The engine and where it is, for people."""
        return f"{self.engine} at {self._endpoint}"

    def read_chunk(self, timeout: float) -> bytes | lanner.Chunk | lanner.Nothing:
        """What the engine sent, as it came; NOTHING after `timeout` seconds; b"" where `until` has passed, or after close()."""
        if self._closed:
            return b""
        if self._connection is None:
            return self._reconnect(timeout)
        try:
            data = self._connection.read()
            # an engine may end its answer and leave the connection open: nothing more comes to wait for
            if data == b"" and not self._connection.ended:
                ready = self._poll.poll(max(0.0, timeout))
                if self._woken():
                    return b""
                data = self._connection.read() if ready else b""
        except (OSError, HttpError) as error:
            return self._lost(str(error))
        if data:
            self._pause = _FIRST_PAUSE
            self._remember(data)
            return data
        if data is None or self._connection.ended:
            return b"" if self._is_over(self._connection) else self._lost("the engine closed the stream")
        return lanner.NOTHING

    def fileno(self) -> int:
        """Readable when read_chunk need not wait; -1 where that is no matter of the socket alone."""
        if self._connection is None or self._connection.has_unread or self._connection.ended:
            return -1
        return self._poll.fileno()

    def close(self) -> None:
        """End the stream; a waiting read_chunk returns at once."""
        if not self._closed:
            self._closed = True
            os.eventfd_write(self._wake, 1)

    def __del__(self) -> None:
        # closed here and not in close(): another thread may be waiting on these descriptors
        if self.__dict__.get("_connection") is not None:
            self._drop_connection()
        if "engine" in self.__dict__:
            os.close(self._wake)

    def _woken(self) -> bool:
        # after a wait: another thread may have closed the stream meanwhile
        return self._closed

    def _is_over(self, connection: Connection) -> bool:
        # a stopping engine ends its answers in good order, too
        return self._query.until is not None and connection.engine_time() >= self._query.until

    def _connect(self) -> Engine:
        engine = find_engine(self._endpoint, self._wake)
        connection = open_events(self._endpoint, self._query.target(engine.api), self._wake)
        self._connection = connection
        self._poll.register(connection, select.EPOLLIN)
        return engine

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._poll.unregister(self._connection)
            self._connection.close()
            self._connection = None

    def _remember(self, data: bytes) -> None:
        # as they came, not joined: that is done when the connection is lost
        self._recent.append(data)
        self._recent_size += len(data)
        while self._recent_size - len(self._recent[0]) >= _KEPT:
            if not self._has_line_after_first():
                self._note_last()
            self._recent_size -= len(self._recent.popleft())

    def _has_line_after_first(self) -> bool:
        # a whole one, with its beginning; where lines are of usual size the answer is at hand
        ends = 0
        for data in islice(self._recent, 1, None):
            ends += data.count(b"\n")
            if ends > 1:
                return True
        return False

    def _note_last(self) -> None:
        found = _TIME.findall(b"".join(self._recent))
        if found:
            self._query = self._query.from_time(max(map(int, found)) + 1)

    def _lost(self, reason: str) -> lanner.Nothing:
        self._drop_connection()
        self._try_later()
        self._note_last()
        self._recent.clear()
        self._recent_size = 0
        _log().warning("%s: %s; connecting again", self._endpoint, reason)
        return lanner.NOTHING

    def _try_later(self) -> None:
        # jitter: many hosts that lost one engine do not come back in one moment
        import random

        self._next_try = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def _reconnect(self, timeout: float) -> bytes | lanner.Chunk | lanner.Nothing:
        left = self._next_try - time.monotonic()
        if left > 0:
            self._poll.poll(min(left, max(0.0, timeout)))
            if self._woken():
                return b""
            if time.monotonic() < self._next_try:
                return lanner.NOTHING
        try:
            self.engine = self._connect()
        except EngineError as error:
            if self._woken():
                return b""
            self._try_later()
            _log().debug("%s", error)
            return lanner.NOTHING
        _log().warning("connected again to %s", self.describe())
        return lanner.Chunk(b"", reset=True)


def _log() -> logging.Logger:
    import logging  # a .so that has nothing to say starts without it

    return logging.getLogger("lanner.plugin.docker")
