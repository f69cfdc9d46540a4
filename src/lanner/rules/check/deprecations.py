"""Falco's warnings before it compiles a rule: deprecated fields, and comparisons with `<NA>`.

The input is a rule's output or the tree of its condition, the output are `Remark`s in Falco's order. Only names are checked, whether
or not such fields exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from lanner.rules.condition.ast import And, Check, Constant, Field, Not, Or, find_operands
from lanner.rules.language.vocabulary import BY_OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """A warning; `field` is the deprecated field that it is about."""

    code: str
    message: str
    field: str = ""


def of_output(text: str) -> list[Remark]:
    """Return remarks on deprecated fields whose names occur in an output, as fields or as text."""
    return [
        Remark("LOAD_DEPRECATED_ITEM", f"usage of deprecated field '{name}' has been detected in the rule output", name)
        for name in _DEPRECATED
        if name in text
    ]


class Conditions:
    """Checker of conditions for remarks. It visits each shared part, such as an expanded macro, once."""

    def __init__(self) -> None:
        # By identity of the node, which is valid as long as the node is kept
        self._known: dict[int, tuple[Condition, _Uses]] = {}

    def remarks(self, tree: Condition) -> list[Remark]:
        """Return one remark without text for comparisons with `<NA>`, and one for each deprecated field."""
        found = self._look(tree)
        deprecated = [Remark("LOAD_DEPRECATED_ITEM", message, name) for name, message in _DEPRECATED.items() if name in found.deprecated]
        return [Remark("LOAD_UNSAFE_NA_CHECK", ""), *deprecated] if found.is_unsafe else deprecated

    def _look(self, node: Condition) -> _Uses:
        while isinstance(node, Not):
            node = node.child
        if isinstance(node, Check):
            left = node.left
            if isinstance(left, Field) and left.name not in _DEPRECATED and not left.name.startswith(_UNSAFE):  # as in nearly all checks
                return _NOTHING
            return _of_check(node)
        if not isinstance(node, And | Or):
            return _NOTHING
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = node, _combine([self._look(child) for child in node.children])
        return known[1]


class _Uses(NamedTuple):
    """Deprecations in a part of a condition: fields, and whether it compares unsafely."""

    deprecated: frozenset[str] = frozenset()
    is_unsafe: bool = False


_NOTHING: Final = _Uses()


def _combine(parts: Iterable[_Uses]) -> _Uses:
    found = [part for part in parts if part is not _NOTHING]
    return _Uses(frozenset().union(*(part.deprecated for part in found)), any(part.is_unsafe for part in found)) if found else _NOTHING


def _of_check(check: Check) -> _Uses:
    fields = [check.left.name] if isinstance(check.left, Field) else _fields(check.left)
    unsafe = False
    if fields and fields[-1].startswith(_UNSAFE) and BY_OPERATOR[check.operator].remarks_na and check.modifier is None and check.right:
        unsafe = _compares_nothing(check.right)
        fields += _fields(check.right)
    deprecated = _DEPRECATED.keys() & fields
    return _Uses(frozenset(deprecated), unsafe) if unsafe or deprecated else _NOTHING


def _fields(operand: Operand) -> list[str]:
    """Return the names of the fields in an operand, without those in lists of operands."""
    return [field.name for field in find_operands(Field, operand, lists=False)]


def _compares_nothing(right: Operand) -> bool:
    return any(constant.text == "<NA>" for constant in find_operands(Constant, right, lists=False))
