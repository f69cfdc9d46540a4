"""Single values of a configuration: what a text stands for, and the words for what it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lanner.rules.scalars import truth

if TYPE_CHECKING:
    from lanner.config.tree import Tree

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
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
    return "not nothing" if tree is None else f"not {tree[:60]!r}"
