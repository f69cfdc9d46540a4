"""Cases and questions from the data of a store about an alert and its run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lanner.alerts.filters import parse_filter, quote_value
from lanner.alerts.store_format import DAY
from lanner.alerts.stored import read_content
from lanner.inquiry.process_messages import Case, Question, RecentEvents
from lanner.inquiry.trust import check_trust
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.stored import Detail, Run
    from lanner.inquiry.process_messages import Kind

_MOST_OTHERS: Final = 20
_MOST_PAGES: Final = 5
_DAYS: Final = 7
_MOST_RECENT: Final = 2000
_MOST_BYTES: Final = 8 << 20
_PATIENCE: Final = 1.0
"""Seconds to collect recent events."""


class _Plugin(msgspec.Struct):
    target: str


class _File(msgspec.Struct):
    path: str
    sha256: str = ""


class _Settings(msgspec.Struct):
    rule_matching: str = "first"
    static_fields: dict[str, str] = {}


class RunDescription(msgspec.Struct):
    """The members of a run's description that explanations need."""

    plugins: list[_Plugin]
    rules: list[_File]
    settings: _Settings = msgspec.field(default_factory=_Settings)


def make_case(detail: Detail, store: AlertStore, plugins: Sequence[str], config: str) -> Case:
    """Return the case of an alert's run. Raises `LannerError` with the reason if the store has only parts of it."""
    about = read_about(detail.run)
    if not detail.event_size:
        raise LannerError("the alert has no event: Lanner itself raised it, or its run stored none")
    if len(detail.event) < detail.event_size:
        raise LannerError(f"the event has {many(detail.event_size, 'byte')}, of which the store keeps the first {len(detail.event):,}")
    targets = [each.target for each in about.plugins]
    if not targets:
        raise LannerError("the run stored no plugin")
    check_trust(targets, plugins, detail.run)
    files = []
    for file in about.rules:
        content = store.rules_file(file.sha256) if file.sha256 else None
        if content is None:
            raise LannerError(f"the store does not have the rules file {file.path} as this run loaded it")
        files.append((file.path, content))
    if not files:
        raise LannerError("the run stored no rules files")
    is_first = about.settings.rule_matching == "first"
    return Case(targets[0], tuple(targets[1:]), config, tuple(files), tuple(about.settings.static_fields.items()), is_first)


def read_about(run: Run) -> RunDescription:
    """Return a run's description of itself. Raises `LannerError` if it is incomplete."""
    try:
        return msgspec.convert(run.about, RunDescription)
    except msgspec.ValidationError as error:
        raise LannerError(f"the store describes the run {run.key} incompletely: {error}") from None


def make_question(kind: Kind, detail: Detail, store: AlertStore, *, counts: bool = True) -> Question:
    """Return a question about an alert; for an exception with other events of its rule, and if it `counts` with recent ones."""
    alert = detail.alert
    fields: dict[str, Any] = read_content(alert.line).output_fields
    others = tuple(_read_others(detail, store)) if kind == "exception" else ()
    recent = _find_recent(detail, store) if counts and kind == "exception" else RecentEvents()
    return Question(kind, alert.rule, detail.event, alert.timestamp, alert.key, fields, others, recent)


def _find_recent(detail: Detail, store: AlertStore) -> RecentEvents:
    """Return the events of the rule's alerts of the last days, or of all if this one is older or of a replay, within the bounds."""
    now, until = time.time_ns(), time.monotonic() + _PATIENCE
    since = now - _DAYS * DAY
    is_recent = detail.alert.arrived >= since and not detail.run.about.get("replay")
    wanted = parse_filter(f"rule:{quote_value(detail.alert.rule)}", now)
    wanted = msgspec.structs.replace(wanted, since=since if is_recent else None)
    events: list[tuple[bytes, int]] = []
    room, before, more = _MOST_BYTES, None, True
    while more:
        page = store.read_newest(wanted, _MOST_OTHERS * 5, before)
        before, more = page.position, page.more
        if time.monotonic() > until:
            return RecentEvents(tuple(events))
        for alert in page.alerts:
            other = store.find(alert.key)
            if other is None or not other.event_size or len(other.event) < other.event_size:
                continue  # it cannot be tried
            room -= len(other.event)
            if len(events) >= _MOST_RECENT or room < 0:
                return RecentEvents(tuple(events))
            events.append((other.event, alert.timestamp))
    return RecentEvents(tuple(events), f"of the last {_DAYS} days" if is_recent else "in the store")


def _read_others(detail: Detail, store: AlertStore) -> Iterator[tuple[bytes, int]]:
    """Yield complete events of other alerts of the rule, the newest first, one of each subject."""
    wanted = parse_filter(f"rule:{quote_value(detail.alert.rule)}", time.time_ns())
    subjects, before = {detail.alert.subject}, None
    found = 0
    for _ in range(_MOST_PAGES):
        page = store.read_newest(wanted, _MOST_OTHERS * 5, before)
        for alert in page.alerts:
            # alerts of the same subject may still be about different actions
            if alert.key == detail.alert.key or (alert.subject in subjects and len(page.alerts) > _MOST_OTHERS):
                continue
            other = store.find(alert.key)
            if other is not None and other.event_size and len(other.event) == other.event_size:
                subjects.add(alert.subject)
                yield other.event, alert.timestamp
                found += 1
                if found == _MOST_OTHERS:
                    return
        if not page.more:
            return
        before = page.position
