"""The most frequent values of a field: from rollups and indexes if these can answer, otherwise from the alerts themselves.

Each part counts the newest alerts first, and returns whether it has counted all before the time of the call was over.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from lanner.alerts.filter_sql import make_plan
from lanner.alerts.filters import ALL_PRIORITIES
from lanner.alerts.rollups import MOST_VALUES, count_alerts, limits, rollups, rules_of
from lanner.alerts.search_words import value_texts
from lanner.alerts.stored import Counts, read_content
from lanner.rules.files.items import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.alerts.day_reader import DayReader
    from lanner.alerts.filter_sql import Plan
    from lanner.alerts.filters import Filter
    from lanner.alerts.rollups import Days
    from lanner.alerts.stored import StoredAlert

_COLUMNS: Final = ("rule", "priority", "source", "subject")
FACETS: Final = (*_COLUMNS, "tag")
"""The properties of each alert whose values are counted."""
_FEW_TEXTS: Final = 5_000
"""Strings of a day that are looked up one after the other."""
_STEP: Final = 1 << 18
"""Entries of an index that are counted between two readings of the clock."""


class _Question(NamedTuple):
    wanted: Filter
    field: str
    begin: int
    end: int
    is_over: Callable[[], bool]


def find_top(days: Days, wanted: Filter, field: str, begin: int, end: int, limit: int) -> Counts:
    """Return the most frequent values of a field of the matching alerts."""
    question = _Question(wanted, field, *limits(wanted, begin, end), days.clock())
    counts: Counter[str] = Counter()
    exact = all(days.ask(lambda reader: _count_values(reader, question, counts), descending=True))
    return Counts(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit], exact)


def _count_values(reader: DayReader, question: _Question, counts: Counter[str]) -> bool:
    wanted, field, begin, end, is_over = question
    rules = rules_of(wanted, reader) if field in {"rule", "priority", "source", "tag"} else None
    if rules is not None and _count_by_rule(reader, question, rules, counts):
        return True
    if field == "subject" and not wanted.terms and wanted.priorities == ALL_PRIORITIES and _few_texts(reader):
        return _count_subjects(reader, question, counts)
    plan = make_plan(msgspec.structs.replace(wanted, since=begin, until=end), reader)
    if plan is None:
        return True
    if plan.is_exact and field in _COLUMNS:
        return _count_column(reader, plan, question, counts)
    return count_alerts(reader, wanted, begin, end, counts, lambda alert: _values(alert, field), is_over)


def _count_by_rule(reader: DayReader, question: _Question, rules: list[int], counts: Counter[str]) -> bool:
    """Count values that all alerts of a rule share. Return whether they do, by the first and the last alert of each rule."""
    found: dict[tuple[int, int], list[int]] = {}
    for row in rollups(reader, question.begin, question.end, rules, question.wanted.priorities, by_hours=True):
        known = found.setdefault((row.rule, row.priority), [0, row.first, row.last])
        known[0] += row.count
        known[1], known[2] = min(known[1], row.first), max(known[2], row.last)
    shared: Counter[str] = Counter()
    for (rule, priority), (count, first, last) in found.items():
        if question.field == "rule":
            values = [reader.text(rule)]
        elif question.field == "priority":
            values = [str(Priority(priority))]
        else:
            values, others = (_values(reader.alert(reader.row(number)), question.field) for number in (first, last))
            if values != others:
                return False
        for value in values:
            shared[value] += count
    counts.update(shared)
    return True


def _few_texts(reader: DayReader) -> bool:
    return (reader.first_row("SELECT max(id) FROM texts")[0] or 0) <= _FEW_TEXTS


def _count_subjects(reader: DayReader, question: _Question, counts: Counter[str]) -> bool:
    """Count the subjects of all alerts in a period by the index of subjects, without the alerts."""
    low, high = reader.ids_within(question.begin, question.end)
    statement = (
        "SELECT text, (SELECT count(*) FROM alerts INDEXED BY by_subject WHERE subject = texts.id AND alerts.id BETWEEN ? AND ?) FROM texts"
    )
    while low <= high:
        first = max(low, high - _STEP + 1)
        with closing(reader.select(statement, (first, high))) as rows:
            counts.update({text: count for text, count in rows if count})
        high = first - 1
        if low <= high and question.is_over():
            return False
    return True


def _count_column(reader: DayReader, plan: Plan, question: _Question, counts: Counter[str]) -> bool:
    """Count the values of a column of `alerts` without its lines."""
    found: Counter[int] = Counter()
    exact = True
    statement = plan.statement(f"a.arrived, a.{question.field}", descending=True)
    for first, last in plan.steps(1, reader.last, descending=True, is_whole=False):
        with closing(reader.select(statement, (*plan.values, first, last))) as rows:
            found.update([value for arrived, value in rows if question.begin <= arrived < question.end])
        if first > plan.ranges[0][0] and question.is_over():
            exact = False
            break
    for value, count in found.most_common(MOST_VALUES):
        counts[str(Priority(value)) if question.field == "priority" else reader.text(value)] += count
    return exact


def _values(alert: StoredAlert, field: str) -> list[str]:
    if field == "priority":
        return [str(Priority(alert.priority))]
    if field in _COLUMNS:
        return [getattr(alert, field)]
    content = read_content(alert.line)
    if field == "tag":
        return list(content.tags)
    return value_texts(content.output_fields.get(field))
