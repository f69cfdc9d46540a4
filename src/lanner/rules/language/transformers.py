"""Transformers: the operands that they take, and how they compute their results.

`result` and `combine_kinds` return the kind of the result, or raise TransformError with Falco's message. `function` returns the callable
for the executor, which takes existing values and returns None if the transformer fails.

Strings are `str` (bytes that are not UTF-8 as surrogate escapes). Case folding and lengths work on bytes, as in C.
"""

from __future__ import annotations

import base64
import binascii
import string
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from lanner.rules.language.getopt import Options
from lanner.rules.language.typed import Kind, Text, Transformation
from lanner.rules.language.vocabulary import Shape
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import cut_at_nul, from_bytes, to_bytes
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.rules.language.typed import Operand
    from lanner.rules.language.vocabulary import TransformerRow

Value: TypeAlias = Any  # a FieldValue that is not None; getopt can return `()`

# libscap's names of the types, for messages
TYPE_NAMES: Final = {
    FieldType.STRING: "CHARBUF",
    FieldType.UINT64: "UINT64",
    FieldType.RELTIME: "RELTIME",
    FieldType.ABSTIME: "ABSTIME",
    FieldType.BOOL: "BOOL",
    FieldType.IPADDR: "IPADDR",
    FieldType.IPNET: "IPNET",
}
# A value of another type that is read as a C string (its first bytes, little endian)
_RAW_SIZES: Final = {FieldType.UINT64: 8, FieldType.RELTIME: 8, FieldType.ABSTIME: 8, FieldType.BOOL: 4}
_BUFFER: Final = "BYTEBUF"
_BASE64: Final = frozenset(string.ascii_letters + string.digits + "+/")


class TransformError(LannerError, ValueError):
    """The transformer does not take these operands."""


def result(row: TransformerRow, kind: Kind, base: str, type_name: str = "") -> Kind:
    """Return the kind of the result of a transformer with one operand. `base` is the name of the innermost field, for the message.

    `type_name` is libscap's name of its type, if plugin fields cannot have it.
    """
    if (kind.type, kind.is_list) in row.operands[0] and (row.takes_buffers or type_name != _BUFFER):
        return _find_kind(row, kind, is_list=kind.is_list and row.shape is Shape.SAME)
    raise TransformError(
        f"can't add field transformer: type '{type_name or TYPE_NAMES[kind.type]}' is not supported by '{row.name}' transformer "
        f"applied on {'list ' if kind.is_list else ''}field '{base}'"
    )


def combine_kinds(row: TransformerRow, kinds: Sequence[Kind], selector: str | None, *, is_plain: bool = True) -> Kind:
    """Return the kind of a combining transformer's result. `kinds` are those of the innermost fields: Falco checks only these.

    `is_plain` means that all of them have types of plugin fields.
    """
    errors = _ERRORS[row.name]
    if not row.repeats and len(kinds) != len(row.operands):
        raise TransformError(errors.number)
    operands = row.operands * len(kinds) if row.repeats else row.operands
    for place, (kind, takes) in enumerate(zip(kinds, operands, strict=True)):
        if not any(is_list is kind.is_list for _, is_list in takes):
            raise TransformError(errors.shapes[place] if errors.shapes else errors.types)
    if (not is_plain and not row.takes_buffers) or any(
        (kind.type, kind.is_list) not in takes for kind, takes in zip(kinds, operands, strict=True)
    ):
        raise TransformError(errors.types)
    if selector is not None:
        if not row.takes_selector:
            raise TransformError(f"transformer '{row.name}' does not support field arguments")
        if len(to_bytes(selector)) != 1:
            raise TransformError(errors.selector)
    return _find_kind(row, kinds[0], is_list=row.takes_selector and selector is None)


def _find_kind(row: TransformerRow, operand: Kind, *, is_list: bool) -> Kind:
    return Kind(row.gives or operand.type, is_list, row.terminated, row.binary or (operand.binary and row.terminated))


class _Errors(NamedTuple):
    """Falco's messages for operands that a combining transformer does not take."""

    number: str = ""
    shapes: tuple[str, ...] = ()
    types: str = ""
    selector: str = ""


_ERRORS: Final = {
    "join": _Errors(
        "join() requires exactly 2 arguments: separator and list",
        (
            "join() first argument (separator) must be a single value, not a list",
            "join() second argument must be a list",
        ),
    ),
    "concat": _Errors(types="concat() arguments must be strings"),
    "getopt": _Errors(
        "getopt() requires exactly 2 arguments: args list and optstring",
        (
            "getopt() first argument must be a list",
            "getopt() second argument (optstring) must be a single value",
        ),
        "getopt() arguments must be strings",
        "getopt() field argument must be a single option character",
    ),
}


def function(node: Transformation) -> Callable[..., Value | None]:
    """Return the function to call with the operands' values, all of which exist. Its result None means no value."""
    if node.name == "len":
        return _length(node.operands[0])
    if node.name == "decimal":
        return lambda value: str(value[0] if isinstance(value, tuple) else value)
    if node.name == "getopt":
        return _getopt(node)
    texts = [text_of(operand.kind) for operand in node.operands]
    if node.name == "join":
        separator_of, item_of = texts
        closing = "\0" if node.operands[0].kind.terminated else ""
        return lambda separator, items: (separator_of(_take_first(separator)) + closing).join(map(item_of, _each(items)))
    if node.name == "concat":
        return lambda *values: None if () in values else "".join(text(_take_first(v)) for text, v in zip(texts, values, strict=True))
    change = _STRINGS[node.name]
    return _apply_to_each(change) if node.operands[0].kind.is_list else change


def text_of(kind: Kind) -> Callable[[Value], str]:
    """Return what Falco reads if it takes a value of this kind for a C string."""
    if kind.type is FieldType.STRING:
        return cut_at_nul if kind.binary else str
    size = _RAW_SIZES.get(kind.type)

    def raw(value: Value) -> str:
        data: bytes = value if size is None else int(value).to_bytes(size, "little")
        return from_bytes(data.partition(b"\0")[0])

    return raw


def _getopt(node: Transformation) -> Callable[[Value, Value], Value | None]:
    arguments, optstring = node.operands
    constant = Options(_read_raw(optstring.text, optstring.kind)) if isinstance(optstring, Text) else None
    selector = None if node.selector is None else to_bytes(node.selector)

    def parse(values: Value, options: Value) -> Value | None:
        known = constant or Options(_read_raw(_take_first(options), optstring.kind))
        found = known.scan([_read_raw(value, arguments.kind) for value in _each(values)])
        if selector is None:
            return tuple(from_bytes(text) for option in found for text in option.texts)
        chosen = [option.texts[-1] for option in found if option.letter == selector]
        return from_bytes(chosen[-1]) if chosen else None

    return parse


def _read_raw(value: Value, kind: Kind) -> bytes:
    return to_bytes(text_of(kind)(value)) + (b"\0" if kind.terminated else b"")


def _each(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _take_first(value: Value) -> Value:
    return value[0] if isinstance(value, tuple) else value


def _apply_to_each(change: Callable[[str], str | None]) -> Callable[[tuple[str, ...]], Value | None]:
    def change_each(values: tuple[str, ...]) -> Value | None:
        results = tuple(change(value) for value in values)
        return None if None in results else results

    return change_each


def _length(operand: Operand) -> Callable[[Value], int | None]:
    inner = operand
    while isinstance(inner, Transformation) and len(inner.operands) == 1:
        inner = inner.operands[0]
    if isinstance(inner, Transformation) and operand.kind.is_list:
        # Falco treats getopt's result as a list only when it compiles; at run time it measures the one string in it
        return lambda values: _size(values[0]) if len(values) == 1 else None
    return len if operand.kind.is_list else _size


def _size(text: str) -> int:
    text = cut_at_nul(text)
    return len(text) if text.isascii() else len(to_bytes(text))


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_TO_UPPER)


_TO_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_TO_UPPER: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def _basename(text: str) -> str:
    return text.rpartition("/")[2]


def _decode(text: str) -> str | None:
    """Base64, with or without its `=` (at most two). Unused bits must be 0."""
    padding = 2 if text.endswith("==") else 1 if text.endswith("=") else 0
    body = text[: len(text) - padding]
    if not text:
        return ""
    if len(body) % 4 == 1 or not body or not _BASE64.issuperset(body):
        return None
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:  # pragma: no cover - the alphabet and the length were checked above
        return None
    if base64.b64encode(decoded).rstrip(b"=").decode() != body:
        return None
    return from_bytes(decoded.rstrip(b"\0"))


_STRINGS: Final[dict[str, Callable[[str], str | None]]] = {
    "tolower": _lower,
    "toupper": _upper,
    "basename": _basename,
    "b64": _decode,
}
