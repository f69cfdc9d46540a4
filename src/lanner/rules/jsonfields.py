"""The `output_fields` of a JSON alert: a parsed output in, functions that give the JSON text of each field's value out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.rules.format import TEXTS, Format, compile_message
from lanner.rules.jsontext import quote, quote_field
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.rules.format import Extra, Shown, Value
    from lanner.rules.typed import Kind

# Fields that are integers in JSON, whatever their text is (sinsp_filtercheck_gen_event.cpp, extract_as_js)
_TIMES: Final = frozenset({"evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s"})
_SIGNED: Final = frozenset({"evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", "evt.reltime", "evt.reltime.s", "evt.reltime.ns"})
_QUOTED: Final = frozenset({FieldType.STRING, FieldType.IPADDR, FieldType.IPNET})


def compile_fields(parsed: Format, value: Value) -> dict[str, Callable[[int], str]]:
    """For each key of the output's fields a function from the event's timestamp (ns) to the JSON text of the field's value.

    Transformers have no key of their own: the fields in them stand there as they are. No value is `null`.
    """
    return {shown.key: _shown(shown, value) for shown in parsed.fields}


def compile_extra(parsed: Format, value: Value) -> dict[str, Callable[[int], str]]:
    """The same for the fields that are added to the output's."""
    return {extra.key: _extra(extra, value) for extra in parsed.extra}


def _extra(extra: Extra, value: Value) -> Callable[[int], str]:
    shown = extra.shown
    if shown is None:
        return lambda _: "null"
    if isinstance(shown, Format):
        message = compile_message(shown, value)
        return lambda _: quote(message())
    return _shown(shown, value)


def _shown(shown: Shown, value: Value) -> Callable[[int], str]:
    if shown.field in _TIMES:
        return signed
    number, kind = shown.slot.number, shown.slot.kind
    json_of: Callable[[Any], str] = signed if shown.field in _SIGNED else _list(kind) if kind.is_list else _scalar(kind)

    def text(_: int) -> str:
        found = value(number)
        return "null" if found is None else json_of(found)

    return text


def signed(number: int) -> str:
    """An unsigned 64-bit number as Falco writes times in JSON: as if it were signed."""
    return str(number - (1 << 64) if number >> 63 else number)


def _scalar(kind: Kind) -> Callable[[Any], str]:
    if kind.type is FieldType.STRING:
        return quote_field
    text = TEXTS[kind.type]
    return (lambda value: quote_field(text(value))) if kind.type in _QUOTED else text


def _list(kind: Kind) -> Callable[[Any], str]:
    item = _scalar(kind)
    return lambda values: f"[{','.join(map(item, values))}]"
