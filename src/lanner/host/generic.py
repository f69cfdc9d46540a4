"""Readers of the fields that every event has (`evt.*`, `static.*`).

Names, types and descriptions are in `lanner.rules.language.catalog`; their values come from here. The alert module writes the JSON
forms, in which times are integers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lanner.rules.language.catalog import LINK, PLUGIN_INFO, PRINTED_PLUGIN_INFO, STATIC
from lanner.rules.output.times import SECOND, Clock, local_datetime, local_time, utc_datetime
from lanner.sdk.text.encoding import cut_at_nul, to_bytes_leniently

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanner.sdk.types import FieldValue

# if the plugin has no event_to_string, Falco shows this many bytes of the payload (plugin.cpp, event_to_string)
_SHOWN_BYTES: Final = 50
_UINT64: Final = (1 << 64) - 1


@dataclass(slots=True)
class EventContext:
    """The host's knowledge about the current event. A run has one such object, updated by `advance`.

    `describe` is the plugin's event_to_string for the current event (None or "" if it returns nothing). `timestamp`
    is in nanoseconds since 1970. `number` counts from 1. `static` has the values of the fields `static.*`.
    """

    source: str
    plugin: str
    hostname: str
    describe: Callable[[], str | None] | None = None
    number: int = 0
    timestamp: int = 0
    payload: bytes = b""
    first_timestamp: int | None = None
    static: Mapping[str, str] = field(default_factory=dict)

    def advance(self, number: int, timestamp: int, payload: bytes) -> None:
        """Set the current event."""
        if self.first_timestamp is None:
            self.first_timestamp = timestamp
        self.number = number
        self.timestamp = timestamp
        self.payload = payload

    def succeed(self, before: EventContext) -> None:
        """Continue from another context of the same run."""
        self.number, self.timestamp, self.payload = before.number, before.timestamp, before.payload
        self.first_timestamp = before.first_timestamp

    @property
    def elapsed(self) -> int:
        """Return the nanoseconds since the first event. An older event wraps around, as an unsigned integer does."""
        return (self.timestamp - (self.first_timestamp or 0)) & _UINT64


def generic_reader(name: str, context: EventContext) -> Callable[[], FieldValue]:
    """Return a function that reads the field's value from `context`. Raises KeyError for an unknown field."""
    if name.startswith(STATIC):
        value = context.static[name.removeprefix(STATIC)]
        return lambda: value
    read = _READERS[name]
    return lambda: read(context)


def _description(context: EventContext) -> str:
    words = context.describe() if context.describe else None
    if words:
        words = cut_at_nul(words)
    return words or raw_description(context.payload)


def replace_unprintable(text: str) -> str:
    """Return the text as Falco's outputs show it: U+FFFD for control characters, noncharacters and invalid UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub("\ufffd", to_bytes_leniently(text).decode(errors="replace"))


def raw_description(payload: bytes) -> str:
    """Return Falco's text for a payload without event_to_string: its length and, if printable, its first bytes."""
    shown = payload[:_SHOWN_BYTES]
    if not all(0x20 <= byte <= 0x7E for byte in shown):
        return f"datalen={len(payload)} data=<binary>"
    return f"datalen={len(payload)} data={shown.decode('ascii')}{'...' if len(payload) > _SHOWN_BYTES else ''}"


_NONCHARACTERS: Final = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
# libsinsp/utils.h, utf8_seq_len
_UNPRINTABLE: Final = re.compile(f"[\0-\x1f\x7f-\x9f\ufdd0-\ufdef{_NONCHARACTERS}]")

_time, _datetime, _iso8601 = Clock(local_time), Clock(local_datetime), Clock(utc_datetime)

_READERS: Final[dict[str, Callable[[EventContext], FieldValue]]] = {
    "evt.num": lambda context: context.number,
    "evt.time": lambda context: _time(context.timestamp),
    "evt.time.s": lambda context: local_time(context.timestamp // SECOND),
    "evt.time.iso8601": lambda context: _iso8601(context.timestamp) + "+0000",
    "evt.datetime": lambda context: _datetime(context.timestamp),
    "evt.datetime.s": lambda context: local_datetime(context.timestamp // SECOND),
    "evt.rawtime": lambda context: context.timestamp,
    "evt.rawtime.s": lambda context: context.timestamp // SECOND,
    "evt.rawtime.ns": lambda context: context.timestamp % SECOND,
    "evt.reltime": lambda context: context.elapsed,
    "evt.reltime.s": lambda context: context.elapsed // SECOND,
    "evt.reltime.ns": lambda context: context.elapsed % SECOND,
    "evt.pluginname": lambda context: context.plugin,
    PLUGIN_INFO: _description,
    PRINTED_PLUGIN_INFO: lambda context: replace_unprintable(_description(context)),
    "evt.source": lambda context: context.source,
    "evt.is_async": lambda _: False,
    "evt.asynctype": lambda _: None,
    "evt.hostname": lambda context: context.hostname,
    LINK: lambda _: None,  # the pump has its value
}
