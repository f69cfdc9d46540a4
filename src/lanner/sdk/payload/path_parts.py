"""The elements of a path in a payload: as data for evaluators, and as they are written."""

from __future__ import annotations

from lanner.sdk.payload.words import FieldArgument, ItemPlace
from lanner.sdk.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

Part: TypeAlias = str | int | FieldArgument | ItemPlace
Data: TypeAlias = "list[str | int | dict[str, str] | Data]"


class ItemFilter(Record):
    """An element of a path: only items whose member `name` is one of `texts`, or that have such a member."""

    name: str
    texts: tuple[str, ...]


def part_data(part: Part | ItemFilter) -> str | int | dict[str, str] | Data:
    """Return an element of a path, or an operand of a word, as plain data."""
    match part:
        case FieldArgument():
            return {"argument": part.value}
        case ItemPlace():
            return {"each": part.value}
        case ItemFilter(name=name, texts=texts):
            return ["where", name, *texts]
    return part


def path_text(root: str, parts: Iterable[Part | ItemFilter]) -> str:
    """Return a path as it is written: payload["spec", EACH]. `root` is "path" or "item"."""
    shown = []
    for part in parts:
        match part:
            case FieldArgument():
                shown.append(part.name)
            case ItemPlace():
                shown.append("EACH" if part is ItemPlace.ALL else "INDEX | EACH")
            case str():
                shown.append(f'"{part}"')
            case int():
                shown.append(str(part))
    return f"{'item' if root == 'item' else 'payload'}[{', '.join(shown)}]"
