"""Counts of alerts in a sliding window of time: the newest minutes by rule and subject, and a rate for each second."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lanner.alerts.stored import StoredAlert

SECOND: Final = 1_000_000_000
LENGTH: Final = 300
"""Seconds in the window."""
_MOST_VALUES: Final = 20_000
"""Different rules or subjects in the window; further ones are counted together, so that no stream of names fills the memory."""
OTHERS: Final = "(others)"


class RuleKey(NamedTuple):
    """A rule with its priority (0: Emergency)."""

    rule: str
    priority: int


class _Second:
    """The alerts of one second."""

    __slots__ = ("count", "number", "rules", "subjects")

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.rules: Counter[RuleKey] = Counter()
        self.subjects: Counter[str] = Counter()


class Window:
    """The alerts of the last `LENGTH` seconds, by the time of their arrival (ns since 1970).

    Alerts come in order of arrival. If the clock was set back, alerts count for the newest second.
    """

    def __init__(self) -> None:
        self._rules: Counter[RuleKey] = Counter()
        self._subjects: Counter[str] = Counter()
        self._seconds: deque[_Second] = deque()

    def add(self, alert: StoredAlert) -> None:
        """Count an alert."""
        number = alert.arrived // SECOND
        seconds = self._seconds
        if not seconds or number > seconds[-1].number:
            self._expire(number)
            seconds.append(_Second(number))
        second = seconds[-1]
        rule: RuleKey = RuleKey(alert.rule, alert.priority)
        subject = alert.subject
        if len(self._rules) >= _MOST_VALUES and rule not in self._rules:
            rule = RuleKey(OTHERS, alert.priority)
        if len(self._subjects) >= _MOST_VALUES and subject not in self._subjects:
            subject = OTHERS
        second.count += 1
        second.rules[rule] += 1
        self._rules[rule] += 1
        if subject:
            second.subjects[subject] += 1
            self._subjects[subject] += 1

    def rules(self, now: int, limit: int) -> list[tuple[RuleKey, int]]:
        """Return the most frequent rules at this time, with their counts."""
        self._expire(now // SECOND)
        return self._rules.most_common(limit)

    def subjects(self, now: int, limit: int) -> list[tuple[str, int]]:
        """Return the most frequent subjects at this time, with their counts."""
        self._expire(now // SECOND)
        return self._subjects.most_common(limit)

    @property
    def is_empty(self) -> bool:
        """Whether no second with alerts is kept."""
        return not self._seconds

    def priorities(self, now: int) -> Counter[int]:
        """Return the counts by priority."""
        self._expire(now // SECOND)
        found: Counter[int] = Counter()
        for rule, count in self._rules.items():
            found[rule.priority] += count
        return found

    def rates(self, now: int, length: int) -> list[int]:
        """Return the counts of each of the last `length` whole seconds before this one, the oldest first."""
        end = now // SECOND
        counts = [0] * length
        for second in reversed(self._seconds):
            place = length - (end - second.number)
            if place < 0:
                break
            if place < length:
                counts[place] = second.count
        return counts

    def _expire(self, now: int) -> None:
        seconds = self._seconds
        while seconds and seconds[0].number <= now - LENGTH:
            second = seconds.popleft()
            for whole, part in ((self._rules, second.rules), (self._subjects, second.subjects)):
                _subtract(whole, part)  # type: ignore[arg-type] # both are of one kind


def _subtract(whole: Counter[object], part: Counter[object]) -> None:
    for value, count in part.items():
        whole[value] -= count
        if not whole[value]:
            del whole[value]
