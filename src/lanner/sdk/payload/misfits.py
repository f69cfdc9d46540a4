"""Counters of values whose JSON type is not the one that their field reads: such a field has no value."""

from __future__ import annotations

from lanner.sdk.payload.sharing import EXCESS, MAX_REPEATED
from lanner.sdk.payload.trees import walk
from lanner.sdk.payload.words import UNITS
from lanner.sdk.text.encoding import many
from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from lanner.sdk.payload.values import Value
    from lanner.sdk.types import FieldInfo

Misfits: TypeAlias = "dict[str, dict[str, int]]"
"""By field, by JSON type or `EXCESS`: how many values had that type, or how many events that excess."""

TIMESTAMP = "timestamp"
"""Stands for a field: the time of the events."""

_WORDS = {
    "text": ".text()",
    "number": ".text() or .integer()",
    "boolean": ".text() or .boolean()",
    "object": ".raw()",
    "array": ".raw() or EACH",
}
"""By JSON type, the words that read its values."""
_PLURALS = {"text": "texts", "number": "numbers", "boolean": "booleans", "object": "objects", "array": "arrays"}


def misfits_by_field(names: Sequence[str], counts: Iterable[Mapping[str, int]]) -> Misfits:
    """Return the counters of trees by the names of their fields. A field may have several trees, one for each argument."""
    found: Misfits = {}
    for name, by_type in zip(names, counts, strict=True):
        for kind, count in by_type.items():
            mine = found.setdefault(name, {})
            mine[kind] = mine.get(kind, 0) + count
    return found


def add_misfits(one: Misfits, other: Misfits, sign: int = 1) -> Misfits:
    """Return the sum of two counters, or with sign -1 their difference, without zeros."""
    sums = {name: dict(by_type) for name, by_type in one.items()}
    for name, by_type in other.items():
        mine = sums.setdefault(name, {})
        for kind, count in by_type.items():
            mine[kind] = mine.get(kind, 0) + sign * count
    return {name: kept for name, by_type in sums.items() if (kept := {kind: count for kind, count in by_type.items() if count})}


def describe_misfits(misfits: Misfits, fields: Iterable[FieldInfo], timestamp: Value | None) -> Iterator[str]:
    """Yield a line for each field: the values of the payloads, the type of the field, and the methods for the other values.

    `timestamp` is the value that is the time of the events.
    """
    infos = {info.name: info for info in fields}
    for name, counted in sorted(misfits.items()):
        by_type = dict(counted)
        if excess := by_type.pop(EXCESS, 0):
            events = many(excess, "event")
            reason = f"`each` would repeat more than {MAX_REPEATED >> 20} MiB of parts outside its items"
            yield f"{name}: {events} without a value, because {reason}"
        if not by_type:
            continue
        had = " and ".join(f"{count:,} {_PLURALS[kind] if count > 1 else kind}" for kind, count in by_type.items())
        if info := infos.get(name):
            shown = f"{'list of ' if info.is_list else ''}{info.type.value}"
            yield f"{name}: {had} without a value, because the field is a {shown}{_advice(info, by_type)}"
        else:
            verb = "is" if sum(by_type.values()) == 1 else "are"
            yield f"{name}: {had} {verb} not {_time_forms(timestamp)}. Such an event has the time of its arrival"


def _advice(info: FieldInfo, kinds: Iterable[str]) -> str:
    """Return the words that read values of these JSON types."""
    by_words: dict[str, list[str]] = {}
    for kind in kinds:
        words = ".text()" if kind == "number" and info.type is FieldType.UINT64 else _WORDS[kind]
        if kind in {"object", "array"} and info.is_list:
            continue  # perhaps instead of the list, where no word helps
        by_words.setdefault(words, []).append(_PLURALS[kind])
    advice = ", ".join(f"with {words} for {' and '.join(kinds)}" for words, kinds in by_words.items())
    return f": declare it {advice}" if advice else ""


def _time_forms(timestamp: Value | None) -> str:
    """Return the forms that a timestamp reads."""
    if timestamp is None:
        return "a time"
    forms = dict.fromkeys(str(node.data()[2]) for node in walk(timestamp) if node.data()[0] == "time")
    return " or ".join(f"a time in {form} since 1970" if form in UNITS else f"a time of the form {form}" for form in forms)
