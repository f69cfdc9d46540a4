"""The output of a rule as a template: the input is its text, the result a `Format`, plain data over the plan's numbered values.

`parse_output` finds the fields and transformers in the text and checks them against the catalog. `message` renders the message,
`json_fields` the fields of the alert, and `alert` the alert around them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lanner.rules.check.checker import check_operand
from lanner.rules.condition import lexer as words
from lanner.rules.condition.ast import Field, Transform, find_operands
from lanner.rules.condition.falco_unparse import field_text
from lanner.rules.condition.parser import parse_operand
from lanner.rules.findings import COMPILE_OUTPUT, ConditionError
from lanner.rules.language.catalog import FieldError, is_generic
from lanner.rules.language.typed import FieldTable, Kind, OutputFields, Slot, Transformation
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.language.typed import Operand

_CONTAINER_INFO: Final = "%container.info"
_CONTAINER_INFO_WARNING: Final = (
    "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. "
    "The container plugin will automatically add required fields to the output message."
)

# Falco would allocate that much memory for one value; such a width is never intended
_WIDTH_LIMIT: Final = 1 << 20
# No field or transformer with all its arguments is longer than this
_PLACEHOLDER_LIMIT: Final = 1 << 12
_NAME: Final = re.compile(r"[\w.-]++(?:\[[^\]\s]*+\]?+)?+(?!\()|[^\s%]*")
# No name of a field is longer
_NAME_LIMIT: Final = 256
_WIDTH: Final = re.compile("[0-9]*")
# The type of nearly every value's text
_PLAIN_FIELD: Final = re.compile(rf"({words.FIELD_NAME.pattern})(?:\[({words.BARE_ARGUMENT.pattern})\])?+(?!\[)")

# Numbers whose text has at least nine digits
_PADDED: Final = frozenset({"evt.rawtime.ns", "evt.reltime", "evt.reltime.ns"})


class Placeholder(Struct, frozen=True, gc=False):
    """A placeholder for a value's text. `width` 0 means as long as the text.

    `padded`: a number with at least nine digits. `silent`: a number that Falco cannot print, so that its text is always missing.
    """

    operand: Operand
    width: int = 0
    padded: bool = False
    silent: bool = False


class AlertField(Struct, frozen=True, gc=False):
    """A value in the alert's fields: its key, its field, and its number in the plan."""

    key: str
    field: str
    slot: Slot


class Format(Struct, frozen=True, gc=False):
    """A parsed output: strings and placeholders in order, the fields of the alert, each once, and added fields."""

    parts: tuple[str | Placeholder, ...]
    fields: tuple[AlertField, ...]
    extra: tuple[ExtraField, ...] = ()


class ExtraField(Struct, frozen=True, gc=False):
    """A field that is added to the alert's: a string with values, an unformatted value, or null."""

    key: str
    shown: Format | AlertField | None


_Parsed: TypeAlias = tuple[Placeholder, tuple[AlertField, ...], int]
"""A placeholder without its width, its fields, and where it ends in the text."""


class FormatError(ConditionError):
    """An error in an output. `offset` and `length` count characters in its text; Falco's own reports point to its beginning."""

    def __init__(self, message: str, offset: int, length: int = 1, *, advice: str = "") -> None:
        super().__init__(message, offset, length, code=COMPILE_OUTPUT, advice=advice)


def drop_container_info(text: str) -> tuple[str, str | None]:
    """Return the output without the `%container.info` of old rules, and Falco's warning about it, or None."""
    return text.replace(_CONTAINER_INFO, ""), _CONTAINER_INFO_WARNING if _CONTAINER_INFO in text else None


def parse_output(text: str, catalog: Catalog, table: FieldTable) -> Format:
    """Parse the (trimmed) output of a rule, and number the values that it needs in `table`. Raises FormatError."""
    if not text:
        raise FormatError("empty formatting token", 0, advice="write at least one character")
    table = table.of_outputs()
    # A leading `*` allows missing values, which rules' outputs always do
    start = 1 if text[0] == "*" else 0
    parts: list[str | Placeholder] = []
    fields: dict[str, AlertField] = {}
    while (sign := text.find("%", start)) >= 0:
        if sign > start:
            parts.append(text[start:sign])
        begin, width = _parse_width(text, sign)
        found = _parse_plain(text, begin, catalog, table)
        placeholder, needed, start = found or _parse_placeholder(text, sign, begin, catalog, table)
        parts.append(replace(placeholder, width=width) if width else placeholder)
        for field in needed:
            fields.setdefault(field.key, field)
    if start < len(text):
        parts.append(text[start:])
    return Format(tuple(parts), tuple(fields.values()))


def _parse_width(text: str, sign: int) -> tuple[int, int]:
    """Return where the name begins after the percent sign at `sign`, and the width before it (0: none)."""
    if text[sign + 1 : sign + 2].isalpha():  # as nearly always
        return sign + 1, 0
    digits = _WIDTH.match(text, sign + 1)
    end = digits.end() if digits else sign + 1
    what = "a number" if end > sign + 1 else "a %"
    if end == len(text):
        advice = "a percent sign begins a field, as in %evt.time; a literal percent sign is not possible"
        raise FormatError(f"invalid formatting syntax: formatting cannot end with {what}", sign, end - sign, advice=advice)
    width = text[sign + 1 : end].lstrip("0") or "0"
    if len(width) > len(str(_WIDTH_LIMIT)) or int(width) > _WIDTH_LIMIT:
        raise FormatError(f"the width of a value is limited to {_WIDTH_LIMIT} bytes", sign, end - sign)
    return end, int(width)


def _parse_plain(text: str, begin: int, catalog: Catalog, table: OutputFields) -> _Parsed | None:
    """Return what `_parse_placeholder` does for a usual field, or None. The rules of a file print the same few fields."""
    plain = _PLAIN_FIELD.match(text, begin, begin + _PLACEHOLDER_LIMIT)
    if plain is None:
        return None
    known: tuple[Placeholder, tuple[AlertField, ...]] | None = table.known.get(plain[0])
    if known is None:
        try:
            request = catalog.request(plain[0])
        except FieldError:
            return None
        slot = Slot(table.number(request), Kind(request.info.type, request.info.is_list))
        node = Field(plain[1], plain[2])
        key = field_text(node.name, node.argument)
        known = table.known[plain[0]] = _placeholder(node, slot), (AlertField(key, node.name, slot),)
    return *known, plain.end()


def _parse_placeholder(text: str, sign: int, begin: int, catalog: Catalog, table: OutputFields) -> _Parsed:
    """Return the longest piece of text at `begin` that is an existing field or transformer, the fields in it, and its end."""
    node, operand, end = _find_longest(text, sign, begin, catalog, table)
    fields = []
    for field in (node,) if isinstance(node, Field) else find_operands(Field, node):
        slot = operand if field is node else check_operand(field, catalog, table)
        if isinstance(slot, Slot):
            fields.append(AlertField(field_text(field.name, field.argument), field.name, slot))
    return _placeholder(node, operand), tuple(fields), end


def _find_longest(text: str, sign: int, begin: int, catalog: Catalog, table: FieldTable) -> tuple[Field | Transform, Operand, int]:
    """Try pieces of text at `begin`, longer ones first.

    A shorter piece can only differ from a rejected one if it ends before the end of what the parser had read.
    """
    piece = text[begin : begin + _PLACEHOLDER_LIMIT]
    while piece:
        try:
            node, stop = parse_operand(piece)
        except ConditionError as error:
            piece = _shorten(piece, min(error.falco_offset, len(piece) - 1))
            continue
        try:
            if isinstance(node, Transform):  # a rejected one must leave nothing in the table
                check_operand(node, catalog, FieldTable())
            return node, check_operand(node, catalog, table), begin + stop
        except ConditionError:
            piece = _shorten(piece, stop - 1)
    name = _NAME.match(text, begin)
    length = (name.end() if name else begin) - sign
    shown = text[begin : sign + length]
    # Falco loses the rest of its message; it is the same for everything unknown
    raise FormatError("unknown filter: unexpected token after '", sign, length, advice=_advise(shown, catalog))


def _advise(shown: str, catalog: Catalog) -> str:
    field = catalog.lookup(shown.partition("[")[0])
    if field is None:
        more = catalog.advice(shown) if shown[:1].isalpha() and "(" not in shown else "Write 'percent' for a literal percent sign."
        return f"`{shown}` is not a field of source {catalog.source}; all percent signs begin a field. {more}"
    if field.argument is None:
        return f"{field.name} takes no brackets: %{field.name}"
    argument = "name" if field.argument.key else "0"
    return f"{field.name} takes an argument in brackets: %{field.name}[{argument}]"


def _shorten(piece: str, end: int) -> str:
    """Return the next piece to try, of at most `end` characters: without brackets, or with a shorter name."""
    if words.TRANSFORMER.match(piece):
        return piece[: piece.rfind(")[", 0, end + 1) + 1]  # it cannot end before its parenthesis is closed
    bracket = piece.find("[", 0, end)
    return piece[: min(end, _NAME_LIMIT) if bracket < 0 else bracket]


def _placeholder(node: Field | Transform, operand: Operand) -> Placeholder:
    # Falco has no number format for types that plugins do not have: the length of such a string is not printed
    silent = isinstance(operand, Transformation) and operand.kind.type is FieldType.UINT64 and not _measures_plugin_field(node)
    return Placeholder(operand, padded=isinstance(node, Field) and node.name in _PADDED, silent=silent)


def _measures_plugin_field(node: object) -> bool:
    while isinstance(node, Transform) and len(node.arguments) == 1:
        node = node.arguments[0]
    return isinstance(node, Field) and not is_generic(node.name)
