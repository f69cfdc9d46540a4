"""The plan: all rules as plain data, for executors.

The input are checked conditions in rule order and the fields that they and the outputs need. The output is a `Plan`: numbered fields,
trees over those numbers, and an index that selects the rules that can match from a few of an event's values. A plan contains
no functions, and does not depend on how or where it is run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from lanner.rules.language.typed import All, Constant, Negation, Slot, Some, Test, Tree
from lanner.rules.language.vocabulary import MEMBER_OPERATORS
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanner.rules.language.catalog import FieldRequest

# A requirement of a condition: the field with this number has one of these values
Requirements: TypeAlias = "dict[int, frozenset[Constant]]"

# Each indexed field is read for every event, whether a rule needs it or not
_INDEXED_FIELDS: Final = 6


class IndexedField(Struct, frozen=True, gc=False):
    """A field whose value selects rules: `rules` has the numbers of those that can match, in order, for each value."""

    slot: int
    rules: Mapping[Constant, tuple[int, ...]]


class Index(Struct, frozen=True, gc=False):
    """A rule is a candidate if it is in `always`, or if an indexed field of the event has a value that selects it.

    A rule in neither of them can never match.
    """

    fields: tuple[IndexedField, ...]
    always: tuple[int, ...]


class Plan(Struct, frozen=True, gc=False):
    """Fields by number, conditions by rule number (in rule order), and the index over them."""

    fields: tuple[FieldRequest, ...]
    conditions: tuple[Tree, ...]
    index: Index


def make_plan(conditions: Sequence[Tree], fields: Sequence[FieldRequest]) -> Plan:
    """Return the plan of these conditions. A slot in them is an index in `fields`."""
    return Plan(tuple(fields), tuple(conditions), make_index(conditions))


def make_index(conditions: Sequence[Tree]) -> Index:
    """Return each rule's requirement, if it has any, that it shares with the fewest other rules."""
    known: dict[int, Requirements] = {}
    required = [requirements(tree, known) for tree in conditions]
    shares = Counter((slot, value) for each in required for slot, values in each.items() for value in values)
    popular = Counter(slot for each in required for slot in each)
    allowed = set(popular)
    chosen = [_choose(each, allowed, shares, popular) for each in required]
    used = Counter(slot for slot in chosen if slot is not None)
    if len(used) > _INDEXED_FIELDS:
        allowed = {slot for slot, _ in used.most_common(_INDEXED_FIELDS)}
        chosen = [_choose(each, allowed, shares, popular) for each in required]
    rules: dict[int, dict[Constant, list[int]]] = {}
    always = []
    for number, (slot, each) in enumerate(zip(chosen, required, strict=True)):
        if slot is None:
            always.append(number)
            continue
        values = rules.setdefault(slot, {})
        for value in each[slot]:
            values.setdefault(value, []).append(number)
    fields = (IndexedField(slot, {value: tuple(numbers) for value, numbers in values.items()}) for slot, values in sorted(rules.items()))
    return Index(tuple(fields), tuple(always))


def _choose(
    required: Requirements, allowed: Iterable[int], shares: Mapping[tuple[int, Constant], int], popular: Mapping[int, int]
) -> int | None:
    def cost(slot: int) -> tuple[int, int, int]:
        # the rules selected in the worst case; then fields that other rules use anyway
        return max((shares[slot, value] for value in required[slot]), default=0), -popular[slot], slot

    return min((slot for slot in required if slot in allowed), key=cost, default=None)


def requirements(tree: Tree, known: dict[int, Requirements] | None = None, *, holds: bool = True) -> Requirements:
    """Return the requirements of a tree, or of its negation, that follow from comparisons of single fields with constants.

    `known` is for trees that share parts, as from macros: previous results, by the part's identity, inverted for its negation.
    """
    known = {} if known is None else known
    key = id(tree) if holds else ~id(tree)
    found = known.get(key)
    if found is None:
        found = known[key] = _requirements(tree, known, holds=holds)
    return found


def _requirements(tree: Tree, known: dict[int, Requirements], *, holds: bool) -> Requirements:
    match tree:
        case Test():
            return _of_test(tree) if holds else {}  # a test is also false for a missing value
        case All(children) | Some(children):
            parts = [requirements(child, known, holds=holds) for child in children]
            return _all_of(parts) if isinstance(tree, All) is holds else _one_of(parts)
        case Negation(child):
            return requirements(child, known, holds=not holds)
    return {}  # a comparison of two fields requires no value of either


def _of_test(test: Test) -> Requirements:
    # A list field has several values, and addresses cannot be looked up among networks
    if not isinstance(test.left, Slot) or test.left.kind.is_list or test.left.kind.type is FieldType.IPNET:
        return {}
    plain = test.modifier is None and test.operator in MEMBER_OPERATORS
    if plain or (test.operator == "=" and test.modifier == "anyof"):
        return {test.left.number: frozenset(test.constants)}
    return {}


def _all_of(parts: Iterable[Requirements]) -> Requirements:
    found: Requirements = {}
    for part in parts:
        for slot, values in part.items():
            before = found.get(slot)
            found[slot] = values if before is None else values & before
    return found


def _one_of(parts: Sequence[Requirements]) -> Requirements:
    common = set(parts[0])
    for part in parts:
        common.intersection_update(part)
    return {slot: frozenset[Constant]().union(*(part[slot] for part in parts)) for slot in common}
