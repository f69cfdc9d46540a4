"""The message of an alert: a function from an event's values to the text, compiled from a parsed output.

`OperandTable` lists the values that a message needs. The caller supplies them in that order, from its cheapest source.

As in Falco, widths and limits count bytes. A string is `str` with surrogate escapes for bytes that are not UTF-8.
"""

from __future__ import annotations

import socket
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.rules.language.typed import Transformation
from lanner.sdk.text.encoding import cut_at_nul, from_bytes, to_bytes
from lanner.sdk.types import FieldType, FieldValue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.rules.language.typed import Operand
    from lanner.rules.output.template import Format, Placeholder

Values: TypeAlias = "Sequence[FieldValue]"
"""An event's values of the needed operands, in their order; None for a missing value."""

NOT_AVAILABLE: Final = "<NA>"

# sinsp_filtercheck.cpp, STRPROPERTY_STORAGE_SIZE without the trailing NUL: longer list strings are cut
_LIST_BYTES: Final = 1023


class OperandTable:
    """The operands whose values are needed, each once, in order."""

    def __init__(self) -> None:
        self._places: dict[Operand, int] = {}

    def place(self, operand: Operand) -> int:
        """Return the index of the operand's value in `Values`."""
        return self._places.setdefault(operand, len(self._places))

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Return all operands."""
        return tuple(self._places)


def compile_message(parsed: Format, wanted: OperandTable) -> Callable[[Values], str]:
    """Return a function that formats the rule's message from an event's values."""
    template = ""
    places: list[int] = []
    changed: list[tuple[int, int, Callable[[Any], str]]] = []
    for part in parsed.parts:
        if isinstance(part, str):
            template += part.replace("%", "%%")
        elif part.silent:
            template += _fit(NOT_AVAILABLE, part.width) if part.width else NOT_AVAILABLE
        else:
            template += "%s"
            place = wanted.place(part.operand)
            text = _special_text(part)
            if text is not None:
                changed.append((len(places), place, text))
            places.append(place)

    pick = getter(places)

    def message(values: Values) -> str:
        # for most strings, % formats the value
        if not changed and None not in values:
            return template % pick(values)
        shown = [NOT_AVAILABLE if value is None else value for value in pick(values)]
        for number, place, text in changed:
            shown[number] = text(values[place])
        return template % tuple(shown)

    return message


def getter(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return a function that takes the items at these indexes from a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple([row[place] for place in places])


def _special_text(part: Placeholder) -> Callable[[Any], str] | None:
    """Return the function that formats a value or None, or None if `str` does."""
    width = part.width
    text_of = _list_text(part.operand) if part.operand.kind.is_list else _pad if part.padded else _text(part.operand)
    if text_of is str and not width:
        return None

    def text(value: Any) -> str:
        return NOT_AVAILABLE if value is None else text_of(value)

    return (lambda value: _fit(text(value), width)) if width else text


def _fit(text: str, width: int) -> str:
    """Return the text with exactly `width` bytes, cut or padded with blanks."""
    if text.isascii():
        return text[:width].ljust(width)
    return _cut(text, width) + " " * (width - len(to_bytes(text)))


def _cut(text: str, size: int) -> str:
    return from_bytes(to_bytes(text)[:size])


def _text(operand: Operand) -> Callable[[Any], str]:
    """Return the function that formats one value (sinsp_filtercheck.cpp, rawval_to_string)."""
    if isinstance(operand, Transformation) and operand.kind.type is FieldType.STRING:  # only fields never contain NUL
        return cut_at_nul
    return TEXTS[operand.kind.type]


def _list_text(operand: Operand) -> Callable[[Any], str]:
    item = _text(operand)

    def text(values: tuple[Any, ...]) -> str:
        texts = list(map(item, values))
        if texts and not texts[0]:  # a comma precedes an item only if the text before it is not empty
            texts = texts[next((index for index, shown in enumerate(texts) if shown), len(texts)) :]
        shown = f"({','.join(texts)})"
        return shown if len(shown) * 4 <= _LIST_BYTES else _cut(shown, _LIST_BYTES)

    return text


def _pad(value: int) -> str:
    return f"{value:09d}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _address(value: bytes) -> str:
    return ".".join(map(str, value)) if len(value) == 4 else socket.inet_ntop(socket.AF_INET6, value)


def _network(_: bytes) -> str:
    return "<IPNET>"  # Falco prints no more than this


TEXTS: Final[dict[FieldType, Callable[[Any], str]]] = {
    FieldType.STRING: str,
    FieldType.UINT64: str,
    FieldType.RELTIME: str,
    FieldType.ABSTIME: str,
    FieldType.BOOL: _boolean,
    FieldType.IPADDR: _address,
    FieldType.IPNET: _network,
}
"""Formatting function of a value by type."""
