"""A plugin's configuration: one typed class, from which come validation, the JSON schema for Falco and the docs table.

In goes the text that Falco's `init_config` (or `--config`) holds, JSON; out comes an instance of the class, or a `ConfigError`
that names the path and the bound.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import msgspec

from lanner.sdk.errors import ConfigError, DefinitionError

_C = TypeVar("_C", bound="Config")


class Config(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of configuration classes: a msgspec Struct whose options are camelCase in JSON and of which unknown ones are refused.

    Every option has a default, so that no configuration is a configuration. Bounds and descriptions come by
    `Annotated[int, Meta(ge=1, description="...")]`.
    """


def check_config_class(cls: type[Config]) -> None:
    """Refuse what cannot be a configuration class: `DefinitionError` says which option and why."""
    for option in msgspec.structs.fields(cls):
        if option.required:
            raise DefinitionError(f"{cls.__name__}.{option.name} needs a default: no configuration has to be a configuration")
    try:
        config_schema(cls)
    except TypeError as error:
        raise DefinitionError(f"{cls.__name__}: {error}") from None


def load_config(cls: type[_C], text: str | bytes) -> _C:
    """The configuration in `text` (JSON; empty or `{}`: the defaults). Raises `ConfigError` with the path of what is wrong."""
    if not text.strip():
        return cls()
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"the configuration is not JSON: {error}") from None
    return convert_config(cls, raw)


def convert_config(cls: type[_C], raw: Any) -> _C:
    """The configuration in an already decoded value (of JSON or YAML). Raises `ConfigError` as `load_config` does."""
    if raw is None:
        return cls()
    if isinstance(raw, dict):
        raw = _with_known_spelling(cls, raw)
    try:
        # strict=False: a YAML map in falco.yaml makes texts of numbers and numbers of texts where it pleases
        return msgspec.convert(raw, cls, strict=not isinstance(raw, dict))
    except msgspec.ValidationError as error:
        known = ", ".join(sorted(option.encode_name for option in msgspec.structs.fields(cls)))
        hint = f"; the options are: {known}" if "unknown field" in str(error) else ""
        raise ConfigError(f"{error}{'' if ' - at ' in str(error) else ' - at `$`'}{hint}") from None


def _with_known_spelling(cls: type[Config], raw: dict[Any, Any]) -> dict[Any, Any]:
    # Go matches the names of options in any case, and falco.yaml files rely on it (`flushinterval`)
    options = msgspec.structs.fields(cls)
    known = {option.encode_name.lower(): option.encode_name for option in options}
    texts = {option.encode_name for option in options if _takes_text(option.type)}
    result: dict[Any, Any] = {}
    for name, value in raw.items():
        exact = known.get(name.lower(), name) if isinstance(name, str) else name
        if exact in result:
            raise ConfigError(f"Object contains `{exact}` twice, in different spellings - at `$`")
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        result[exact] = str(value) if number and exact in texts else value
    return result


def _takes_text(hint: Any) -> bool:
    kinds = get_args(hint)
    return hint is str or (str in kinds and int not in kinds and float not in kinds)


def config_schema(cls: type[Config]) -> dict[str, Any]:
    """The JSON schema of `cls`, plain enough for old validators: no references, no definitions, draft-04 words only."""
    (whole,), definitions = msgspec.json.schema_components([cls], ref_template="{name}")
    schema: dict[str, Any] = _inline(whole, definitions, ())
    schema["$schema"] = "http://json-schema.org/draft-04/schema#"
    for option in msgspec.structs.fields(cls):
        schema["properties"][option.encode_name].setdefault("title", option.name.replace("_", " ").capitalize())
    return schema


def _inline(node: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"]
        if name in inside:
            raise TypeError(f"a configuration cannot hold itself ({name})")
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inline(definitions[name], definitions, (*inside, name)), **_inline(rest, definitions, inside)}
    result = {key: _inline(value, definitions, inside) for key, value in node.items()}
    for bound, flag in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in result and not isinstance(result[bound], dict):
            result[flag], result[bound] = result[bound], True
    if result.get("required") == []:
        del result["required"]  # draft 04 wants at least one name there
    return result


def config_table(cls: type[Config]) -> list[tuple[str, str, str, str]]:
    """Rows for the docs: name of the option in JSON, its type with bounds, its default as JSON, its description."""
    properties = config_schema(cls)["properties"]
    rows = []
    for option in msgspec.structs.fields(cls):
        node = properties[option.encode_name]
        default = option.default if option.default is not msgspec.NODEFAULT else option.default_factory()
        rows.append((option.encode_name, _type_text(node), msgspec.json.encode(default).decode(), node.get("description", "")))
    return rows


def _type_text(node: dict[str, Any]) -> str:
    if "anyOf" in node:
        return " or ".join(_type_text(option) for option in node["anyOf"])
    if "enum" in node:
        return " or ".join(f'"{value}"' for value in node["enum"])
    text = str(node.get("type", "any"))
    if text == "array" and isinstance(node.get("items"), dict):
        text = f"array of {_type_text(node['items'])}"
    words = {"minimum": "at least", "maximum": "at most", "minLength": "length at least", "maxLength": "length at most", "pattern": "like"}
    bounds = [f"{word} {node[key]}" for key, word in words.items() if key in node]
    return ", ".join([text, *bounds])
