"""The thread that reads an alert store for `lanner top`, so that the terminal never waits for a disk.

It reads the alerts after the last position, counts them, and keeps the newest that match the filter. The application takes an `Update`
when it is ready for one; what arrives meanwhile is in the next one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filters import Filter
from lanner.alerts.lock import find_writer
from lanner.alerts.store_errors import DamagedError, StoreError
from lanner.top.newest import MOST_ALERTS, NewestAlerts
from lanner.top.rate_window import LENGTH, SECOND, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lanner.alerts.stored import StoredAlert
    from lanner.top.rate_window import RuleKey

_PAGE: Final = 2000
_PATIENCE: Final = 1.0
"""Seconds to search for older alerts after a change of the filter."""
_STATE_EVERY: Final = 2.0
_SPARKLINE: Final = 60
_MINUTE: Final = 60
_RATE: Final = 5
"""Seconds of a rate's average."""
_MOST_COUNTS: Final = 50
NO_FILTER: Final = Filter()


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of the last `span` seconds. `rate` is that of all alerts, `matching` that of the filter's; the rest is the filter's.

    `newest` is the arrival of the newest alert, ns since 1970; None if the store has none, 0 before it was looked for long enough.
    """

    rate: float = 0.0
    matching: float = 0.0
    seconds: tuple[int, ...] = ()
    rules: tuple[tuple[RuleKey, int], ...] = ()
    subjects: tuple[tuple[str, int], ...] = ()
    priorities: Counter[int] = field(default_factory=Counter)
    span: int = LENGTH
    newest: int | None = 0


@dataclass(frozen=True, slots=True)
class Update:
    """An update of the view: new alerts that match the filter, the oldest first. `resets`: they replace the alerts before.

    `state` is the state that the last run wrote (run.json). `is_running`: a run writes the store. `problem`: the store cannot be read.
    """

    alerts: list[StoredAlert]
    resets: bool
    figures: Figures
    state: dict[str, Any] | None
    is_running: bool
    problem: str


class Feed:
    """Reader of the store at `path`. The feed's thread calls `notify` when `take` has an update, and again only after `take` was called."""

    def __init__(self, path: Path, notify: Callable[[], None], wanted: Filter = NO_FILTER) -> None:
        self._path, self._notify = path, notify
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self.interval = 0.2
        """Seconds between two readings of the store."""
        self._wanted, self._next = wanted, wanted
        self._store: AlertStore | None = None
        self._position = 0
        self._begins = True
        self._all, self._matching = Window(), Window()
        self._counted_since = 0  # arrival of the first counted alert, if earlier ones were left out
        self._newest_arrival: int | None = 0
        self._alerts = NewestAlerts()
        self._resets = True
        self._state: dict[str, Any] | None = None
        self._is_running = False
        self._state_at = -_STATE_EVERY
        self._changes = 0  # of the state
        self._problem = self._state_problem = ""
        self._shown: object = None
        self._is_taken = True
        self._thread = threading.Thread(target=self._run, name="lanner-top", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, and wait for it."""
        self._closing = True
        self._wake.set()
        self._thread.join(2.0)

    def narrow(self, wanted: Filter) -> None:
        """Use another filter, for alerts in the store as well."""
        self._next = wanted
        self._wake.set()

    def take(self) -> Update:
        """Return the new alerts."""
        now = time.time_ns()
        with self._lock:
            alerts = self._alerts.take()
            resets, self._resets = self._resets, False
            self._is_taken = True
            return Update(alerts, resets, self._figures(now), self._state, self._is_running, self._problem)

    def _run(self) -> None:
        while not self._closing:
            begin = time.monotonic()
            try:
                more = self._look()
                problem = self._find_problem()
            except StoreError as error:
                more, problem = False, str(error)
                self._leave()
            except Exception as error:  # noqa: BLE001 - the view must not freeze without a word
                more, problem = False, f"this is a bug in Lanner: {type(error).__name__}: {error}"
                self._leave()
            with self._lock:
                self._problem = problem
            self._tell()
            if not more:
                self._wake.wait(max(0.0, begin + self.interval - time.monotonic()))
                self._wake.clear()

    def _tell(self) -> None:
        """Notify the application if it has taken the last update and something has changed."""
        with self._lock:
            # rates change with each second, the age of the newest alert with each minute
            shown = (self._problem, self._is_running, self._changes, int(time.monotonic() / (_MINUTE if self._all.is_empty else 1)))
            if not self._is_taken or not (self._alerts or self._resets or shown != self._shown):
                return
            self._shown, self._is_taken = shown, False
        self._notify()

    def _find_problem(self) -> str:
        """Return the first error of a file that is left out; "" without one."""
        problems = self._store.problems if self._store is not None else {}
        return self._state_problem or next((str(error) for error in problems.values()), "")

    def _leave(self) -> None:
        """Close the store that cannot be read; a later read reopens it."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self._is_running = False

    def _look(self) -> bool:
        """Read new alerts. Return whether the store has more of them already. Raises StoreError."""
        if self._store is None:
            self._store = AlertStore(self._path)
            self._begins = True
        if self._next is not self._wanted:
            self._wanted, self._begins = self._next, True
        if time.monotonic() - self._state_at >= _STATE_EVERY:
            self._read_state(self._store)
        if self._begins or self._store.last() < self._position:  # another store may have replaced it
            self._begin(self._store)
        page = self._store.after(self._position, limit=_PAGE)
        matches = None if self._wanted.is_empty else self._wanted.matches
        with self._lock:
            for alert in page.alerts:
                self._all.add(alert)
                if matches is None or matches(alert):
                    self._newest_arrival = alert.arrived
                    self._matching.add(alert)
                    self._alerts.add((alert,))
        self._position = max(self._position, page.position)
        return page.more

    def _begin(self, store: AlertStore) -> None:
        """Fill list and counts with the newest alerts of the store, up to the position."""
        last = store.last()
        is_first = not self._position or last < self._position
        if is_first:
            self._position = last  # the next look reads the alerts that arrive from here on
        found, more = self._read_newest(store, self._position + 1)
        with self._lock:
            self._alerts, self._resets = NewestAlerts(reversed(found)), True
            self._matching = Window()
            self._newest_arrival = found[0].arrived if found else 0 if more else None
            self._counted_since = time.time_ns() if more and not found else found[-1].arrived if more else 0
            if is_first:
                self._all = Window()
            for alert in reversed(found):
                self._matching.add(alert)
                if is_first and self._wanted.is_empty:
                    self._all.add(alert)
        self._begins = False

    def _read_newest(self, store: AlertStore, before: int) -> tuple[list[StoredAlert], bool]:
        """Return the newest alerts that match, the newest first, as many as `_PATIENCE` seconds find; and if there may be more."""
        found: list[StoredAlert] = []
        deadline = time.monotonic() + _PATIENCE
        more = before > 1
        while more and len(found) < MOST_ALERTS and time.monotonic() < deadline and not self._closing:
            page = store.read_newest(self._wanted, MOST_ALERTS - len(found), before)
            found += page.alerts
            before, more = page.position, page.more
        return found, more

    def _read_state(self, store: AlertStore) -> None:
        self._state_at = time.monotonic()
        before = self._state
        try:
            self._state, self._state_problem = store.state(), ""
        except DamagedError as error:
            self._state, self._state_problem = None, str(error)
        self._changes += self._state != before
        self._is_running = bool(find_writer(self._path))

    def _figures(self, now: int) -> Figures:
        seconds, matching = self._all.rates(now, _RATE), self._matching.rates(now, _SPARKLINE)
        return Figures(
            rate=sum(seconds) / _RATE,
            matching=sum(matching[-_RATE:]) / _RATE,
            seconds=tuple(matching),
            rules=tuple(self._matching.rules(now, _MOST_COUNTS)),
            subjects=tuple(self._matching.subjects(now, _MOST_COUNTS)),
            priorities=self._matching.priorities(now),
            span=min(LENGTH, max(1, (now - self._counted_since) // SECOND)),
            newest=self._newest_arrival,
        )
