"""The program of the native executor: plain tuples from a `Plan`, as `lanner.native.Executor` takes them.

The caller supplies the source of each numbered field's value (`sources`): the payload, the host's data
about an event, or Python. Strings become bytes. The conversion adds nothing to the plan, and raises `LannerError` for parts
that a program cannot express.

A program is (trees, has_time, sources, operands, checks, nodes, conditions, index, wanted):

- trees: those of `lanner.sdk.payload.values`, as data; with has_time the last returns an event's own time.
- sources: ("python",), ("absent",), ("text", bytes), ("number", int), ("json", tree, argument as bytes, int or None).
  ("place",) is the event's number. ("time", part) and ("elapsed", part) have the part "", "s" or "ns".
  ("clock", shape) has the shape "time", "time.s", "time.iso8601", "datetime" or "datetime.s".
- operands: (word, type, slot or constant or operands, selector), each after its own operands.
- checks: ("exists" | "constants" | "fields", operand, operator, constants or operand, modifier).
- nodes: ("check", check), ("not" | "all" | "some", nodes), each after its children; ("python",) for a condition that Python evaluates.
- index: ([(slot, [(value, rules)])], always).
- wanted: by rule, the operands that its alerts show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.rules.language.typed import All, Comparison, Items, Negation, Slot, Some, Test, Text, Transformation
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many, to_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lanner.rules.language.typed import Constant, Kind, Operand, Tree
    from lanner.rules.plan.plan import Index, Plan
    from lanner.sdk.payload.path_parts import Data
    from lanner.sdk.types import FieldValue

Source: TypeAlias = "tuple[Any, ...]"
Program: TypeAlias = "tuple[Any, ...]"

PYTHON: Final[Source] = ("python",)


class NativePlanError(LannerError, ValueError):
    """A plan that the native executor cannot run."""


def make_program(
    plan: Plan,
    sources: Sequence[Source],
    trees: Sequence[Data] = (),
    wanted: Sequence[Sequence[Operand]] = (),
    *,
    has_time: bool = False,
    in_python: Collection[int] = (),
) -> Program:
    """Return the program of a plan. Raises `NativePlanError`.

    `wanted` are by rule the operands that its alerts show. The rules with the numbers in `in_python` are candidates for every
    event: Python evaluates their conditions.
    """
    if len(sources) != len(plan.fields):
        raise NativePlanError(f"the plan has {many(len(plan.fields), 'field')}, but {many(len(sources), 'source')} were given")
    parts = _Parts()
    conditions = [parts.python() if number in in_python else parts.node(tree) for number, tree in enumerate(plan.conditions)]
    listed = wanted or [()] * len(conditions)
    shown = [() if number in in_python else tuple(map(parts.operand, operands)) for number, operands in enumerate(listed)]
    index = _index(plan.index, sources, in_python)
    return list(trees), has_time, list(sources), parts.operands, parts.checks, parts.nodes, conditions, index, shown


def native_value(value: FieldValue) -> Any:
    """Return a field's value in the native representation: strings as bytes."""
    if isinstance(value, str):
        return to_bytes(value)
    return tuple(map(native_value, value)) if isinstance(value, tuple) else value


class _Parts:
    """Collects the operands, checks and nodes of trees; equal ones get one number."""

    def __init__(self) -> None:
        self.operands: list[tuple[Any, ...]] = []
        self.checks: list[tuple[Any, ...]] = []
        self.nodes: list[tuple[Any, ...]] = []
        self._numbers: dict[tuple[str, object], int] = {}
        # Trees that share parts, as from macros. The plan keeps them alive meanwhile
        self._known: dict[int, int] = {}

    def python(self) -> int:
        """Return the node of a condition that Python evaluates."""
        return self._number("node", self.nodes, ("python",))

    def node(self, tree: Tree) -> int:
        known = self._known.get(id(tree))
        if known is None:
            known = self._known[id(tree)] = self._number("node", self.nodes, self._node(tree))
        return known

    def _node(self, tree: Tree) -> tuple[Any, ...]:
        match tree:
            case Test() | Comparison():
                return "check", self._number("check", self.checks, self._check(tree))
            case Negation(child):
                return "not", (self.node(child),)
            case All(children):
                return "all", tuple(map(self.node, children))
            case Some(children):
                return "some", tuple(map(self.node, children))
        raise NativePlanError(f"the native executor does not support a {type(tree).__name__} in a condition")

    def _check(self, test: Test | Comparison) -> tuple[Any, ...]:
        left = self.operand(test.left)
        if isinstance(test, Comparison):
            return "fields", left, test.operator, self.operand(test.right), None
        if test.operator == "exists":
            return "exists", left, None, (), None
        return "constants", left, test.operator, tuple(map(_constant, test.constants)), test.modifier

    def operand(self, operand: Operand) -> int:
        kind = _kind(operand.kind)
        match operand:
            case Slot(number):
                made: tuple[Any, ...] = ("slot", kind, number, None)
            case Text(text):
                made = ("constant", kind, to_bytes(text), None)
            case Items(items):
                made = ("items", kind, tuple(map(self.operand, items)), None)
            case Transformation(name, operands, selector=selector):
                word = "joined len" if name == "len" and _is_of_getopt(operands[0]) else name
                made = (word, kind, tuple(map(self.operand, operands)), None if selector is None else to_bytes(selector))
            case _:
                raise NativePlanError(f"the native executor does not support a {type(operand).__name__} as an operand")
        return self._number("operand", self.operands, made)

    def _number(self, what: str, parts: list[tuple[Any, ...]], part: tuple[Any, ...]) -> int:
        # True and 1 are equal and have the same meaning in the native part
        number = self._numbers.setdefault((what, part), len(parts))
        if number == len(parts):
            parts.append(part)
        return number


def _is_of_getopt(operand: Operand) -> bool:
    """Return whether Falco measures the one text in the list, as for operands that were combined (see transformers)."""
    inner = operand
    while isinstance(inner, Transformation) and len(inner.operands) == 1:
        inner = inner.operands[0]
    return isinstance(inner, Transformation) and operand.kind.is_list


def _kind(kind: Kind) -> tuple[str, bool, bool, bool]:
    return kind.type.value, kind.is_list, kind.terminated, kind.binary


def _constant(constant: Constant) -> Any:
    return to_bytes(constant) if isinstance(constant, str) else constant


def _index(index: Index, sources: Sequence[Source], in_python: Collection[int]) -> tuple[Any, Any]:
    # Rules of values that only Python can compute, and rules that Python evaluates, are candidates for every event
    always = {*index.always, *in_python}
    fields = []
    for field in index.fields:
        if sources[field.slot][0] in {"python", "time", "elapsed", "clock"}:
            always.update(*field.rules.values())
            continue
        values = []
        for value, rules in field.rules.items():
            native = tuple(rule for rule in rules if rule not in in_python) if in_python else rules
            if native:
                values.append((_constant(value), native))
        fields.append((field.slot, values))
    return fields, sorted(always)
