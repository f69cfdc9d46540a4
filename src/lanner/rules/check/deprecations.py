"""What Falco warns of before it compiles a rule: fields that are no more, and comparisons with `<NA>`.

In come a rule's output or the tree of its condition, out come `Remark`s in Falco's order. It looks at names alone, whether or not
there are such fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.rules.condition.ast import Check, Constant, Field, find, find_operands
from lanner.rules.language.vocabulary import BY_OPERATOR

if TYPE_CHECKING:
    from lanner.rules.condition.ast import Condition, Operand

_NO_ENTER: Final = "field is not available due to the drop of enter events."
_DEPRECATED: Final = {
    "evt.dir": (
        "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and 'evt.dir = >' always evaluates to false. "
        "The rule expression can be simplified by removing the condition on 'evt.dir'"
    ),
    "evt.latency": _NO_ENTER,
    "evt.latency.s": _NO_ENTER,
    "evt.latency.ns": _NO_ENTER,
    "evt.latency.human": _NO_ENTER,
    "evt.wait_latency": _NO_ENTER,
}
_UNSAFE: Final = ("ka.", "jevt.")


class Remark(Struct, frozen=True, gc=False):
    """A warning; `field` is the deprecated one that it is about."""

    code: str
    message: str
    field: str = ""


def of_output(text: str) -> list[Remark]:
    """Deprecated fields whose names stand in an output, be it as fields or not."""
    return [
        Remark("LOAD_DEPRECATED_ITEM", f"usage of deprecated field '{name}' has been detected in the rule output", name)
        for name in _DEPRECATED
        if name in text
    ]


def of_condition(tree: Condition) -> list[Remark]:
    """Comparisons with `<NA>`, as one remark without words, and deprecated fields."""
    named: set[str] = set()
    unsafe = False
    for check in find(Check, tree):
        fields = _fields(check.left)
        named.update(fields)
        if BY_OPERATOR[check.operator].remarks_na and check.modifier is None and fields and fields[-1].startswith(_UNSAFE) and check.right:
            unsafe = unsafe or _compares_nothing(check.right)
            named.update(_fields(check.right))
    deprecated = [Remark("LOAD_DEPRECATED_ITEM", message, name) for name, message in _DEPRECATED.items() if name in named]
    return [Remark("LOAD_UNSAFE_NA_CHECK", ""), *deprecated] if unsafe else deprecated


def _fields(operand: Operand) -> list[str]:
    """Return the names of the fields in an operand, without those in lists of operands."""
    return [field.name for field in find_operands(Field, operand, lists=False)]


def _compares_nothing(right: Operand) -> bool:
    return any(constant.text == "<NA>" for constant in find_operands(Constant, right, lists=False))
