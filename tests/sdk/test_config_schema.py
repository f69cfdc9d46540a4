"""The schema of a configuration class, for Falco: what the plugin takes, it accepts, and in words that all drafts share."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import lanner
from lanner.sdk.options.config import config_schema, load_config

from .test_config import Needy, Options


def schemas(node: Any) -> list[dict[str, Any]]:
    """Yield all schemas in a schema, including itself."""
    inner = [
        *node.get("properties", {}).values(),
        *node.get("anyOf", []),
        *(node[key] for key in ("items", "additionalProperties") if key in node),
    ]
    return [node, *(each for schema in inner for each in schemas(schema))]


def test_the_schema_uses_only_words_that_all_drafts_share():
    known = {
        "title", "description", "default", "type", "properties", "additionalProperties", "items", "anyOf", "enum",
        "minimum", "maximum", "minLength", "maxLength", "pattern",
    }  # fmt: skip
    for schema in schemas(config_schema(Options)):
        assert set(schema) <= known
        assert isinstance(schema.get("additionalProperties", {}), dict)


def test_the_schema_marks_secrets_and_refuses_nothing_that_the_plugin_takes():
    schema = config_schema(Needy)
    assert schema["properties"]["token"] == {
        "type": ["string", "number", "boolean"], "writeOnly": True, "description": "Access token", "title": "Token",
    }  # fmt: skip
    server = schema["properties"]["servers"]["items"]["properties"]
    assert server["passCode"]["writeOnly"] is True
    assert "required" not in schema
    assert all("writeOnly" not in each for each in schemas(schema) if each.get("title") == "Host")


def test_the_schema_tells_bounds_defaults_descriptions_and_titles():
    properties = config_schema(Options)["properties"]
    assert properties["flushInterval"] == {
        "title": "Flush interval",
        "description": "Milliseconds that a batch may wait",
        "type": "integer",
        "minimum": 1,
        "maximum": 60_000,
        "default": 30,
    }
    assert properties["count"]["minimum"] == 1
    assert (properties["ratio"]["minimum"], properties["ratio"]["maximum"]) == (0, 1)
    assert all("title" in schema for schema in properties.values())


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Return whether a JSON schema with the keywords above accepts a value."""
    if "anyOf" in schema and not any(accepts(option, value) for option in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    kinds = {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "integer": number and isinstance(value, int),
        "number": number,
        "boolean": isinstance(value, bool),
        "null": value is None,
    }
    wanted = schema.get("type")
    if wanted is not None and not any(kinds[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)):
        return False
    if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    if isinstance(value, list):
        return all(accepts(schema.get("items", {}), item) for item in value)
    if isinstance(value, dict):
        rest = schema.get("additionalProperties", {})
        return all(accepts(schema.get("properties", {}).get(name, rest), item) for name, item in value.items())
    return True


scalars = (
    st.none() | st.booleans() | st.integers(-3, 70_000) | st.sampled_from([0.5, 1.0, -0.1]) | st.sampled_from(["", "low", "1", "x" * 201])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "authority", "depth"]), inner, max_size=2),
    max_leaves=5,
)
configurations = st.dictionaries(st.sampled_from(sorted(Options.__struct_encode_fields__)), values, max_size=3)


@given(configurations)
def test_the_schema_refuses_nothing_that_the_plugin_takes(raw):
    try:
        load_config(Options, json.dumps(raw))
    except lanner.ConfigError:
        return
    assert accepts(config_schema(Options), raw)


@given(st.sampled_from(["flushInterval", "level", "count", "verbose", "filters"]), values)
def test_what_the_plugin_refuses_for_type_or_bound_the_schema_refuses(name, value):
    if accepts(config_schema(Options)["properties"][name], value):
        load_config(Options, json.dumps({name: value}))
