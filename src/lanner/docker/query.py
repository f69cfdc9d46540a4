"""Selects events: combines the configuration and the parameters of `open` into the target of `GET /events`.

The parameters are "", `since=10m&until=...&filters={"type": ["container"]}`, or the same as a JSON object; they replace
the options of the configuration. Times are as in `docker events`: seconds since 1970 (1795426345.860357172), RFC 3339
(2026-11-23T20:00:00Z; without a zone in local time) or a span before now (10m, 1h30m).
"""

from __future__ import annotations

import time

from lanner import UsageError, parse_moment, suggest_name
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from lanner.docker.endpoint import Endpoint
    from lanner.docker.gaps import Host

_KEYS: Final = ("since", "until", "filters")
_SECOND: Final = 1_000_000_000


class Query(NamedTuple):
    """A query: nanoseconds since 1970 (None: from now on, without end), and filters by name."""

    since: int | None = None
    until: int | None = None
    filters: Mapping[str, tuple[str, ...]] | None = None

    def from_time(self, since: int | None) -> Query:
        """Return the same query from `since` on."""
        return self._replace(since=since)

    def target(self, api_version: str) -> str:
        """Return the request's target, with the API version in its path."""
        words = [
            f"{name}={when // _SECOND}.{when % _SECOND:09}"
            for name, when in (("since", self.since), ("until", self.until))
            if when is not None
        ]
        if self.filters:
            import json
            from urllib.parse import quote

            words.append("filters=" + quote(json.dumps(self.filters, separators=(",", ":")), safe=""))
        return f"/v{api_version}/events" + ("?" + "&".join(words) if words else "")


class Target(NamedTuple):
    """An engine to watch: its name in events, its address, and the query."""

    host: Host
    endpoint: Endpoint
    query: Query


def make_query(params: str, since: str, until: str, filters: Mapping[str, list[str]]) -> Query:
    """Return the query of `params`, and of the options where they are silent. Raises UsageError that names the invalid part."""
    now = time.time_ns()
    given = _read(params)
    asked: dict[str, Any] = {"since": since, "until": until, "filters": filters, **given}
    return Query(
        since=_point("since" if "since" in given else "$.since", asked["since"], now),
        until=_point("until" if "until" in given else "$.until", asked["until"], now),
        filters=_filters(asked["filters"]),
    )


def _read(params: str) -> dict[str, Any]:
    params = params.strip()
    read = _from_json(params) if params.startswith("{") else _from_words(params)
    for key in read:
        if key not in _KEYS:
            raise UsageError(f"the open parameters have {key!r}, which is none of {', '.join(_KEYS)}{suggest_name(key, _KEYS)}")
    return read


def _from_json(text: str) -> dict[str, Any]:
    found = _json(text, "the open parameters are")
    return found if isinstance(found, dict) else {}


def _from_words(text: str) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for word in filter(None, text.split("&")):
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"the open parameters have {word!r}, which is not key=value: write since=10m&until=...&filters=...")
        if key in read:
            raise UsageError(f"the open parameters have {key!r} twice")
        if "%" in value:
            from urllib.parse import unquote

            value = unquote(value)
        read[key] = _json(value, "`filters` is") if key == "filters" else value
    return read


def _json(text: str, subject: str) -> Any:
    import json

    try:
        return json.loads(text, parse_float=str, parse_int=str)  # a float would lose the nanoseconds
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{subject} invalid JSON: {error}") from None


def _point(key: str, value: Any, now: int) -> int | None:
    if value in {"", None} if isinstance(value, str | None) else False:
        return None
    try:
        return parse_moment(value if isinstance(value, str) else "", now)
    except ValueError as error:
        raise UsageError(f"`{key}` is {value!r}, which is {error}") from None


def _filters(value: Any) -> dict[str, tuple[str, ...]] | None:
    if not value:
        return None
    if not isinstance(value, dict):
        raise _make_filter_error("it", value)
    result = {}
    for name, given in value.items():
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise _make_filter_error(f"{name!r}", texts)
        result[name] = tuple(texts)
    return result


def _make_filter_error(what: str, value: Any) -> UsageError:
    return UsageError(f'invalid `filters`: {what} is {value!r}; write {{"type": ["container"], "event": ["die", "oom"]}}')
