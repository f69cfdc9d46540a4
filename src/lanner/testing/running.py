"""Run a plugin in a test: `host` does what every host does, one event at a time, and extracts fields by name.

Unlike a real host, it lets exceptions of plugin code through. It has no rules.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from lanner.sdk.authoring.events import Event
from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.errors import PayloadError
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.failures import Failures
from lanner.sdk.hosting.field_reader import FieldReader, ResultTypeError, explain_result, field_arguments, normalise
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import BY_ARGUMENT, init_plugin
from lanner.sdk.types import FieldType
from lanner.testing.payloads import payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lanner.rules import Catalog
    from lanner.sdk.authoring.fields import FieldDeclaration
    from lanner.sdk.authoring.positions import Position
    from lanner.sdk.hosting.event_source import Source
    from lanner.sdk.types import FieldInfo, FieldValue


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
        self._info = plugin_info(type(plugin))
        self._declared = {declaration.info.name: declaration for declaration in self._info.fields}
        self._failures = _RaisingFailures(self._info.name)
        self._readers: dict[tuple[str, str | int | None], FieldReader] = {}
        self._catalog: Catalog | None = None

    @property
    def source(self) -> Source:
        """The open event source. Raise `SourceError` if it cannot be opened."""
        if self._source is None:
            resumes = plugin_info(type(self.plugin)).resumes
            self._source = open_source(self.plugin, self._params, self._positions if resumes else None)
            self._source.commits_itself = False
        return self._source

    def start(self) -> None:
        """Open the event source now, such as a server that the test will send requests to.

        Raise `UsageError` for invalid open parameters, and `SourceError` if it cannot be opened.
        """
        _ = self.source

    @property
    def position(self) -> Any:
        """The position that a host would store now: after the last event, or after the chunk of lines that ends with it."""
        return self._positions.position

    def next(self, timeout: float = 10.0) -> Event:
        """Return the next event.

        Raise `TimeoutError` if none arrives within `timeout` seconds, `EOFError` if the source has ended, and `SourceError` if it
        has failed.
        """
        deadline = _real_time() + timeout
        while self._place == len(self._batch.payloads):
            if self._batch.ended:
                raise EOFError("the event source has ended")
            left = deadline - _real_time()
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

    def extract(self, event: Event | bytes | str | Mapping[str, Any], field: str, argument: str | int | None = None) -> object:
        """Return the value of a field, or None for no value. `field` is the text that a rule would use: `"web.header[Host]"`.

        `event` is an event, a payload, or a mapping, whose JSON is the payload. A field method's value is the object that the method
        returned. A field as data has a str, int, bool, an address of `ipaddress`, nanoseconds, or a list of these. `argument` is for a
        key with a blank or a bracket, which no rule can use in `field`.

        Raise `LookupError` for an unknown field, `ValueError` for an invalid argument, and `TypeError` for a result of another type than
        the declared one. Raise every exception of a field method except `PayloadError`, which means "no value".
        """
        if not isinstance(event, Event):
            event = Event(payload(event))
        declaration, argument = self._request(field, argument)
        info = declaration.info
        reader = self._readers.get((info.name, argument))
        if reader is None:
            requests = [(info.name, argument)] if declaration.value is not None else []
            arguments = field_arguments(info, argument)
            reader = self._readers[info.name, argument] = FieldReader(self.plugin, requests, self._failures)
        else:
            arguments = field_arguments(info, argument)
        reader.source = event.source or self._info.read_source
        reader.load(event.payload, event.timestamp, event.number)
        if declaration.value is not None:
            return _object(reader.get(0), info)
        return self._call(getattr(self.plugin, str(declaration.method)), reader.event(), info, arguments)

    def text(self, event: Event) -> str:
        """Return the result of the plugin's `event_to_string`."""
        return self.plugin.event_to_string(event)

    def close(self) -> None:
        """Close the event source if it is open."""
        if self._source is not None:
            self._source.close()

    def _request(self, field: str, argument: str | int | None) -> tuple[FieldDeclaration, str | int | None]:
        """Return the declaration of the field in the text of a rule, and its argument."""
        name, bracket, _ = field.partition("[")
        if name not in self._declared:
            raise LookupError(f"the plugin has no field {name!r}; it has {', '.join(self._declared)}")
        if not bracket:
            return self._declared[name], argument
        if argument is not None:
            raise ValueError(f"{field!r} has an argument already: leave out {argument!r}")
        from lanner.rules import Catalog  # only for such a string
        from lanner.rules.language.catalog import FieldError

        if self._catalog is None:
            self._catalog = Catalog([declaration.info for declaration in self._info.fields], self._info.read_source)
        try:
            request = self._catalog.request(field)
        except FieldError as error:
            raise ValueError(str(error)) from None
        return self._declared[name], request.argument

    def _call(self, method: Callable[..., Any], event: Event, info: FieldInfo, arguments: dict[str, str | int]) -> object:
        try:
            value = method(event, **arguments)
            if info.is_list and hasattr(value, "__next__"):
                value = list(value)
            normalise(value, info)
        except PayloadError:
            return None
        except ResultTypeError as error:
            self._failures.note(info.name, explain_result(method, error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
            self._failures.note(info.name, error)
        return value

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


_real_time = time.monotonic
"""The clock of timeouts, even while a test replaces `time.monotonic`."""


def _object(value: FieldValue, info: FieldInfo) -> object:
    """Return the value of a field as data as the object that a field method would return."""
    if isinstance(value, tuple):
        return [_object(item, info) for item in value]
    if isinstance(value, bytes) and info.type in {FieldType.IPADDR, FieldType.IPNET}:
        from ipaddress import ip_address  # only for such values

        return ip_address(value)
    return value


class _Memory:
    """A store of positions (`lanner.sdk.authoring.positions.Positions`) in memory."""

    def __init__(self, position: Position) -> None:
        self.resumed: Any = position
        self.position: Any = position
        self.counters: dict[str, int] = {}

    def advance(self, position: Any) -> None:
        """Store the position."""
        self.position = position


class _RaisingFailures(Failures):
    """Lets exceptions of plugin code through to the test."""

    def note(self, what: str, error: BaseException) -> NoReturn:
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
    running = Host(init_plugin(cls, config, way=BY_ARGUMENT), params, position)
    try:
        yield running
    finally:
        running.close()
