"""The types of options, as msgspec describes them: the parts of one, its groups of options, and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import msgspec.inspect

from lanner.sdk.options.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.SetType, msgspec.inspect.FrozenSetType)


def parts_of(kind: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, ...]:
    """Return the types of which a type is made: of items, values, or alternatives. The options of a group are none of them."""
    match kind:
        case (
            msgspec.inspect.Metadata(type=inner)
            | msgspec.inspect.ListType(item_type=inner)
            | msgspec.inspect.VarTupleType(item_type=inner)
            | msgspec.inspect.SetType(item_type=inner)
            | msgspec.inspect.FrozenSetType(item_type=inner)
            | msgspec.inspect.DictType(value_type=inner)
        ):
            return (inner,)
        case msgspec.inspect.UnionType(types=kinds) | msgspec.inspect.TupleType(item_types=kinds):
            return tuple(kinds)
    return ()


def groups_in(kind: msgspec.inspect.Type) -> Iterator[type[msgspec.Struct]]:
    """Yield the classes of the groups of options in a type."""
    if isinstance(kind, msgspec.inspect.StructType):
        yield kind.cls
    for part in parts_of(kind):
        yield from groups_in(part)


def has_secret(kind: msgspec.inspect.Type) -> bool:
    """Return whether a type is or contains a secret, outside the options of groups."""
    return (isinstance(kind, msgspec.inspect.CustomType) and kind.cls is Secret) or any(map(has_secret, parts_of(kind)))


def is_secret(kind: msgspec.inspect.Type) -> bool:
    """Return whether a type is a secret, perhaps None, and no list or group of options."""
    if isinstance(kind, (msgspec.inspect.Metadata, msgspec.inspect.UnionType)):
        return any(map(is_secret, parts_of(kind)))
    return isinstance(kind, msgspec.inspect.CustomType) and kind.cls is Secret
