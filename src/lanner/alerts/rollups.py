"""Counts of alerts: from the store's rollups by minute and hour if these can answer, otherwise from the alerts themselves.

Counts from rollups are those of whole minutes. Counts from alerts begin with the newest one, and end when the time of a call is over.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from lanner.alerts.day_search import search_day
from lanner.alerts.filter_terms import Value
from lanner.alerts.filters import ALL_PRIORITIES
from lanner.alerts.store_format import HOUR, MINUTE
from lanner.alerts.stored import DAY_BITS, Bucket, RuleCount, Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanner.alerts.day_reader import DayReader
    from lanner.alerts.filters import Filter
    from lanner.alerts.stored import StoredAlert

_MOST_BUCKETS: Final = 300
_LENGTHS: Final = tuple(
    unit * count for unit, counts in ((MINUTE, (1, 2, 5, 10, 15, 30)), (HOUR, (1, 2, 3, 6, 12, 24, 48, 168, 720))) for count in counts
)
MOST_VALUES: Final = 100_000
"""Different values that are counted."""


_Answer = TypeVar("_Answer")


class Days(Protocol):
    """The days of a store, as `lanner.alerts.alert_store.AlertStore` has them."""

    def ask(self, question: Callable[[DayReader], _Answer], *, descending: bool) -> Iterator[_Answer]:
        """Yield the answer of each file that can be read, in order of their days."""

    def clock(self) -> Callable[[], bool]:
        """Return a function that says whether the time of a call that begins now is over."""


class Rollup(msgspec.Struct, gc=False):
    """The alerts of a rule and a priority from `begin` on; their ids are from `first` to `last`."""

    begin: int
    rule: int
    priority: int
    count: int
    first: int
    last: int


def draw_timeline(days: Days, wanted: Filter, begin: int, end: int) -> Timeline:
    """Return the numbers of matching alerts by priority and time of arrival."""
    begin, end = limits(wanted, begin, end)
    length = next((each for each in _LENGTHS if (end - begin) <= _MOST_BUCKETS * each), _LENGTHS[-1])
    counts: Counter[tuple[int, int]] = Counter()
    is_over = days.clock()

    def count(reader: DayReader) -> bool:
        rules = rules_of(wanted, reader)
        if rules is None:
            return count_alerts(reader, wanted, begin, end, counts, lambda alert: [(alert.arrived // length, alert.priority)], is_over)
        for row in rollups(reader, begin, end, rules, wanted.priorities, by_hours=length >= HOUR):
            counts[row.begin // length, row.priority] += row.count
        return True

    exact = all(days.ask(count, descending=True))
    buckets = [Bucket(number * length, length, priority, count) for (number, priority), count in sorted(counts.items())]
    return Timeline(buckets, exact)


def count_rules(days: Days, begin: int, end: int) -> list[RuleCount]:
    """Return the rules with their priorities, numbers of alerts and newest positions."""
    found: dict[tuple[str, int], list[int]] = {}

    def count(reader: DayReader) -> None:
        for row in rollups(reader, begin, end, [], ALL_PRIORITIES, by_hours=True):
            known = found.setdefault((reader.text(row.rule), row.priority), [0, 0])
            known[0] += row.count
            known[1] = max(known[1], reader.day << DAY_BITS | row.last)

    for _ in days.ask(count, descending=False):
        pass
    counts = [RuleCount(rule, priority, count, last) for (rule, priority), (count, last) in found.items()]
    return sorted(counts, key=lambda each: (-each.count, each.rule, each.priority))


def count_alerts(
    reader: DayReader,
    wanted: Filter,
    begin: int,
    end: int,
    counts: Counter[Any],
    values: Callable[[StoredAlert], list[Any]],
    is_over: Callable[[], bool],
) -> bool:
    """Count what `values` returns of each matching alert, the newest first. Return whether all were counted."""
    timed = msgspec.structs.replace(wanted, since=begin, until=end)
    low, high = reader.ids_in(begin, end)
    with closing(search_day(reader, timed, low, high, descending=True)) as steps:
        for count, (number, alert) in enumerate(steps, start=1):
            if alert is not None:
                counts.update(values(alert))
            if (alert is None or not count % 64) and number > low and is_over():
                return False
            if len(counts) > MOST_VALUES:
                return False
    return True


def limits(wanted: Filter, begin: int, end: int) -> tuple[int, int]:
    """Return the part of a period that is within the times of a filter."""
    return max(begin, wanted.since or begin), end if wanted.until is None else min(end, wanted.until)


def rules_of(wanted: Filter, reader: DayReader) -> list[int] | None:
    """Return the ids of the rules of a filter that compares only rules and priorities ([]: all), or None for another filter.

    A filter that no rule matches gives [0], the id of no text.
    """
    found: set[int] | None = None
    excluded: set[int] = set()
    for term in wanted.terms:
        ids = reader.ids_of(term.pattern) if isinstance(term, Value) and term.key == "rule" else None
        if ids is None:
            return None
        if term.negated:
            excluded.update(ids)
        else:
            found = set(ids) if found is None else found & set(ids)
    if found is None and excluded:
        found = {number for (number,) in reader.select("SELECT rule FROM hours GROUP BY rule")}
    return [] if found is None else sorted(found - excluded) or [0]


def rollups(reader: DayReader, begin: int, end: int, rules: list[int], priorities: frozenset[int], *, by_hours: bool) -> Iterator[Rollup]:
    """Yield the rollups of a period, rounded to whole minutes; those of whole hours by the hour if wanted."""
    first, last = begin // MINUTE, -(-end // MINUTE)  # the first minute, and the one after the last
    per_hour = HOUR // MINUTE
    first_hour, last_hour = -(-first // per_hour), last // per_hour
    if not by_hours or first_hour >= last_hour:
        parts = [("minutes", "minute", MINUTE, first, last)]
    else:
        parts = [
            ("minutes", "minute", MINUTE, first, first_hour * per_hour),
            ("hours", "hour", HOUR, first_hour, last_hour),
            ("minutes", "minute", MINUTE, last_hour * per_hour, last),
        ]
    conditions, values = "", []
    for column, wanted in (("rule", rules), ("priority", [] if priorities == ALL_PRIORITIES else sorted(priorities) or [-1])):
        if wanted:
            conditions += f" AND {column} IN ({','.join('?' * len(wanted))})"
            values += wanted
    for table, unit, length, since, until in parts:
        if since >= until:
            continue
        statement = f"SELECT {unit}, rule, priority, count, first, last FROM {table} WHERE {unit} >= ? AND {unit} < ?{conditions}"  # noqa: S608 - constants
        with closing(reader.select(statement, (since, until, *values))) as rows:
            for number, *row in rows:
                yield Rollup(number * length, *row)
