"""Facts about an event's values if some comparisons hold and others do not, and whether that is possible.

If the comparisons leave only some values, each is tested with the predicates that run the rules (operators.py). For numbers a
range is kept. Undecided cases count as possible, so that nothing is called impossible that is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lanner.rules.language import operators
from lanner.rules.language.typed import Slot, Test
from lanner.rules.language.vocabulary import MEMBER_OPERATORS
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from lanner.rules.language.operators import Predicate
    from lanner.rules.language.typed import Comparison, Constant, Operand

_NUMBERS: Final = frozenset({FieldType.UINT64, FieldType.RELTIME, FieldType.ABSTIME})
_LARGEST: Final = (1 << 64) - 1
# Ranges of up to this many numbers are checked one by one
_FEW: Final = 64
_BUDGET: Final = 200_000


@lru_cache(maxsize=4096)
def _predicate(test: Test) -> Predicate:
    """Return the test as the executor creates it."""
    return operators.test(test.operator, test.constants, test.modifier, test.left.kind)


def _fits(value: Constant, tests: list[tuple[Predicate, bool]]) -> bool:
    return all(predicate(value) is wanted for predicate, wanted in tests)


@dataclass(slots=True)
class _Values:
    """Possible values of one operand: absent, or a value among `some` (None: any), within the range, that passes the tests."""

    absent: bool = True
    present: bool = True
    some: list[Constant] | None = None
    low: int = 0
    high: int = _LARGEST
    prefix: str = ""
    tests: list[tuple[Predicate, bool]] = field(default_factory=list)

    def copy(self) -> _Values:
        return _Values(self.absent, self.present, self.some, self.low, self.high, self.prefix, self.tests[:])


class Facts:
    """A set of comparisons that hold or do not. `present`: for events that have every field."""

    def __init__(self, *, present: bool = False) -> None:
        self._present = present
        self._values: dict[Operand, _Values] = {}
        self._known: dict[Test | Comparison, bool] = {}
        self._budget = [_BUDGET]  # shared by copies

    def copy(self) -> Facts:
        """Return a copy to extend."""
        other = Facts(present=self._present)
        other._budget = self._budget
        if self._budget[0] <= 0:
            return other
        other._values = {operand: values.copy() for operand, values in self._values.items()}
        other._known = self._known.copy()
        self._budget[0] -= len(self._known)
        return other

    def add(self, test: Test | Comparison, *, holds: bool) -> bool:
        """Add a comparison. Return False if it contradicts the others."""
        if self._budget[0] <= 0:
            return True
        if self._known.setdefault(test, holds) is not holds:
            return False
        if not isinstance(test, Test):
            return True
        values = self._values.get(test.left)
        if values is None:
            values = self._values[test.left] = _Values(absent=not self._present)
            if test.left.kind.type is FieldType.BOOL and not test.left.kind.is_list:
                values.some = [True, False]
        if test.operator == "exists":
            values.absent, values.present = (False, values.present) if holds else (values.absent, False)
            return values.absent or values.present
        if holds:
            values.absent = False
        if values.present:
            values.present = self._narrow(values, test, holds=holds)
        return values.absent or values.present

    def _narrow(self, values: _Values, test: Test, *, holds: bool) -> bool:
        """Return whether a possible value exists."""
        kind = test.left.kind
        if not test.constants and isinstance(test.left, Slot):
            return not holds  # a comparison with nothing is false
        if not test.constants or kind.is_list or kind.binary or kind.type is FieldType.IPNET:
            return True
        values.tests.append((_predicate(test), holds))
        if kind.type in _NUMBERS and not _limit(values, test, holds=holds):
            return False
        if kind.type is FieldType.STRING and not _begin(values, test, holds=holds):
            return False
        some = _candidates(test, holds=holds)
        tests = values.tests if some is not None and values.some is None else values.tests[-1:]
        if values.some is None:
            values.some = some
        if values.some is None:
            return True
        self._budget[0] -= len(values.some) * len(tests)
        if self._budget[0] <= 0:
            return True
        values.some = [value for value in values.some if _fits(value, tests)]
        return bool(values.some)


def _candidates(test: Test, *, holds: bool) -> list[Constant] | None:
    """Return the only values for which the test is true, or None if it does not list them."""
    if holds:
        plain = test.modifier is None and test.operator in MEMBER_OPERATORS
        named = plain or (test.operator, test.modifier) == ("=", "anyof")
    else:
        named = test.operator == "!=" and test.modifier in {None, "allof"}
    return list(test.constants) if named else None


def _limit(values: _Values, test: Test, *, holds: bool) -> bool:
    number = test.constants[0]
    if test.modifier is None and isinstance(number, int):
        operator = test.operator
        if (operator, holds) in {("<", True), (">=", False)}:
            values.high = min(values.high, number - 1)
        elif (operator, holds) in {("<=", True), (">", False)}:
            values.high = min(values.high, number)
        elif (operator, holds) in {(">", True), ("<=", False)}:
            values.low = max(values.low, number + 1)
        elif (operator, holds) in {(">=", True), ("<", False)}:
            values.low = max(values.low, number)
    if values.some is None and 0 <= values.high - values.low < _FEW:
        values.some = [number for number in range(values.low, values.high + 1) if _fits(number, values.tests)]
        return bool(values.some)
    return values.low <= values.high


def _begin(values: _Values, test: Test, *, holds: bool) -> bool:
    """Return whether the prefix is possible: a string has one prefix of each length, and every text contains the empty one."""
    text = test.constants[0]
    if test.modifier is not None or not isinstance(text, str):
        return True
    if not holds:
        everything = text == "" and test.operator in {"contains", "icontains", "startswith", "endswith"}
        return not everything and not (test.operator in {"glob", "iglob"} and text and set(text) == {"*"})
    if test.operator != "startswith":
        return True
    longer, shorter = max(text, values.prefix, key=len), min(text, values.prefix, key=len)
    values.prefix = longer
    return longer.startswith(shorter)
