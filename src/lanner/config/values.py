"""Single values of a configuration: what a text stands for, and the words for what it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lanner.rules.scalars import truth
from lanner.sdk.address import mask_addresses
from lanner.sdk.errors import ConfigError

if TYPE_CHECKING:
    from lanner.config.tree import Tree

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|[smhdwy])")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_SHORTEST: Final = 0.1
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class UnfitError(Exception):
    """A value is of another kind than its key takes."""


def text(tree: Tree, path: str) -> str:
    """A text. Raises `UnfitError`."""
    if isinstance(tree, list | dict):
        raise UnfitError(f"{path} takes a text, {but(tree)}")
    return "null" if tree is None else tree  # what yaml-cpp makes of it


def switch(tree: Tree, path: str) -> bool:
    """A truth value. Raises `UnfitError`."""
    value = truth(tree) if isinstance(tree, str) else None
    if value is None:
        raise UnfitError(f"{path} takes true or false, {but(tree)}")
    return value


def whole(tree: Tree, path: str) -> int:
    """A whole number. Raises `UnfitError`."""
    if not isinstance(tree, str) or not _INTEGER.fullmatch(tree):
        raise UnfitError(f"{path} takes a whole number, {but(tree)}")
    return int(tree)


def number(tree: Tree, path: str) -> float:
    """A number. Raises `UnfitError`."""
    if not isinstance(tree, str) or not _NUMBER.fullmatch(tree):
        raise UnfitError(f"{path} takes a number, {but(tree)}")
    return float(tree)


def one_of(allowed: tuple[str, ...], tree: Tree, path: str) -> str:
    """One of some words, in any case. Raises `ConfigError`."""
    found = text(tree, path).lower()
    if found not in allowed:
        raise ConfigError(f"{path} takes one of {', '.join(allowed)}, {but(tree)}")
    return found


def duration(tree: Tree, path: str) -> float:
    """Seconds, from a number and its unit. Raises `UnfitError`."""
    found = _DURATION.fullmatch(tree) if isinstance(tree, str) else None
    if found is None or float(found[1]) * _UNITS[found[2]] < _SHORTEST:
        raise UnfitError(f"{path} takes a number with a unit, such as 30s, 15m or 1h, of at least 100ms, {but(tree)}")
    return float(found[1]) * _UNITS[found[2]]


def as_json(tree: Tree) -> Any:
    """The values that Falco makes of a mapping for a plugin: numbers and truth values where texts read so, whatever their quotes."""
    match tree:
        case dict():
            return {key: as_json(value) for key, value in tree.items()}
        case list():
            return [as_json(item) for item in tree]
        case str():
            if _INTEGER.fullmatch(tree):
                return int(tree)
            if _NUMBER.fullmatch(tree):
                return float(tree)
            value = truth(tree)
            return tree if value is None else value
    return None


def is_off(tree: Tree) -> bool:
    """Whether a value asks for nothing: an empty one, false, or a block that is not enabled."""
    if isinstance(tree, dict):
        tree = tree.get("enabled", "true" if tree else "")
    return not tree or (isinstance(tree, str) and truth(tree) is False)


def but(tree: Tree) -> str:
    """What a value is instead."""
    if isinstance(tree, dict):
        return "not a mapping"
    if isinstance(tree, list):
        return "not a list"
    return "not nothing" if tree is None else f"not {mask_addresses(tree)[:60]!r}"
