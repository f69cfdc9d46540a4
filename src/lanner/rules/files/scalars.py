"""Convert YAML nodes to the values of keys, as Falco does.

The input is a mapping and a key, the output is the value, or an `ItemError` with Falco's message at the value's place. Scalars convert
as in yaml-cpp, with or without quotes: `yes` and `On` are true, `010` is eight, 1 is not a bool.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lanner.rules import findings
from lanner.rules.findings import Sight, make_finding
from lanner.sdk.text.misspelt import find_near
from lanner.yamlfile.reader import Scalar, Sequence

if TYPE_CHECKING:
    from lanner.rules.findings import Finding
    from lanner.yamlfile.reader import Mapping, Node
    from lanner.yamlfile.source import Context

_TRUE: Final = frozenset({"y", "yes", "true", "on"})
_FALSE: Final = frozenset({"n", "no", "false", "off"})
_UINT: Final = re.compile(r"\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\s*")

_NEEDS: Final = {
    "list": "A list needs 'items'.",
    "macro": "A macro needs a 'condition'.",
    "exception": "An exception needs a 'name' and 'fields'.",
}


class ItemError(Exception):  # ends the reading of one item; the loader always catches it
    """An unusable item, with the reason in `make_finding`."""

    def __init__(
        self,
        message: str,
        context: Context,
        advice: str = "",
        code: str = findings.YAML_VALIDATE,
        sight: Sight | None = None,
        change: str = "",
    ) -> None:
        super().__init__(message)
        self.finding: Finding = replace(make_finding("error", code, message, context, advice, sight=sight), change=change)


def make_missing_error(item: Mapping, key: str, context: Context, advice: str = "", change: str = "") -> ItemError:
    """Return the error of a missing key. A misspelt key replaces the advice to `change` an earlier rule."""
    advice = advice or _NEEDS.get(context[-1].kind, "")
    slip = next((name for name in item.values if name.startswith(key) or find_near(name, (key,))), "")
    if slip:
        advice, change = f"Did you mean '{key}' by '{slip[:40]}'? {advice}".rstrip(), ""
    return ItemError(f"Item has no mapping for key '{key}'", context, advice, change=change)


def read_required(item: Mapping, key: str, context: Context, advice: str = "", change: str = "") -> Scalar:
    """Return the value of a required key, a non-empty text. `advice` and `change` are for a missing key."""
    node = item.values.get(key)
    if node is None:
        raise make_missing_error(item, key, context, advice, change)
    if isinstance(node, Scalar) and node.is_null:
        raise ItemError(f"Mapping for key '{key}' is empty", context, f"Write a value after '{key}:'.")
    if not isinstance(node, Scalar):
        raise ItemError(
            "Value is not a scalar value", value_context(node, key, context), f"'{key}' takes a string, not a list or a mapping."
        )
    if not node.value:
        raise ItemError("Value must be non-empty", value_context(node, key, context))
    return node


def read_optional(item: Mapping, key: str, context: Context) -> Scalar | None:
    """Return the value of an optional key, or None without it."""
    return read_required(item, key, context) if key in item.values else None


def boolean(item: Mapping, key: str, context: Context, *, default: bool) -> bool:
    """Return a boolean, in one of the spellings of YAML 1.1."""
    node = read_optional(item, key, context)
    if node is None:
        return default
    value = truth(node.value)
    if value is None:
        raise ItemError("Can't decode YAML scalar value", value_context(node, key, context), f"'{key}' takes true or false.")
    return value


def truth(text: str) -> bool | None:
    """Return a boolean, or None if the text is not one."""
    # yaml-cpp accepts all lower case, all upper case, and an initial capital
    plain = text if text.islower() else text.lower() if text.isupper() or text == text.capitalize() else ""
    return plain in _TRUE if plain in _TRUE | _FALSE else None


def unsigned_number(text: str) -> int | None:
    """Return a number below 2**32, decimal, octal with a leading 0 or hexadecimal; None if the text is not such a number."""
    found = _UINT.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    base = 10 if digits[0] != "0" else 16 if digits[1:2] in {"x", "X"} else 8
    number = int(digits[:20], base)  # longer ones are too large in any base
    return number if number < 1 << 32 else None


def texts(item: Mapping, key: str, context: Context, *, needed: bool) -> tuple[Scalar, ...]:
    """Return a sequence of strings."""
    node = item.values.get(key)
    if node is None:
        if not needed:
            return ()
        raise make_missing_error(item, key, context)
    if not isinstance(node, Sequence):
        raise ItemError("Value is not a sequence", value_context(node, key, context), f"'{key}' takes a list, as in `{key}: [a, b]`.")
    found = []
    for each in node.items:
        if not isinstance(each, Scalar) or each.is_null:
            raise ItemError("sequence value is not scalar", (*value_context(node, key, context), each.spot("list item")))
        found.append(each)
    return tuple(found)


def as_string(node: Scalar) -> str:
    """Return yaml-cpp's text of a scalar: a null in any spelling is `null`."""
    return "null" if node.is_null else node.value


def bad_conversion(node: Node, advice: str) -> ItemError:
    """Return the error for a node that should be a string. Falco leaves it to yaml-cpp, with its message and without a place."""
    mark = node.spot().mark()
    return _of_yaml_cpp(node, f"yaml-cpp: error at line {mark.line + 1}, column {mark.column + 1}: bad conversion", advice)


def bad_iteration(node: Node, advice: str) -> ItemError:
    """Return the error for a list where Falco iterates over a mapping, from yaml-cpp as above."""
    return _of_yaml_cpp(node, "invalid node; this may result from using a map iterator as a sequence iterator, or vice-versa", advice)


def _of_yaml_cpp(node: Node, message: str, advice: str) -> ItemError:
    return ItemError(message, (node.spot(),), advice, findings.VALIDATE, Sight())


def value_context(node: Node, key: str, context: Context) -> Context:
    """Return the context of a key's value."""
    return (*context, node.spot("value for", key))
