"""The catalog of an event source: the fields that its rules may use, the plugin's own and those of all plugin sources.

The input are a plugin's fields (`FieldInfo`). The output is a `Catalog`, which finds a field by name, and the field that a string in a
condition or an output requests (`FieldRequest`). Values and operators are not handled here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from lanner.sdk.errors import LannerError
from lanner.sdk.types import Argument, FieldInfo, FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# libsinsp's table of generic fields (sinsp_filtercheck_gen_event.cpp, libs 0.25.4): those that exist for events of plugins
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
    FieldInfo("evt.plugininfo", FieldType.STRING, "The plugin's text for the event"),
    FieldInfo("evt.source", FieldType.STRING, "Name of the event source"),
    FieldInfo("evt.is_async", FieldType.BOOL, "Whether the event is an asynchronous one; for plugin events it is not"),
    FieldInfo("evt.asynctype", FieldType.STRING, "Kind of the asynchronous event; for plugin events there is none"),
    FieldInfo("evt.hostname", FieldType.STRING, "Name of the host that the events are read on"),
)

LINK: Final = "lanner.link"
"""The only field that Falco does not have. It exists only in outputs."""
LINK_FIELD: Final = FieldInfo(
    LINK, FieldType.STRING, "Link to the alert in Lanner's console ($.lanner.console.address). Only in outputs, and unknown to Falco"
)

PLUGIN_INFO: Final = "evt.plugininfo"
PRINTED_PLUGIN_INFO: Final = "evt.plugininfo in an output"
"""The request for `evt.plugininfo` in an output, where Falco replaces unprintable characters. Conditions read the text as it is."""

_GENERIC_NAMES: Final = frozenset((LINK, *(field.name for field in GENERIC_FIELDS)))
STATIC: Final = "static."
"""Prefix of the fields whose values come from the configuration."""

_NEAREST: Final = 3  # number of fields in the advice on an unknown one
_INDEX_LIMIT: Final = 1 << 64


class FieldRequest(Struct, frozen=True, gc=False):
    """A request for one value of an event: a field and the argument in its brackets.

    `argument` is None without brackets, an `int` if the field takes only an index, else the text.
    """

    name: str
    argument: str | int | None
    info: FieldInfo

    def __hash__(self) -> int:
        return hash((self.name, self.argument))


class FieldError(LannerError, LookupError):
    """A string that is not a field, or has brackets that the field does not take. The message is Falco's.

    `unknown` is the text if it is not a field.
    """

    def __init__(self, message: str, unknown: str = "") -> None:
        super().__init__(message)
        self.unknown = unknown


def _accept(text: str) -> str:
    del text
    return ""


class Traits(NamedTuple):
    """Falco's knowledge of a field beyond its `FieldInfo`. Plugin fields have the defaults."""

    type_name: str = ""
    """libscap's name of the type, if plugin fields cannot have it."""
    takes_transformers: bool = True
    takes_fields: bool = True
    """Whether comparisons with other fields are possible, on either side."""
    only_equal: bool = False
    comparable: bool = True
    """False: `exists` is the only valid operator."""
    refusal: Callable[[str], str] = _accept
    """Returns why a constant cannot be compared with the field, or ""."""


def is_generic(name: str) -> bool:
    """Return whether the host, not a plugin, computes the value of a field with that name."""
    return name in _GENERIC_NAMES or name.startswith(STATIC)


PLAIN: Final = Traits()


class Catalog:
    """The fields that rules of the event source `source` may use.

    `static` contains the names (without `static.`) of fields with the same value for all events. `suggested` contains the fields that
    are suggested for outputs.
    """

    def __init__(self, fields: Iterable[FieldInfo], source: str, static: Iterable[str] = ()) -> None:
        self.source: str = source
        self._plugin = {field.name: field for field in fields}
        self._generic = {field.name: field for field in (*GENERIC_FIELDS, LINK_FIELD)}
        names = [f"{STATIC}{name}" for name in sorted(static)]
        self._generic |= {name: FieldInfo(name, FieldType.STRING, "Set in the configuration", add_output=True) for name in names}
        generic_and_own = (*self._generic.values(), *self._plugin.values())
        self.suggested: tuple[str, ...] = tuple(field.name for field in generic_and_own if field.add_output)
        self._requests: dict[str, FieldRequest] = {}

    def lookup(self, name: str) -> FieldInfo | None:
        """Return the field with exactly this name (without brackets), or None."""
        return self._generic.get(name) or self._plugin.get(name)

    def __iter__(self) -> Iterator[FieldInfo]:
        yield from self._plugin.values()
        yield from self._generic.values()

    def traits(self, request: FieldRequest) -> Traits:
        """Return what Falco knows of a field beyond its `FieldInfo`."""
        del request
        return PLAIN

    def advice(self, unknown: str) -> str:
        """Return advice for the name of an unknown field."""
        from difflib import get_close_matches

        name = unknown.partition("[")[0]
        if name in self._generic:
            return f"{name} takes no brackets."
        names = [field.name for field in self]
        if near := get_close_matches(name, names, n=1):
            return f"Did you mean {near[0]}?"
        nearest = ", ".join(get_close_matches(name, names, n=_NEAREST, cutoff=0))
        return f"The nearest fields of source {self.source} are {nearest}; `lanner fields PLUGIN` lists all."

    def prefix(self, text: str) -> FieldInfo | None:
        """Return the field with the longest name that the text starts with: Falco's first interpretation of a string."""
        if "." not in text:  # every field name has a dot, and most constants have none
            return None
        for fields in (self._generic, self._plugin):
            names = [name for name in fields if text.startswith(name)]
            if names:
                return fields[max(names, key=len)]
        return None

    def request(self, text: str) -> FieldRequest:
        """Return the request for the value of a string such as `kv.map[key]`. Raise `FieldError` for an unknown field.

        The steps, their order and their messages are Falco's (plugin_filtercheck.cpp). For example, a blank in a key ends the text.
        """
        known = self._requests.get(text)
        if known is None:
            known = self._requests[text] = self._new_request(text)
        return known

    def _new_request(self, text: str) -> FieldRequest:
        missing = FieldError(f"filter_check called with nonexistent field {text}", text)
        info = self.prefix(text)
        if info is None or (info.name in self._generic and info.name != text):
            raise missing
        shown = text.split(" ", 1)[0].strip()
        name, bracket, rest = shown.partition("[")
        if not bracket:
            if info.argument and info.argument.required:
                raise FieldError(f"filter '{shown}': {info.name} requires an argument but none provided")
            if info.name != text:
                raise missing
            return FieldRequest(info.name, None, info)
        if name != info.name:
            raise missing
        if not rest:
            raise FieldError(f"filter '{shown}': {info.name} terminates with incomplete argument brackets")
        argument, closing, _ = rest.partition("]")
        if not closing:
            raise FieldError(f"filter '{shown}': {info.name} has unbalanced argument brackets")
        if info.argument is None:
            raise FieldError(f"filter '{shown}': {info.name} does not allow nor require an argument but one is provided: {argument}")
        value = _argument(info.name, info.argument, argument, shown)
        if text != f"{info.name}[{argument}]":
            raise missing
        return FieldRequest(info.name, value, info)


def _argument(name: str, kind: Argument, text: str, shown: str) -> str | int:
    if kind.key:
        return text
    problem = ""
    if not text or (len(text) > 1 and text[0] == "0"):
        problem = "starting with 0"
    if not all("0" <= char <= "9" for char in text):
        problem = "not composed only by digits"
    elif not problem and int(text) >= _INDEX_LIMIT:
        problem = "not representable on 64 bit"
    if problem:
        raise FieldError(f"filter {shown} {name} has an invalid index argument {problem}: {text}")
    return int(text)
