"""The thread that adds to events what the engine says of their containers: events of one engine in, the same described out, in order.

It stands between the watch, which goes on reading while the engine is asked, and the buffer that the host takes from. Most events have
nothing to ask about: while none waits for an answer, they go past the thread.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING

from lanner.docker.buffer import Flag, put_all, wait
from lanner.docker.inspect import Inspector
from lanner.docker.log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.docker.buffer import Buffer
    from lanner.docker.gaps import Part
    from lanner.docker.watch import Watch


class Enricher:
    """Takes what the watch puts, by way of `waiting` where the engine is to be asked, and puts it into `sink`. `run` is the thread's."""

    def __init__(self, waiting: Buffer, sink: Buffer, closing: Flag, timeout: float) -> None:
        self._waiting, self._sink, self._closing = waiting, sink, closing
        self._timeout = timeout
        self._room = Flag()
        self._lock = _thread.allocate_lock()
        self._is_idle = False

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
        """Go on until nothing more is put or `closing` is set, and ask the engine that `watch` has found. Nothing is raised."""
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
