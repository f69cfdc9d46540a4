r"""`-o key=value`: sets one key of a configuration from the command line.

A key is names joined by dots, with an index in brackets for an item of a list: `plugins[0].name`; `[]` appends an item.
A backslash escapes a dot, bracket or backslash that belongs to a name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.config.tree import read_tree
from lanner.sdk.errors import ConfigError
from lanner.sdk.printable import without_middle
from lanner.yamlfile.reader import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.config.tree import Tree

_STEP: Final = re.compile(r"(?P<dot>\.?)(?P<name>(?:[^\\.\[]|\\[.\[\]\\])+)|\[(?P<index>[0-9]{0,6})\]")
_ESCAPE: Final = re.compile(r"\\(.)")
_NO_KEY: Final = re.compile(r"[^\w.\[\]-].*", re.DOTALL)
"""In a text without `=`, the part that may be a secret."""
_NEW: Final = -1
# Maximum length of an option in an error
_SHOWN: Final = 200


def assign(root: dict[str, Tree], option: str) -> None:
    """Apply `key=value` to `root`; a value in braces is an object. Raises `ConfigError`."""
    key, sign, text = option.partition("=")
    if not sign:
        raise ConfigError(f"-o {_NO_KEY.sub('...', option)}: write key=value or key.subkey=value")
    value: Tree = text
    if text.startswith("{") and text.endswith("}"):
        value = read_tree(text, f"-o {key}", expand=False)
    try:
        put(root, key, value)
    except ConfigError as error:
        raise ConfigError(f"-o {without_middle(key, _SHOWN)}=...: {error}") from None


def put(root: dict[str, Tree], key: str, value: Tree) -> None:
    """Set one key. Raises `ConfigError`."""
    _put(root, _steps(key), value, "$")


def steps_of(option: str) -> list[str | int]:
    """Return the steps of the key of `key=value`, without those from a new item of a list on. Raises `ConfigError`."""
    steps = _steps(option.partition("=")[0])
    return steps[: steps.index(_NEW)] if _NEW in steps else steps


def _steps(key: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(key):
        found = _STEP.match(key, at)
        # only the first name has no dot before it
        if found is None or (found["name"] is None and not steps) or (found["name"] is not None and bool(found["dot"]) != bool(steps)):
            raise ConfigError(f"the key is invalid from {key[at:]!r}: write names joined by dots, and an index as in plugins[0].name")
        if found["name"] is not None:
            steps.append(_ESCAPE.sub(r"\1", found["name"]))
        else:
            steps.append(int(found["index"] or _NEW))
        at = found.end()
        if len(steps) > MAX_DEPTH:
            raise ConfigError(f"the key has more than {MAX_DEPTH} parts")
    if not steps:
        raise ConfigError("the key is empty")
    return steps


def _put(node: Tree, steps: Sequence[str | int], value: Tree, path: str) -> Tree:
    """Return the node with the value set, or a new node if it is None."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        node = {} if node is None else node
        if not isinstance(node, dict):
            raise ConfigError(f"{path} is not a mapping, so it cannot contain {step}")
        node[step] = _put(node.get(step), rest, value, f"{path}.{step}")
        return node
    node = [] if node is None else node
    if not isinstance(node, list):
        raise ConfigError(f"{path} is not a list")
    index = len(node) if step == _NEW else step
    if index > len(node):
        raise ConfigError(f"{path} has {len(node)} items: the next one is {path}[{len(node)}]")
    if index == len(node):
        node.append(None)
    node[index] = _put(node[index], rest, value, f"{path}[{index}]")
    return node
