"""Values for the required options of a plugin: a store contains no options, and most of them only concern the event source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.options.config import config_schema, required_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.authoring.plugin import PluginInfo

_TEXTS: Final = ("placeholder", "https://placeholder.invalid/")


def placeholder_options(info: PluginInfo) -> Iterator[dict[str, Any]]:
    """Yield configurations with a value for each required option; nothing for a plugin without required options."""
    if info.config is None or not required_options(info.config):
        return
    options = config_schema(info.config)["properties"]
    for text in _TEXTS:
        yield {name: _sample(options[name], text) for name in required_options(info.config)}


def _sample(node: dict[str, Any], text: str) -> Any:
    """Return a value that the JSON schema allows, with `text` for a string."""
    if "enum" in node:
        return node["enum"][0]
    if "default" in node:
        return node["default"]
    if choices := node.get("anyOf"):
        return _sample(next((each for each in choices if each.get("type") != "null"), choices[0]), text)
    kinds = node.get("type")
    match kinds[0] if isinstance(kinds, list) else kinds:
        case "object":
            return {name: _sample(inner, text) for name, inner in node.get("properties", {}).items() if "default" not in inner}
        case "array":
            return [_sample(node.get("items", {}), text)] * node.get("minItems", 0)
        case "integer" | "number":
            return max(1, node.get("minimum", 1), node.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
        case _:
            return text.ljust(node.get("minLength", 0), "x")
