"""The search for a filter in one day's file."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from lanner.alerts.filter_sql import make_plan

if TYPE_CHECKING:
    from collections.abc import Generator

    from lanner.alerts.day_reader import DayReader
    from lanner.alerts.filters import Filter
    from lanner.alerts.stored import StoredAlert

_CHECKED: Final = 64
"""Rows that may be read without a sign of progress."""


def search_day(
    reader: DayReader, wanted: Filter, low: int, high: int, *, descending: bool
) -> Generator[tuple[int, StoredAlert | None], None, None]:
    """Yield the matching alerts with ids from `low` to `high`, each with its id.

    Now and then it yields an id with None: all alerts up to this id were read.
    """
    if low > high:
        return
    plan = make_plan(wanted, reader)
    if plan is not None:
        statement = plan.statement(descending=descending)
        everything = wanted.is_empty
        for first, last in plan.steps(low, high, descending=descending):
            with closing(reader.select(statement, (*plan.values, first, last))) as rows:
                for count, row in enumerate(rows, start=1):
                    alert = reader.alert(row)
                    if everything or wanted.matches(alert):
                        yield row[0], alert
                    elif not count % _CHECKED:
                        yield row[0], None
            yield (first if descending else last), None
    yield (low if descending else high), None
