"""Convert the tree of a condition to the text that Falco prints for it (`condition_compiled`).

The input is a tree (ast.py), the output one line. Lanner's own form of conditions, with few parentheses, is in unparse.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Macro, Not, OperandList, Or, Transform

if TYPE_CHECKING:
    from lanner.rules.condition.ast import AnyOperand, Condition

# libsinsp/filter/escaping.cpp: the characters that need quotes, and their escapes
_ESCAPES: Final = {
    "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "'": "'", " ": " ", "=": "=",
}  # fmt: skip


def show(node: Condition) -> str:
    """Return the condition as Falco writes it."""
    match node:
        case And(children):
            return f"({' and '.join(map(show, children))})"
        case Or(children):
            return f"({' or '.join(map(show, children))})"
        case Not(child):
            return f"not {show(child)}"
        case Macro(name):
            return name
        case Check(left, operator, right, modifier):
            parts = (_operand(left), operator, modifier, None if right is None else _operand(right))
            return " ".join(part for part in parts if part is not None)  # an empty text keeps its blank


def field_text(name: str, argument: str | None) -> str:
    """Return a field, with the text in its brackets quoted if necessary."""
    if argument is None:
        return name
    return f"{name}[{quote(argument)}]" if argument else f'{name}[""]'


def quote(text: str) -> str:
    """Return a string, in quotes if it needs them."""
    if _ESCAPES.keys().isdisjoint(text):  # as in nearly all strings
        return text
    inside = "".join(_ESCAPES.get(char, char) for char in text)
    return f'"{inside}"'


def _operand(node: AnyOperand) -> str:
    match node:
        case Field(name, argument):
            return field_text(name, argument)
        case Constant(text):
            return quote(text)
        case ConstantList(items):
            return f"({', '.join([quote(item.text) for item in items])})"
        case OperandList(items):
            return f"({','.join(map(_operand, items))})"
        case Transform(name, arguments, selector):
            return field_text(f"{name}({','.join(map(_operand, arguments))})", selector)
