"""YAML for options and tests: strings, numbers, lists and mappings, each with its position. No dates and no objects.

Plain scalars have the types of YAML 1.1, except for dates and base 60. `<<` merges mappings; earlier ones take precedence.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lanner.yamlfile.reader import Mapping, Node, Scalar, Sequence, YamlError, read_documents
from lanner.yamlfile.source import source_file

_TRUE: Final = re.compile(r"yes|Yes|YES|true|True|TRUE|on|On|ON")
_FALSE: Final = re.compile(r"no|No|NO|false|False|FALSE|off|Off|OFF")
_INTEGER: Final = re.compile(r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0([0-7_]+)|(0|[1-9][0-9_]*))")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)")
_SPECIAL: Final = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASES: Final = (2, 16, 8, 10)
_LONGEST_NUMBER: Final = 1000
"""Characters of a number. Python refuses to read or write more than 4,300 digits."""
_TYPES: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map"))
_TEXT: Final = "tag:yaml.org,2002:str"


def load(text: str, name: str) -> tuple[Any, Node | None]:
    """Return the only document of the text, as values and as nodes with positions. Raises `YamlError`."""
    documents = read_documents(source_file(name, text))
    if not documents:
        return None, None
    if len(documents) > 1:
        raise _error("a second document begins here, but only one is read", documents[1])
    return _Maker().value(documents[0]), documents[0]


class _Maker:
    """Converter of nodes to values. An aliased node is converted once and shared."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if id(node) not in self._made:
            self._made[id(node)] = self._make(node)
        return self._made[id(node)]

    def _make(self, node: Node) -> Any:
        if node.tag and node.tag not in _TYPES:
            raise _error(f"the tag {node.tag} means nothing here", node)
        match node:
            case Scalar():
                if node.style or node.tag == _TEXT:
                    return node.value
                value = plain_value(node.value)
                if not isinstance(value, str) and len(node.value) > _LONGEST_NUMBER:
                    raise _error(f"a number has at most {_LONGEST_NUMBER:,} digits: write it in quotes, as a string", node)
                return value
            case Sequence():
                return [self.value(item) for item in node.items]
            case Mapping():
                return self._mapping(node)

    def _mapping(self, node: Mapping) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        own: dict[Any, Any] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                raise _error("a key must be a string or a number", key)
            if key.value == "<<" and not key.style:
                for each in value.items if isinstance(value, Sequence) else [value]:
                    if not isinstance(each, Mapping):
                        raise _error("`<<` takes a mapping or a list of mappings", value)
                    merged = {**self.value(each), **merged}
            else:
                own[self.value(key)] = self.value(value)
        return {**merged, **own}


def plain_value(text: str) -> Any:
    """Return the value of a plain scalar."""
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return _TRUE.fullmatch(text) is not None
    if found := _INTEGER.fullmatch(text):
        sign, *digits = found.groups()
        value = next(
            (int(each[:_LONGEST_NUMBER].replace("_", "") or "0", base) for each, base in zip(digits, _BASES, strict=True) if each), 0
        )
        return -value if sign == "-" else value
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if found := _SPECIAL.fullmatch(text):
        return float("nan") if found[3] else float(f"{found[1]}inf")
    return text


def line_of(node: Node | None, path: list[str | int], key: str = "") -> int:
    """Return the line (from 1) of the node at the path, or of its key; of the nearest node if it does not exist."""
    for step in path:
        inner = _child(node, step)
        if inner is None:
            break
        node = inner
    if isinstance(node, Mapping):
        node = next((name for name, _ in node.pairs if isinstance(name, Scalar) and name.value == key), node)
    return 1 if node is None else node.spot().place().line


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, Sequence) and isinstance(step, int):
        return node.items[step] if step < len(node.items) else None
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.values.get(step)
    return None


def _error(message: str, node: Node) -> YamlError:
    spot = node.spot()
    return YamlError(message, spot, spot.mark())
