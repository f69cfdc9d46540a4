"""The output of a rule: its text in, functions that render the message out.

`parse_output` finds the fields and transformers in the text and checks them against the catalog; a `Format` is plain data over
the plan's numbered values. `compile_message` makes a function over a value getter (the number of a value in, the value or None out).
The fields of the alert are written in `jsonfields`, the alert around it all in `alert`.

As in Falco, widths and limits count bytes; a text is `str` with surrogate escapes for what is not UTF-8.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lanner.rules import scanner as words
from lanner.rules.catalog import is_generic
from lanner.rules.check import check_operand
from lanner.rules.condition import parse_operand
from lanner.rules.errors import COMPILE_OUTPUT, ConditionError
from lanner.rules.falco_text import field_text
from lanner.rules.nodes import Field, OperandList, Transform
from lanner.rules.run import compile_operand
from lanner.rules.typed import FieldTable, Slot, Transformed
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from lanner.rules.catalog import Catalog
    from lanner.rules.typed import Kind, Operand
    from lanner.sdk.types import FieldValue

    Value: TypeAlias = Callable[[int], FieldValue]

NOT_AVAILABLE: Final = "<NA>"

_CONTAINER_INFO: Final = "%container.info"
_CONTAINER_INFO_WARNING: Final = (
    "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. "
    "The container plugin will automatically add required fields to the output message."
)

# sinsp_filtercheck.cpp, STRPROPERTY_STORAGE_SIZE less the closing NUL: where the text of a list is cut
_LIST_BYTES: Final = 1023
# Falco would set aside that much memory for one value; nobody means a width like that
_WIDTH_LIMIT: Final = 1 << 20
# No field or transformer with all its arguments is longer than this
_PLACEHOLDER_LIMIT: Final = 1 << 12
_NAME: Final = re.compile(r"[\w.-]++(?:\[[^\]\s]*+\]?+)?+(?!\()|[^\s%]*")
# No name of a field is longer
_NAME_LIMIT: Final = 256
_WIDTH: Final = re.compile("[0-9]*")
# What nearly every value is written as
_PLAIN_FIELD: Final = re.compile(rf"({words.FIELD_NAME.pattern})(?:\[({words.BARE_ARGUMENT.pattern})\])?+(?!\[)")

# Numbers whose text has nine digits at least
_PADDED: Final = frozenset({"evt.rawtime.ns", "evt.reltime", "evt.reltime.ns"})


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place where a value's text goes. `width` 0 means as long as it is.

    `padded`: a number with nine digits at least. `silent`: a number that Falco has no way to print, so that it is never there.
    """

    operand: Operand
    width: int = 0
    padded: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A value that goes to the alert's fields: under which key, from which field, and which of the plan's values it is."""

    key: str
    field: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Format:
    """An output as parsed: texts and places for values in order, the fields that the alert carries, each once, and added ones."""

    parts: tuple[str | Placeholder, ...]
    fields: tuple[Shown, ...]
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Extra:
    """A field that is added to the alert's: a text with values, a value as it is, or null."""

    key: str
    shown: Format | Shown | None


class FormatError(ConditionError):
    """An output is wrong. `offset` and `length` count characters in its text; Falco's own reports point at its beginning."""

    def __init__(self, message: str, offset: int, length: int = 1, *, advice: str = "") -> None:
        super().__init__(message, offset, length, code=COMPILE_OUTPUT, advice=advice)


def drop_container_info(text: str) -> tuple[str, str | None]:
    """The output without the `%container.info` of old rules, and Falco's warning about it (None where there is none)."""
    return text.replace(_CONTAINER_INFO, ""), _CONTAINER_INFO_WARNING if _CONTAINER_INFO in text else None


def parse_output(text: str, catalog: Catalog, table: FieldTable) -> Format:
    """Parse the (trimmed) output of a rule; the values that it needs get their numbers in `table`. Raises FormatError."""
    if not text:
        raise FormatError("empty formatting token", 0, advice="write at least one character")
    # A `*` in front says that values may be missing, which rules' outputs always allow
    start = 1 if text[0] == "*" else 0
    parts: list[str | Placeholder] = []
    fields: dict[str, Shown] = {}
    while (sign := text.find("%", start)) >= 0:
        if sign > start:
            parts.append(text[start:sign])
        begin, width = _parse_width(text, sign)
        node, operand, start = _parse_placeholder(text, sign, begin, catalog, table)
        parts.append(_placeholder(node, width, operand))
        for field in _fields_of(node):
            key = field_text(field.name, field.argument)
            slot = operand if field is node else check_operand(field, catalog, table)
            if isinstance(slot, Slot):
                fields.setdefault(key, Shown(key, field.name, slot))
    if start < len(text):
        parts.append(text[start:])
    return Format(tuple(parts), tuple(fields.values()))


def _parse_width(text: str, sign: int) -> tuple[int, int]:
    """Where the name begins after the percent sign at `sign`, and the width in front of it (0: none)."""
    digits = _WIDTH.match(text, sign + 1)
    end = digits.end() if digits else sign + 1
    what = "a number" if end > sign + 1 else "a %"
    if end == len(text):
        advice = "a percent sign begins a field, as in %evt.time; there is no way to write one that does not"
        raise FormatError(f"invalid formatting syntax: formatting cannot end with {what}", sign, end - sign, advice=advice)
    width = text[sign + 1 : end].lstrip("0") or "0"
    if len(width) > len(str(_WIDTH_LIMIT)) or int(width) > _WIDTH_LIMIT:
        raise FormatError(f"the width of a value is limited to {_WIDTH_LIMIT} bytes", sign, end - sign)
    return end, int(width)


def _parse_placeholder(text: str, sign: int, begin: int, catalog: Catalog, table: FieldTable) -> tuple[Field | Transform, Operand, int]:
    """The longest piece of text at `begin` that is a field or transformer that there is, and where it ends.

    A shorter piece can only differ from one that was refused if it ends before what the parser had read of that.
    """
    plain = _PLAIN_FIELD.match(text, begin, begin + _PLACEHOLDER_LIMIT)
    if plain:
        with suppress(ConditionError):
            field = Field(plain[1], plain[2])
            return field, check_operand(field, catalog, table), plain.end()
    piece = text[begin : begin + _PLACEHOLDER_LIMIT]
    while piece:
        try:
            node, stop = parse_operand(piece)
        except ConditionError as error:
            piece = _shorter(piece, min(error.falco_offset, len(piece) - 1))
            continue
        try:
            if isinstance(node, Transform):  # a refused one must leave nothing in the table
                check_operand(node, catalog, FieldTable())
            return node, check_operand(node, catalog, table), begin + stop
        except ConditionError:
            piece = _shorter(piece, stop - 1)
    name = _NAME.match(text, begin)
    length = (name.end() if name else begin) - sign
    shown = text[begin : sign + length]
    # The rest of Falco's message is lost on its way; it is the same for everything that is not found
    advice = f"`{shown}` is no field of source {catalog.source}; all percent signs begin a field. {_what_is_wrong(shown, catalog)}"
    raise FormatError("unknown filter: unexpected token after '", sign, length, advice=advice)


def _what_is_wrong(shown: str, catalog: Catalog) -> str:
    field = catalog.lookup(shown.partition("[")[0])
    if field is None:
        return catalog.advice(shown) if shown[:1].isalpha() and "(" not in shown else "One itself cannot be written: say 'percent'."
    if field.argument is None:
        return f"{field.name} takes no brackets."
    argument = "name" if field.argument.key else "0"
    return f"{field.name} takes an argument in brackets: %{field.name}[{argument}]"


def _shorter(piece: str, end: int) -> str:
    """The next piece to be tried, of at most `end` characters: without brackets, or with a shorter name."""
    if words.TRANSFORMER.match(piece):
        return piece[: piece.rfind(")[", 0, end + 1) + 1]  # before its parenthesis is closed, nothing can end it
    bracket = piece.find("[", 0, end)
    return piece[: min(end, _NAME_LIMIT) if bracket < 0 else bracket]


def _placeholder(node: Field | Transform, width: int, operand: Operand) -> Placeholder:
    # Falco has no number format for what is not a plugin's: the length of such a text is not printed
    silent = isinstance(operand, Transformed) and operand.kind.type is FieldType.UINT64 and not _measures_plugin_field(node)
    return Placeholder(operand, width, padded=isinstance(node, Field) and node.name in _PADDED, silent=silent)


def _measures_plugin_field(node: object) -> bool:
    while isinstance(node, Transform) and len(node.arguments) == 1:
        node = node.arguments[0]
    return isinstance(node, Field) and not is_generic(node.name)


def _fields_of(node: object) -> Iterator[Field]:
    if isinstance(node, Field):
        yield node
    elif isinstance(node, Transform | OperandList):
        for child in node.arguments if isinstance(node, Transform) else node.items:
            yield from _fields_of(child)


def compile_message(parsed: Format, value: Value) -> Callable[[], str]:
    """A function that gives the rule's message for the current event; `value` gives its values by their numbers."""
    template = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parsed.parts)
    texts = [_compile_text(part, value) for part in parsed.parts if isinstance(part, Placeholder)]
    return lambda: template % tuple([text() for text in texts])


def _compile_text(place: Placeholder, value: Value) -> Callable[[], str]:
    operand, width = place.operand, place.width
    if place.silent:
        return lambda: _fit(NOT_AVAILABLE, width) if width else NOT_AVAILABLE
    text_of: Callable[[Any], str] = _list_text(operand.kind) if operand.kind.is_list else _padded if place.padded else _text(operand.kind)
    read = partial(value, operand.number) if isinstance(operand, Slot) else compile_operand(operand, value)

    def text() -> str:
        found = read()
        return NOT_AVAILABLE if found is None else text_of(found)

    return (lambda: _fit(text(), width)) if width else text


def _fit(text: str, width: int) -> str:
    """The text with exactly `width` bytes, cut or filled with blanks."""
    if text.isascii():
        return text[:width].ljust(width)
    return _cut(text, width) + " " * (width - len(text.encode("utf-8", "surrogateescape")))


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "surrogateescape")[:size].decode("utf-8", "surrogateescape")


def _text(kind: Kind) -> Callable[[Any], str]:
    """The function that gives one value's text (sinsp_filtercheck.cpp, rawval_to_string)."""
    if kind.binary:
        return lambda value: value.partition("\0")[0]
    return TEXTS[kind.type]


def _list_text(kind: Kind) -> Callable[[Any], str]:
    item = _text(kind)

    def text(values: tuple[Any, ...]) -> str:
        texts = list(map(item, values))
        if texts and not texts[0]:  # a comma goes in front of an item only if there is anything before it
            texts = texts[next((index for index, shown in enumerate(texts) if shown), len(texts)) :]
        shown = f"({','.join(texts)})"
        return shown if len(shown) * 4 <= _LIST_BYTES else _cut(shown, _LIST_BYTES)

    return text


def _padded(value: int) -> str:
    return f"{value:09d}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _address(value: bytes) -> str:
    return ".".join(map(str, value)) if len(value) == 4 else socket.inet_ntop(socket.AF_INET6, value)


def _network(_: bytes) -> str:
    return "<IPNET>"  # all that Falco prints of one


TEXTS: Final[dict[FieldType, Callable[[Any], str]]] = {
    FieldType.STRING: str,
    FieldType.UINT64: str,
    FieldType.RELTIME: str,
    FieldType.ABSTIME: str,
    FieldType.BOOL: _boolean,
    FieldType.IPADDR: _address,
    FieldType.IPNET: _network,
}
"""For each type the function that gives a value's text."""
