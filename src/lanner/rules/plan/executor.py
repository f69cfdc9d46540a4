"""Evaluate a plan for each event in Python: closures over the fields' values.

The input are a plan and a function that returns the value of a numbered field of the current event. The output are the numbers of the
rules that match. Each value is read at most once an event, and only if the index, a candidate or an output needs it. This module
does not read events or handle matches.

This executor is the simple one, and the reference for other executors of the same plan.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from lanner.rules.language import operators, transformers
from lanner.rules.language.typed import All, Comparison, Items, Negation, Slot, Some, Test, Text, Transformation
from lanner.rules.language.vocabulary import MEMBER_OPERATORS
from lanner.sdk.types import FieldType, FieldValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lanner.rules.language.typed import Operand, Tree
    from lanner.rules.plan.plan import Index, Plan

Check: TypeAlias = "Callable[[], bool]"
Candidates: TypeAlias = "tuple[tuple[int, Check], ...]"

# Combinations of indexed values whose candidates are cached. Rules name only few values, but their product may be large
_COMBINATIONS: Final = 4096


class _Memo(dict[int, FieldValue]):
    """Cache of the current event's values. Access reads a missing value."""

    __slots__ = ("_get",)

    def __init__(self, get: Callable[[int], FieldValue]) -> None:
        super().__init__()
        self._get = get

    def __missing__(self, slot: int) -> FieldValue:
        value = self[slot] = self._get(slot)
        return value


class Executor:
    """Evaluates a plan for one event after another, in Python.

    `get` returns the value of a field of the current event by the number of the field in the plan, or None.
    """

    match: Callable[[], Sequence[int]]
    """Return the numbers of the rules that match the current event, in rule order (with `first`, at most one).

    Call it once for each event, before `value`: it forgets the values of the previous event.
    """

    forget: Callable[[], None]
    """Forget the values of the previous event, as `match` does, for callers that evaluate single rules with `holds`."""

    holds: Callable[[int], bool]
    """Return whether the rule with this number matches the current event. Call it after `match` or `forget`."""

    value: Callable[[int], FieldValue]
    """Return the value of the field with this number for the current event."""

    check: Callable[[Tree], Check]
    """Return a function that evaluates a part of a condition for the current event. Call that function after `match`."""

    def __init__(self, plan: Plan, get: Callable[[int], FieldValue], *, first: bool = True) -> None:
        memo = _Memo(get)
        compiler = _Compiler(memo)
        self.value = memo.__getitem__
        self.check = compiler.tree
        checks = [compiler.tree(tree) for tree in plan.conditions]
        self.forget = memo.clear
        self.holds = lambda number: checks[number]()
        self.match = _matcher(plan.index, checks, memo, first=first)


def _matcher(index: Index, checks: Sequence[Check], memo: _Memo, *, first: bool) -> Callable[[], Sequence[int]]:
    # Values that name the same rules are one group. Values that name none have no group: most of the
    # values in events are such, and equivalent.
    groups: list[tuple[int, ...]] = []
    lookups = []
    for field in index.fields:
        group_of = {}
        for value, rules in field.rules.items():
            group_of[value] = len(groups)
            groups.append(rules)
        lookups.append((field.slot, group_of.get))
    known: dict[tuple[int | None, ...], Candidates] = {}

    def candidates_of(key: tuple[int | None, ...]) -> Candidates:
        numbers = set(index.always).union(*(groups[group] for group in key if group is not None))
        if len(known) >= _COMBINATIONS:
            known.clear()
        found = known[key] = tuple((number, checks[number]) for number in sorted(numbers))
        return found

    def match() -> Sequence[int]:
        memo.clear()
        key = tuple([group(memo[slot]) for slot, group in lookups])  # type: ignore[arg-type]
        candidates = known.get(key)
        if candidates is None:
            candidates = candidates_of(key)
        matched: list[int] = []
        for number, check in candidates:
            if check():
                matched.append(number)
                if first:
                    break
        return matched

    return match


def compile_values(operands: Sequence[Operand], value: Callable[[int], FieldValue]) -> Callable[[], tuple[FieldValue, ...]]:
    """Return a function that reads the values of several operands for the current event."""
    getters = [compile_operand(operand, value) for operand in operands]
    return lambda: tuple([get() for get in getters])


def compile_operand(operand: Operand, value: Callable[[int], FieldValue]) -> Callable[[], FieldValue]:
    """Return a function that reads the operand's value for the current event, or None."""
    match operand:
        case Slot(number):
            return partial(value, number)
        case Text(text):
            return lambda: text
        case Items(items):
            return _items([(compile_operand(item, value), item.kind.is_list, transformers.text_of(item.kind)) for item in items])
        case Transformation(operands=operands):
            function = transformers.function(operand)
            inner = [compile_operand(each, value) for each in operands]
            return _apply_one(inner[0], function) if len(inner) == 1 else _apply_many(inner, function)


def _apply_one(inner: Callable[[], FieldValue], function: Callable[..., FieldValue]) -> Callable[[], FieldValue]:
    def transform() -> FieldValue:
        value = inner()
        return None if value is None else function(value)

    return transform


def _apply_many(inner: Sequence[Callable[[], FieldValue]], function: Callable[..., FieldValue]) -> Callable[[], FieldValue]:
    def transform() -> FieldValue:
        values = [each() for each in inner]
        return None if None in values else function(*values)

    return transform


def _items(parts: Sequence[tuple[Callable[[], FieldValue], bool, Callable[[FieldValue], str]]]) -> Callable[[], FieldValue]:
    def list_items() -> FieldValue:
        values: list[str] = []
        for get, is_list, text in parts:
            value = get()
            if value is None:
                return None
            values.extend(map(text, value if is_list else (value,)))  # type: ignore[arg-type]
        return tuple(values)

    return list_items


class _Compiler:
    """Compiler of trees to closures. Equal checks of several rules (mostly from macros) become one."""

    def __init__(self, memo: _Memo) -> None:
        self._memo = memo
        self._checks: dict[Test | Comparison, Check] = {}

    def tree(self, node: Tree) -> Check:
        match node:
            case Test() | Comparison():
                if node not in self._checks:
                    self._checks[node] = self._test(node) if isinstance(node, Test) else self._comparison(node)
                return self._checks[node]
            case Negation(child):
                inner = self.tree(child)
                return lambda: not inner()
            case All(children):
                return _combine_all(list(map(self.tree, children)))
            case Some(children):
                return _combine_some(list(map(self.tree, children)))

    def _test(self, test: Test) -> Check:
        if isinstance(test.left, Slot):
            return self._slot_test(test, test.left)
        get = compile_operand(test.left, self._memo.__getitem__)
        if test.operator == "exists":
            return lambda: get() is not None
        predicate = operators.test(test.operator, test.constants, test.modifier, test.left.kind)

        def check() -> bool:
            value = get()
            return value is not None and predicate(value)

        return check

    def _slot_test(self, test: Test, slot: Slot) -> Check:
        memo, number = self._memo, slot.number
        if test.operator == "exists":
            return lambda: memo[number] is not None
        if not slot.kind.is_list and slot.kind.type is not FieldType.IPNET and test.modifier is None:
            # None is not a constant, so these need no test for it
            if test.operator == "=":
                constant = test.constants[0]
                return lambda: memo[number] == constant
            if test.operator in MEMBER_OPERATORS:
                members = frozenset(test.constants)
                return lambda: memo[number] in members
        predicate = operators.test(test.operator, test.constants, test.modifier, slot.kind)

        def check() -> bool:
            value = memo[number]
            return value is not None and predicate(value)

        return check

    def _comparison(self, node: Comparison) -> Check:
        left = compile_operand(node.left, self._memo.__getitem__)
        right = compile_operand(node.right, self._memo.__getitem__)
        compare = operators.comparison(node.operator, node.left.kind, node.right.kind)

        def check() -> bool:
            a = left()
            if a is None:
                return False
            b = right()
            return b is not None and compare(a, b)

        return check


def _combine_all(checks: Sequence[Check]) -> Check:
    if len(checks) == 2:
        first, second = checks
        return lambda: first() and second()
    return lambda: _each(checks, until=False)


def _combine_some(checks: Sequence[Check]) -> Check:
    if len(checks) == 2:
        first, second = checks
        return lambda: first() or second()
    return lambda: not _each(checks, until=True)


def _each(checks: Iterable[Check], *, until: bool) -> bool:
    """Return whether no check has the result `until`, which would end the loop."""
    for check in checks:  # noqa: SIM110 - a generator for all() costs more than the checks
        if check() is until:
            return False
    return True
