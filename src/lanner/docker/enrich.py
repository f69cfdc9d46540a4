"""The thread that adds to events what the engine says of their containers: lines of one engine in, the same described out, in order.

It stands between the watch, which goes on reading while the engine is asked, and the buffer that the host takes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.docker.buffer import OWN, Flag, put_all, wait
from lanner.docker.inspect import Inspector
from lanner.docker.log import log

if TYPE_CHECKING:
    from lanner.docker.buffer import Buffer, Entry
    from lanner.docker.watch import Watch


class Enricher:
    """Takes from `lines`, where the watch puts what it reads, and puts into `sink`. `run` is the thread's."""

    def __init__(self, watch: Watch, lines: Buffer, sink: Buffer, closing: Flag, timeout: float) -> None:
        self._watch, self._lines, self._sink, self._closing = watch, lines, sink, closing
        self._timeout = timeout
        self._room = Flag()

    def run(self) -> None:
        """Go on until the watch is over or `closing` is set. Nothing is raised."""
        inspector = Inspector(self._watch.target.endpoint, "", self._timeout, self._closing.fileno())
        try:
            while not self._closing.is_set and (entries := self._lines.take()) is not None:
                if entries:
                    self._pass_on(entries, inspector)
                else:
                    wait([self._lines.ready, self._closing], 1e6)
        finally:
            inspector.close()
            self._sink.end()

    def _pass_on(self, entries: list[Entry], inspector: Inspector) -> None:
        if self._watch.engine is not None:
            inspector.api = self._watch.engine.api
        finished: list[Entry] = []
        for host, key, line in entries:
            described = None
            if key != OWN and inspector.wants(line):
                self._put(finished)  # what is before it does not wait for the engine
                finished = []
                described = self._describe(line, inspector)
            finished.append((host, key, line if key == OWN else host.add_to(line, described)))
        self._put(finished)

    def _describe(self, line: bytes, inspector: Inspector) -> bytes | None:
        try:
            return inspector.describe(line)
        except Exception:  # noqa: BLE001 - a fault of ours costs a description, not the event
            log().exception("%s: describing a container failed", self._watch.target.endpoint)
            return None

    def _put(self, entries: list[Entry]) -> None:
        if entries:
            put_all(self._sink, entries, self._room, self._closing)
