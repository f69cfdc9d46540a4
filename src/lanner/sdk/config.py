"""A plugin's configuration: one typed class, from which come validation, the JSON schema for Falco and the docs table.

In goes the text that Falco's `init_config` (or `--config`) holds, JSON; out comes an instance of the class, or a `ConfigError`
that names the path and the bound.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import Any, Final, TypeVar

import msgspec
import msgspec.inspect

from lanner.sdk.address import MASK, mask_addresses
from lanner.sdk.errors import ConfigError, DefinitionError

_C = TypeVar("_C", bound="Config")
_SECRET: Final = re.compile(r"(?i)passw|passphrase|secret|token|credential|(api|access|private|auth)_?key")


class Config(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of configuration classes: a msgspec Struct whose options are camelCase in JSON and of which unknown ones are refused.

    Every option has a default, so that no configuration is a configuration. Bounds and descriptions come by
    `Annotated[int, Meta(ge=1, description="...")]`. Its `repr` masks passwords in addresses, and options whose names say that they
    are secret (password, secret, token, api_key ...).
    """

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return options with values as they may be shown, for `rich` as well."""
        return [(name, _masked(getattr(self, name), name)) for name in self.__struct_fields__]


def _masked(value: Any, name: Any = "") -> Any:
    """Return the value of an option of that name as it may be shown."""
    if value and isinstance(value, str | bytes) and isinstance(name, str) and _SECRET.search(name):
        return MASK
    if isinstance(value, str):
        return mask_addresses(value)
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_masked(item, name) for item in value)
    if isinstance(value, dict):
        return {key: _masked(item, key) for key, item in value.items()}
    return value


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
    try:
        return msgspec.convert(_adapted(msgspec.inspect.type_info(cls), raw, "$"), cls)
    except msgspec.ValidationError as error:
        text = str(error) if " - at " in str(error) else f"{error} - at `$`"
        if "unknown field" in text and text.endswith("`$`"):
            text += f"; the options are: {', '.join(sorted(option.encode_name for option in msgspec.structs.fields(cls)))}"
        raise ConfigError(text) from None


def _adapted(kind: msgspec.inspect.Type, raw: Any, path: str) -> Any:
    """`raw` as its author meant it, where Falco or YAML made something else of it; what is wrong in it stays wrong.

    Options are known in any case, as Go's are (falco.yaml files have `flushinterval`). A text option takes numbers: of a YAML map
    falco.yaml makes JSON in which a scalar that reads as a number is one, quoted or not.
    """
    match kind, raw:
        case msgspec.inspect.Metadata(type=inner), _:
            return _adapted(inner, raw, path)
        case msgspec.inspect.StrType(), bool() | int() | float():
            return msgspec.json.encode(raw).decode()
        case msgspec.inspect.UnionType(types=kinds), _:
            takers = _TAKES.get(type(raw), ())
            options = [each for each in kinds if isinstance(each, takers)] or [each for each in kinds if isinstance(each, _TEXT)]
            return _adapted(options[0], raw, path) if options else raw
        case msgspec.inspect.ListType(item_type=item), list():
            return [_adapted(item, value, f"{path}[...]") for value in raw]
        case msgspec.inspect.DictType(value_type=item), dict():
            return {name: _adapted(item, value, f"{path}[...]") for name, value in raw.items()}
        case msgspec.inspect.StructType(fields=fields), dict():
            return _with_known_spelling(fields, raw, path)
    return raw


_TEXT = msgspec.inspect.StrType
_NUMBER = (msgspec.inspect.IntType, msgspec.inspect.FloatType)
_TAKES: dict[type, tuple[type, ...]] = {
    NoneType: (msgspec.inspect.NoneType,),
    dict: (msgspec.inspect.DictType, msgspec.inspect.StructType),
    list: (msgspec.inspect.ListType,),
    bool: (msgspec.inspect.BoolType,),
    int: _NUMBER,
    float: _NUMBER,
}


def _with_known_spelling(options: tuple[msgspec.inspect.Field, ...], raw: dict[Any, Any], path: str) -> dict[Any, Any]:
    known = {option.encode_name.lower(): option for option in options}
    result: dict[Any, Any] = {}
    for name, value in raw.items():
        option = known.get(name.lower()) if isinstance(name, str) else None
        exact = name if option is None else option.encode_name
        if exact in result:
            raise ConfigError(f"Object contains `{exact}` twice, in different spellings - at `{path}`")
        result[exact] = value if option is None else _adapted(option.type, value, f"{path}.{exact}")
    return result


def config_schema(cls: type[Config]) -> dict[str, Any]:
    """The JSON schema of `cls` for Falco, which validates with it before the plugin does.

    Plain enough for old validators: no references, no definitions, and of the drafts only words that mean the same in all. It refuses
    nothing that `load_config` takes, so it leaves unknown options to that: a schema knows one spelling of a name.
    """
    return _plain(_schema(cls))


def _schema(cls: type[Config]) -> dict[str, Any]:
    (whole,), definitions = msgspec.json.schema_components([cls], ref_template="{name}")
    result: dict[str, Any] = _inline(whole, definitions, ())
    return result


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
    return {key: _inline(value, definitions, inside) for key, value in node.items()}


def _plain(node: dict[str, Any], name: str = "") -> dict[str, Any]:
    """A schema made plain, and those in it; `name` is that of the option whose schema it is."""
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            result[key] = {option: _plain(schema, option) for option, schema in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            result[key] = _plain(value)
        elif key in {"anyOf", "prefixItems"}:
            result[key] = [_plain(schema) for schema in value]
        elif key in {"exclusiveMinimum", "exclusiveMaximum"}:
            # a number in new drafts, a boolean in old ones: what is just outside of a bound of fractions is left to load_config
            inner = 0 if node.get("type") != "integer" else 1 if key == "exclusiveMinimum" else -1
            result["minimum" if key == "exclusiveMinimum" else "maximum"] = value + inner
        elif key == "type" and value == "string" and "enum" not in node:
            result[key] = ["string", "number", "boolean"]  # what a text may have become in falco.yaml, see _adapted
        elif key != "required" and not (key == "additionalProperties" and value is False):
            result[key] = value
    if name:
        result.setdefault("title", re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: " " + found[0].lower(), name).capitalize())
    return result


def config_table(cls: type[Config]) -> list[tuple[str, str, str, str]]:
    """Rows for the docs: name of the option in JSON, its type with bounds, its default as JSON, its description."""
    properties = _schema(cls)["properties"]
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
