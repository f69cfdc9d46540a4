"""The path of an event through Lanner's host: payloads in, lines of alerts out.

`Pump` reads fields, matches rules and formats alerts for batches of payloads. The caller supplies the batches (from a live source or a
recording) and the destination. Its loop determines the cost of every event.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner.alerts.alert_record import make_record
from lanner.host.generic import EventContext, generic_reader
from lanner.host.payload_forms import describe_unreadable
from lanner.outputs.base import Alert
from lanner.rules import AlertRule, Executor
from lanner.rules.language.catalog import LINK, LINK_FIELD
from lanner.rules.language.typed import Kind, Slot
from lanner.rules.plan.executor import compile_values
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.payload.misfits import add_misfits, describe_misfits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lanner.alerts.alert_record import Recording
    from lanner.host.native_rules import BatchResult, NativeRules
    from lanner.rules import AlertWriter, CompiledRules
    from lanner.sdk.authoring.plugin import Plugin
    from lanner.sdk.hosting.batches import Batch
    from lanner.sdk.payload.misfits import Misfits
    from lanner.sdk.types import FieldValue


@dataclass(slots=True)
class Counts:
    """Counters of a run.

    Events, alerts by rule (in the rules' order), payloads that are not JSON or not UTF-8, failures by field, values of another type than
    their field.
    """

    events: int = 0
    alerts: dict[str, int] = field(default_factory=dict)
    not_json: int = 0
    invalid_utf8: int = 0
    """Payloads with bytes that are not UTF-8, or half of a surrogate pair. Their fields were read."""
    failures: dict[str, int] = field(default_factory=dict)
    misfits: Misfits = field(default_factory=dict)


def host_name() -> str:
    """Return this host's name for alerts: FALCO_HOSTNAME, or the system's host name."""
    return os.environ.get("FALCO_HOSTNAME") or socket.gethostname()


class Pump:
    """Processor of one plugin's events with one set of rules. `emit` receives the alerts.

    `first`: only the first matching rule of an event counts. `hostname` is the field `evt.hostname` (None: as in alerts), `static`
    the values of `static.*`. The plugins `beside` extract further fields. `native`: the native executor selects matching rules, and
    Python does the rest. `recording`: alerts have keys, and with it records and links.
    """

    def __init__(
        self,
        plugin: Plugin,
        compiled: CompiledRules,
        writer: AlertWriter,
        emit: Callable[[Alert], None] = lambda _: None,
        *,
        first: bool = True,
        hostname: str | None = None,
        static: Mapping[str, str] | None = None,
        beside: Sequence[Plugin] = (),
        native: bool = False,
        recording: Recording | None = None,
    ) -> None:
        info = plugin_info(type(plugin))
        self._infos = [declaration.info for each in (plugin, *beside) for declaration in plugin_info(type(each)).fields]
        self._timestamp = info.timestamp
        own = {each.name for each in self._infos}
        requests = self._requests = compiled.plan.fields
        self.unreadable = describe_unreadable(info)
        """The description of payloads without any readable field, for messages: "not valid JSON"."""
        self._reader = FieldReader(plugin, [(request.name, request.argument) for request in requests if request.name in own], beside=beside)
        host = writer.hostname if hostname is None else hostname
        self.context = EventContext(info.read_source, info.name, host, self._reader.describe, static=static or {})
        """Context of the last event."""
        getters = iter(self._reader.getters)
        table = [next(getters) if request.name in own else generic_reader(request.name, self.context) for request in requests]
        self.executor = Executor(compiled.plan, lambda slot: table[slot](), first=first)
        """Evaluates the rules for the last event, and holds its values."""
        has_records = recording is not None and recording.load is not None
        formats = [
            writer.compile(AlertRule(rule.name, str(rule.priority), rule.source, rule.tags), output, with_whole=has_records)
            for rule, output in zip(compiled.rules, compiled.outputs, strict=True)
        ]
        self._lines = [each.line for each in formats]
        self._wholes = [each.whole for each in formats]
        self._recording = recording
        links = {Slot(number, Kind(LINK_FIELD.type)) for number, request in enumerate(requests) if request.name == LINK}
        self._links = [next((place for place, operand in enumerate(each.operands) if operand in links), None) for each in formats]
        self._values = [compile_values(each.operands, self.executor.value) for each in formats]
        self._names = [rule.name for rule in compiled.rules]
        self.native: NativeRules | None = None
        """The rules on the native executor."""
        if native:
            from lanner.host.native_rules import native_rules

            wanted = [each.operands for each in formats]
            self.native = native_rules(
                compiled.plan, plugin, self._names, wanted, hostname=host, static=static or {}, first=first, beside=beside
            )
        self._first = first
        self._about = [(rule.name, str(rule.priority), rule.source) for rule in compiled.rules]
        self._alerts = [0] * len(self._names)
        self.emit = emit
        """Receiver of the alerts."""
        self._alerts_before: dict[str, int] = {}
        self._misfits_before: Misfits = {}
        self._events = self._not_json = self._invalid_utf8 = 0

    def feed(self, batch: Batch, clock: Callable[[], int] | None = time.time_ns) -> None:
        """Match the events of a batch and write their alerts.

        `clock` returns the time (ns) for events without one. None: they get the previous event's time.
        """
        if self.native is not None:
            number, first = self._events, self.context.first_timestamp
            now = None if clock is None else clock()
            self.finish(batch.payloads, self.native.run(batch.payloads, batch.timestamps, number, self.timestamp, first, now))
            return
        if clock is None:
            clock = lambda: self.timestamp  # noqa: E731
        reader, context, match, emit = self._reader, self.context, self.executor.match, self.emit
        load, advance, alerts, lines, values, about = reader.load, context.advance, self._alerts, self._lines, self._values, self._about
        is_recorded = self._recording is not None
        number = self._events
        times = batch.timestamps
        try:
            for place, payload in enumerate(batch.payloads):
                number += 1
                if not load(payload, times[place] if times else None, number):
                    self._not_json += 1
                self._invalid_utf8 += reader.has_invalid_utf8
                timestamp = reader.timestamp
                if timestamp is None:
                    timestamp = reader.timestamp = clock()
                advance(number, timestamp, payload)
                for rule in match():
                    alerts[rule] += 1
                    if is_recorded:
                        self._emit_recorded(rule, timestamp, values[rule](), payload)
                    else:
                        emit(Alert(lines[rule](timestamp, values[rule]()), *about[rule], timestamp))
        finally:
            self._events = number

    def finish(self, payloads: Sequence[bytes], found: BatchResult) -> None:
        """Write the alerts of a batch from the native executor. All earlier batches must be finished."""
        reader, context, executor, begin = self._reader, self.context, self.executor, self._events
        alerts, lines, about, emit = self._alerts, self._lines, self._about, self.emit
        if context.first_timestamp is None:
            context.first_timestamp = found.first
        self._not_json += found.not_json
        self._invalid_utf8 += found.invalid_utf8
        place, done, loaded, is_recorded = -1, False, False, self._recording is not None
        before = timestamp = self.timestamp
        for event, rule, sure, own, values in found.hits:
            if event != place:
                place, done, loaded = event, False, False
                # an event without a time gets that of the previous batch's last event
                timestamp = before if own is None else own
                self._events = begin + place + 1
            if done:
                continue
            if values is None:
                if not loaded:
                    loaded = True
                    payload = payloads[place]
                    reader.load(payload, timestamp, self._events)
                    reader.timestamp = timestamp
                    context.advance(self._events, timestamp, payload)
                    executor.forget()
                if not sure and not executor.holds(rule):
                    continue
                values = self._values[rule]()  # noqa: PLW2901 - Python finds what the native executor could not
            alerts[rule] += 1
            if is_recorded:
                self._emit_recorded(rule, timestamp, values, payloads[place])
            else:
                emit(Alert(lines[rule](timestamp, values), *about[rule], timestamp))
            done = self._first
        self._events = begin + len(payloads)
        context.timestamp = before if found.last is None else found.last

    def _emit_recorded(self, rule: int, timestamp: int, values: Sequence[FieldValue], payload: bytes) -> None:
        """Write an alert with its record and link."""
        assert self._recording is not None
        recorder, load, link = self._recording
        line, whole, place = self._lines[rule], self._wholes[rule], self._links[rule]
        with recorder.lock:
            number = recorder.number()
            if place is not None and link:
                values = [*values[:place], f"{link}{number}", *values[place + 1 :]]
            text = line(timestamp, values)
            record = None
            if load is not None:
                assert whole is not None
                record = make_record(text if whole is line else whole(timestamp, values), payload, number, load)
            self.emit(Alert(text, *self._about[rule], timestamp, record))

    @property
    def events(self) -> int:
        """Number of events so far."""
        return self._events

    @property
    def timestamp(self) -> int:
        """Time of the last event (ns); 0 before the first."""
        return self.context.timestamp

    @property
    def first_timestamp(self) -> int | None:
        """Time of the first event (ns)."""
        return self.context.first_timestamp

    def describe(self) -> str:
        """Return the last event as text (`evt.plugininfo`): from the plugin, or the beginning of its payload."""
        return str(generic_reader("evt.plugininfo", self.context)())

    def counts(self) -> Counts:
        """Return the counters so far."""
        alerts = dict(self._alerts_before)
        for name, count in zip(self._names, self._alerts, strict=True):
            if count:
                alerts[name] = alerts.get(name, 0) + count
        # with the native executor, the reader reads values a second time
        misfits = add_misfits(self._misfits_before, self._reader.misfits() if self.native is None else self.native.misfits())
        return Counts(self._events, alerts, self._not_json, self._invalid_utf8, dict(self._reader.errors), misfits)

    def find_empty_fields(self, payloads: Iterable[bytes]) -> set[int]:
        """Return the numbers of the plan's fields of the plugins that have no value in any of these events."""
        getters = iter(self._reader.getters)
        own = {each.name for each in self._infos}
        empty = {number: next(getters) for number, request in enumerate(self._requests) if request.name in own}
        for count, payload in enumerate(payloads, 1):
            if not empty:
                break
            self._reader.load(payload, self.timestamp, count)
            empty = {number: get for number, get in empty.items() if get() is None}
        return {*empty}

    def describe_misfits(self) -> Iterator[str]:
        """Yield a line for each field without values because payloads have another type there."""
        return describe_misfits(self.counts().misfits, self._infos, self._timestamp)

    def succeed(self, before: Pump) -> None:
        """Continue from another pump with other rules: event numbers, times and counters are kept."""
        counts = before.counts()
        self._events, self._alerts_before = counts.events, counts.alerts
        self._not_json, self._invalid_utf8 = counts.not_json, counts.invalid_utf8
        self._reader.errors.update(counts.failures)
        self._misfits_before = counts.misfits
        self.context.succeed(before.context)
