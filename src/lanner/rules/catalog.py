"""The fields that rules of one event source may name: the plugin's own and the ones that every plugin source has.

In come a plugin's fields (`FieldInfo`), out comes a `Catalog` that answers which field a name is. How values are got, and what
an operator does with them, is not told here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.sdk.types import FieldInfo, FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# libsinsp's table of generic fields (sinsp_filtercheck_gen_event.cpp, libs 0.25.4): what exists for an event of a plugin
GENERIC_FIELDS: Final[tuple[FieldInfo, ...]] = (
    FieldInfo("evt.num", FieldType.UINT64, "Number of the event, counted from 1"),
    FieldInfo("evt.time", FieldType.STRING, "Time of the event, local, with nanoseconds (21:02:03.123456789)"),
    FieldInfo("evt.time.s", FieldType.STRING, "Time of the event, local, in seconds (21:02:03)"),
    FieldInfo("evt.time.iso8601", FieldType.STRING, "Time of the event, UTC, as ISO 8601 with nanoseconds"),
    FieldInfo("evt.datetime", FieldType.STRING, "Date and time of the event, local, with nanoseconds"),
    FieldInfo("evt.datetime.s", FieldType.STRING, "Date and time of the event, local, in seconds"),
    FieldInfo("evt.rawtime", FieldType.ABSTIME, "Time of the event in nanoseconds since 1970, UTC"),
    FieldInfo("evt.rawtime.s", FieldType.ABSTIME, "Whole seconds of the event's time"),
    FieldInfo("evt.rawtime.ns", FieldType.ABSTIME, "Nanoseconds within the second of the event's time"),
    FieldInfo("evt.reltime", FieldType.RELTIME, "Nanoseconds since the first event"),
    FieldInfo("evt.reltime.s", FieldType.RELTIME, "Whole seconds since the first event"),
    FieldInfo("evt.reltime.ns", FieldType.RELTIME, "Nanoseconds within the second since the first event"),
    FieldInfo("evt.pluginname", FieldType.STRING, "Name of the plugin that the event comes from"),
    FieldInfo("evt.plugininfo", FieldType.STRING, "The event as the plugin puts it into words"),
    FieldInfo("evt.source", FieldType.STRING, "Name of the event source"),
    FieldInfo("evt.is_async", FieldType.BOOL, "Whether the event is an asynchronous one; for plugin events it is not"),
    FieldInfo("evt.asynctype", FieldType.STRING, "Kind of the asynchronous event; for plugin events there is none"),
    FieldInfo("evt.hostname", FieldType.STRING, "Name of the host that the events are read on"),
)


class Catalog:
    """Fields by name. `source` is the event source whose rules may use them."""

    def __init__(self, fields: Iterable[FieldInfo], source: str) -> None:
        self.source = source
        self._fields = {field.name: field for field in (*fields, *GENERIC_FIELDS)}

    def lookup(self, name: str) -> FieldInfo | None:
        """The field of exactly this name (without brackets), or None."""
        return self._fields.get(name)

    def __iter__(self) -> Iterator[FieldInfo]:
        return iter(self._fields.values())
