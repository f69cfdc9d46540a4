"""Checks of a configuration class, when the plugin class is defined."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import msgspec.inspect

from lanner.sdk.errors import DefinitionError
from lanner.sdk.options.config import config_schema
from lanner.sdk.options.option_types import LISTS, groups_in, has_secret, is_secret, parts_of
from lanner.sdk.options.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.options.config import Config


def check_config_class(cls: type[Config]) -> None:
    """Check the configuration class. `DefinitionError` names the invalid option and the reason."""
    _check_types(cls, set())
    _check_options(cls, set())
    try:
        config_schema(cls)
    except TypeError as error:
        raise DefinitionError(f"{cls.__name__}: {error}") from None


def _check_types(cls: type[msgspec.Struct], seen: set[type]) -> None:
    """Check that msgspec supports the types of all options, those of nested classes first: its own error does not name the option."""
    if cls in seen:
        return
    seen.add(cls)
    try:
        options = msgspec.structs.fields(cls)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise DefinitionError(f"{cls.__name__}: cannot resolve the annotations of its options: {error}") from None
    for option in options:
        for nested in _classes_in(option.type):
            _check_types(nested, seen)
        try:
            kind = msgspec.inspect.type_info(option.type)
        except (TypeError, ValueError, NotImplementedError) as error:
            reason = f"is of an unsupported type: {error}"
            if _names_secret(option.type):
                reason = f"combines a secret with another type: write `{option.name}: lanner.Secret`, or `lanner.Secret | None`"
            raise DefinitionError(f"{cls.__name__}.{option.name} {reason}") from None
        if _has_secret_key(kind):
            raise DefinitionError(f"{cls.__name__}.{option.name} has secrets as keys: let them be values")


def _classes_in(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for part in get_args(annotation):
        yield from _classes_in(part)


def _names_secret(annotation: Any) -> bool:
    return annotation is Secret or any(map(_names_secret, get_args(annotation)))


def _has_secret_key(kind: msgspec.inspect.Type) -> bool:
    return (isinstance(kind, msgspec.inspect.DictType) and has_secret(kind.key_type)) or any(map(_has_secret_key, parts_of(kind)))


def _check_options(cls: type[msgspec.Struct], seen: set[type]) -> None:
    """Check that no two options of a class or of a nested class have the same spelling, and that no secret is in the source code."""
    if cls in seen:
        return
    seen.add(cls)
    spellings: dict[str, str] = {}
    for option in msgspec.structs.fields(cls):
        for spelling in {option.name.lower(), option.encode_name.lower()}:
            if (other := spellings.setdefault(spelling, option.name)) != option.name:
                raise DefinitionError(
                    f"{cls.__name__}.{option.name} and {other} are the same option in a configuration: rename one of them"
                )
    declared = {option.name: option.type for option in msgspec.structs.fields(cls)}
    for option in msgspec.inspect.type_info(cls).fields:  # type: ignore[attr-defined]
        if any(map(has_secret, _find_kinds(option.type, set()))):
            _check_secret_default(cls, option)
        else:
            _check_default(cls, option, declared[option.name])
        for nested in groups_in(option.type):
            _check_options(nested, seen)


def _check_default(cls: type[msgspec.Struct], option: msgspec.inspect.Field, annotation: Any) -> None:
    """Check that users could write the default of an option themselves: msgspec checks no defaults."""
    default = option.default
    if default is msgspec.NODEFAULT:
        if option.default_factory is msgspec.NODEFAULT or not isinstance(option.default_factory, type):
            return  # other factories may need what exists only when the plugin runs
        default = option.default_factory()
    try:
        msgspec.convert(msgspec.to_builtins(default), annotation)
    except (TypeError, ValueError) as error:
        reason = str(error)
        advice = f": write `{option.name}: ... | None`" if default is None else f": {reason[:1].lower()}{reason[1:]}"
        raise DefinitionError(f"{cls.__name__}.{option.name} has the default {default!r}, which is not of its type{advice}") from None


def _check_secret_default(cls: type[msgspec.Struct], option: msgspec.inspect.Field) -> None:
    """Check that the default of an option contains no secret. No message contains the default."""
    default = option.default
    if option.default_factory is not msgspec.NODEFAULT:
        try:
            default = option.default_factory()
        except Exception as error:  # noqa: BLE001 - a factory is the author's code
            raise DefinitionError(
                f"{cls.__name__}.{option.name} has a secret, and its default_factory failed with {type(error).__name__}: make the "
                "option required (no default)"
            ) from None
    if default is not msgspec.NODEFAULT and _gives_secret(option.type, default):
        advice = f", or write {option.name}: lanner.Secret | None = None" if is_secret(option.type) else ""
        raise DefinitionError(f"{cls.__name__}.{option.name} has a secret as its default: make it required (no default){advice}")


def _find_kinds(kind: msgspec.inspect.Type, seen: set[type]) -> Iterator[msgspec.inspect.Type]:
    """Yield a type and those of the options of all groups in it."""
    yield kind
    for cls in groups_in(kind):
        if cls not in seen:
            seen.add(cls)
            for option in msgspec.inspect.type_info(cls).fields:  # type: ignore[attr-defined]
                yield from _find_kinds(option.type, seen)


def _gives_secret(kind: msgspec.inspect.Type, default: Any) -> bool:
    """Return whether a default has anything but None at the place of a secret. An empty list has not."""
    if default is None:
        return False
    match kind, default:
        case msgspec.inspect.Metadata(type=inner), _:
            return _gives_secret(inner, default)
        case msgspec.inspect.UnionType(types=kinds), _:
            return any(_gives_secret(each, default) for each in kinds)
        case msgspec.inspect.StructType(fields=fields), msgspec.Struct():
            return any(_gives_secret(each.type, getattr(default, each.name, None)) for each in fields)
        case msgspec.inspect.DictType(value_type=inner), dict():
            return any(_gives_secret(inner, value) for value in default.values())
        case msgspec.inspect.TupleType(item_types=kinds), tuple():
            return any(itertools.starmap(_gives_secret, zip(kinds, default, strict=False)))
        case _, list() | tuple() | set() | frozenset() if isinstance(kind, LISTS):
            return any(_gives_secret(kind.item_type, value) for value in default)
    return has_secret(kind)
