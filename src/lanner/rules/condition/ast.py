"""The syntax tree of a condition, as the parser makes it and everything after it reads it.

Plain data: no node knows how it is parsed, printed, checked or run. Every node has a span: the offsets (in characters, end
exclusive) of its text in the condition from which it was parsed. Spans do not take part in comparisons.

The parser and the resolver make trees of at most `MAX_DEPTH` levels of `And`, `Or` and `Not`, so that whoever reads one may do it by
plain recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Span: TypeAlias = tuple[int, int]
Operator: TypeAlias = Literal[
    "exists", "=", "==", "!=", "<", "<=", ">", ">=", "glob", "iglob", "contains", "icontains", "bcontains", "startswith",
    "bstartswith", "endswith", "regex", "in", "intersects", "pmatch",
]  # fmt: skip
Modifier: TypeAlias = Literal["oneof", "anyof", "allof"]

# Far above what people write, and far below what would exhaust Python's stack at some calls a level
MAX_DEPTH: Final = 200


@dataclass(frozen=True, slots=True)
class Constant:
    """A text as written, after escapes; `quoted` tells whether it stood in quotes."""

    text: str
    quoted: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ConstantList:
    """`(a, b, c)`: the right side of list operators."""

    items: tuple[Constant, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """`name` or `name[argument]`."""

    name: str
    argument: str | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OperandList:
    """`(field, transformer, 'text', 1)`: a list as an argument of a transformer; it may be empty."""

    items: tuple[Field | Transform | Constant, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Transform:
    """`name(argument, ...)`: tolower, toupper, b64, basename, len, join, concat, getopt; `val` stands on the right only.

    `selector` is the text in the brackets after it, as in `getopt(list, 'ab:')[b]`.
    """

    name: str
    arguments: tuple[Field | Transform | Constant | OperandList, ...]
    selector: str | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


Operand: TypeAlias = Field | Transform | Constant | ConstantList


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: `left operator right`, `left operator modifier list`, or `left exists` (no right side)."""

    left: Field | Transform
    operator: Operator
    right: Operand | None = None
    modifier: Modifier | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Macro:
    """A bare name where a check could stand."""

    name: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    child: Condition
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two."""

    children: tuple[Condition, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of at least two."""

    children: tuple[Condition, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


Condition: TypeAlias = Check | Macro | Not | And | Or


AnyOperand: TypeAlias = Operand | OperandList
_Condition = TypeVar("_Condition", bound=Condition)
_Operand = TypeVar("_Operand", bound=AnyOperand)


def walk(tree: Condition) -> Iterator[Condition]:
    """Yield every node of a condition from the root on, in the order of the text; a shared node comes once."""
    todo, seen = [tree], set[int]()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, And | Or):
            todo += reversed(node.children)
        elif isinstance(node, Not):
            todo.append(node.child)


def find(kind: type[_Condition], tree: Condition) -> Iterator[_Condition]:
    """Yield the nodes of one kind in a condition, as `walk` does."""
    return (node for node in walk(tree) if isinstance(node, kind))


def find_operands(kind: type[_Operand], *roots: AnyOperand | None, lists: bool = True) -> Iterator[_Operand]:
    """Yield the nodes of one kind in operands, in the order of the text; without `lists`, none in an `OperandList`."""
    todo = [root for root in reversed(roots) if root]
    while todo:
        node = todo.pop()
        if isinstance(node, kind):
            yield node
        if isinstance(node, Transform):
            todo += reversed(node.arguments)
        elif isinstance(node, ConstantList) or (isinstance(node, OperandList) and lists):
            todo += reversed(node.items)


class Measure(NamedTuple):
    """How large a tree is: its nodes down to the checks, and the first node below `MAX_DEPTH` levels, if there is one."""

    size: int
    too_deep: Condition | None


def measure(tree: Condition) -> Measure:
    """Count the nodes of a tree of any depth; what lies too deep is not counted."""
    size = 0
    todo = [(tree, 1)]
    while todo:
        node, level = todo.pop()
        if level > MAX_DEPTH:
            return Measure(size, node)
        size += 1
        if isinstance(node, And | Or):
            todo += [(child, level + 1) for child in node.children]
        elif isinstance(node, Not):
            todo.append((node.child, level + 1))
    return Measure(size, None)
