"""Macros, put into the trees of conditions where their names stand.

In come the parsed macros with their order and a parsed condition; out comes the condition without `Macro` nodes. What a macro's own
condition may name is what was first defined before the macro was last touched; a rule may name any.

Trees are shared, not copied: a macro that is named a thousand times is there once in memory, however large the tree counts. The tree
may count at most `MAX_SIZE` nodes and be `nodes.MAX_DEPTH` deep, because what comes after looks at each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.rules.condition.ast import MAX_DEPTH, And, Check, Macro, Not, Or

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.rules.condition.ast import Condition, Span

MAX_SIZE: Final = 100_000

_TOO_DEEP: Final = f"with its macros written out, the condition is more than {MAX_DEPTH} levels deep"


class MacroError(Exception):
    """A macro cannot be put in; `span` is its name's, `unknown` tells that there is none of that name."""

    def __init__(self, message: str, span: Span, *, name: str = "", unknown: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.name = name
        self.unknown = unknown


class BrokenMacroError(Exception):
    """A macro is named whose own condition is wrong, which has been said already."""


class Expansion(Struct, frozen=True, gc=False):
    """A tree without macros, how many nodes it counts and how many levels it has."""

    tree: Condition
    size: int = 1
    depth: int = 1


class ParsedMacro(Struct):
    """A macro's condition, with macros in it and, once that is done, without. Both None: the condition is wrong."""

    name: str
    index: int
    visibility: int
    tree: Condition | None
    expanded: Expansion | None = None


class Macros:
    """All macros. `used` has the names of those that were put in somewhere."""

    def __init__(self, macros: Mapping[str, ParsedMacro]) -> None:
        self.macros = macros
        self.used: set[str] = set()

    def expand(self, tree: Condition, visibility: int | None = None) -> Expansion:
        """The tree without macros; those count that were defined before `visibility` (None: all).

        Raises `MacroError`: of a loop, if there is one anywhere below, else of the first name that means nothing.
        """
        run = _Expander(self, visibility)
        expanded = run.expand(tree)
        if run.unknown:
            raise run.unknown[0]
        self.used |= run.done.keys()
        return expanded


class _Expander:
    """One expansion: macros are looked into once, however often they are named."""

    def __init__(self, macros: Macros, visibility: int | None) -> None:
        self.macros = macros.macros
        self.visibility = visibility
        self.path: list[str] = []
        self.done: dict[str, Expansion] = {}
        self.unknown: list[MacroError] = []
        self.level = 0  # of this run's recursion: a macro that is not expanded yet is looked into where it is named

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
                return self._named(node)
            case Not(child, span):
                inner = self.expand(child)
                return self._checked(Expansion(Not(inner.tree, span), inner.size + 1, inner.depth + 1), span)
            case And(children, span) | Or(children, span):
                trees: list[Condition] = []
                size, depth = 1, 1
                for child in children:
                    if isinstance(child, Check) and self.level < MAX_DEPTH:  # as most are
                        trees.append(child)
                        size += 1
                        continue
                    inner = self.expand(child)
                    trees.append(inner.tree)
                    size += inner.size
                    depth = max(depth, inner.depth)
                return self._checked(Expansion(type(node)(tuple(trees), span), size, depth + 1), span)
            case _:
                return Expansion(node)

    def _named(self, node: Macro) -> Expansion:
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

    def _checked(self, expanded: Expansion, span: Span) -> Expansion:
        if expanded.size > MAX_SIZE:
            raise MacroError(f"with its macros written out, the condition counts more than {MAX_SIZE} nodes", span)
        if expanded.depth > MAX_DEPTH:
            raise MacroError(_TOO_DEEP, span)
        return expanded
