"""Reads a configuration file into a tree of mappings, lists and strings, and expands environment variables.

As in Falco a scalar is a string here, and the decoder converts it to a number or a truth value; None is YAML's null.
"""

from __future__ import annotations

import os
from typing import Final, TypeAlias

from lanner.sdk.errors import ConfigError
from lanner.yamlfile.advice import NEVER_CLOSED
from lanner.yamlfile.reader import Mapping, Node, Scalar, Sequence, YamlError, open_quote, read_documents
from lanner.yamlfile.source import source_file

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"

MAX_SIZE: Final = 4 * 1024 * 1024
# The value of a variable may name others; a cycle makes Falco hang
_MOST_VARIABLES: Final = 1000


def read_tree(text: str, name: str, warnings: list[str] | None = None, *, expand: bool = True) -> Tree:
    """Return the tree of the first document; None if the file is empty. Raises `ConfigError` that begins with `name` and a place.

    `warnings` receives sentences about text that yaml-cpp reads differently than intended. With `expand`, `${NAME}` is replaced by
    an environment variable (see `expand_variables`).
    """
    if len(text) > MAX_SIZE:
        raise ConfigError(f"{name} is larger than {MAX_SIZE >> 20} MiB")
    try:
        documents = read_documents(source_file(name, text), only_first=True)
    except YamlError as error:
        raise ConfigError(error.without_text()) from None
    if warnings is not None and (quote := open_quote(documents)) is not None:
        warnings.append(f"{quote.place()}: {' '.join(NEVER_CLOSED)}")
    return _Maker(expand=expand).tree(documents[0]) if documents else None


class _Maker:
    """Builder of the tree of a node. The target of an alias is built once, and shared."""

    def __init__(self, *, expand: bool) -> None:
        self._expand = expand
        self._made: dict[int, Tree] = {}

    def tree(self, node: Node) -> Tree:
        if id(node) not in self._made:
            self._made[id(node)] = self._tree(node)
        return self._made[id(node)]

    def _tree(self, node: Node) -> Tree:
        match node:
            case Mapping():
                return {key: self.tree(value) for key, value in node.values.items()}
            case Sequence():
                return [self.tree(item) for item in node.items]
            case Scalar(value=text) if not node.is_null:
                if not self._expand or "$" not in text:
                    return text
                try:
                    return expand_variables(text)
                except ConfigError as error:
                    raise ConfigError(f"{node.spot().place()}: {error}") from None
        return None


def expand_variables(text: str) -> str:
    """Return the text with `${NAME}` replaced by that environment variable (empty if unset); `$${NAME}` becomes `${NAME}`.

    Any other `$` ends the expansion, as in Falco.
    """
    at = text.find("$")
    count = 0
    while at >= 0:
        escaped = text.startswith("$${", at)
        end = text.find("}", at)
        if end < 0 or not (escaped or text.startswith("${", at)):
            break
        count += 1
        if count > _MOST_VARIABLES or len(text) > MAX_SIZE:
            raise ConfigError("environment variables refer to each other in a cycle")
        if escaped:
            text = text[:at] + text[at + 1 :]
            at += 1
        else:
            text = text[:at] + os.environ.get(text[at + 2 : end], "") + text[end + 1 :]
        at = text.find("$", at)
    return text
