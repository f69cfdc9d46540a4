"""Rules that never raise an alert because an earlier one matches the same events: by default the first match counts.

Only simple cases: every part of the earlier rule's conjunction is in the later one's, or follows from a part of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lanner.rules.condition.ast import And, Not, Or
from lanner.rules.language.typed import Slot, Test
from lanner.rules.language.vocabulary import MEMBER_OPERATORS
from lanner.rules.lint.hints import SHADOWED_RULE, Hint

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from lanner.rules.condition.ast import Condition
    from lanner.rules.language.typed import Constant
    from lanner.rules.lint.hints import Subject

Key: TypeAlias = "Hashable"
# Number of rules with a part in common up to which they are compared with each other
_MOST: Final = 1000


class _Part(NamedTuple):
    """A part of a conjunction: a number for its meaning, and the numbers of which any would imply it."""

    number: int
    alternatives: frozenset[int] = frozenset()
    slot: int | None = None
    values: frozenset[Constant] = frozenset()

    def implies(self, other: _Part) -> bool:
        if self.number == other.number or self.number in other.alternatives:
            return True
        if self.alternatives and self.alternatives <= other.alternatives:
            return True
        return self.slot is not None and self.slot == other.slot and self.values <= other.values

    def needs(self) -> list[Key]:
        """Return keys: the part implies all others that have one of these keys in their `offers`."""
        keys: list[Key] = [self.number, *self.alternatives]
        return keys + [(self.slot, value) for value in self.values]

    def offers(self) -> list[Key]:
        """Return the keys to search for in the `needs` of other parts; only one of several that must all be there."""
        return [self.number, *list(self.alternatives)[:1], *((self.slot, value) for value in list(self.values)[:1])]


class _Parts:
    """Numbers for parts of conditions: equal parts have the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._known: dict[int, tuple[Condition, _Part]] = {}

    def of(self, subject: Subject, node: Condition) -> _Part:
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = node, self._make_part(subject, node)
        return known[1]

    def _make_part(self, subject: Subject, node: Condition) -> _Part:
        match node:
            case Not(child):
                return _Part(self._number(("not", self.of(subject, child).number)))
            case And(children) | Or(children):
                inner = frozenset(self.of(subject, child).number for child in children)
                number = self._number((type(node).__name__, inner))
                return _Part(number, inner) if isinstance(node, Or) else _Part(number)
        test = subject.check(node)
        if isinstance(test, Test) and isinstance(test.left, Slot) and _names_values(test):
            values = frozenset(test.constants)
            return _Part(self._number((test.left, values)), frozenset(), test.left.number, values)
        return _Part(self._number(test))

    def _number(self, key: Key) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def _names_values(test: Test) -> bool:
    return test.modifier is None and not test.left.kind.is_list and test.operator in MEMBER_OPERATORS


def find_shadowed(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Hint]]:
    """Yield the enabled rules whose events an earlier rule matches."""
    numbers = _Parts()
    enabled = [subject for subject in subjects if subject.rule.enabled]
    conjunctions = [[numbers.of(subject, node) for node in _conjuncts(subject.rule.condition)] for subject in enabled]
    common = Counter(key for parts in conjunctions for part in parts for key in set(part.needs()))
    above: dict[Key, list[int]] = {}
    for place, (subject, parts) in enumerate(zip(enabled, conjunctions, strict=True)):
        offers = {key for part in parts for key in part.offers()}
        candidates = sorted({number for key in offers for number in above.get(key, ())[:_MOST]})
        for number in candidates:
            if all(any(mine.implies(part) for mine in parts) for part in conjunctions[number]):
                yield subject, _hint(subject, enabled[number])
                break
        rarest = min(parts, key=lambda part: max(common[key] for key in part.needs()))
        for key in rarest.needs():
            above.setdefault(key, []).append(place)


def _conjuncts(node: Condition) -> Iterator[Condition]:
    if isinstance(node, And):
        for child in node.children:
            yield from _conjuncts(child)
    else:
        yield node


def _hint(subject: Subject, earlier: Subject) -> Hint:
    rule, other = subject.rule, earlier.rule
    message = f"The rule never raises an alert: '{other.name}' at {other.place} matches the same events before it."
    advice = "Put the specific rule before the general one, or disable one of them. (`lanner run --all-matches` lets every rule match.)"
    return Hint(SHADOWED_RULE, message, advice, rule.condition.span)
