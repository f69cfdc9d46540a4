"""The two sides of a comparison: the alerts of a report or of an alert store, one after another."""

from __future__ import annotations

import os
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from lanner.alerts.alert_store import AlertStore
from lanner.console.report_file import read_report, shorten, stored_alerts
from lanner.console.rows import message_of
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.misspelt import suggest_file
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.alerts.stored import StoredAlert
    from lanner.console.report_file import Report

_MS: Final = 1_000_000


class ComparedAlert(NamedTuple):
    """An alert as both sides have it: its event's time in milliseconds, rule, priority from 0, and message."""

    time: int
    rule: str
    priority: int
    message: str


class Side(Protocol):
    """Alerts with their places, which `alert` takes."""

    is_store: bool
    title: str

    @property
    def notes(self) -> tuple[str, ...]:
        """Reasons why alerts are missing."""
        ...

    def alerts(self, *, is_short: bool) -> Iterator[tuple[int, ComparedAlert]]:
        """Yield all alerts; messages are whole, or as short as in a report."""
        ...

    def alert(self, place: int) -> ComparedAlert | None:
        """Return the alert at a place with its message; None if retention has removed it meanwhile."""
        ...

    def close(self) -> None:
        """Close its files."""


class ReportSide:
    """A report, which fits into memory."""

    is_store = False

    def __init__(self, report: Report) -> None:
        self._report = report
        self.title = report.title

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Side`."""
        report = self._report
        return (f"the report has the first {many(len(report.times), 'alert')}, and leaves out {report.more:,}",) if report.more else ()

    @cached_property
    def _times(self) -> list[int]:
        return list(accumulate(self._report.times))

    def alerts(self, *, is_short: bool) -> Iterator[tuple[int, ComparedAlert]]:  # noqa: ARG002 - they are short already
        """See `Side`."""
        for place in range(len(self._report.times)):
            yield place, self.alert(place)

    def alert(self, place: int) -> ComparedAlert:
        """See `Side`."""
        report = self._report
        return ComparedAlert(self._times[place], report.texts[report.rules[place]], report.priorities[place], report.messages[place])

    def close(self) -> None:
        """Do nothing."""


class StoreSide:
    """An alert store of any size. Alerts that are stored after the beginning are left out."""

    is_store = True

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._last = store.last()
        runs = len({run.key for run in store.runs()})
        self.title = f"alert store of {many(runs, 'run')}"

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Side`: the errors of files that cannot be read."""
        return tuple(map(str, self._store.problems.values()))

    def alerts(self, *, is_short: bool) -> Iterator[tuple[int, ComparedAlert]]:
        """See `Side`."""
        for alert in stored_alerts(self._store):
            if alert.position > self._last:
                return
            yield alert.position, _to_compared(alert, is_short=is_short)

    def alert(self, place: int) -> ComparedAlert | None:
        """See `Side`."""
        found = self._store.after(place - 1, limit=1).alerts
        return _to_compared(found[0], is_short=False) if found and found[0].position == place else None

    def close(self) -> None:
        """Close the store."""
        self._store.close()


def open_side(path: str) -> Side:
    """Return the alerts of a report or, for a directory, of an alert store. Raises `LannerError`."""
    if Path(path).is_dir():
        return StoreSide(AlertStore(path))
    if not os.path.exists(path):  # noqa: PTH110 - unlike Path.exists also False for an invalid path
        raise LannerError(
            f"there is no alert store or report at {printable_line(path)}: it does not exist{suggest_file(path)}. "
            "`lanner run PLUGIN --replay FILE --report FILE` writes a report"
        )
    return ReportSide(read_report(path))


def _to_compared(alert: StoredAlert, *, is_short: bool) -> ComparedAlert:
    message = message_of(alert.line)
    return ComparedAlert(alert.timestamp // _MS, alert.rule, alert.priority, shorten(message) if is_short else message)
