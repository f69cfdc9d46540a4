"""The console's API: paths below /api/ and their responses. The page polls it; docs/console.md describes it."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from lanner.alerts.filter_notes import find_notes
from lanner.alerts.filters import FilterError, parse_filter
from lanner.alerts.top_values import FACETS
from lanner.console.overview import describe_rules, loaded_rules
from lanner.console.parameters import Query
from lanner.console.rows import detail_of, row_of
from lanner.console.store_status import describe_state
from lanner.operating.http_request import JSON, Page, error_page
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.text.misspelt import suggest_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.filters import Filter
    from lanner.alerts.stored import Detail
    from lanner.inquiry.process_messages import Kind
    from lanner.inquiry.questions import Inquiry

_MOST_NEW: Final = 5000
_MOST_OLD: Final = 1000
_DEFAULT_OLD: Final = 500
_MOST_AROUND: Final = 200
_MOST_VALUES: Final = 100
_MS: Final = 1_000_000
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000

_QUESTIONS: Final = ("why", "exception", "test")
_COUNTED: Final = ("timeline", "facets", "rules")
LANES: Final = (2, 2, 1)
"""Threads by lane. Pages poll lists (0). Counts of many alerts (1) and questions, which plugin code answers (2), do not delay them."""
_LONGEST_KEY: Final = 32


class Api:
    """Responses about a store. `open_store` returns a reader of it; each thread of the server has one."""

    def __init__(self, open_store: Callable[[], AlertStore], inquiry: Inquiry) -> None:
        self._open_store, self._inquiry = open_store, inquiry
        self._local = threading.local()
        self._stores: list[AlertStore] = []  # of all threads
        self._endpoints: Final = {
            "alerts": self._alerts,
            "timeline": self._timeline,
            "facets": self._facets,
            "rules": self._rules,
            "status": self._status,
        }

    @staticmethod
    def lane(path: str) -> int:
        """Return the lane of `LANES` that answers a path."""
        return 2 if path.rpartition("/")[2] in _QUESTIONS else int(path in _COUNTED)

    def get(self, path: str, query: str) -> Page:
        """Return the response to a path below /api/."""
        try:
            parameters = Query(query)
            if path in self._endpoints:
                return _page(self._endpoints[path](parameters))
            kind, _, rest = path.partition("/")
            key, _, part = rest.partition("/")
            if kind != "alert" or not key or len(key) > _LONGEST_KEY or part not in {"", "around", *_QUESTIONS}:
                return error_page(HTTPStatus.NOT_FOUND, self._describe_paths(path))
            parameters.end()
            return self._alert(key, part)
        except FilterError as error:
            return error_page(HTTPStatus.BAD_REQUEST, str(error), place=error.place)
        except UsageError as error:
            return error_page(HTTPStatus.BAD_REQUEST, str(error), place=None)
        except LannerError as error:
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, str(error), place=None)

    def _describe_paths(self, path: str) -> str:
        """Return the message about an unknown path."""
        known = [*self._endpoints, "alert/KEY", *(f"alert/KEY/{part}" for part in ("around", *_QUESTIONS))]
        near = suggest_name(path, self._endpoints)
        lead = f"{near} The" if near else ": the"
        return f"unknown path {path[:_LONGEST_KEY]!r}{lead} API has {', '.join(known)}"

    @property
    def _store(self) -> AlertStore:
        if not hasattr(self._local, "store"):
            self._local.store = self._open_store()
            self._stores.append(self._local.store)
        return cast("AlertStore", self._local.store)

    def _filter(self, query: Query) -> Filter:
        return parse_filter(query.text("filter"), time.time_ns())

    def _alerts(self, query: Query) -> dict[str, Any]:
        wanted = self._filter(query)
        notes = wanted.notes
        if query.has("after"):
            after, limit = query.number("after"), query.number("limit", _MOST_NEW, most=_MOST_NEW)
            query.end()
            page = self._store.after(after, wanted, limit)
            if not (page.alerts or page.more) and (last := self._store.last()) < after:
                page = page._replace(position=last)  # another store is in the directory now
        else:
            before = query.number("before") if query.has("before") else None
            limit = query.number("limit", _DEFAULT_OLD, most=_MOST_OLD)
            query.end()
            page = self._store.read_newest(wanted, limit, before)
            notes = find_notes(self._store, wanted) if before is None else notes
        return {"alerts": list(map(row_of, page.alerts)), "position": page.position, "more": page.more, "notes": list(notes)}

    def _alert(self, key: str, part: str) -> Page:
        detail = self._store.find(key)
        if detail is None:
            return error_page(HTTPStatus.NOT_FOUND, self._store.explain_missing(key))
        if not part:
            rules = (rule for rule in loaded_rules(self._store, detail.run) if rule.name == detail.alert.rule)
            place = next(({"path": rule.path, "line": rule.line} for rule in rules), None)
            return _page(detail_of(detail) | {"rules_file": place})
        if part == "around":
            return _page(self._around(detail))
        return _page(self._inquiry.ask(cast("Kind", part), detail, self._store))

    def _around(self, detail: Detail) -> dict[str, Any]:
        alerts = self._store.around(detail, limit=_MOST_AROUND)
        counts: dict[str, int] = {}
        for each in alerts:
            counts[each.rule] = counts.get(each.rule, 0) + 1
        return {"alerts": list(map(row_of, alerts)), "rules": sorted(counts.items(), key=lambda item: (-item[1], item[0]))}

    def _window(self, query: Query) -> tuple[int, int]:
        """Return the time window in nanoseconds; by default the last hour."""
        end = query.number("end", time.time_ns() // _MS)
        begin = query.number("begin", max(0, end - _HOUR_MS))
        if begin > end:
            raise UsageError("the parameter begin is after end")
        return begin * _MS, end * _MS

    def _timeline(self, query: Query) -> dict[str, Any]:
        wanted, (begin, end) = self._filter(query), self._window(query)
        query.end()
        found = self._store.timeline(wanted, begin, end)
        counts: dict[int, list[int]] = {}
        for bucket in found.buckets:
            counts.setdefault(bucket.begin, [0] * 8)[bucket.priority] += bucket.count
        step = found.buckets[0].length // _MS if found.buckets else _MINUTE_MS
        return {"step_ms": step, "buckets": [[at // _MS, each] for at, each in sorted(counts.items())], "exact": found.exact}

    def _facets(self, query: Query) -> dict[str, Any]:
        wanted, (begin, end), field = self._filter(query), self._window(query), query.text("field")
        query.end()
        if field not in FACETS:
            actual = f"not {field[:40]!r}" if field else "and is missing"
            raise UsageError(f"the parameter field takes one of {', '.join(FACETS)}, {actual}{suggest_name(field, FACETS)}")
        found = self._store.top(wanted, field, begin, end, _MOST_VALUES)
        return {"values": found.values, "exact": found.exact}

    def _rules(self, query: Query) -> dict[str, Any]:
        begin, end = self._window(query)
        query.end()
        return describe_rules(self._store, begin, end)

    def _status(self, query: Query) -> dict[str, Any]:
        query.end()
        store = self._store
        # each reader knows of the files that it has tried to read
        return describe_state(store, {path: error for each in self._stores for path, error in list(each.problems.items())})


def _page(document: object) -> Page:
    return Page(HTTPStatus.OK, JSON, msgspec.json.encode(document))
