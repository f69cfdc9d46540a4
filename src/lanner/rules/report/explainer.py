"""Explain a rule's condition, part by part, for the current event of an executor.

The input are a rule, its tree in the executor's plan and the executor; the output is an `Explanation`. Names and strings come from the
original condition, which still contains the names of macros and lists. Each part's value comes from the executor's own
closures for its part of the plan's tree, so that an explanation always agrees with the rule.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from lanner.rules.condition import ast
from lanner.rules.condition.falco_unparse import field_text
from lanner.rules.condition.parser import parse
from lanner.rules.condition.unparse import show, show_operand
from lanner.rules.language import typed
from lanner.rules.plan.executor import compile_operand
from lanner.rules.report.explanation import Explanation, Part
from lanner.rules.resolve.lists import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.rules.files.placed_text import Piece
    from lanner.rules.plan.executor import Executor
    from lanner.rules.plan.plan import Plan
    from lanner.rules.report.explanation import Kind, Value
    from lanner.rules.resolve.rule import Expression, Rule


class _Node(Struct):
    """A part that can be evaluated for each event."""

    kind: Kind
    check: Callable[[], bool]
    text: str = ""
    macros: tuple[str, ...] = ()
    exception: str = ""
    values: tuple[tuple[str, Callable[[], Value]], ...] = ()
    parts: tuple[_Node, ...] = ()

    def look(self, *, blamed: bool) -> Part:
        """Return the part's result for the current event. `blamed`: it contains, or is, the first part that is false."""
        holds = self.check()
        blamed = blamed and not holds
        parts = []
        for node in self.parts:
            part = node.look(blamed=blamed and self.kind == "all")
            blamed = blamed and (self.kind != "all" or part.holds)
            parts.append(part)
        values = tuple((name, value()) for name, value in self.values)
        return Part(self.kind, holds, self.text, self.macros, self.exception, values, tuple(parts), marked=blamed)

    def progress(self) -> float:
        """Return the progress of the current event, from 0 to 1: the share of required parts that hold before the first false one."""
        if self.kind == "one":
            return max(node.progress() for node in self.parts)
        if self.kind != "all":
            return float(self.check())
        done = 0.0
        for node in self.parts:
            part = node.progress()
            done += part
            if part < 1:
                break
        return done / len(self.parts)


class Explainer:
    """Explains one rule of a plan, event by event. Call it after the executor's `match`."""

    def __init__(self, rule: Rule, plan: Plan, number: int, executor: Executor) -> None:
        """Create an explainer of the rule with this number in the plan."""
        self._rule = rule
        own, macros = rule.expressions
        builder = _Builder(macros, plan, executor)
        self._root = builder.build(own, plan.conditions[number])
        self._lists = builder.lists

    def progress(self) -> float:
        """Return the progress of the current event, from 0 to 1; 1 is a match."""
        return self._root.progress()

    def explain(self, number: int, event: str) -> Explanation:
        """Explain the rule for the current event, described by `number` and `event`."""
        part = self._root.look(blamed=True)
        return Explanation(self._rule.name, str(self._rule.place), part, dict(self._lists), number, event)


class _Source(Struct):
    """A condition as written: its tree with macros, and the pieces of its text that are a list's name or an exception."""

    expression: Expression
    tree: ast.Condition
    pieces: list[Piece] = field(default_factory=list)
    exceptions: frozenset[int] = frozenset()

    @classmethod
    def of(cls, expression: Expression) -> _Source:
        source = cls(expression, parse(expression.written))
        try:
            pieces = expression.lists.write_into(expression.text).pieces
        except TooLargeError:
            return source  # then the explanation shows the items of lists
        source.pieces = [piece for piece in pieces if piece.whole]
        source.exceptions = frozenset(id(piece.scalar) for piece in expression.text.pieces if piece.whole)
        return source

    def list_at(self, offset: int) -> tuple[int, str]:
        """Return the number of the list's piece that contains the character, and the list's name; -1 if none does."""
        for number, piece in enumerate(self.pieces):
            if piece.begin <= offset < piece.begin + piece.size and id(piece.scalar) not in self.exceptions:
                return number, _name(piece)
        return -1, ""

    def exception_at(self, offset: int) -> str:
        for piece in self.pieces:
            if piece.begin <= offset < piece.begin + piece.size and id(piece.scalar) in self.exceptions:
                return _name(piece)
        return ""


def _name(piece: Piece) -> str:
    return piece.scalar.value[piece.offset : piece.offset + piece.whole]


class _Builder:
    def __init__(self, macros: dict[str, Expression], plan: Plan, executor: Executor) -> None:
        self._macros = macros
        self._plan = plan
        self._executor = executor
        self._sources: dict[str, _Source] = {}
        self.lists: dict[str, list[str]] = {}

    def build(self, own: Expression, tree: typed.Tree) -> _Node:
        source = _Source.of(own)
        return self._node(source.tree, tree, source)

    def _node(self, node: ast.Condition, tree: typed.Tree, source: _Source) -> _Node:
        names: list[str] = []
        while isinstance(node, ast.Macro):
            names.append(node.name)
            source = self._macro(node.name)
            node = source.tree
        made = self._make(node, tree, source)
        made.macros = tuple(names)
        return made

    def _macro(self, name: str) -> _Source:
        if name not in self._sources:
            self._sources[name] = _Source.of(self._macros[name])
        return self._sources[name]

    def _make(self, node: ast.Condition, tree: typed.Tree, source: _Source) -> _Node:
        check = self._executor.check(tree)
        match node, tree:
            case (ast.And(children), typed.All(parts)) | (ast.Or(children), typed.Some(parts)):
                inner = (self._node(child, part, source) for child, part in zip(children, parts, strict=True))
                return _Node("all" if isinstance(node, ast.And) else "one", check, parts=tuple(inner))
            case ast.Not(child), typed.Negation(part):
                exception = source.exception_at(child.span[0])
                return _Node("not", check, exception=exception, parts=(self._node(child, part, source),))
            case ast.Check(), typed.Test() | typed.Comparison():
                return _Node("test", check, self._text(node, source), values=tuple(self._values(node, tree)))
        raise AssertionError(f"{node} is not the source of {tree}")

    def _text(self, node: ast.Check, source: _Source) -> str:
        right = node.right
        if isinstance(right, ast.ConstantList):
            right = replace(right, items=tuple(self._replace_named(right.items, source, right.span[0])))
        elif isinstance(right, ast.Constant):
            right = next(self._replace_named((right,), source, 0))
        return show(replace(node, right=right))

    def _replace_named(self, items: Sequence[ast.Constant], source: _Source, begin: int) -> Iterator[ast.Constant]:
        """Return the items, with those of a list replaced by its name. Their spans count from `begin`."""
        last = -1
        for item in items:
            number, name = source.list_at(begin + item.span[0])
            if number < 0:
                yield item
            elif number != last:
                self.lists[name] = source.expression.lists.items(name)
                yield ast.Constant(name)
            last = number

    def _values(self, node: ast.Check, tree: typed.Test | typed.Comparison) -> Iterator[tuple[str, Callable[[], Value]]]:
        yield show_operand(node.left), self._getter(tree.left)
        inner = [] if isinstance(tree.left, typed.Slot) else list(_slots(tree.left))
        if isinstance(tree, typed.Comparison):
            if not isinstance(tree.right, typed.Slot):
                assert node.right is not None
                yield show_operand(node.right), self._getter(tree.right)
            inner += _slots(tree.right)
        for slot in inner:
            request = self._plan.fields[slot.number]
            yield field_text(request.name, request.argument if request.argument is None else str(request.argument)), self._getter(slot)

    def _getter(self, operand: typed.Operand) -> Callable[[], Value]:
        get = compile_operand(operand, self._executor.value)
        return lambda: _simplify(get())


def _slots(operand: typed.Operand) -> Iterator[typed.Slot]:
    match operand:
        case typed.Slot():
            yield operand
        case typed.Items(inner) | typed.Transformation(operands=inner):
            for each in inner:
                yield from _slots(each)


def _simplify(value: Any) -> Value:
    """Return a value for JSON: addresses become strings."""
    if isinstance(value, tuple):
        return [_simplify(item) for item in value]  # type: ignore[misc]
    return str(ip_address(value)) if isinstance(value, bytes) else value
