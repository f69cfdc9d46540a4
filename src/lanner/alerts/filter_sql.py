"""A filter as SQL for one day's file: a superset of the matching alerts, which `Filter.matches` then reads.

Only the conditions that SQLite finds fast become SQL: ranges of ids (time, rollups), rules and subjects by their indexes, words by the
full-text index. Each word is quoted, and a statement has a bounded number of them, so that no text of a user is a syntax error.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from lanner.alerts.day_reader import COLUMNS
from lanner.alerts.filter_terms import Field, Text, Value
from lanner.alerts.filters import ALL_PRIORITIES
from lanner.alerts.search_words import TRUNCATED, is_searched, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.alerts.day_reader import DayReader
    from lanner.alerts.filters import Filter

_MOST_WORDS: Final = 8
"""Number of words of a filter, the longest ones, that Lanner looks up in the index."""
_MOST_OPEN: Final = 4
"""Number of beginnings of words that Lanner looks up in the index."""
_MOST_TERMS: Final = 16
"""Terms of a filter that become conditions."""
_FIRST_STEP: Final = 1 << 12
_MOST_STEP: Final = 1 << 14
_MOST_INDEX_STEP: Final = 1 << 16
_MOST_WORDS_STEP: Final = 1 << 18


class Plan(Struct, frozen=True, gc=False):
    """The SQL for a filter in one file. `ranges` are the ids to read: pairs of a first and a last one, in ascending order.

    `is_whole`: a statement may read a range at once, because it returns row after row without reading many others. Otherwise it reads at
    most `most_step` ids. `is_exact`: the SQL has all terms of the filter except the time.
    """

    source: str
    conditions: str
    values: tuple[Any, ...]
    ranges: tuple[tuple[int, int], ...]
    number: str = "a.id"
    is_whole: bool = False
    most_step: int = _MOST_STEP
    is_exact: bool = False

    def statement(self, columns: str = COLUMNS, *, descending: bool) -> str:
        """Return the statement; its parameters are `values`, the first and the last id."""
        where = f"{self.conditions}{' AND ' if self.conditions else ''}{self.number} BETWEEN ? AND ?"
        order = "DESC" if descending else "ASC"
        return f"SELECT {columns} FROM {self.source} WHERE {where} ORDER BY {self.number} {order}"  # noqa: S608 - without strings of users

    def steps(self, low: int, high: int, *, descending: bool, is_whole: bool | None = None) -> Iterator[tuple[int, int]]:
        """Yield the ranges of ids between `low` and `high` that a statement reads at once: small ones first."""
        step = _FIRST_STEP
        is_whole = self.is_whole if is_whole is None else is_whole
        for first, last in reversed(self.ranges) if descending else self.ranges:
            begin, end = max(first, low), min(last, high)
            while begin <= end:
                size = end - begin + 1 if is_whole else min(step, end - begin + 1)
                step = min(2 * step, self.most_step)
                if descending:
                    yield end - size + 1, end
                    end -= size
                else:
                    yield begin, begin + size - 1
                    begin += size


def make_plan(wanted: Filter, day: DayReader) -> Plan | None:
    """Return the SQL for a filter in this file, or None if no alert matches."""
    low, high = day.ids_in(wanted.since, wanted.until)
    conditions: list[str] = []
    values: list[Any] = []
    rules: list[int] | None = None
    subjects: list[int] | None = None
    is_exact = len(wanted.terms) <= _MOST_TERMS
    for term in wanted.terms[:_MOST_TERMS]:
        ids = day.ids_of(term.pattern) if isinstance(term, Value) else None
        if ids is None or not isinstance(term, Value):
            is_exact = False
            continue
        if term.negated:
            _add_list(conditions, values, term.key, "NOT IN", ids)
        elif term.key == "rule":
            rules = _common(rules, ids)
        elif term.key == "subject":
            subjects = _common(subjects, ids)
        else:
            _add_list(conditions, values, term.key, "IN", ids)
    if low > high or rules == [] or subjects == [] or not wanted.priorities:
        return None
    if wanted.priorities != ALL_PRIORITIES:
        _add_list(conditions, values, "priority", "IN", sorted(wanted.priorities))
    ranges = _ranges(wanted, day, rules, low, high)
    words = _words(wanted, day)
    if subjects is not None and (len(subjects) == 1 or not words):
        _add_list(conditions, values, "rule", "IN", rules)
        return _by_index("subject", subjects, conditions, values, ranges, is_exact=is_exact)
    if words:
        _add_list(conditions, values, "rule", "IN", rules)
        _add_list(conditions, values, "subject", "IN", subjects)
        return Plan(
            "words CROSS JOIN alerts a ON a.id = words.rowid",
            " AND ".join(["words MATCH ?", *conditions]),
            (_question(words), *values),
            ranges,
            number="words.rowid",
            # one word: the index returns its alerts one after the other
            is_whole=len(words) == 1 and not conditions,
            most_step=_MOST_WORDS_STEP,
        )
    if rules is not None:
        return _by_index("rule", rules, conditions, values, ranges, is_exact=is_exact)
    return Plan("alerts a NOT INDEXED", " AND ".join(conditions), tuple(values), ranges, is_whole=not conditions, is_exact=is_exact)


def _question(words: list[list[str]]) -> str:
    """Return the question to the full-text index: one of each list, or the mark of an alert that it has not read whole."""
    mark = f'"{TRUNCATED}"'
    if not all(words):
        return mark
    groups = [" OR ".join(f'"{word}"' for word in each) for each in words]
    return f"(({') AND ('.join(groups)})) OR {mark}"


def _by_index(
    column: str, ids: list[int], conditions: list[str], values: list[Any], ranges: tuple[tuple[int, int], ...], *, is_exact: bool
) -> Plan:
    own: list[Any] = []
    first: list[str] = []
    _add_list(first, own, column, "IN", ids)
    # one value: the index has its ids in order, and the statement need not sort
    is_whole = len(ids) == 1 and not conditions
    return Plan(
        f"alerts a INDEXED BY by_{column}",
        " AND ".join([*first, *conditions]),
        (*own, *values),
        ranges,
        is_whole=is_whole,
        most_step=_MOST_INDEX_STEP,
        is_exact=is_exact,
    )


def _add_list(conditions: list[str], values: list[Any], column: str, operator: str, ids: Iterable[int] | None) -> None:
    if ids is None:
        return
    listed = list(ids)
    conditions.append(
        f"a.{column} = ?" if operator == "IN" and len(listed) == 1 else f"a.{column} {operator} ({','.join('?' * len(listed))})"
    )
    values.extend(listed)


def _common(before: list[int] | None, ids: list[int]) -> list[int]:
    return ids if before is None else [number for number in before if number in ids]


def _ranges(wanted: Filter, day: DayReader, rules: list[int] | None, low: int, high: int) -> tuple[tuple[int, int], ...]:
    """Return the ids between `low` and `high` that may have the rules and priorities: by hours, from the rollups."""
    if rules is None and wanted.priorities == ALL_PRIORITIES:
        return ((low, high),)
    conditions: list[str] = []
    values: list[Any] = [low, high]
    _add_list(conditions, values, "rule", "IN", rules)
    if wanted.priorities != ALL_PRIORITIES:
        _add_list(conditions, values, "priority", "IN", sorted(wanted.priorities))
    where = " AND ".join(["a.last >= ?", "a.first <= ?", *conditions])
    statement = f"SELECT a.first, a.last FROM hours a WHERE {where} ORDER BY a.first"  # noqa: S608 - without strings of users
    merged: list[tuple[int, int]] = []
    with closing(day.select(statement, values)) as rows:
        for first, last in rows:
            begin, end = max(first, low), min(last, high)
            if merged and begin <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((begin, end))
    return tuple(merged)


def _words(wanted: Filter, day: DayReader) -> list[list[str]]:
    """Return words of which every matching alert has one of each list in the index, unless it is truncated."""
    found: set[str] = set()
    opened: set[str] = set()
    for term in wanted.terms[:_MOST_TERMS]:
        if term.negated:
            continue
        if isinstance(term, Text):
            found.update(term.words[: -1 if term.is_open else None])
            if term.is_open:
                opened.add(term.words[-1])
        elif isinstance(term, Field) and is_searched(term.name) and (literal := term.pattern.literal) is not None:
            found.update(words_of(literal))
    longest = sorted(found, key=lambda word: (-len(word), word))[:_MOST_WORDS]
    continued = [words for word in sorted(opened)[:_MOST_OPEN] if (words := day.words_with(word)) is not None]
    return [*([word] for word in longest), *continued]
