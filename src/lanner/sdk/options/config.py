"""A plugin's configuration: one typed class, used for validation, Falco's JSON schema and the table in the docs.

The input is the JSON text of Falco's `init_config` (or `--config`). The output is an instance of the class, or a `ConfigError`
with the path and the bound.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import msgspec
import msgspec.inspect

from lanner.sdk.errors import ConfigError
from lanner.sdk.options.option_types import LISTS, groups_in, has_secret
from lanner.sdk.options.secrets import SafeRepr, Secret, mask_option, read_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Warn: TypeAlias = "Callable[[str], object]"
"""A function that takes a warning about a configuration."""


def _ignore(_: str) -> None:
    """Drop a warning."""


class Config(SafeRepr, msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base class of configurations: a msgspec Struct with camelCase names in JSON, which rejects unknown options.

    An option without a default is required. Declare bounds and descriptions with `Annotated[int, Meta(ge=1, description="...")]`, a
    secret with the type `lanner.Secret`, and a group of options with another such class as the type. A subclass with
    `forbid_unknown_fields=False` accepts unknown options: each is a warning, and the schema allows them. The `repr` masks secrets,
    passwords in addresses, and options with secret names (password, secret, token, api_key ...).
    """

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return options with printable values, for `rich` as well."""
        return [(name, mask_option(getattr(self, name), name)) for name in self.__struct_fields__]


_C = TypeVar("_C", bound=Config)


def secret_options(cls: type[Config]) -> frozenset[str]:
    """Return the spellings, in lower case, of all options that are secrets by their type, including nested ones."""
    return frozenset(_secrets_of(cls, set()))


def _secrets_of(cls: type[msgspec.Struct], seen: set[type]) -> Iterator[str]:
    if cls in seen:
        return
    seen.add(cls)
    for option in msgspec.inspect.type_info(cls).fields:  # type: ignore[attr-defined]
        if has_secret(option.type):
            yield from (option.name.lower(), option.encode_name.lower())
        for nested in groups_in(option.type):
            yield from _secrets_of(nested, seen)


def required_options(cls: type[Config]) -> list[str]:
    """Return the names, in JSON, of the options without a default."""
    return [option.encode_name for option in msgspec.structs.fields(cls) if option.required]


def load_config(cls: type[_C], text: str | bytes, warn: Warn = _ignore) -> _C:
    """Return the configuration in `text` (JSON; empty or `null`: as `{}`, no option is given).

    Raise `ConfigError` with the path of an error, in backquotes.

    `warn` is called with a message for each unknown option of a class that allows them.
    """
    if not text.strip():
        return convert_config(cls, None, warn)
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        # a position and a reason without text of the configuration, which may be a secret
        reason = error.reason if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else error
        raise ConfigError(f"the configuration is not JSON: {reason}") from None
    return convert_config(cls, raw, warn)


def convert_config(cls: type[_C], raw: Any, warn: Warn = _ignore) -> _C:
    """Return the configuration in an already decoded value (of JSON or YAML). The rest is as for `load_config`."""
    raw = {} if raw is None else raw
    if _is_plain(cls, raw):
        with suppress(msgspec.ValidationError):
            return msgspec.convert(raw, cls, dec_hook=_decode_custom)
    try:
        return msgspec.convert(_Adapter(warn).adapt(msgspec.inspect.type_info(cls), raw, "$"), cls, dec_hook=_decode_custom)
    except msgspec.ValidationError as error:
        from lanner.sdk.options.option_errors import explain  # rare

        raise ConfigError(explain(str(error), cls)) from None


def _is_plain(cls: type[Config], raw: Any) -> bool:
    """Return whether `_Adapter` could only change values that the class does not accept: it needs a description of all types, which
    takes as long as everything else here.
    """
    if not isinstance(raw, dict) or not set(raw) <= set(cls.__struct_encode_fields__):
        return False
    return all(type(each) in _PLAIN for value in raw.values() for each in (value if type(value) is list else [value]))


def _decode_custom(kind: type, value: Any) -> Any:
    """Return the value of an option whose type is not one of msgspec's. Raises `ValueError`."""
    if kind is Secret:
        return read_secret(value)
    raise NotImplementedError(f"{kind.__name__} is not a type of options")


class _Adapter:
    """Restores values of a configuration as its author wrote them, after Falco or YAML has changed them. Errors are unchanged.

    Names of options are case-insensitive, as in Go (falco.yaml files contain `flushinterval`), and may be written in snake_case, as in
    the class. A string option accepts numbers: Falco
    converts a YAML map to JSON in which a scalar that looks like a number is one, quoted or not, and an empty map or list is null.
    """

    def __init__(self, warn: Warn) -> None:
        self._warn = warn

    def adapt(self, kind: msgspec.inspect.Type, raw: Any, path: str) -> Any:
        """Return `raw` as a value for an option of this kind."""
        match kind, raw:
            case msgspec.inspect.Metadata(type=inner), _:
                return self.adapt(inner, raw, path)
            case msgspec.inspect.IntType(), float() if raw.is_integer() and abs(raw) > _INT32:
                return int(raw)  # Falco reads a larger whole number as a fraction
            case msgspec.inspect.StrType(), float() if raw.is_integer() and abs(raw) > _INT32:
                return str(int(raw))
            case msgspec.inspect.StrType(), bool() | int() | float():
                return msgspec.json.encode(raw).decode()
            case msgspec.inspect.UnionType(includes_none=True, types=kinds), None if any(map(_has_required, kinds)):
                return None
            case msgspec.inspect.UnionType(types=kinds), None:
                return next((self.adapt(each, raw, path) for each in kinds if isinstance(each, _CONTAINERS)), None)
            case msgspec.inspect.UnionType(types=kinds), _ if any(_lists(each, raw) for each in kinds):
                return raw
            case msgspec.inspect.UnionType(types=kinds), _:
                takers = _TAKES.get(type(raw), ())
                options = [each for each in kinds if isinstance(each, takers)] or [each for each in kinds if isinstance(each, _TEXT)]
                return self.adapt(options[0], raw, path) if options else raw
            case _, None if isinstance(kind, LISTS):
                return []
            case ((msgspec.inspect.DictType() | msgspec.inspect.StructType()), None):
                return {}
            case _, list() if isinstance(kind, LISTS):
                return [self.adapt(kind.item_type, value, f"{path}[{place}]") for place, value in enumerate(raw)]
            case msgspec.inspect.DictType(value_type=item), dict():
                return {name: self.adapt(item, value, f"{path}[...]") for name, value in raw.items()}
            case msgspec.inspect.StructType(), dict():
                return self._respell(kind, raw, path)
        return raw

    def _respell(self, kind: msgspec.inspect.StructType, raw: dict[Any, Any], path: str) -> dict[Any, Any]:
        known = {spelling.lower(): option for option in kind.fields for spelling in (option.name, option.encode_name)}
        result: dict[Any, Any] = {}
        for name, value in raw.items():
            option = known.get(name.lower()) if isinstance(name, str) else None
            exact = name if option is None else option.encode_name
            if exact in result:
                from lanner.sdk.options.option_errors import printable_name  # rare

                raise ConfigError(f"Object contains `{printable_name(exact)}` twice, in different spellings - at `{path}`")
            if option is None and not kind.cls.__struct_config__.forbid_unknown_fields:
                from lanner.sdk.options.option_errors import describe_unknown  # rare

                self._warn(describe_unknown(str(name), path, [each.encode_name for each in kind.fields], ", which has no effect"))
                continue
            result[exact] = value if option is None else self.adapt(option.type, value, f"{path}.{exact}")
        return result


def _lists(kind: msgspec.inspect.Type, raw: Any) -> bool:
    """Return whether a type lists its values and this is one of them."""
    match kind:
        case msgspec.inspect.LiteralType(values=values):
            return any(value == raw and type(value) is type(raw) for value in values)
        case msgspec.inspect.EnumType(cls=cls):
            return any(member.value == raw and type(member.value) is type(raw) for member in cls)
    return False


def _has_required(kind: msgspec.inspect.Type) -> bool:
    """Return whether a type is a group of options that cannot be empty."""
    return isinstance(kind, msgspec.inspect.StructType) and any(option.required for option in kind.fields)


_PLAIN: Final = (str, int, bool)
_INT32: Final = 2**31 - 1
_TEXT = msgspec.inspect.StrType
_NUMBER = (msgspec.inspect.IntType, msgspec.inspect.FloatType)
_CONTAINERS = (msgspec.inspect.DictType, msgspec.inspect.StructType, *LISTS)
_TAKES: dict[type, tuple[type, ...]] = {
    dict: (msgspec.inspect.DictType, msgspec.inspect.StructType),
    list: LISTS,
    bool: (msgspec.inspect.BoolType,),
    int: _NUMBER,
    float: _NUMBER,
}


def config_schema(cls: type[Config]) -> dict[str, Any]:
    """Return the JSON schema of `cls` for Falco, which validates with it before the plugin does.

    It suits old validators: no references, no definitions, and only keywords with the same meaning in all drafts. It accepts
    everything that `load_config` does: null for an empty map or list, as Falco writes them. If a class forbids unknown options,
    the schema leaves them to `load_config`, because a schema is case-sensitive. If it allows them, so does the schema.
    """
    return _allow_null(_simplify(_schema(cls)))


def _schema(cls: type[Config]) -> dict[str, Any]:
    (whole,), definitions = msgspec.json.schema_components([cls], schema_hook=_custom_schema, ref_template="{name}")
    result: dict[str, Any] = _inline(whole, definitions, ())
    return result


def _custom_schema(kind: type) -> dict[str, Any]:
    """Return the schema of a type that is not one of msgspec's."""
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    raise TypeError(f"{kind.__name__} is not a type of options")


def _inline(node: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"]
        if name in inside:
            raise TypeError(f"a configuration cannot contain itself ({name})")
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inline(definitions[name], definitions, (*inside, name)), **_inline(rest, definitions, inside)}
    return {key: _inline(value, definitions, inside) for key, value in node.items()}


def _simplify(node: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Return a simplified schema, including nested ones. `name` is that of the option whose schema it is."""
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            result[key] = {option: _allow_null(_simplify(schema, option)) for option, schema in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            result[key] = _allow_null(_simplify(value))
        elif key in {"anyOf", "prefixItems"}:
            result[key] = [_simplify(schema) for schema in value]
        elif key in {"exclusiveMinimum", "exclusiveMaximum"}:
            # a number in new drafts, a boolean in old ones: load_config checks exclusive bounds of fractions
            inner = 0 if node.get("type") != "integer" else 1 if key == "exclusiveMinimum" else -1
            result["minimum" if key == "exclusiveMinimum" else "maximum"] = value + inner
        elif key == "type" and value == "string" and "enum" not in node:
            result[key] = ["string", "number", "boolean"]  # Falco may have converted a string to these, see _adapted
        elif key != "required" and not (key == "additionalProperties" and value is False):
            result[key] = value
    if "properties" in node and "additionalProperties" not in node:
        result["additionalProperties"] = {}
    if name:
        if any(option.get("writeOnly") for option in result.get("anyOf", ())):
            result["writeOnly"] = True
        result.setdefault("title", re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: " " + found[0].lower(), name).capitalize())
    return result


def _allow_null(node: dict[str, Any]) -> dict[str, Any]:
    """Return a simplified schema that also accepts null if it is one of maps or lists."""
    if node.get("type") in ("object", "array"):
        return {**node, "type": [node["type"], "null"]}
    kinds = [option.get("type") for option in node.get("anyOf", ())]
    if "null" not in kinds and ("object" in kinds or "array" in kinds):
        return {**node, "anyOf": [*node["anyOf"], {"type": "null"}]}
    return node


def config_table(cls: type[Config]) -> list[tuple[str, str, str, str]]:
    """Return rows for the docs: name of the option in JSON, its type with bounds, its default as JSON, its description.

    The options of a nested class follow the option that has it, with its name before theirs: `tls.authority`, `servers[].port`.
    """
    return list(_rows(_schema(cls), ""))


def _rows(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = node.get("required", ())
    for name, option in node.get("properties", {}).items():
        default = "required" if name in required else msgspec.json.encode(option.get("default")).decode()
        yield (f"{prefix}{name}", _type_text(option), default, option.get("description", ""))
        for inner, path in _find_nested(option, f"{prefix}{name}"):
            yield from _rows(inner, f"{path}.")


def _find_nested(node: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the schemas of nested classes in the schema of an option, each with the path of its options."""
    if "properties" in node:
        yield node, path
    for option in node.get("anyOf", ()):
        yield from _find_nested(option, path)
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(node.get(key), dict):
            yield from _find_nested(node[key], f"{path}{step}")


def _type_text(node: dict[str, Any]) -> str:
    if "anyOf" in node:
        return " or ".join(_type_text(option) for option in node["anyOf"])
    if "enum" in node:
        return " or ".join(f'"{value}"' for value in node["enum"])
    text = "secret" if node.get("writeOnly") else str(node.get("type", "any"))
    if text == "array" and isinstance(node.get("items"), dict):
        text = f"array of {_type_text(node['items'])}"
    bounds = [f"{word} {node[key]}" for key, word in _BOUNDS.items() if key in node]
    return ", ".join([text, *bounds])


_BOUNDS: Final = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "minLength": "length at least",
    "maxLength": "length at most",
    "pattern": "like",
    "minItems": "number of items at least",
    "maxItems": "number of items at most",
    "minProperties": "number of members at least",
    "maxProperties": "number of members at most",
}
"""The bounds of JSON schemas, each with its words in the table of options."""
