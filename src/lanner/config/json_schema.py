"""Generates the JSON schema of falco.yaml from the classes that decode it."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from lanner.config.falco import Falco, Include, MatchPolicy
from lanner.config.monitoring import Duration
from lanner.rules.files.items import Priority
from lanner.rules.output.append import Append
from lanner.rules.resolve.select import Switch
from lanner.sdk.options.blocks import REQUIRED, WHOLE, Block, annotations_of, find_schema_limit, has

_STRING: Final[dict[str, Any]] = {"type": "string"}
_SIMPLE: Final[dict[Any, dict[str, Any]]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: _STRING,
    Duration: _STRING,
    Priority: _STRING,
    MatchPolicy: _STRING,
    dict[str, str]: {"type": "object"},
    str | dict[str, Any]: {"anyOf": [{"type": "object"}, _STRING, {"type": "null"}]},
}


def config_schema() -> dict[str, Any]:
    """Return the whole schema."""
    return {"$schema": "http://json-schema.org/draft-06/schema#", "title": "FalcoConfig", **_block(Falco)}


def _block(cls: type[msgspec.Struct]) -> dict[str, Any]:
    kinds = get_type_hints(cls, include_extras=True)
    needed = [each.name for each in msgspec.structs.fields(cls) if each.required or has(annotations_of(kinds[each.name]), REQUIRED)]
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    schema["properties"] = {name: _schema(kind) for name, kind in kinds.items()}
    if needed:
        schema["required"] = needed
    return {**schema, "minProperties": 1} if issubclass(cls, Block) else schema


def _schema(kind: Any) -> dict[str, Any]:
    about = annotations_of(kind)
    if about:
        description = next((each.description for each in about if each.description), "")
        bounds: dict[str, Any] = {
            word: limit for each in about for word, limit in (("minimum", each.ge), ("maximum", each.le)) if limit is not None
        }
        if (limit := find_schema_limit(about)) is not None:
            bounds["maximum"] = limit
        if has(about, WHOLE):
            bounds["type"] = "integer"
        for each in about:
            bounds |= each.extra_json_schema or {}
        return {**_schema(get_args(kind)[0]), **bounds, **({"description": description} if description else {})}
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if get_origin(kind) in {Union, UnionType}:
        return _schema(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0])}
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if kind is Switch:
        able = _object(rule=_STRING, tag=_STRING)
        return _object(enable=able, disable=able)
    if kind is Append:
        field = {"anyOf": [{"type": "object", "additionalProperties": _STRING}, _STRING]}
        match = _object(0, rule=_STRING, source=_STRING, tags={"type": "array", "items": _STRING})
        fields = {"type": "array", "items": field}
        return _object(0, match=match, extra_output=_STRING, extra_fields=fields, suggested_output={"type": "boolean"})
    if kind is Include:
        return {"oneOf": [_STRING, _block(Include)]}
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [str(each) for each in kind]}
    return _block(kind)


def _object(least: int = 1, /, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "minProperties": least} if least else schema
