r"""`-o key=value`: sets one key of a configuration from the command line.

A key is names joined by dots, with an index in brackets for an item of a list: `plugins[0].name`; `[]` appends an item.
A backslash escapes a dot, bracket or backslash that belongs to a name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.config.tree import read_tree
from lanner.sdk.errors import ConfigError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import without_middle
from lanner.yamlfile.reader import MAX_DEPTH

if TYPE_CHECKING:
    from lanner.config.tree import Tree

_STEP: Final = re.compile(r"(?P<dot>\.?)(?P<name>(?:[^\\.\[]|\\[.\[\]\\])+)|\[(?P<index>[0-9]{0,6})\]")
_ESCAPE: Final = re.compile(r"\\(.)")
_NO_KEY: Final = re.compile(r"[^\w.\[\]-].*", re.DOTALL)
"""In a string without `=`, the part that may be a secret."""
_NEW: Final = -1
# Maximum length of an option in an error
_SHOWN: Final = 200


def assign(root: dict[str, Tree], option: str) -> list[str | int]:
    """Apply `key=value` to `root`; a value in braces is an object. Return the steps to the value. Raises `ConfigError`."""
    key, sign, text = option.partition("=")
    if not sign:
        raise ConfigError(f"-o {_NO_KEY.sub('...', option)}: write key=value or key.subkey=value")
    value: Tree = text
    if text.startswith("{") and text.endswith("}"):
        value = read_tree(text, f"-o {key}", expand=False)
    try:
        return put(root, key, value)
    except ConfigError as error:
        raise ConfigError(f"{name_of(option)}=...: {error}") from None


def name_of(option: str) -> str:
    """Return `key=value` for messages, without the value, which may be a secret."""
    return f"-o {without_middle(option.partition('=')[0], _SHOWN)}"


def put(root: dict[str, Tree], key: str, value: Tree) -> list[str | int]:
    """Set one key and return the steps to its value. Raises `ConfigError`."""
    steps = _steps(key)
    _put(root, steps, 0, value, "$")
    return steps


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


def _put(node: Tree, steps: list[str | int], depth: int, value: Tree, path: str) -> Tree:
    """Return the node with the value set, or a new node if it is None. The index of a new item replaces `_NEW` in the steps."""
    if depth == len(steps):
        return value
    step = steps[depth]
    if isinstance(step, str):
        node = {} if node is None else node
        if not isinstance(node, dict):
            raise ConfigError(f"{path} is not a mapping, so it cannot contain {step}")
        node[step] = _put(node.get(step), steps, depth + 1, value, f"{path}.{step}")
        return node
    node = [] if node is None else node
    if not isinstance(node, list):
        raise ConfigError(f"{path} is not a list")
    index = steps[depth] = len(node) if step == _NEW else step
    if index > len(node):
        raise ConfigError(f"{path} has {many(len(node), 'item')}: the next one is {path}[{len(node)}]")
    if index == len(node):
        node.append(None)
    node[index] = _put(node[index], steps, depth + 1, value, f"{path}[{index}]")
    return node
