"""Event sources: one interface for hosts to the result of a plugin's open().

`open_source` calls open() and wraps the result: a generator or iterator, an async iterator, or an object that reads chunks.
A host calls `next_batch` until the batch is marked as the last; `close` may come from another thread at any time.
Nothing here delays events to make batches larger: available events are returned, which also keeps the flush interval.
"""

from __future__ import annotations

import time
from _thread import get_ident
from types import CoroutineType

from lanner.native import Lines
from lanner.sdk.authoring.events import Chunk, Nothing
from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.authoring.positions import Marks, freeze
from lanner.sdk.errors import LannerError, OpenError, SourceError
from lanner.sdk.hosting.batches import (
    Batch,
    call_fileno,
    describe_instance,
    member,
)
from lanner.sdk.hosting.failures import opening_failure, plugin_failure
from lanner.sdk.hosting.framing import new_framer, warn_too_long
from lanner.sdk.hosting.opening import Opening, where_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final, TypeGuard

    from lanner.native import Framer, HostReader
    from lanner.sdk.authoring.chunk_reader import ChunkReader
    from lanner.sdk.authoring.positions import Positions
    from lanner.sdk.hosting.event_source import Source
    from lanner.sdk.hosting.inputs import Inputs

YIELDS: Final = "it must yield events"
"""In the message for an `open` without a way to return events."""
_LEAVE_AFTER: Final = 2.0
"""Seconds that read_chunk has to return after close()."""
_PATIENCE: Final = 0.25
"""Seconds that read_chunk may wait if the open instance has no close() to wake it up."""


def _is_chunk_reader(opened: object) -> TypeGuard[ChunkReader]:
    """Return isinstance(opened, ChunkReader): the protocol itself would import `typing` into each plugin's .so."""
    return hasattr(opened, "read_chunk")


def open_source(plugin: Plugin, params: str = "", positions: Positions | None = None, inputs: Inputs | None = None) -> Source:
    """Open the plugin's event source with `params`. Raises `OpenError`, and `UsageError` for parameters that the plugin refuses.

    `positions` stores the positions of a plugin whose `open` takes one; None: they are not stored.
    `inputs` gets the files that the source reads.
    """
    info = plugin_info(type(plugin))
    if not info.has_source:
        raise OpenError(f"the plugin {info.name} has no event source: it extracts fields of {', '.join(info.shown_sources)}")
    check_open_params(plugin, params)
    opening = Opening(info.name, resumes=info.resumes, inputs=inputs)
    resumed = (None if positions is None else positions.resumed,)
    try:
        with opening.enter():
            opened: object = plugin.open(params, *resumed[: info.resumes])
    except (Exception, SystemExit) as error:
        raise opening_failure(info.name, "open", error) from error
    opening.returned = opened
    if _is_chunk_reader(opened):
        return ChunkSource(opened, info.name, opening, positions)
    if hasattr(opened, "__aiter__") or (hasattr(opened, "__iter__") and not isinstance(opened, (str, bytes, dict))):
        from lanner.sdk.hosting.reading import ThreadedSource  # imports threads and queues only if needed

        return ThreadedSource(opened, info.name, opening, positions)
    if isinstance(opened, CoroutineType):
        opened.close()
        raise OpenError(f"plugin {info.name}: open: an `async def open` must be a generator: {YIELDS}, not return them")
    raise OpenError(
        f"plugin {info.name}: open returned {type(opened).__name__}; {YIELDS}, or return an iterator, "
        "an async iterator, or an object with read_chunk(timeout)"
    )


def check_open_params(plugin: Plugin, params: str) -> None:
    """Let the plugin check the open parameters, without opening. The errors are those of `open_source`."""
    try:
        plugin.check_open_params(params)
    except (Exception, SystemExit) as error:
        raise opening_failure(plugin_info(type(plugin)).name, "check_open_params", error) from error


class ChunkSource:
    """A source whose open instance returns chunks of lines from read_chunk(timeout). Without a thread: the host's call reads."""

    def __init__(self, instance: ChunkReader, plugin: str, opening: Opening, positions: Positions | None = None) -> None:
        self._instance = instance
        self._plugin = plugin
        self._opening = opening
        opening.add(instance)
        self._positions = positions
        self._marks = None if positions is None else Marks(positions)
        self._marked: Any = None
        self._read: Callable[[float], Any] = instance.read_chunk
        self._fileno: Callable[[], Any] | None = member(instance, "fileno")
        self._main = new_framer()
        self._others: dict[str | int, Framer] = {}  # of streams with an incomplete line: a stream may never return
        self._patience = float("inf") if callable(member(instance, "close")) else _PATIENCE
        self._closed = self._ended = False
        self._reader: int | None = None
        self.stuck = ""
        self._failure: LannerError | None = None
        self._counters: dict[str, int] = {}
        self.description = describe_instance(instance, plugin)
        self.position = 0
        self._commit: Callable[[int], Any] | None = member(instance, "commit")
        self.commits_itself = callable(self._commit) or self._marks is not None
        """Whether a call of `next_batch` acknowledges all previous events."""

    @property
    def counters(self) -> Mapping[str, int]:
        """See `Source`."""
        stored = {} if self._positions is None else self._positions.counters
        return {**self._counters, **self._opening.counters, **stored}

    @property
    def connections(self) -> Mapping[str, bool]:
        """See `Source`."""
        return self._opening.connections

    def commit(self, position: int) -> None:
        """See `Source`. The open instance's `commit(count)` receives the number of its chunks that were processed."""
        self._tell(position)

    def next_batch(self, timeout: float, _most: int = 0) -> Batch:
        """See `Source`."""
        if self.commits_itself:
            self._tell(self.position)
        if self._failure is not None:
            raise self._failure
        if self._ended or self._closed:
            return Batch([], ended=True)
        try:
            self._reader = get_ident()
            chunk = self._read(min(timeout, self._patience))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
            return self._fail(error if isinstance(error, LannerError) else plugin_failure(self._plugin, "read_chunk", error))
        finally:
            self._reader = None
        if isinstance(chunk, bytes):
            return self._end() if not chunk else self._give(self._feed(self._main, chunk))
        if isinstance(chunk, Lines):  # payloads already, from Lanner's own plugins
            return self._give(chunk)
        if isinstance(chunk, Chunk):
            return self._give(self._take(chunk))
        if isinstance(chunk, Nothing):
            self._mark()
            return Batch([], ended=self._closed)
        what = "None" if chunk is None else type(chunk).__name__
        return self._fail(
            SourceError(
                f'plugin {self._plugin}: read_chunk returned {what}; it must return bytes, Chunk, NOTHING for no data, or b"" at the end'
            )
        )

    def fileno(self) -> int:
        """Descriptor that becomes readable as soon as the next `next_batch` need not wait, so that a host can wait without Python.

        It is valid up to that call; -1 if only `next_batch` can wait. It is the open instance's `fileno()`, if it has one.
        """
        if self._fileno is None or self._closed or self._ended or self._failure is not None:
            return -1
        found = call_fileno(self._fileno, self._plugin)
        if found is None:
            self._fileno = None
            return -1
        return found

    @property
    def host_reader(self) -> HostReader | None:
        """Reader of connections for a host that waits without Python; None for most open instances."""
        return getattr(self._instance, "host_reader", None)

    def close(self) -> None:
        """See `Source`."""
        if self._closed:
            return
        self._closed = True
        self._opening.close()
        deadline = time.monotonic() + _LEAVE_AFTER
        while (reader := self._reader) is not None and reader != get_ident():
            if time.monotonic() >= deadline:
                self.stuck = f"read_chunk did not return within {_LEAVE_AFTER:g} s of close(){where_blocked(reader)}"
                return
            time.sleep(0.002)

    def _give(self, payloads: Sequence[bytes]) -> Batch:
        """Return the payloads of the next chunk."""
        self.position += 1
        self._mark()
        return Batch(payloads)

    def _mark(self) -> None:
        """Note the instance's position, unless a line is unfinished: resuming there would lose its beginning."""
        if self._marks is None or self._main.is_within_line or self._others:
            return
        position = member(self._instance, "position")
        if position is not None and position != self._marked:
            self._marked = freeze(position, self._plugin)
            self._marks.mark(self.position, self._marked)

    def _tell(self, position: int) -> None:
        if self._marks is not None:
            self._marks.commit(position)
        if self._commit is None:
            return
        try:
            self._commit(position)
        except Exception:
            import logging  # rare

            self._commit = None
            self.commits_itself = self.commits_itself and self._marks is not None
            logging.getLogger(f"lanner.plugin.{self._plugin}").exception("commit failed; it is not called again")

    def _take(self, chunk: Chunk) -> Sequence[bytes]:
        framer = self._main if chunk.stream == "" else self._others.pop(chunk.stream, new_framer())
        if chunk.reset and framer.end():
            self._count("dropped tails")
        payloads = self._feed(framer, chunk.data)
        if framer.is_within_line and framer is not self._main:
            self._others[chunk.stream] = framer
        return payloads

    def _feed(self, framer: Framer, data: bytes) -> Sequence[bytes]:
        before = framer.too_long
        payloads = framer.feed(data)
        if framer.too_long != before:
            self._count("lines too long")
            warn_too_long(self._plugin)
        return payloads

    def _end(self) -> Batch:
        self._ended = True
        tails = [tail for framer in (self._main, *self._others.values()) for tail in framer.end()]
        if not self._closed:
            return Batch(tails, ended=True)
        # the data did not end, the host stopped reading: an incomplete line is not a payload
        for _ in tails:
            self._count("dropped tails")
        return Batch([], ended=True)

    def _fail(self, error: LannerError) -> Batch:
        """Return the incomplete lines now, and raise the failure at the next call. Ignore it after close(), which may have caused it."""
        if self._closed:
            return self._end()
        if not self.position:
            self._failure = opening_failure(self._plugin, "read_chunk", error)
        else:
            self._failure = error if isinstance(error, SourceError) else SourceError(str(error))
        payloads = self._end().payloads
        if not payloads:
            raise self._failure
        return Batch(payloads)

    def _count(self, what: str) -> None:
        self._counters[what] = self._counters.get(what, 0) + 1
