"""The rules of the current run with the counts of their alerts: silent and noisy ones, and what changes of rules did."""

from __future__ import annotations

import time
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.alerts.filters import Filter
from lanner.inquiry.cases import read_about
from lanner.rules import RulesError
from lanner.rules.files.items import RuleItem, RuleToggle, RuleUpdate
from lanner.rules.files.load import load_text
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.stored import Run

_MS: Final = 1_000_000
_HOUR: Final = 3600 * 10**9
_MOST_CHANGES: Final = 20


class LoadedRule(NamedTuple):
    """A rule of a run: its priority as a number from 0, and the place of its definition."""

    name: str
    source: str
    priority: int
    path: str
    line: int
    is_enabled: bool


def describe_rules(store: AlertStore, begin: int, end: int) -> dict[str, Any]:
    """Return the rules with their counts in a time window (ns), and the changes of rules in it."""
    runs = store.runs()
    counts = {each.rule: each for each in store.rules(begin, end)}
    rows = []
    for rule in loaded_rules(store, runs[0]) if runs else ():
        found = counts.pop(rule.name, None)
        row: dict[str, Any] = {"rule": rule.name, "priority": rule.priority, "path": rule.path, "line": rule.line}
        row |= {"is_loaded": rule.is_enabled, "count": found.count if found else 0}
        rows.append(row | {"last_ms": _arrival(store, found.last) if found else None})
    for found in counts.values():
        row = {"rule": found.rule, "priority": found.priority, "path": None, "line": None, "is_loaded": False, "count": found.count}
        rows.append(row | {"last_ms": _arrival(store, found.last)})
    rows.sort(key=lambda row: (-row["count"], row["rule"]))
    return {"rules": rows, "changes": list(_changes(store, runs, begin, end))}


def loaded_rules(store: AlertStore, run: Run) -> tuple[LoadedRule, ...]:
    """Return the rules that a run loaded for its event source, from the stored files. Rules of missing files are left out."""
    try:
        files = read_about(run).rules
    except LannerError:
        return ()
    contents = ((file.path, store.rules_file(file.sha256)) for file in files if file.sha256)
    known = tuple((path, content) for path, content in contents if content is not None)
    return _read_rules(known, str(run.about.get("source") or ""))


@lru_cache(maxsize=8)
def _read_rules(files: tuple[tuple[str, bytes], ...], source: str) -> tuple[LoadedRule, ...]:
    found: dict[str, LoadedRule] = {}
    for path, content in files:
        try:
            file = load_text(from_bytes(content), path)
        except RulesError:
            continue  # the run refused it, too
        for step in (step for steps in file.items for step in steps):
            _apply(step, found)
    return tuple(rule for rule in found.values() if rule.source == source)


def _apply(step: object, found: dict[str, LoadedRule]) -> None:
    match step:
        case RuleItem():
            place = step.context[0].place()
            found[step.name] = LoadedRule(step.name, step.source, step.priority, place.file, place.line, step.enabled)
        case RuleUpdate() if step.name in found:
            rule = found[step.name]
            priority = rule.priority if step.priority is None else step.priority
            found[step.name] = rule._replace(priority=priority, is_enabled=rule.is_enabled if step.enabled is None else step.enabled)
        case RuleToggle() if step.name in found:
            found[step.name] = found[step.name]._replace(is_enabled=step.enabled)
        case _:
            pass


def _arrival(store: AlertStore, position: int) -> int | None:
    """Return when the alert at a position arrived, in ms."""
    page = store.read_newest(Filter(), 1, position + 1)
    return page.alerts[0].arrived // _MS if page.alerts else None


def _changes(store: AlertStore, runs: Sequence[Run], begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield the changes of rules in a time window, the newest first, with the alerts per hour of each rule before and after."""
    until, number = time.time_ns(), 0
    for run, before in pairwise(runs):
        files = _changed_files(run, before)
        if not files or run.plugin != before.plugin:
            continue
        if begin <= run.started < end:
            yield {
                "at_ms": run.started // _MS,
                "files": files,
                "before": _rates(store, max(before.started, run.started - _HOUR), run.started),
                "after": _rates(store, run.started, min(until, run.started + _HOUR)),
            }
            number += 1
            if number == _MOST_CHANGES:
                return
        until = run.started


def _changed_files(run: Run, before: Run) -> list[str]:
    try:
        now, then = ({file.path: file.sha256 for file in read_about(each).rules} for each in (run, before))
    except LannerError:
        return []
    return sorted(path for path in now.keys() | then.keys() if now.get(path) != then.get(path))


def _rates(store: AlertStore, begin: int, end: int) -> dict[str, float]:
    if begin >= end:
        return {}
    hours = max(end - begin, _HOUR // 60) / _HOUR
    return {each.rule: round(each.count / hours, 1) for each in store.rules(begin, end)}
