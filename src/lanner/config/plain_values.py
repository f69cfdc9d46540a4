"""Scalars of a configuration: their conversion from strings, and the words for an invalid one."""

from __future__ import annotations

import re
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Final

from lanner.rules.files.scalars import truth
from lanner.sdk.errors import ConfigError
from lanner.sdk.options.address import mask_addresses

if TYPE_CHECKING:
    from lanner.config.tree import Tree

_INTEGER: Final = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[ \t\n\v\f\r]*")
_BASES: Final = {"x": 16, "X": 16, "0": 8}
_PLAIN_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_DURATION: Final = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in ("y", "w", "d", "h", "m", "s", "ms")))
_UNITS: Final = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_BLANKS: Final = re.compile(r"[ \t\n\v\f\r]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*")
_LARGEST: Final = (1 << 64) - 1
_INT64: Final = 1 << 63
_LONGEST: Final = 100
_NAMED: Final = {
    **{f"{sign}.{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), nan),
}


class UnfitError(Exception):
    """A value has another type than its key takes."""


def text(tree: Tree, path: str) -> str:
    """Return a string. Raises `UnfitError`."""
    if isinstance(tree, list | dict):
        raise UnfitError(f"{path} takes a string, {describe_actual(tree)}")
    return "null" if tree is None else tree  # as yaml-cpp converts it


def refuse_null_byte(value: str, path: str) -> None:
    """Raise `ConfigError` for a path or a command that the system cannot take. Falco ignores the part after the null byte."""
    if "\0" in value:
        raise ConfigError(f"{path} has a null byte, which no path or command can have: remove it")


def switch(tree: Tree, path: str) -> bool:
    """Return a truth value. Raises `UnfitError`."""
    value = truth(tree) if isinstance(tree, str) else None
    if value is None:
        raise UnfitError(f"{path} takes true or false, {describe_actual(tree)}")
    return value


def whole_number(tree: Tree, path: str) -> int:
    """Return a whole number, written in decimal, octal (leading 0) or hexadecimal. Raises `UnfitError`."""
    value = _whole_number(tree)
    if value is None:
        raise UnfitError(f"{path} takes a whole number, {describe_actual(tree)}")
    return value


def number(tree: Tree, path: str) -> float:
    """Return a number. Raises `UnfitError`."""
    value = _number(tree) if isinstance(tree, str) else None
    if value is None:
        raise UnfitError(f"{path} takes a number, {describe_actual(tree)}")
    return value


def one_of(allowed: tuple[str, ...], tree: Tree, path: str) -> str:
    """Return one of the `allowed` words. Raises `ConfigError`."""
    found = text(tree, path)
    if found not in allowed:
        near = f": did you mean {found.lower()}?" if found.lower() in allowed else ""
        raise ConfigError(f"{path} takes one of {', '.join(allowed)}, {describe_actual(tree)}{near}")
    return found


def duration(tree: Tree, path: str) -> float:
    """Return seconds from numbers with Prometheus's units (1h30m); 0 for any other string. Raises `UnfitError`, `ConfigError`."""
    found = _DURATION.fullmatch(_BLANKS.sub("", text(tree, path)))
    total = 0
    for part, unit in zip(found.groups() if found else (), _UNITS, strict=False):
        count = 0 if not part else _whole_number(part) or 0
        if count > _LARGEST:
            raise ConfigError(f"{path} takes numbers below 2**64, {describe_actual(tree)}")
        total += count * unit
    return (total & _LARGEST) / 1000


def describe_odd(kind: Any, tree: Tree) -> str:
    """Return the warning about a value that Falco reads but its schema rejects; empty if the schema takes it."""
    if tree is None:
        return "has no value, which is the string 'null' in Falco" if isinstance(kind, type) and issubclass(kind, str | float) else ""
    if not isinstance(tree, str):
        return ""
    if kind is bool and tree not in {"true", "false"}:
        return f"is {tree!r}: Falco's schema takes true or false"
    if kind is int and not (_PLAIN_INTEGER.fullmatch(tree) and len(tree) < _LONGEST and -_INT64 <= int(tree) < _INT64):
        return f"is {tree[:60]!r}: Falco's schema takes a decimal number of at most 63 bits"
    if kind is float and (tree in _NAMED or tree != tree.rstrip()):
        return f"is {tree!r}: Falco's schema takes a plain number"
    return ""


def _whole_number(tree: Tree) -> int | None:
    found = _INTEGER.fullmatch(tree) if isinstance(tree, str) and len(tree) < _LONGEST else None
    if found is None:
        return None
    digits = found[2]
    value = int(digits, _BASES.get(digits[1], 8) if digits[0] == "0" and len(digits) > 1 else 10)
    return -value if found[1] == "-" else value


def _number(text: str) -> float | None:
    """Return a number as yaml-cpp reads it, or None: hexadecimal and too large numbers are invalid."""
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if isfinite(value) else None
    return _NAMED.get(text)


def as_json(tree: Tree) -> Any:
    """Return the values that Falco makes of a mapping for a plugin.

    A string that reads as a number or a truth value is converted, even in quotes. An empty mapping or list is null.
    """
    match tree:
        case dict():
            return {key: as_json(value) for key, value in tree.items()} or None
        case list():
            return [as_json(item) for item in tree] or None
        case str():
            whole = _whole_number(tree)
            if whole is not None and -(1 << 31) <= whole < 1 << 31:
                return whole
            number = _number(tree)
            if number is not None:
                return number if isfinite(number) else None
            value = truth(tree)
            return tree if value is None else value
    return None


def is_off(tree: Tree) -> bool:
    """Return whether a value requests nothing: an empty one, false, or a block that is not enabled."""
    if isinstance(tree, dict):
        tree = tree.get("enabled", "true" if tree else "")
    return not tree or (isinstance(tree, str) and truth(tree) is False)


def describe_actual(tree: Tree) -> str:
    """Return words for the actual kind of a value."""
    if isinstance(tree, dict):
        return "not a mapping"
    if isinstance(tree, list):
        return "not a list"
    return "not nothing" if tree is None else f"not {mask_addresses(tree)[:60]!r}"
