"""Lints of conditions that can never be true, and of parts of conditions that always are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import And, Check, ConstantList, Not, Or, find, walk
from lanner.rules.condition.unparse import show, show_operand
from lanner.rules.language.typed import Comparison, Test
from lanner.rules.lint.facts import Facts
from lanner.rules.lint.hints import ALWAYS_TRUE, NEVER_TRUE, Hint
from lanner.rules.resolve.rule import TEXT
from lanner.sdk.text.printable import without_middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.rules.condition.ast import Condition
    from lanner.rules.lint.hints import Subject

_SHOWN: Final = 80


class _ContradictionError(Exception):
    """Comparisons that cannot have the required results: two, or a single one."""

    def __init__(self, culprit: Condition, others: tuple[Check, ...] = (), *, holds: bool = True) -> None:
        super().__init__()
        self.culprit = culprit
        self.others = others
        self.holds = holds  # whether the culprit must hold, or its negation


class Truth:
    """Checker of one rule after another. It checks shared parts once."""

    def __init__(self) -> None:
        self._seen: dict[int, Condition] = {}

    def hints(self, subject: Subject) -> Iterator[Hint]:
        """Yield the parts of a rule that are never or always true."""
        look = _Analysis(subject)
        never = look.find_contradiction(subject.rule.condition)
        if never and not (look.waits(never.culprit) and not subject.rule.enabled):
            yield _make_hint(never, "The condition can never be true")
        for node in subject.parts():
            if id(node) in self._seen:
                continue
            self._seen[id(node)] = node
            if not never and isinstance(node, Or):
                found = [look.find_contradiction(child) for child in node.children]
                yield from (
                    _make_hint(each, "This alternative can never be true") for each in found if each and not look.waits(each.culprit)
                )
            if hint := look.find_tautology(node):
                yield hint
                self._seen |= {id(part): part for part in walk(node)}


def _make_hint(found: _ContradictionError, words: str) -> Hint:
    culprit = found.culprit
    if found.others:
        message = f"{words}: {'' if found.holds else 'not '}{_shorten(culprit)} contradicts {_shorten(found.others[-1])}."
        advice = "A field has only one value per event: `in (a, b)` matches either, `or` joins alternatives."
        if not found.holds:
            advice = "No value passes both tests: remove one of them, or join them with `or`."
    elif isinstance(culprit, Check) and isinstance(culprit.right, ConstantList) and not culprit.right.items:
        message, advice = f"{words}: an empty list contains nothing.", "Add items to the list, or remove the comparison."
    else:
        message, advice = f"{words}: no value satisfies {_shorten(culprit)}.", "Remove it, or compare with a possible value."
    return Hint(NEVER_TRUE, message, advice, culprit.span)


def _shorten(node: Condition) -> str:
    return f"`{without_middle(show(node), _SHOWN)}`"


class _Analysis:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._doubts = False  # whether a part is assumed to be false

    def waits(self, node: Condition) -> bool:
        """Return whether the comparison is with a list, named in the text, that is empty for now."""
        if not isinstance(node, Check) or not isinstance(node.right, ConstantList) or node.right.items:
            return False
        begin, end = (offset % TEXT for offset in node.right.span)
        # An expanded list has a blank on both sides
        return "  " in self._subject.expression(node.span).written[begin:end]

    def find_contradiction(self, node: Condition) -> _ContradictionError | None:
        """Return why no event can make the node true, or None if one may."""
        try:
            self._suppose(node, Facts(), (), wanted=True)
        except _ContradictionError as found:
            return found
        return None

    def find_tautology(self, node: Condition) -> Hint | None:
        """Return a hint if the node is true for all events, or for all that have its fields."""
        if not self._may_be_false(node, present=False):
            return Hint(ALWAYS_TRUE, f"{_shorten(node)} is always true.", "Remove it, or correct the comparison.", node.span)
        if not isinstance(node, Check | Or) or _asks_existence(node) or self._may_be_false(node, present=True):
            return None
        message = f"{_shorten(node)} is true for every value."
        return Hint(ALWAYS_TRUE, message, self._advise(node), node.span)

    def _advise(self, node: Check | Or) -> str:
        """Return advice on a part that is true for every value."""
        if isinstance(node, Check):
            return f"Remove it, or write `{show_operand(node.left)} exists` to test for a value."
        constant = next((child for child in node.children if not self._may_be_false(child, present=True)), None)
        if constant is not None:
            return f"{_shorten(constant)} is true for every value by itself: remove or correct it."
        if all(isinstance(child, Check) and child.operator == "!=" for child in node.children):
            return "Join two `!=` with `and`, or write `not field in (a, b)`. To test for a value, use `exists`."
        field = show_operand(next(iter(find(Check, node))).left)
        return f"The alternatives cover every value: correct one of them, or write `{field} exists` to test for a value."

    def _may_be_false(self, node: Condition, *, present: bool) -> bool:
        """Return whether the node may be false."""
        self._doubts = True
        try:
            self._suppose(node, Facts(present=present), (), wanted=False)
        except _ContradictionError:
            return False
        finally:
            self._doubts = False
        return True

    def _suppose(self, node: Condition, facts: Facts, before: tuple[Check, ...], *, wanted: bool) -> None:
        """Add to the facts that the node is true, or false. Raises `_ContradictionError`."""
        choices = []
        todo = deque([(node, wanted)])
        checks = list(before)
        while todo:
            part, holds = todo.popleft()
            match part:
                case Not(child):
                    todo.appendleft((child, not holds))
                case And(children) | Or(children) if isinstance(part, And) is holds:
                    todo.extendleft((child, holds) for child in reversed(children))
                case And(children) | Or(children):
                    choices.append((part, [(child, holds) for child in children]))
                case Check():
                    self._add(part, facts, checks, holds=holds)
        for part, alternatives in choices:
            found = []
            for child, holds in alternatives:
                try:
                    self._suppose(child, facts.copy(), tuple(checks), wanted=holds)
                    break
                except _ContradictionError as contradiction:
                    found.append(contradiction)
            else:
                raise found[0] if len(found) == 1 or not checks else _ContradictionError(part, found[0].others, holds=found[0].holds)

    def _add(self, check: Check, facts: Facts, checks: list[Check], *, holds: bool) -> None:
        if self.waits(check) and (self._doubts or not holds):
            return
        test = self._subject.check(check)
        if isinstance(test, Test | Comparison) and not facts.add(test, holds=holds):
            raise _ContradictionError(check, tuple(other for other in checks if other.left == check.left), holds=holds)
        checks.append(check)


def _asks_existence(node: Condition) -> bool:
    return any(check.operator == "exists" for check in find(Check, node))
