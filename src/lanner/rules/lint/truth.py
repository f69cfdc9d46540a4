"""Conditions that can never be true, and parts of conditions that always are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import And, Check, ConstantList, Not, Or, find, walk
from lanner.rules.condition.unparse import show, show_operand
from lanner.rules.language.typed import Comparison, Test
from lanner.rules.lint.facts import Facts
from lanner.rules.lint.hints import ALWAYS_TRUE, NEVER_TRUE, Hint
from lanner.rules.resolve.rule import TEXT
from lanner.sdk.printable import without_middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.rules.condition.ast import Condition
    from lanner.rules.lint.hints import Subject

_SHOWN: Final = 80


class _ContradictionError(Exception):
    """Two comparisons, or one alone, cannot be as they should."""

    def __init__(self, culprit: Condition, others: tuple[Check, ...] = (), *, holds: bool = True) -> None:
        super().__init__()
        self.culprit = culprit
        self.others = others
        self.holds = holds  # whether the culprit is to hold, or its negation


class Truth:
    """Looks at rules one after the other; what they have in common is looked at once."""

    def __init__(self) -> None:
        self._seen: dict[int, Condition] = {}

    def hints(self, subject: Subject) -> Iterator[Hint]:
        """What is never or always true in a rule."""
        look = _Look(subject)
        never = look.never(subject.rule.condition)
        if never and not (look.waits(never.culprit) and not subject.rule.enabled):
            yield _never(never, "The condition can never be true")
        for node in subject.parts():
            if id(node) in self._seen:
                continue
            self._seen[id(node)] = node
            if not never and isinstance(node, Or):
                found = [look.never(child) for child in node.children]
                yield from (_never(each, "This alternative can never be true") for each in found if each and not look.waits(each.culprit))
            if hint := look.always(node):
                yield hint
                self._seen |= {id(part): part for part in walk(node)}


def _never(found: _ContradictionError, words: str) -> Hint:
    culprit = found.culprit
    if found.others:
        message = f"{words}: {'' if found.holds else 'not '}{_brief(culprit)} contradicts {_brief(found.others[-1])}."
        advice = "Of one event a field has one value: `in (a, b)` takes either, `or` joins alternatives."
        if not found.holds:
            advice = "What the one lets through, the other does not: leave one of them out, or join them by `or`."
    elif isinstance(culprit, Check) and isinstance(culprit.right, ConstantList) and not culprit.right.items:
        message, advice = f"{words}: nothing is in an empty list.", "Put items into the list, or leave the comparison out."
    else:
        message, advice = f"{words}: there is no value for {_brief(culprit)}.", "Leave it out, or compare with a value that can be."
    return Hint(NEVER_TRUE, message, advice, culprit.span)


def _brief(node: Condition) -> str:
    return f"`{without_middle(show(node), _SHOWN)}`"


class _Look:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._doubts = False  # whether something is taken to be false

    def waits(self, node: Condition) -> bool:
        """Whether a comparison is with a list, named in the text, that is empty for the time being."""
        if not isinstance(node, Check) or not isinstance(node.right, ConstantList) or node.right.items:
            return False
        begin, end = (offset % TEXT for offset in node.right.span)
        # A list is written in with a blank on both sides
        return "  " in self._subject.expression(node.span).written[begin:end]

    def never(self, node: Condition) -> _ContradictionError | None:
        """Why there can be no event of which the node is true; None if there may be."""
        try:
            self._suppose(node, Facts(), (), wanted=True)
        except _ContradictionError as found:
            return found
        return None

    def always(self, node: Condition) -> Hint | None:
        """Whether the node is true of all events, or of all that have its fields."""
        if not self._false(node, present=False):
            return Hint(ALWAYS_TRUE, f"{_brief(node)} is always true.", "Leave it out, or say what is meant.", node.span)
        if not isinstance(node, Check | Or) or _asks_existence(node) or self._false(node, present=True):
            return None
        message = f"{_brief(node)} is true of every value."
        advice = "Two `!=` belong together with `and`, or into `not field in (a, b)`. Whether there is a value, `exists` tells."
        if isinstance(node, Check):
            advice = f"Leave it out, or write `{show_operand(node.left)} exists` to ask whether there is a value."
        return Hint(ALWAYS_TRUE, message, advice, node.span)

    def _false(self, node: Condition, *, present: bool) -> bool:
        """Whether the node may be false."""
        self._doubts = True
        try:
            self._suppose(node, Facts(present=present), (), wanted=False)
        except _ContradictionError:
            return False
        finally:
            self._doubts = False
        return True

    def _suppose(self, node: Condition, facts: Facts, before: tuple[Check, ...], *, wanted: bool) -> None:
        """Take the node to be true, or false, on top of the facts. Raises `_ContradictionError`."""
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
        test = self._subject.typed(check)
        if isinstance(test, Test | Comparison) and not facts.add(test, holds=holds):
            raise _ContradictionError(check, tuple(other for other in checks if other.left == check.left), holds=holds)
        checks.append(check)


def _asks_existence(node: Condition) -> bool:
    return any(check.operator == "exists" for check in find(Check, node))
