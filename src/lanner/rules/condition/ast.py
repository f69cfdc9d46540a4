"""The syntax tree of a condition: the parser creates it, and all later stages read it.

Plain data: nodes cannot parse, print, check or evaluate themselves. Every node has a span: the offsets (in characters, end
exclusive) of its text in the condition from which it was parsed. Comparisons of nodes ignore spans.

The parser and the resolver create trees of at most `MAX_DEPTH` levels of `And`, `Or` and `Not`, so that all readers may use
plain recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from lanner.rules.language.vocabulary import Modifier, Operator  # noqa: TC001 - part of the nodes' types at run time

if TYPE_CHECKING:
    from collections.abc import Iterator

Span: TypeAlias = tuple[int, int]

# Far deeper than people write, and far below the limit of Python's stack at some calls a level
MAX_DEPTH: Final = 200


class Node(Struct, frozen=True, eq=False, gc=False):
    """A node of the tree. Nodes are equal if all but their spans are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and type(self) is type(other) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name != "span")


class Constant(Node, frozen=True):
    """A string after unescaping; `quoted`: it was written in quotes."""

    text: str
    quoted: bool = False
    span: Span = (0, 0)


class ConstantList(Node, frozen=True):
    """`(a, b, c)`: the right side of list operators.

    The spans of its items count from its own start, so that equal lists share them.
    """

    items: tuple[Constant, ...]
    span: Span = (0, 0)


class Field(Node, frozen=True):
    """`name` or `name[argument]`."""

    name: str
    argument: str | None = None
    span: Span = (0, 0)


class OperandList(Node, frozen=True):
    """`(field, transformer, 'text', 1)`: a list as an argument of a transformer. It may be empty."""

    items: tuple[Field | Transform | Constant, ...]
    span: Span = (0, 0)


class Transform(Node, frozen=True):
    """`name(argument, ...)`, with a name from `vocabulary.TRANSFORMERS`.

    `selector` is the text in the brackets after it, as in `getopt(list, 'ab:')[b]`.
    """

    name: str
    arguments: tuple[Field | Transform | Constant | OperandList, ...]
    selector: str | None = None
    span: Span = (0, 0)


Operand: TypeAlias = Field | Transform | Constant | ConstantList


class Check(Node, frozen=True):
    """One comparison: `left operator right`, `left operator modifier list`, or `left exists` (no right side)."""

    left: Field | Transform
    operator: Operator
    right: Operand | None = None
    modifier: Modifier | None = None
    span: Span = (0, 0)


class Macro(Node, frozen=True):
    """A bare name instead of a check: a macro."""

    name: str
    span: Span = (0, 0)


class Not(Node, frozen=True):
    """Negation."""

    child: Condition
    span: Span = (0, 0)


class And(Node, frozen=True):
    """Conjunction of at least two."""

    children: tuple[Condition, ...]
    span: Span = (0, 0)


class Or(Node, frozen=True):
    """Disjunction of at least two."""

    children: tuple[Condition, ...]
    span: Span = (0, 0)


Condition: TypeAlias = Check | Macro | Not | And | Or


AnyOperand: TypeAlias = Operand | OperandList
_Condition = TypeVar("_Condition", bound=Condition)
_Operand = TypeVar("_Operand", bound=AnyOperand)


def walk(tree: Condition) -> Iterator[Condition]:
    """Yield every node of a condition from the root, in the order of the text. A shared node is yielded once."""
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
    """Size of a tree: the number of its nodes down to the checks, and the first node below `MAX_DEPTH` levels, or None."""

    size: int
    too_deep: Condition | None


def measure(tree: Condition) -> Measure:
    """Count the nodes of a tree of any depth. Nodes that are too deep are not counted."""
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
