"""The `output_fields` of a JSON alert: functions that return each field's value for an encoder, from a parsed output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.rules.output.json_text import replace_invalid
from lanner.rules.output.message import TEXTS, compile_message
from lanner.rules.output.template import Format
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.rules.language.typed import Kind
    from lanner.rules.output.message import OperandTable, Values
    from lanner.rules.output.template import AlertField, ExtraField

    Member: TypeAlias = "int | Callable[[Values], Any]"
    """Source of a member's value: an index among the values, the event's time (`TIME`), or a function of the values."""

TIME: Final = -1

# Fields that are integers in JSON, regardless of their text (sinsp_filtercheck_gen_event.cpp, extract_as_js)
_TIMES: Final = frozenset({"evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s"})
_SIGNED: Final = frozenset({"evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", "evt.reltime", "evt.reltime.s", "evt.reltime.ns"})
_TEXTS: Final = frozenset({FieldType.IPADDR, FieldType.IPNET})


def compile_fields(parsed: Format, wanted: OperandTable) -> dict[str, Member]:
    """Return the value of each of the output's fields by its key.

    Transformers have no key: instead, the alert contains the unchanged fields in them. No value is None.
    """
    return {shown.key: _make_shown(shown, wanted) for shown in parsed.fields}


def compile_extra(parsed: Format, wanted: OperandTable) -> dict[str, Member]:
    """Return the same for the fields that are added to the output's."""
    return {extra.key: _make_extra(extra, wanted) for extra in parsed.extra}


def _make_extra(extra: ExtraField, wanted: OperandTable) -> Member:
    shown = extra.shown
    if shown is None:
        return lambda _: None
    if isinstance(shown, Format):
        message = compile_message(shown, wanted)
        return lambda values: replace_invalid(message(values))
    return _make_shown(shown, wanted)


def _make_shown(shown: AlertField, wanted: OperandTable) -> Member:
    if shown.field in _TIMES:
        return TIME
    place, change = wanted.place(shown.slot), _change(shown.field, shown.slot.kind)
    return place if change is None else lambda values: None if values[place] is None else change(values[place])


def _change(field: str, kind: Kind) -> Callable[[Any], Any] | None:
    """Return the conversion that a value needs before it is encoded."""
    if field in _SIGNED:
        return to_signed
    if kind.type not in _TEXTS:
        return None
    text = TEXTS[kind.type]
    return (lambda items: [text(item) for item in items]) if kind.is_list else text


def to_signed(number: int) -> int:
    """Convert an unsigned 64-bit number as Falco writes times in JSON: as if it were signed."""
    return number - (1 << 64) if number >> 63 else number
