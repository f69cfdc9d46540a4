"""Search in an alert store, for all views: the command line, the console and the terminal.

A store is read while a run writes it. Each call does a bounded amount of work: a page says where the next call continues.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import DecodeError, json

from lanner.alerts.day_reader import DayReader
from lanner.alerts.day_search import search_day
from lanner.alerts.filter_terms import Pattern, Value, lower_ascii
from lanner.alerts.filters import Filter
from lanner.alerts.rollups import count_rules, draw_timeline
from lanner.alerts.store_errors import DamagedError, NoDirectoryError, StoreError, from_system
from lanner.alerts.store_format import LOCK_FILE, MINUTE, STATE_FILE, day_files
from lanner.alerts.stored import DAY_BITS, Page
from lanner.alerts.top_values import find_top
from lanner.sdk.text.printable import message_line, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any, TypeAlias

    from lanner.alerts.stored import Counts, Detail, RuleCount, Run, StoredAlert, Timeline

    _Steps: TypeAlias = Generator[tuple[int, StoredAlert | None], None, None]

_Answer = TypeVar("_Answer")

_PATIENCE: Final = 0.1
_MOST_OPEN: Final = 16
_CHECKED: Final = 64
"""Rows that are read between two readings of the clock."""
_ID_MASK: Final = (1 << DAY_BITS) - 1
_KEY: Final = re.compile(r"([0-9a-f]{8})-([1-9][0-9]{0,17})")
_NO_FILTER: Final = Filter()


class AlertStore:
    """The alert store in the directory `path`. Used by one thread at a time; a thread may have its own.

    A call ends after about `patience` seconds, or when it is done. Raises StoreError for the directory. A file that cannot be read is
    skipped, and `problems` has its error.
    """

    def __init__(self, path: str | Path, *, patience: float = _PATIENCE) -> None:
        self.path = Path(path)
        self.problems: dict[Path, StoreError] = {}
        """Errors of the files that are skipped."""
        self._patience = patience
        self._days: OrderedDict[int, DayReader] = OrderedDict()
        if not self._paths() and not any((self.path / name).exists() for name in (STATE_FILE, LOCK_FILE)):
            raise _make_missing_error(self.path, "it contains no alerts")

    def close(self) -> None:
        """Close all files."""
        while self._days:
            self._days.popitem()[1].close()

    def last(self) -> int:
        """Return the position of the newest alert; 0 without one."""
        last = self.ask(lambda reader: reader.last and reader.day << DAY_BITS | reader.last, descending=True)
        return next(filter(None, last), 0)

    def days(self) -> dict[int, Path]:
        """Return the files by day (since 1970), the oldest first."""
        return self._paths()

    def after(self, position: int, wanted: Filter = _NO_FILTER, limit: int = 1000) -> Page:
        """Return the next alerts after a position, the oldest first."""
        return self._page(self._walk(wanted, position + 1, None, descending=False), limit, position)

    def read_newest(self, wanted: Filter = _NO_FILTER, limit: int = 1000, before: int | None = None) -> Page:
        """Return the newest alerts before a position, the newest first."""
        return self._page(self._walk(wanted, 0, None if before is None else before - 1, descending=True), limit, before or 0)

    def find(self, key: str) -> Detail | None:
        """Return the alert with this key, in lower or upper case, or None if the store does not have it."""
        found = _KEY.fullmatch(key.lower())
        if not found:
            return None
        run, sequence = found[1], int(found[2])
        return next(filter(None, self.ask(lambda reader: reader.find(run, sequence), descending=True)), None)

    def explain_missing(self, key: str) -> str:
        """Return why `find` does not find this key, as a sentence."""
        name = message_line(key)
        found = _KEY.fullmatch(key.lower())
        if not found:
            return f"{name!r} is not the key of an alert, such as 1f0c22ab-17: `lanner alerts search --keys` prints the keys"
        run, sequence = found[1], int(found[2])
        known = [each for each in self.ask(lambda reader: reader.sequences(run), descending=False) if each is not None]
        here = printable_line(str(self.path))
        if not known:
            return f"no alert {name} in {here}: no alert of its run {run} is there. Retention has removed them, or another store has them"
        first, last = known[0][0], known[-1][1]
        if sequence < first:
            return f"no alert {name} in {here}: retention has removed it. The oldest alert of its run that is still there is {run}-{first}"
        if sequence > last:
            return f"no alert {name} in {here}: the last alert of its run that was stored is {run}-{last}"
        return f"no alert {name} in {here}: it was not stored. Lanner had suppressed or dropped it, or a part of the store was removed"

    def around(self, detail: Detail, minutes: int = 5, limit: int = 200) -> list[StoredAlert]:
        """Return the alerts of the same subject that arrived within `minutes` of an alert: the `limit` nearest, the oldest first."""
        alert = detail.alert
        if not alert.subject:
            return [alert]
        subject = Value(negated=False, key="subject", pattern=Pattern((lower_ascii(alert.subject),)))
        span = minutes * MINUTE
        wanted = Filter(terms=(subject,), since=alert.arrived - span, until=alert.arrived + span + 1)
        before = self.read_newest(wanted, limit, alert.position).alerts
        after = self.after(alert.position, wanted, limit).alerts
        nearest = sorted([*before, *after], key=lambda each: abs(each.arrived - alert.arrived))[: limit - 1]
        return sorted([alert, *(each for each in nearest if each.subject == alert.subject)])

    def timeline(self, wanted: Filter, begin: int, end: int) -> Timeline:
        """Return the numbers of alerts by priority that arrived from `begin` on, before `end` (ns since 1970), in some hundred buckets."""
        return draw_timeline(self, wanted, begin, end)

    def top(self, wanted: Filter, field: str, begin: int, end: int, limit: int) -> Counts:
        """Return the most frequent values of `rule`, `priority`, `source`, `subject`, `tag` or a field, and their counts."""
        return find_top(self, wanted, field, begin, end, limit)

    def rules(self, begin: int, end: int) -> list[RuleCount]:
        """Return the rules that raised alerts in a period, in whole minutes, the most frequent first."""
        return count_rules(self, begin, end)

    def runs(self) -> list[Run]:
        """Return the runs and their loads of rules, the newest first."""
        found: dict[tuple[str, int], Run] = {}
        for runs in self.ask(lambda reader: reader.runs(), descending=True):
            for run in reversed(runs):
                found.setdefault((run.key, run.started), run)
        return sorted(found.values(), key=lambda run: run.started, reverse=True)

    def run_of(self, alert: StoredAlert) -> Run | None:
        """Return the run that raised an alert, or None if retention has removed it."""
        reader = self._open(alert.position >> DAY_BITS)
        return None if reader is None else reader.run(alert.run)

    def rules_file(self, sha256: str) -> bytes | None:
        """Return the stored rules file with this hash."""
        found = self.ask(lambda reader: reader.rules_file(sha256), descending=True)
        return next((content for content in found if content is not None), None)

    def state(self) -> dict[str, Any] | None:
        """Return the state that the run wrote last, or None without one."""
        try:
            read = json.decode((self.path / STATE_FILE).read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise from_system(error, self.path / STATE_FILE) from None
        except (DecodeError, RecursionError) as error:
            raise DamagedError(f"{self.path / STATE_FILE} is damaged ({error}): remove it; the next run writes a new one") from None
        return read if isinstance(read, dict) else None

    def ask(self, question: Callable[[DayReader], _Answer], *, descending: bool) -> Iterator[_Answer]:
        """Yield the answer of each file that can be read, in order of their days."""
        for day in sorted(self._paths(), reverse=descending):
            reader = self._open(day)
            if reader is None:
                continue
            try:
                answer = question(reader)
            except StoreError as error:
                self._set_aside(reader, error)
            else:
                yield answer

    def clock(self) -> Callable[[], bool]:
        """Return a function that says whether the time of a call that begins now is over."""
        deadline = time.monotonic() + self._patience
        return lambda: time.monotonic() >= deadline

    def _page(self, steps: _Steps, limit: int, position: int) -> Page:
        is_over = self.clock()
        alerts: list[StoredAlert] = []
        with closing(steps):
            for position, alert in steps:  # noqa: PLR1704 - the last one counts
                if alert is not None:
                    alerts.append(alert)
                    if len(alerts) >= limit:
                        return Page(alerts, position, more=True)
                if (alert is None or not len(alerts) % _CHECKED) and is_over():
                    return Page(alerts, position, more=True)
        return Page(alerts, position, more=False)

    def _walk(self, wanted: Filter, low: int, high: int | None, *, descending: bool) -> _Steps:
        """Yield each matching alert with positions between `low` and `high`, and now and then None, with the position that was reached."""
        for day in sorted(self._paths(), reverse=descending):
            first = low - (day << DAY_BITS)
            last = _ID_MASK if high is None else high - (day << DAY_BITS)
            if first > _ID_MASK or last < 1:
                continue
            reader = self._open(day)
            if reader is None:
                continue
            base = day << DAY_BITS
            try:
                for number, alert in search_day(reader, wanted, max(first, 1), min(last, reader.last), descending=descending):
                    yield base | number, alert
            except StoreError as error:
                self._set_aside(reader, error)

    def _set_aside(self, reader: DayReader, error: StoreError) -> None:
        """Note that a part of a file cannot be read, and close it."""
        self.problems[reader.path] = error
        self._days.pop(reader.day, None)
        reader.close()

    def _paths(self) -> dict[int, Path]:
        """Return the files by day. Close those that retention has removed."""
        try:
            paths = day_files(self.path)
        except FileNotFoundError:
            raise _make_missing_error(self.path, "it does not exist") from None
        except NotADirectoryError:
            raise NoDirectoryError(
                f"there is no alert store at {printable_line(str(self.path))}: this is not a directory. Name the directory of a store, "
                "which is $.lanner.store_output.path of the run that writes it"
            ) from None
        except (OSError, ValueError) as error:
            raise from_system(error, self.path) from None
        for day in [day for day in self._days if day not in paths]:
            self._days.pop(day).close()
        for path in self.problems.keys() - paths.values():
            del self.problems[path]
        return paths

    def _open(self, day: int) -> DayReader | None:
        """Return the file of a day; None if it was removed, has no tables yet, or is damaged."""
        reader = self._days.get(day)
        if reader is not None and reader.is_ready and reader.is_current:
            self._days.move_to_end(day)
            return reader
        path = day_files(self.path).get(day)
        if path is None:
            return None
        if reader is not None:
            self._days.pop(day).close()
        try:
            reader = DayReader(path, day)
        except StoreError as error:
            if path.exists():
                self.problems[path] = error
            return None
        if not isinstance(self.problems.get(path), DamagedError):
            self.problems.pop(path, None)
        self._days[day] = reader
        while len(self._days) > _MOST_OPEN:
            self._days.popitem(last=False)[1].close()
        return reader if reader.is_ready else None


def _make_missing_error(path: Path, reason: str) -> StoreError:
    return StoreError(
        f"there is no alert store at {printable_line(str(path))}: {reason}. `lanner run` creates one, with "
        f"-o lanner.store_output.enabled=true -o lanner.store_output.path={printable_line(str(path))}"
    )
