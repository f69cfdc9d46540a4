"""Types of the results of an alert store: alerts, their contents, runs and counts."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from msgspec import DecodeError, Struct, ValidationError, json

from lanner.rules.files.items import Priority

DAY_BITS: Final = 32
"""A position is a day (since 1970) shifted by this, and the alert's number in the day's file."""


class StoredAlert(NamedTuple):
    """An alert in the store. `position` orders all alerts of a store by their arrival; `key` names an alert permanently.

    `arrived` and `timestamp` (the event's) are ns since 1970; `priority` counts from 0 (Emergency). `line` is the alert as JSON.
    `run` is the number of its run in the file, for `AlertStore.run_of`.
    """

    position: int
    key: str
    arrived: int
    timestamp: int
    rule: str
    priority: int
    source: str
    subject: str
    line: bytes
    run: int = 0


def priority_name(number: int) -> str:
    """Return a priority as Falco prints it; its number if the store has an unknown one."""
    try:
        return str(Priority(number))
    except ValueError:
        return str(number)


class Content(Struct, frozen=True, gc=False):
    """The members of an alert's line that a search reads. `message` is the output without time and priority."""

    message: str = ""
    output: str = ""
    output_fields: dict[str, Any] = {}
    tags: tuple[str, ...] = ()
    hostname: str = ""
    time: str = ""


class Run(NamedTuple):
    """A run that stored alerts. `key` begins the keys of its alerts. `about` is the description that the run wrote of itself."""

    key: str
    started: int
    plugin: str
    about: dict[str, Any]


class Detail(NamedTuple):
    """An alert with its event: the first bytes of the payload, and the size of the whole."""

    alert: StoredAlert
    event: bytes
    event_size: int
    run: Run


class Page(NamedTuple):
    """Alerts, and the position from which to continue. `more`: there may be further alerts after it."""

    alerts: list[StoredAlert]
    position: int
    more: bool


class Bucket(Struct, frozen=True, gc=False):
    """The alerts of a priority that arrived in a part of a time line."""

    begin: int
    length: int
    priority: int
    count: int


class Timeline(NamedTuple):
    """Buckets in order of time. `exact` is False if the search ended before it had read all alerts: the oldest are missing."""

    buckets: list[Bucket]
    exact: bool


class Counts(NamedTuple):
    """The most frequent values with their counts. `exact` is False if the search ended before it had read all alerts."""

    values: list[tuple[str, int]]
    exact: bool


class RuleCount(Struct, frozen=True, gc=False):
    """The alerts of a rule in a period; `last` is the position of the newest one."""

    rule: str
    priority: int
    count: int
    last: int


_decode: Final = json.Decoder(Content).decode


def read_content(line: bytes) -> Content:
    """Return the contents of a line of the store. Members that are missing or have another type are empty; a damaged line is a message."""
    try:
        return _decode(line)
    except ValidationError:
        given = json.decode(line)
        fields = given.get("output_fields") if isinstance(given, dict) else None
        return Content(output_fields=fields if isinstance(fields, dict) else {})
    except (DecodeError, UnicodeDecodeError):
        return Content(message=line.decode("utf-8", "replace"))
