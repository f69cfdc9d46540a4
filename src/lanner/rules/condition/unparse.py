"""Convert the tree of a condition to a string in Falco's condition language.

The input is a tree (ast.py), the output one line. Parsing that line gives an equal tree. This guarantee is the reason
for the few parentheses and quotes that a person would omit. falco_unparse.py has Falco's own form of conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.condition import lexer as words
from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Macro, Not, OperandList, Or, Transform

if TYPE_CHECKING:
    from lanner.rules.condition.ast import AnyOperand, Condition

_ESCAPES: Final = str.maketrans({"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'})


def show(node: Condition) -> str:
    """Return a string that parses to an equal tree."""
    match node:
        case Or(children):
            return " or ".join([_group(child) if isinstance(child, Or) else show(child) for child in children])
        case And(children):
            return " and ".join([_group(child) if isinstance(child, And | Or) else show(child) for child in children])
        case Not(child):
            # Without the parentheses a second "not" would cancel the first
            return "not " + (_group(child) if isinstance(child, And | Or | Not) else show(child))
        case Macro("not"):
            # With a blank after it, it would be read as the operator
            return "(not)"
        case Macro(name):
            return name
        case Check(left, operator, right, modifier):
            return " ".join(part for part in (show_operand(left), operator, modifier, right and show_operand(right)) if part)


def show_operand(node: AnyOperand) -> str:
    """Return a field, a transformer, a constant or a list as text in the condition language."""
    match node:
        case Field(name, argument):
            return name + _brackets(argument)
        case Constant(text, quoted):
            return _quote(text) if quoted else text
        case ConstantList(items) | OperandList(items):
            return f"({', '.join([show_operand(item) for item in items])})"
        case Transform(name, arguments, selector):
            return f"{name}({', '.join([show_operand(argument) for argument in arguments])}){_brackets(selector)}"


def _group(node: Condition) -> str:
    return f"({show(node)})"


def _brackets(argument: str | None) -> str:
    if argument is None:
        return ""
    return f"[{argument if words.BARE_ARGUMENT.fullmatch(argument) else _quote(argument)}]"


def _quote(text: str) -> str:
    inside = text.translate(_ESCAPES)
    if text.endswith("\\"):
        # A quote after a backslash never closes, but "\ " is a backslash too
        inside = inside[:-1] + " "
    return f'"{inside}"'
