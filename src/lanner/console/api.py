"""The console's API: paths below /api/ and their responses. The page polls it; docs/console.md describes it."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from lanner.console.query import Query
from lanner.console.rows import detail_of, row_of
from lanner.operating.http_request import JSON, Page, error_page
from lanner.sdk.errors import LannerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_NEW: Final = 5000
_MOST_OLD: Final = 1000
_DEFAULT_OLD: Final = 500
_MOST_AROUND: Final = 200
_MOST_VALUES: Final = 100
_NS: Final = 1_000_000
_HOUR_MS: Final = 3_600_000
_FIELDS: Final = ("rule", "priority", "source", "subject", "tag")
_PARTS: Final = ("why", "exception", "test")
_LONGEST_KEY: Final = 32


class Inquiry(Protocol):
    """Answers about one stored alert: each is a JSON object, with `unavailable` and the reason if the answer cannot be given."""

    def why(self, detail: Any) -> dict[str, Any]: ...

    def exception(self, detail: Any) -> dict[str, Any]: ...

    def test(self, detail: Any) -> dict[str, Any]: ...


class Api:
    """Responses for one store. `open_store` returns a reader; each thread of the server has one."""

    def __init__(self, open_store: Callable[[], Any], parse_filter: Callable[[str, int], Any], inquiry: Inquiry) -> None:
        self._open_store, self._parse_filter, self._inquiry = open_store, parse_filter, inquiry
        self._local = threading.local()
        self._endpoints: Final = {
            "alerts": self._alerts,
            "timeline": self._timeline,
            "facets": self._facets,
            "rules": self._rules,
            "status": self._status,
        }

    def get(self, path: str, query: str) -> Page:
        """Return the response to a path below /api/."""
        try:
            parameters = Query(query)
            if path in self._endpoints:
                return _page(self._endpoints[path](parameters))
            kind, _, rest = path.partition("/")
            key, _, part = rest.partition("/")
            if kind != "alert" or not key or len(key) > _LONGEST_KEY:
                return error_page(HTTPStatus.NOT_FOUND)
            parameters.end()
            return self._alert(key, part)
        except UsageError as error:
            return error_page(HTTPStatus.BAD_REQUEST, str(error), place=getattr(error, "place", None))
        except LannerError as error:
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, str(error), place=None)

    @property
    def _store(self) -> Any:
        if not hasattr(self._local, "store"):
            self._local.store = self._open_store()
        return self._local.store

    def _filter(self, query: Query) -> Any:
        return self._parse_filter(query.text("filter"), time.time_ns())

    def _alerts(self, query: Query) -> dict[str, Any]:
        wanted = self._filter(query)
        if query.has("after"):
            after, limit = query.number("after"), query.number("limit", _MOST_NEW, most=_MOST_NEW)
            query.end()
            page = self._store.after(after, wanted, limit)
        else:
            before = query.number("before") if query.has("before") else None
            limit = query.number("limit", _DEFAULT_OLD, most=_MOST_OLD)
            query.end()
            page = self._store.newest(wanted, limit, before)
        return {"alerts": list(map(row_of, page.alerts)), "position": page.position, "more": page.more}

    def _alert(self, key: str, part: str) -> Page:
        detail = self._store.find(key)
        if detail is None:
            return error_page(HTTPStatus.NOT_FOUND, "no such alert in the store: retention removed it, or it was never stored")
        if not part:
            return _page(detail_of(detail))
        if part == "around":
            return _page(self._around(detail))
        if part in _PARTS:
            return _page(getattr(self._inquiry, part)(detail))
        return error_page(HTTPStatus.NOT_FOUND)

    def _around(self, detail: Any) -> dict[str, Any]:
        alerts = self._store.around(detail, limit=_MOST_AROUND)
        counts: dict[str, int] = {}
        for each in alerts:
            counts[each.rule] = counts.get(each.rule, 0) + 1
        return {"alerts": list(map(row_of, alerts)), "rules": sorted(counts.items(), key=lambda item: (-item[1], item[0]))}

    def _window(self, query: Query) -> tuple[int, int]:
        """Return the time window in nanoseconds; by default the last hour."""
        end = query.number("end", time.time_ns() // _NS)
        begin = query.number("begin", max(0, end - _HOUR_MS))
        if begin > end:
            raise UsageError("the parameter begin is after end")
        return begin * _NS, end * _NS

    def _timeline(self, query: Query) -> dict[str, Any]:
        wanted, (begin, end) = self._filter(query), self._window(query)
        query.end()
        found = self._store.timeline(wanted, begin, end)
        counts: dict[int, list[int]] = {}
        for bucket in found.buckets:
            counts.setdefault(bucket.begin_ns, [0] * 8)[bucket.priority] += bucket.count
        step = found.buckets[0].length_ns // _NS if found.buckets else 60_000
        return {"step_ms": step, "buckets": [[at // _NS, each] for at, each in sorted(counts.items())], "exact": found.exact}

    def _facets(self, query: Query) -> dict[str, Any]:
        wanted, (begin, end), field = self._filter(query), self._window(query), query.text("field")
        query.end()
        if field not in _FIELDS:
            raise UsageError(f"the parameter field takes one of {', '.join(_FIELDS)}")
        found = self._store.top(wanted, field, begin, end, _MOST_VALUES)
        return {"values": found.values, "exact": found.exact}

    def _rules(self, query: Query) -> dict[str, Any]:
        begin, end = self._window(query)
        query.end()
        overview: dict[str, Any] = self._store.rules_overview(begin, end)
        return overview

    def _status(self, query: Query) -> dict[str, Any]:
        query.end()
        status: dict[str, Any] = self._store.status()
        return status


def _page(document: object) -> Page:
    return Page(HTTPStatus.OK, JSON, msgspec.json.encode(document))
