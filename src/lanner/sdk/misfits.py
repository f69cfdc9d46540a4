"""Counters of values whose JSON type is not the one that their field reads: such a field has no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lanner.sdk.types import FieldInfo

Misfits: TypeAlias = "dict[str, dict[str, int]]"
"""By field, by JSON type: how many values had that type."""

TIMESTAMP = "timestamp"
"""Stands for a field: the time of the events."""

_PLURALS = {"text": "texts", "number": "numbers", "boolean": "booleans", "object": "objects", "array": "arrays"}


def misfits_by_field(names: Sequence[str], counts: Iterable[Mapping[str, int]]) -> Misfits:
    """Return the counters of trees by the names of their fields. A field may have several trees, one for each argument."""
    found: Misfits = {}
    for name, by_type in zip(names, counts, strict=True):
        for kind, count in by_type.items():
            mine = found.setdefault(name, {})
            mine[kind] = mine.get(kind, 0) + count
    return found


def added(one: Misfits, other: Misfits, sign: int = 1) -> Misfits:
    """Return the sum of two counters, or with sign -1 their difference, without zeros."""
    sums = {name: dict(by_type) for name, by_type in one.items()}
    for name, by_type in other.items():
        mine = sums.setdefault(name, {})
        for kind, count in by_type.items():
            mine[kind] = mine.get(kind, 0) + sign * count
    return {name: kept for name, by_type in sums.items() if (kept := {kind: count for kind, count in by_type.items() if count})}


def describe_misfits(misfits: Misfits, fields: Iterable[FieldInfo]) -> Iterator[str]:
    """Yield a line for each field: what the payloads had, and what the field reads."""
    infos = {info.name: info for info in fields}
    for name, by_type in sorted(misfits.items()):
        had = " and ".join(f"{count:,} {_PLURALS[kind] if count > 1 else kind}" for kind, count in by_type.items())
        info = infos.get(name)
        reads = f"the field is a {'list of ' if info.is_list else ''}{info.type.value}" if info else "it is the time of the events"
        yield f"{name}: {had} without a value, because {reads}"
