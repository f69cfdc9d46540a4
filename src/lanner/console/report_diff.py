"""The difference between two reports: counts by rule, and the alerts that only one of them has."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.console.report_file import Report


class ReportAlert(NamedTuple):
    """An alert of a report: its event's time in milliseconds, rule, priority from 0, and message."""

    time: int
    rule: str
    priority: int
    message: str


class RuleDifference(NamedTuple):
    """A rule's alerts in both reports; `only_first` and `only_second`: those without a partner of the same time and message."""

    rule: str
    first: int
    second: int
    only_first: list[ReportAlert]
    only_second: list[ReportAlert]

    def as_dict(self) -> dict[str, Any]:
        """Return the difference for JSON."""
        only = {"only_first": self.only_first, "only_second": self.only_second}
        return {"rule": self.rule, "first": self.first, "second": self.second} | {
            name: [alert._asdict() for alert in alerts] for name, alerts in only.items()
        }


def compare_reports(first: Report, second: Report) -> list[RuleDifference]:
    """Return the rules of both reports, the largest difference first. Equal alerts have the same time, rule, priority and message."""
    left, right = Counter(_alerts(first)), Counter(_alerts(second))
    only_left, only_right = left - right, right - left
    found = []
    for rule in {alert.rule for alert in (*left, *right)}:
        counts = [sum(number for alert, number in side.items() if alert.rule == rule) for side in (left, right)]
        lone = [sorted(alert for alert in side.elements() if alert.rule == rule) for side in (only_left, only_right)]
        found.append(RuleDifference(rule, counts[0], counts[1], lone[0], lone[1]))
    return sorted(found, key=lambda each: (-len(each.only_first) - len(each.only_second), -each.first - each.second, each.rule))


def _alerts(report: Report) -> Iterator[ReportAlert]:
    columns = zip(accumulate(report.times), report.rules, report.priorities, report.messages, strict=True)
    for at, rule, priority, message in columns:
        yield ReportAlert(at, report.texts[rule], priority, message)
