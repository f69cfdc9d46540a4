"""`lanner alerts search` and `export`: alerts of a store as a run prints them, in a stream of any length."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filter_notes import find_notes
from lanner.alerts.filters import parse_filter
from lanner.alerts.json_lines import trim_line
from lanner.alerts.stored import priority_name, read_content
from lanner.cli.messages import OK, fail, say
from lanner.outputs.terminal import has_colours, terminal_line
from lanner.sdk.text.encoding import from_bytes, to_bytes_leniently

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.alerts.filters import Filter
    from lanner.alerts.stored import StoredAlert

_PAGE: Final = 1000


def print_alerts(
    directory: str,
    text: str,
    *,
    is_search: bool,
    layout: str,
    since: int | None,
    until: int | None,
    limit: int | None,
    reverse: bool,
    keys: bool = False,
) -> int:
    """Print the matching alerts and return the exit code. Raises `LannerError`.

    `limit`: only the newest ones. `keys`: with the key before each. `is_search`: print a message if no alert matches.
    """
    wanted = _within(parse_filter(text, time.time_ns()), since, until)
    store = AlertStore(directory)
    for note in find_notes(store, wanted):
        say(f"note: {note}")
    is_terminal, coloured = sys.stdout.isatty(), has_colours()
    count = 0
    for alerts in _pages(store, wanted, limit, reverse=reverse):
        lines = [_json(store, alert) if layout == "json" else read_content(alert.line).output.encode() for alert in alerts]
        if is_terminal:
            lines = [
                to_bytes_leniently(terminal_line(from_bytes(line), priority_name(alert.priority), coloured=coloured))
                for alert, line in zip(alerts, lines, strict=True)
            ]
        if keys:
            lines = [f"{alert.key}  ".encode() + line for alert, line in zip(alerts, lines, strict=True)]
        sys.stdout.buffer.write(b"".join([line + b"\n" for line in lines]))
        sys.stdout.buffer.flush()
        count += len(alerts)
    if is_search and not count and not store.problems:
        say("no alert matches")
    return report_problems(store)


def report_problems(store: AlertStore) -> int:
    """Print the errors of files that could not be read; return the exit code."""
    code = OK
    for error in store.problems.values():
        code = fail(str(error))
    return code


def _within(wanted: Filter, since: int | None, until: int | None) -> Filter:
    """Return the filter with the limits of the options in addition."""
    begins = [limit for limit in (wanted.since, since) if limit is not None]
    ends = [limit for limit in (wanted.until, until) if limit is not None]
    return msgspec.structs.replace(wanted, since=max(begins, default=None), until=min(ends, default=None))


def _pages(store: AlertStore, wanted: Filter, limit: int | None, *, reverse: bool) -> Iterator[list[StoredAlert]]:
    """Yield the matching alerts in parts. Alerts that are stored after the begin are left out."""
    end = store.last()
    if reverse:
        yield from _read_newest(store, wanted, limit, end)
        return
    position = 0
    if limit is not None:
        # the position of the oldest one of the newest alerts; the alerts themselves may not fit into memory
        for alerts in _read_newest(store, wanted, limit, end):
            position = alerts[-1].position - 1 if alerts else position
    more = True
    while more and position < end:
        page = store.after(position, wanted, _PAGE)
        position, more = page.position, page.more
        yield [alert for alert in page.alerts if alert.position <= end]


def _read_newest(store: AlertStore, wanted: Filter, limit: int | None, end: int) -> Iterator[list[StoredAlert]]:
    before: int | None = end + 1
    left, more = limit, True
    while more and left != 0:
        page = store.read_newest(wanted, _PAGE if left is None else min(_PAGE, left), before)
        before, more = page.position, page.more
        left = None if left is None else left - len(page.alerts)
        yield page.alerts


def _json(store: AlertStore, alert: StoredAlert) -> bytes:
    run = store.run_of(alert)
    settings = run.about.get("settings") if run else None
    return trim_line(alert.line, settings if isinstance(settings, dict) else {})
