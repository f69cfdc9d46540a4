"""YAML as people write options and tests in it: texts, numbers, lists and mappings, each with its place. No dates, no objects."""

from __future__ import annotations

from typing import Any, Final

import yaml

_MAX_DEPTH: Final = 100


class Loader(yaml.SafeLoader):
    """Leaves a time as the text that it is."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> tuple[Any, yaml.Node | None]:
    """The one document in the text, as values and as nodes with places. Raises `yaml.YAMLError` or `ValueError`."""
    _check_depth(text)
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        return (None if node is None else loader.construct_document(node)), node
    finally:
        loader.dispose()


def _check_depth(text: str) -> None:
    """Refuse what is nested too deep: the loader itself recurses."""
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError("it is nested too deep")


def line_of(node: yaml.Node | None, path: list[str | int], key: str = "") -> int:
    """The line (from 1) of what stands at the path, or of a key of it; of what is nearest where there is no such thing."""
    for step in path:
        inner = _child(node, step)
        if inner is None:
            break
        node = inner
    if isinstance(node, yaml.MappingNode):
        node = next((name for name, _ in node.value if name.value == key), node)
    return 1 if node is None else node.start_mark.line + 1


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        found: yaml.Node | None = node.value[step] if step < len(node.value) else None
        return found
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == step), None)
    return None
