"""Describe a configuration class of plain options for `lanner.sdk.options.plain`, when a library is built."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

import msgspec
import msgspec.inspect

from lanner.native import encode_json
from lanner.sdk.options.config import Config
from lanner.sdk.options.source_digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable


def describe_plain(cls: type[Config], is_inside: Callable[[str], bool]) -> str:
    """Return the description as JSON, or "" for a class that does more than declare options, or has one that must be set.

    `is_inside` tells which modules the library contains. Others may change after the build, so the description has their digests.
    """
    kinds = [kind for kind in cls.__mro__ if issubclass(kind, Config) and kind is not Config]
    if any(map(_has_code, kinds)) or cls.__struct_config__.frozen or cls.__struct_config__.tag is not None:
        return ""
    options = {}
    for option, field in zip(msgspec.inspect.type_info(cls).fields, msgspec.structs.fields(cls), strict=True):  # type: ignore[attr-defined]
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if not _is_json(default):
            return ""
        options[option.encode_name] = (option.name, *_describe(option.type), default)
    files = {
        module: getattr(sys.modules[module], "__file__", None) for module in {kind.__module__ for kind in kinds} if not is_inside(module)
    }
    if not all(files.values()):
        return ""
    return encode_json({"options": options, "sources": {file: digest_of(file) for file in sorted(map(str, files.values()))}}).decode()


def _has_code(kind: type) -> bool:
    """Return whether the class has methods, properties or other attributes in addition to its options."""
    own = {name for name, value in vars(kind).items() if not name.startswith("__") or isinstance(value, FunctionType)}
    return not own <= set(kind.__struct_fields__)  # type: ignore[attr-defined]


def _is_json(default: Any) -> bool:
    """Return whether a default is the same after a way through JSON."""
    return default is None or type(default) in {str, bool, int} or default in ([], {})


def _describe(kind: msgspec.inspect.Type) -> tuple[str, list[Any]]:
    """Return the word for values that are checked without the class, and their limits; "" for other types."""
    match kind:
        case msgspec.inspect.Metadata(type=inner):
            return _describe(inner)
        case msgspec.inspect.StrType(min_length=None, max_length=None, pattern=None):
            return "text", []
        case msgspec.inspect.BoolType():
            return "flag", []
        case msgspec.inspect.IntType(gt=None, lt=None, multiple_of=None):
            return "number", [kind.ge, kind.le]
        case msgspec.inspect.LiteralType(values=values) if all(isinstance(value, str) for value in values):
            return "choice", list(values)
    return "", []
