"""Expansion of macros in the trees of conditions.

The input are the parsed macros with their order and a parsed condition. The output is the condition without `Macro` nodes. A macro's
condition may use macros first defined before that macro's last change. A rule may use any.

Trees are shared, not copied: a macro that is used a thousand times exists once in memory, regardless of the tree's size. The tree
may have at most `MAX_SIZE` nodes and `ast.MAX_DEPTH` levels, because later stages visit each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.rules.condition.ast import MAX_DEPTH, And, Check, Macro, Not, Or

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.rules.condition.ast import Condition, Span

MAX_SIZE: Final = 100_000

_TOO_DEEP: Final = f"with its macros expanded, the condition is more than {MAX_DEPTH} levels deep"


class MacroError(Exception):
    """A macro that cannot be expanded. `span` is its name's; `unknown`: it does not exist."""

    def __init__(self, message: str, span: Span, *, name: str = "", unknown: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.name = name
        self.unknown = unknown


class BrokenMacroError(Exception):
    """A macro whose own condition is invalid, which is already reported."""


class Expansion(Struct, frozen=True, gc=False):
    """A tree without macros, with its number of nodes and of levels."""

    tree: Condition
    size: int = 1
    depth: int = 1


class ParsedMacro(Struct):
    """A macro's condition, before and after expansion. Both None: the condition is invalid."""

    name: str
    index: int
    visibility: int
    tree: Condition | None
    expanded: Expansion | None = None


class Macros:
    """All macros. `used` contains the names of those that were used."""

    def __init__(self, macros: Mapping[str, ParsedMacro]) -> None:
        self.macros = macros
        self.used: set[str] = set()

    def expand(self, tree: Condition, visibility: int | None = None) -> Expansion:
        """Return the tree without macros. Only those defined before `visibility` are available (None: all).

        Raises `MacroError` for a loop, if any, else for the first unknown name.
        """
        run = _Expander(self, visibility)
        expanded = run.expand(tree)
        if run.unknown:
            raise run.unknown[0]
        self.used |= run.done.keys()
        return expanded


class _Expander:
    """One expansion. Each macro is expanded once, regardless of its number of uses."""

    def __init__(self, macros: Macros, visibility: int | None) -> None:
        self.macros = macros.macros
        self.visibility = visibility
        self.path: list[str] = []
        self.done: dict[str, Expansion] = {}
        self.unknown: list[MacroError] = []
        self.level = 0  # recursion depth of this run: a macro is expanded at its first use

    def expand(self, node: Condition) -> Expansion:
        if self.level >= MAX_DEPTH:
            raise MacroError(_TOO_DEEP, node.span)
        self.level += 1
        expanded = self._expand(node)
        self.level -= 1
        return expanded

    def _expand(self, node: Condition) -> Expansion:
        match node:
            case Macro():
                return self._expand_named(node)
            case Not(child, span):
                inner = self.expand(child)
                return self._check_size(
                    Expansion(node if inner.tree is child else Not(inner.tree, span), inner.size + 1, inner.depth + 1), span
                )
            case And(children, span) | Or(children, span):
                trees: list[Condition] = []
                size, depth = 1, 1
                for child in children:
                    if self.level < MAX_DEPTH and isinstance(child, Check):  # the usual cases: a check or a macro
                        trees.append(child)
                        size += 1
                        continue
                    inner = self._expand_named(child) if self.level < MAX_DEPTH and isinstance(child, Macro) else self.expand(child)
                    trees.append(inner.tree)
                    size += inner.size
                    depth = max(depth, inner.depth)
                return self._check_size(Expansion(type(node)(tuple(trees), span), size, depth + 1), span)
            case _:
                return Expansion(node)

    def _expand_named(self, node: Macro) -> Expansion:
        macro = self.macros.get(node.name)
        if macro is None or (self.visibility is not None and macro.index >= self.visibility):
            if not self.unknown:
                message = f"Undefined macro '{node.name}' used in filter."
                self.unknown.append(MacroError(message, node.span, name=node.name, unknown=True))
            return Expansion(node)
        if node.name in self.path:
            raise MacroError(f"reference loop in macro '{node.name}'", node.span, name=node.name)
        known = self.done.get(node.name) or macro.expanded
        if known is None:
            if macro.tree is None:
                raise BrokenMacroError
            self.path.append(node.name)
            known = self.expand(macro.tree)
            self.path.pop()
        self.done[node.name] = known
        return known

    def _check_size(self, expanded: Expansion, span: Span) -> Expansion:
        if expanded.size > MAX_SIZE:
            raise MacroError(f"with its macros expanded, the condition has more than {MAX_SIZE} nodes", span)
        if expanded.depth > MAX_DEPTH:
            raise MacroError(_TOO_DEEP, span)
        return expanded
