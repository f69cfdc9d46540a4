"""Run a plugin in a test: `host` does what every host does, one event at a time, and extracts fields by name.

Unlike a real host, it lets exceptions of plugin code through. It has no rules.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lanner.sdk.batches import Batch, Source
from lanner.sdk.events import Event
from lanner.sdk.hosting import Failures, FieldReader, init_plugin
from lanner.sdk.plugin import Plugin, plugin_info
from lanner.sdk.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.positions import Position
    from lanner.sdk.types import FieldValue


class Host:
    """A running plugin. `plugin` is its instance. The first request for an event opens the event source."""

    def __init__(self, plugin: Plugin, params: str = "", position: Position = None) -> None:
        self.plugin = plugin
        self._positions = _Memory(position)
        self._params = params
        self._source: Source | None = None
        self._batch = Batch([])
        self._place = 0
        self._number = 0
        self._failures = _RaisingFailures(plugin_info(type(self.plugin)).name)
        self._readers: dict[tuple[str, str | int | None], FieldReader] = {}

    @property
    def source(self) -> Source:
        """The open event source. Raise `SourceError` if it cannot be opened."""
        if self._source is None:
            resumes = plugin_info(type(self.plugin)).resumes
            self._source = open_source(self.plugin, self._params, self._positions if resumes else None)
            self._source.commits_itself = False
        return self._source

    @property
    def position(self) -> Any:
        """The position that a host would store now: after the last event, or after the chunk of lines in which it was the last."""
        return self._positions.position

    def next(self, timeout: float = 10.0) -> Event:
        """Return the next event.

        Raise `TimeoutError` if none arrives within `timeout` seconds, `EOFError` if the source has ended, and `SourceError` if it
        has failed.
        """
        deadline = time.monotonic() + timeout
        while self._place == len(self._batch.payloads):
            if self._batch.ended:
                raise EOFError("the event source has ended")
            left = deadline - time.monotonic()
            if left < 0:
                raise TimeoutError(f"no event within {timeout:g} s")
            self._batch, self._place = self.source.next_batch(left, 1), 0
        return self._take()

    def events(self, timeout: float = 10.0) -> Iterator[Event]:
        """Yield the events up to the end of the source. Raise the errors of `next`."""
        while True:
            try:
                event = self.next(timeout)
            except EOFError:
                return
            yield event

    def extract(self, event: Event | bytes | str, field: str, argument: str | int | None = None) -> FieldValue:
        """Return the value of a field as rules see it, or None for no value.

        `event` may also be a payload. Raise `LookupError` for an unknown field, `ValueError` for an invalid argument, and every
        exception of a field method except `PayloadError`, which means "no value".
        """
        if not isinstance(event, Event):
            event = Event(event)
        reader = self._readers.get((field, argument))
        if reader is None:
            known = [declaration.info.name for declaration in plugin_info(type(self.plugin)).fields]
            if field not in known:
                raise LookupError(f"the plugin has no field {field!r}; it has {', '.join(known)}")
            reader = self._readers[field, argument] = FieldReader(self.plugin, [(field, argument)], self._failures)
        reader.source = event.source or plugin_info(type(self.plugin)).event_source or ""
        reader.load(event.payload, event.timestamp, event.number)
        return reader.get(0)

    def text(self, event: Event) -> str:
        """Return the result of the plugin's `event_to_string`."""
        return self.plugin.event_to_string(event)

    def close(self) -> None:
        """Close the event source if it is open."""
        if self._source is not None:
            self._source.close()

    def _take(self) -> Event:
        payload = self._batch.payloads[self._place]
        given = self._batch.timestamps[self._place] if self._batch.timestamps is not None else None
        self._place += 1
        self._number += 1
        if self._place == len(self._batch.payloads):
            self.source.commit(self.source.position)
        reader = FieldReader(self.plugin, [], self._failures)
        reader.load(payload, time.time_ns() if given is None else given, self._number)
        return reader.event()


class _Memory:
    """A store of positions (`lanner.sdk.positions.Positions`) in memory."""

    def __init__(self, position: Position) -> None:
        self.resumed: Any = position
        self.position: Any = position
        self.counters: dict[str, int] = {}

    def advance(self, position: Any) -> None:
        """Store the position."""
        self.position = position


class _RaisingFailures(Failures):
    """Lets exceptions of plugin code through to the test."""

    def note(self, what: str, error: BaseException) -> None:
        error.add_note(f"in {what} of the plugin")
        raise error


@contextmanager
def host(cls: type[Plugin], config: str | dict[str, Any] = "", params: str = "", position: Position = None) -> Iterator[Host]:
    """Run a plugin class with a configuration (JSON text, or the decoded value) and open parameters.

    `position` is the position of an earlier run, for a plugin whose `open` takes one.

        def test_value():
            with lanner.testing.host(Counter) as host:
                event = host.next()
                assert host.extract(event, "counter.value") == 0

    Raise `ConfigError` for an invalid configuration.
    """
    running = Host(init_plugin(cls, config), params, position)
    try:
        yield running
    finally:
        running.close()
