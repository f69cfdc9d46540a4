r"""Parse the text of a condition to its tree.

The input is a string in Falco's condition language (as engine 0.62 reads it). The output is a tree (ast.py), or a `ConditionError`
with Falco's message and position. The existence of fields, types and macros are not checked here.

    or     := and ("or" and)*                     "or" and "and" need a blank or a "(" after them
    and    := not ("and" not)*
    not    := ("not" blank)* ("not(" or ")" | check)
    check  := "(" or ")" | left operator right | identifier
    left   := field | transformer "(" argument ("," argument)* ")" selector?

Two of Falco's behaviours need care: `a or(b) and c` is an error, because only the parentheses follow `or(`; and a list whose
first text is invalid counts as empty, so that `in ()` and `in ("\z")` are the same.

Parentheses are kept on a list and not on Python's stack, so that no condition can exhaust it. `MAX_GROUPS` of them may be open,
`MAX_TRANSFORMERS` transformers, and the tree may be `ast.MAX_DEPTH` deep. Falco has no such limits that work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lanner.rules.condition import lexer as words
from lanner.rules.condition.ast import (
    MAX_DEPTH,
    And,
    Check,
    Condition,
    Constant,
    Field,
    Macro,
    Not,
    Or,
    Transform,
    measure,
)
from lanner.rules.condition.comparisons import ComparisonParser
from lanner.rules.condition.lexer import Scanner
from lanner.rules.condition.suggestions import advise_connective
from lanner.rules.findings import ConditionError

if TYPE_CHECKING:
    import re

    from lanner.rules.condition.ast import Span

MAX_GROUPS: Final = 1000


def parse(text: str, base: int = 0, shared: dict[str, tuple[Constant, ...]] | None = None) -> Condition:
    """Return the tree of a condition. Spans and the offset of a raised `ConditionError` count from `base`.

    `shared` caches the items of lists by the text of the list. Conditions that are parsed with the same dict share them.
    """
    if not text:
        raise ConditionError("filter input string is empty", base)
    scan = Scanner(text, base)
    parser = _Parser(scan, {} if shared is None else shared)
    tree = parser.condition()
    if scan.at != len(text):
        advice = advise_connective(scan.next_word(), scan.last, scan.text[: scan.at])
        raise scan.error(f"unexpected token after '{scan.last}', expecting 'or', 'and'", advice=advice)
    # A group adds `or`, `and` and `not`, and so does the whole condition; most conditions need no measuring
    too_deep = measure(tree).too_deep if parser.deepest >= MAX_DEPTH // 4 else None
    if too_deep is not None:
        begin, end = too_deep.span
        raise ConditionError(f"the condition nests 'and', 'or' and 'not' more than {MAX_DEPTH} levels deep", begin, end - begin)
    return tree


def parse_operand(text: str) -> tuple[Field | Transform, int]:
    """Return the field or transformer at the start of the text, and its length. Raises `ConditionError` for anything else."""
    scan = Scanner(text)
    operand = ComparisonParser(scan, {}).left()
    if operand is None:
        raise scan.error(f"unexpected token after '{scan.last}")
    return operand, scan.at


# How an open parenthesis relates to the word before it: as a separate operand, or joined to the word ("or(", "and(")
_Glue: TypeAlias = Literal["operand", "and", "or"]


class _Group:
    """The operands read between a parenthesis (or the start of the text) and the cursor."""

    __slots__ = ("ands", "begin", "glue", "negated", "ors")

    def __init__(self, glue: _Glue = "operand", *, negated: bool = False, begin: int = 0) -> None:
        self.glue = glue
        self.negated = negated  # of the whole group, by a "not" before it
        self.begin = begin  # the offset of that "not"
        self.ors: list[Condition] = []
        self.ands: list[Condition] = []


class _Parser(ComparisonParser):
    def __init__(self, scan: Scanner, shared: dict[str, tuple[Constant, ...]]) -> None:
        super().__init__(scan, shared)
        self.groups: list[_Group] = []  # the enclosing groups; the innermost is `group`
        self.group = _Group()
        self.deepest = 0  # the largest number of groups open at once

    # The levels of or, and, not

    def condition(self) -> Condition:
        """Read a whole condition: or := and ("or" and)*, with everything below it. Stop at the first token that does not fit."""
        while True:
            self._operand()
            tree = self._follow()
            if tree is not None:
                return tree

    def _operand(self) -> None:
        """Read up to the next whole check, opening groups on the way, and add it to its group."""
        scan = self.scan
        if found := words.OPERAND.match(scan.text, scan.at):
            self.group.ands.append(self._quick_operand(found))
            return
        while True:
            scan.skip_blanks()
            begin, negated = scan.at, False
            if scan.text.startswith("not", begin):
                while scan.match(words.NOT):
                    negated = not negated
                if scan.take("not("):
                    self._open("operand", negated=not negated, begin=begin)
                    continue
                scan.skip_blanks()
            if scan.text.startswith("(", scan.at):
                scan.take("(")
                self._open("operand", negated=negated, begin=begin)
                continue
            child: Condition = self._check()
            self.group.ands.append(Not(child, scan.span(begin)) if negated else child)
            return

    def _quick_operand(self, found: re.Match[str]) -> Condition:
        """Read the operand that starts with a match of `OPERAND`, as `_operand` does word by word."""
        scan = self.scan
        child: Condition
        if found.lastindex == words.NAME:
            scan.at = found.end()
            scan.last = found[words.NAME]
            child = Macro(scan.last, scan.span(found.start(words.NAME)))
        else:
            child = self._quick_comparison(found)
        begin = found.start(words.NEGATION)
        return child if begin < 0 else Not(child, scan.span(begin))

    def _follow(self) -> Condition | None:
        """Read the text after an operand, closing groups. Return the tree at the end, or None if another operand must follow."""
        scan = self.scan
        while True:
            group = self.group
            if group.ands and (found := words.CONNECTIVE.match(scan.text, scan.at)):
                scan.at = found.end()
                scan.last = found[1]
                if scan.last == "or":
                    group.ors.append(_join(And, group.ands))
                    group.ands = []
                return None
            scan.skip_blanks()
            if group.ands:
                if scan.take("and"):
                    self._expect_operand("and")
                    return None
                group.ors.append(_join(And, group.ands))
                group.ands = []
            if scan.take("or"):
                self._expect_operand("or")
                return None
            tree = _join(Or, group.ors)
            if not self.groups:
                return tree
            if not scan.take(")"):
                advice = advise_connective(scan.next_word(), scan.last, scan.text[: scan.at])
                raise scan.error("expected a ')' token", advice=advice or "A `(` before this is not closed, or `and` or `or` is missing.")
            self.group = self.groups.pop()
            if group.negated:
                tree = Not(tree, scan.span(group.begin))
            (self.group.ors if group.glue == "or" else self.group.ands).append(tree)

    def _expect_operand(self, word: Literal["and", "or"]) -> None:
        if self.scan.skip_blanks():
            return
        if not self.scan.take("("):
            raise self.scan.error(f"expected blank or '(' after '{word}'")
        self._open(word)

    def _open(self, glue: _Glue, *, negated: bool = False, begin: int = 0) -> None:
        if len(self.groups) >= MAX_GROUPS:
            raise ConditionError(f"more than {MAX_GROUPS} parentheses are open here", self.scan.base + self.scan.at - 1)
        self.groups.append(self.group)
        self.deepest = max(self.deepest, len(self.groups))
        self.group = _Group(glue, negated=negated, begin=begin)

    # A single check

    def _check(self) -> Check | Macro:
        scan = self.scan
        begin = scan.at
        left = self.left()
        if left is not None:
            return self._comparison(left, begin)
        if scan.match(words.IDENTIFIER):
            return Macro(scan.last, scan.span(begin))
        raise scan.error("expected a '(' token, a field check, or an identifier")


def _join(kind: type[And | Or], children: list[Condition]) -> Condition:
    if len(children) == 1:
        return children[0]
    span: Span = (children[0].span[0], children[-1].span[1])
    return kind(tuple(children), span)
