"""Thread that adds to events the engine's description of their containers, in order.

It sits between the watch, which continues to read while the engine is queried, and the buffer. Most events need
no query: while no event waits for an answer, they bypass the thread.
"""

from __future__ import annotations

import _thread

from lanner.docker.buffer import put_all
from lanner.docker.inspector import Inspector
from lanner.docker.log import log
from lanner.sources import Flag, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.docker.buffer import Buffer
    from lanner.docker.gaps import Part
    from lanner.docker.watch import Watch


class Enricher:
    """Takes the watch's events, through `waiting` if the engine must be queried, and puts them into `sink`. `run` is the thread's."""

    def __init__(self, waiting: Buffer, sink: Buffer, closing: Flag, timeout: float) -> None:
        self._waiting, self._sink, self._closing = waiting, sink, closing
        self._timeout = timeout
        self._room = Flag()
        self._lock = _thread.allocate_lock()
        self._is_idle = False

    inspects = True

    @property
    def is_idle(self) -> bool:
        """See `Sink.is_idle`."""
        with self._lock:
            return self._is_idle

    @property
    def is_crowded(self) -> bool:
        """See `Buffer.is_crowded`."""
        return self._waiting.is_crowded or self._sink.is_crowded

    def put(self, part: Part, room: Flag | None = None) -> int:
        """See `Buffer.put`. For one thread."""
        with self._lock:
            is_idle = self._is_idle and (part.gap is not None or not part.events.starts())
            self._is_idle = is_idle
        return (self._sink if is_idle else self._waiting).put(part, room)

    def end(self) -> None:
        """See `Buffer.end`."""
        self._waiting.end()

    def run(self, watch: Watch) -> None:
        """Run until the end or until `closing` is set, and query the engine that `watch` has found. Nothing is raised."""
        inspector = Inspector(watch.target.endpoint, "", self._timeout, self._closing.fileno())
        try:
            while not self._closing.is_set and (parts := self._waiting.take()) is not None:
                if watch.engine is not None:
                    inspector.api = watch.engine.api
                for part in parts:
                    self._pass_on(part, inspector)
                if not parts:
                    with self._lock:
                        self._is_idle = self._waiting.is_empty
                    wait([self._waiting.ready, self._closing], 1e6)
        finally:
            inspector.close()
            self._sink.end()

    def _pass_on(self, part: Part, inspector: Inspector) -> None:
        events, begin = part.events, 0
        for place in events.starts() if part.gap is None else ():

            def pass_on_before(end: int = place) -> None:
                nonlocal begin
                if end > begin:  # these events need not wait for the engine
                    self._put(part._replace(events=events[begin:end]))
                    begin = end

            described = _describe(events.line(place), inspector, pass_on_before)
            if described is not None:
                part.host.describe(events, place, described)
        self._put(part._replace(events=events[begin:]))

    def _put(self, part: Part) -> None:
        put_all(self._sink, part, self._room, self._closing)


def _describe(line: bytes, inspector: Inspector, before_asking: Callable[[], None]) -> bytes | None:
    try:
        return inspector.describe(line, before_asking)
    except Exception:  # noqa: BLE001 - a bug in Lanner costs a description, not the event
        log().exception("%s: describing a container failed", inspector.endpoint)
        return None
