"""The difference between two reports or stores: counts by rule, and the alerts that only one of them has.

A temporary database on disk compares them, so that memory does not depend on the number of alerts.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import to_lossless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from lanner.console.compared import ComparedAlert, Side

_TABLES: Final = (
    "CREATE TABLE rules (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE seen (alert BLOB, side INTEGER, rule INTEGER, time INTEGER, place INTEGER)",
    "CREATE TABLE lone (rule INTEGER, side INTEGER, time INTEGER, place INTEGER, PRIMARY KEY (rule, side, time, place)) WITHOUT ROWID",
)
_INSERT: Final = "INSERT INTO seen VALUES (?, ?, ?, ?, ?)"
# the n-th of equal alerts on one side has the n-th on the other as its partner
_FIND_LONE: Final = (
    "INSERT INTO lone SELECT min(rule), min(side), min(time), min(place) FROM "
    "(SELECT *, row_number() OVER (PARTITION BY alert, side ORDER BY time, place) AS number FROM seen) "
    "GROUP BY alert, number HAVING count(*) = 1"
)
_COUNTS: Final = (
    "SELECT rule, side, count(*) FROM seen GROUP BY rule, side",
    "SELECT rule, side, count(*) FROM lone GROUP BY rule, side",
)
_SELECT: Final = "SELECT place FROM lone WHERE rule = ? AND side = ? ORDER BY time, place"


class RuleDifference(NamedTuple):
    """A rule's numbers of alerts on both sides; `only_first` and `only_second`: of those without a partner on the other side."""

    number: int
    rule: str
    first: int
    second: int
    only_first: int
    only_second: int


class Comparison:
    """The comparison of two sides. A context manager. Equal alerts have the same time, rule, priority and message.

    If one side is a report, messages are as short as there. Raises `LannerError`.
    """

    def __init__(self, first: Side, second: Side) -> None:
        self._sides = first, second

    def __enter__(self) -> Self:
        with _errors():
            self._database = sqlite3.connect("", isolation_level=None)  # a temporary file without a name
        try:
            with _errors():
                self._compare()
        except BaseException:
            self._database.close()
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._database.close()

    def rules(self) -> list[RuleDifference]:
        """Return the rules of both sides, the largest difference first."""
        with _errors():
            counts = [{(rule, side): count for rule, side, count in self._database.execute(each)} for each in _COUNTS]
            rules = self._database.execute("SELECT id, name FROM rules").fetchall()
        found = [
            RuleDifference(number, name, *(each.get((number, side), 0) for each in counts for side in (0, 1))) for number, name in rules
        ]
        return sorted(found, key=lambda each: (-each.only_first - each.only_second, -each.first - each.second, each.rule))

    def list_unmatched(self, rule: RuleDifference, side: int, most: int = -1) -> Iterator[ComparedAlert]:
        """Yield the alerts of a rule that only this side (0 or 1) has, by the times of their events; the first `most` of them."""
        with _errors():
            for (place,) in self._database.execute(f"{_SELECT} LIMIT ?", (rule.number, side, most)):
                if (alert := self._sides[side].alert(place)) is not None:
                    yield alert

    def _compare(self) -> None:
        execute = self._database.execute
        for table in _TABLES:
            execute(table)
        numbers: dict[str, int] = {}
        is_short = not all(side.is_store for side in self._sides)
        execute("BEGIN")
        for number, side in enumerate(self._sides):
            self._database.executemany(_INSERT, _rows(number, side, numbers, is_short=is_short))
        self._database.executemany("INSERT INTO rules VALUES (?, ?)", [(number, name) for name, number in numbers.items()])
        execute(_FIND_LONE)
        execute("COMMIT")


def _rows(number: int, side: Side, numbers: dict[str, int], *, is_short: bool) -> Iterator[tuple[bytes, int, int, int, int]]:
    for place, alert in side.alerts(is_short=is_short):
        rule = numbers.setdefault(alert.rule, len(numbers))
        text = to_lossless(f"{alert.time} {rule} {alert.priority} {alert.message}")
        yield blake2b(text, digest_size=16).digest(), number, rule, alert.time, place


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LannerError(f"cannot compare: {error} in the directory for temporary files; SQLITE_TMPDIR names another one") from None
