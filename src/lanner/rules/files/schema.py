"""Validation of a rules file against Falco's JSON schema, with Falco's warnings.

The input is a document's root node, the output are the lines of `schema_warnings`: `failed for <root>[0][items]: ...`, the innermost
first. These are only warnings. The loader finds invalid rules. The strings and their order are those of valijson 1.0.2, which
treats every scalar as a string that may look like another type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.yamlfile.reader import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.yamlfile.reader import Node

Schema: TypeAlias = dict[str, Any]

_STRING: Final[Schema] = {"type": "string"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_INTEGER: Final[Schema] = {"type": "integer"}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: dict[str, Schema], required: tuple[str, ...] = (), least: int = 0) -> Schema:
    return {"type": "object", "least": least, "properties": properties, "required": required}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": values}


_PRIORITY: Final = _choice("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG")
_OVERRIDABLE: Final = (
    "items", "desc", "condition", "output", "priority", "enabled", "exceptions", "capture", "capture_duration", "tags", "warn_evttypes",
    "skip-if-unknown-filter",
)  # fmt: skip
_VERSION: Final = {"name": _STRING, "version": _STRING}
_ITEM: Final = _object(
    {
        "required_engine_version": _STRING,
        "required_plugin_versions": _array(
            _object({**_VERSION, "alternatives": _array(_object(_VERSION, ("name", "version")))}, ("name", "version"))
        ),
        "macro": _STRING,
        "condition": _STRING,
        "list": _STRING,
        "items": _array({"anyOf": (_INTEGER, _STRING)}),
        "rule": _STRING,
        "desc": _STRING,
        "enabled": _BOOLEAN,
        "output": _STRING,
        "append": _BOOLEAN,
        "priority": _PRIORITY,
        "capture": _BOOLEAN,
        "capture_duration": _INTEGER,
        "source": _STRING,
        "exceptions": _array(_object({"name": _STRING, "fields": {}, "comps": {}, "values": {}}, ("name",))),
        "override": _object(dict.fromkeys(_OVERRIDABLE, _choice("append", "replace")), least=1),
        "tags": _array(_STRING),
        "warn_evttypes": _BOOLEAN,
        "skip-if-unknown-filter": _BOOLEAN,
    }
)
_FILE: Final = _array(_ITEM)


def json_schema() -> Schema:
    """Return the schema with the keywords of JSON Schema."""
    return {"$schema": "http://json-schema.org/draft-06/schema#", "title": "FalcoRules", **_standard_schema(_FILE)}


def _standard_schema(schema: Schema) -> Schema:
    made: Schema = {key: value for key, value in schema.items() if key == "type"}
    if "anyOf" in schema:
        made["anyOf"] = [_standard_schema(each) for each in schema["anyOf"]]
    if "enum" in schema:
        made["enum"] = list(schema["enum"])
    if "items" in schema:
        made["items"] = _standard_schema(schema["items"])
    if "properties" in schema:
        made["additionalProperties"] = False
        made["properties"] = {name: _standard_schema(each) for name, each in schema["properties"].items()}
        made |= {"required": list(schema["required"])} if schema["required"] else {}
        made |= {"minProperties": schema["least"]} if schema["least"] else {}
    return made


_INTEGRAL: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")


class SchemaError(Exception):
    """A file that cannot be validated at all, for which Falco rejects it."""


def schema_status(documents: Iterable[Node]) -> list[str]:
    """Return "ok" or the violations for each document. Raises `SchemaError`."""
    status: list[str] = []
    for document in documents:
        wrong: list[str] = []
        _validate(_FILE, document, "<root>", wrong)
        status += wrong or ["ok"]
    return status


def _validate(schema: Schema, node: Node, path: str, wrong: list[str]) -> bool:
    before = len(wrong)

    def refuse(message: str) -> None:
        wrong.append(f"failed for {path}: {message}")

    if "type" in schema and not _has_type(node, schema["type"]):
        refuse("Value type not permitted by 'type' constraint.")
    if "anyOf" in schema:
        _validate_any(schema["anyOf"], node, path, wrong)
    if "enum" in schema and not (isinstance(node, Scalar) and not node.is_null and node.value in schema["enum"]):
        refuse("Failed to match against any enum values.")
    if "items" in schema and isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            if not _validate(schema["items"], item, f"{path}[{number}]", wrong):
                refuse(f"Failed to validate item #{number} in array.")
    if "properties" in schema:
        _validate_object(schema, node, path, wrong)
    return len(wrong) == before


def _validate_any(choices: Iterable[Schema], node: Node, path: str, wrong: list[str]) -> None:
    tried: list[str] = []
    for number, choice in enumerate(choices):
        if _validate(choice, node, path, tried):
            return
        tried.append(f"failed for {path}: Failed to validate against child schema #{number}.")
    wrong += [*tried, f"failed for {path}: Failed to validate against any schemas allowed by anyOf constraint."]


def _validate_object(schema: Schema, node: Node, path: str, wrong: list[str]) -> None:
    members = _members(node)
    if members is None:
        return
    values: dict[str, Node] = {}
    for key, value in members:
        values.setdefault(key, value)
    if len(members) < schema["least"]:
        wrong.append(f"failed for {path}: Object should have no fewer than {schema['least']} properties.")
    known = schema["properties"]
    for name in sorted(known.keys() & values.keys()):
        if not _validate(known[name], values[name], f"{path}[{name}]", wrong):
            wrong.append(f"failed for {path}: Failed to validate against schema associated with property name '{name}'.")
    if isinstance(node, Sequence):
        raise SchemaError("JSON value is not an object.")  # valijson takes an empty list for an object, and fails on it here
    if len(known.keys() & values.keys()) != len(members):
        unwanted = next((key for key, _ in members if key not in known), "")
        wrong.append(
            f"failed for {path}: Object contains a property that could not be validated using 'properties' or "
            f"'additionalProperties' constraints: '{unwanted}'."
        )
    wrong += [f"failed for {path}: Missing required property '{name}'." for name in schema["required"] if name not in values]


def _members(node: Node) -> list[tuple[str, Node]] | None:
    """Return an object's keys and values. An empty list counts as an empty object; None for anything else."""
    if isinstance(node, Sequence):
        return None if node.items else []
    if not isinstance(node, Mapping):
        return None
    members = []
    for key, value in node.pairs:
        if not isinstance(key, Scalar):
            mark = key.spot().mark()
            raise SchemaError(f"yaml-cpp: error at line {mark.line + 1}, column {mark.column + 1}: bad conversion")
        members.append(("null" if key.is_null else key.value, value))
    return members


def _has_type(node: Node, kind: str) -> bool:
    if kind == "array":
        return isinstance(node, Sequence)
    if kind == "object":
        return isinstance(node, Mapping)
    if not isinstance(node, Scalar) or node.is_null:
        return False
    if kind == "boolean":
        return node.value in {"true", "false"}
    return kind == "string" or (_INTEGRAL.fullmatch(node.value) is not None and -(1 << 63) <= int(node.value) < 1 << 63)
