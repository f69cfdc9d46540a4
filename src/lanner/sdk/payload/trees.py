"""Properties of a value's tree: the arguments of its field, and the paths that need an item."""

from __future__ import annotations

from lanner.sdk.payload.path_parts import path_text
from lanner.sdk.payload.values import ArgumentPresence, ConditionalValue, FirstValue, ItemValues, Path
from lanner.sdk.payload.words import INDEX, ItemPlace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.payload.values import Value
    from lanner.sdk.payload.words import FieldArgument


def walk(value: Value) -> Iterator[Value]:
    """Yield all nodes of a tree, the root first."""
    yield value
    for child in value.children:
        yield from walk(child)


def arguments(value: Value) -> frozenset[FieldArgument]:
    """Return the arguments that the tree of `value` takes."""
    takes: frozenset[FieldArgument] = frozenset()
    for node in walk(value):
        takes |= node.own_arguments
        if isinstance(node, Path) and ItemPlace.AT_INDEX in node.parts:
            takes |= {INDEX}
    return takes


def text_place(value: Value) -> str:
    """Return the place whose strings are the value, as it is written; "" if other JSON values count or the field has an argument."""
    match value:
        case Path() if not arguments(value):
            return path_text(value.root, value.parts)
        case FirstValue(options=options):
            places = list(map(text_place, options))
            return places[0] if all(places) else ""
        case ConditionalValue(value=inner):
            return text_place(inner)
    return ""


def needs_argument(value: Value) -> bool:
    """Return whether the tree of `value` has no value if the field has no argument."""
    match value:
        case FirstValue(options=options):
            return all(map(needs_argument, options))
        case ConditionalValue(name=name, condition=ArgumentPresence()):
            return name == "when" or needs_argument(value.value)
        case ArgumentPresence():
            return False
    return bool(value.own_arguments) or any(map(needs_argument, value.children))


def uses_item(value: Value) -> bool:
    """Return whether the tree of `value` has a path from `item` outside `each`."""
    if isinstance(value, Path):
        return value.root == "item"
    children = (value.items,) if isinstance(value, ItemValues) else value.children
    return any(map(uses_item, children))
