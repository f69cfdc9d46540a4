"""The keys of an item: unknown and duplicate keys, `append`, and the effect of an error in a key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from lanner.rules.files.overrides import APPENDABLE, REPLACEABLE, read_overrides
from lanner.rules.files.scalars import ItemError, as_string, bad_conversion, boolean
from lanner.rules.findings import make_finding
from lanner.sdk.text.misspelt import find_near
from lanner.yamlfile.reader import Mapping, Scalar
from lanner.yamlfile.source import Spot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.rules.files.items import (
        Step,
    )
    from lanner.yamlfile.source import Context

_T = TypeVar("_T")
APPEND_IS_OLD: Final = "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
BOTH_APPEND: Final = (
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
)
LIST_KEYS: Final = frozenset({"list", "items", "append", "override"})
MACRO_KEYS: Final = frozenset({"macro", "condition", "append", "override"})
RULE_KEYS: Final = APPENDABLE | REPLACEABLE | {"rule", "source", "override", "append"}


class Attempt(Protocol):
    """Reads the keys of an item, and decides what happens to an error."""

    def __call__(self, steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T: ...


def read_strictly(steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T:  # noqa: ARG001 - as `read_leniently`
    """Read one key. An error ends the item."""
    return read()


def read_leniently(steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T:
    """Read one key. An error becomes a step, and `fallback` the value."""
    try:
        return read()
    except ItemError as refused:
        steps.append(refused.finding)
        return fallback


def item_context(item: Mapping, kind: str, name: str = "") -> Context:
    """Return the item's place: its first key, because its end may be far away."""
    end = item.pairs[0][1].end if item.pairs else item.end
    return (Spot(item.file, item.begin, end, kind, name),)


def warn_of_keys_of(item: Mapping, steps: list[Step]) -> None:
    """Warn about the unknown keys of an unreadable item."""
    for kind, known in (("list", LIST_KEYS), ("macro", MACRO_KEYS), ("rule", frozenset(RULE_KEYS))):
        name = item.values.get(kind)
        if isinstance(name, Scalar):
            read_leniently(steps, lambda: warn_of_keys(item, known, item_context(item, kind, name.value), steps), None)  # noqa: B023 - at once
            return


def warn_of_keys(item: Mapping, known: frozenset[str], context: Context, steps: list[Step]) -> None:
    if len(item.values) == len(item.pairs) and item.values.keys() <= known:  # the usual case
        return
    seen: Counter[str] = Counter()
    for key, _ in item.pairs:
        if not isinstance(key, Scalar):
            raise bad_conversion(key, "A key must be a string.")
        name = as_string(key)
        seen[name] += 1
        if name not in known:
            message = f"Unknown key '{name}'. The key will be ignored."
            near = find_near(name, known)
            advice = f"Did you mean '{near}'?" if near else f"The keys are: {', '.join(sorted(known))}."
            steps.append(make_finding("warning", "LOAD_UNKNOWN_KEY", message, (*context, key.spot()), advice))
        elif seen[name] == 2:
            message = f"Duplicate key '{name}'. The first one is used, this one is ignored."
            steps.append(make_finding("warning", "LOAD_UNKNOWN_KEY", message, (*context, key.spot()), own=True))


def read_append(item: Mapping, key: str, context: Context, steps: list[Step]) -> bool:
    """Return whether the item appends to a list or a macro, by `append` or by an override of its one key."""
    append = read_old_append(item, context, steps)
    overrides = read_overrides(item, context, frozenset({key}), frozenset({key}))
    if append and overrides:
        raise ItemError(BOTH_APPEND, context)
    return append or key in overrides.append


def read_old_append(item: Mapping, context: Context, steps: list[Step]) -> bool:
    append = boolean(item, "append", context, default=False)
    if append:
        steps.append(make_finding("warning", "LOAD_DEPRECATED_ITEM", APPEND_IS_OLD, context))
    return append
