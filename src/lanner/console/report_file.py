"""Reports: HTML files with the console's page and the alerts of a store in columns, compressed. They need no server."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import mmap
import time
from collections import Counter
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from lanner._version import __version__
from lanner.console.overview import describe_rules, loaded_rules
from lanner.console.report_page import DATA_BEGIN, DATA_END, PAGE_END, make_page
from lanner.console.rows import detail_of, row_of
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.files import read_whole, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.stored import Detail, StoredAlert
    from lanner.inquiry.process_messages import Kind
    from lanner.inquiry.questions import Inquiry

_MS: Final = 1_000_000
_BATCH: Final = 1000
_LONGEST: Final = 240
"""Characters of a message; a kept alert has all."""
_KEPT: Final = 5
"""Alerts of each rule that are kept with fields and event, the first ones."""
_MOST_KEPT: Final = 500
_EXPLAINED: Final = 2
"""Alerts of each rule with a reason; the first one has an exception and a test, too."""
_PATIENCE: Final = 10.0
"""Seconds for all reasons together, and again for all exceptions and tests."""
_LARGEST: Final = 256 << 20
_FORMAT: Final = 1
_BEGIN: Final = b"<!doctype html>"


class _Row(NamedTuple):
    timestamp: int
    key: str
    priority: int
    rule: str
    subject: str
    message: str
    source: str


class Report(msgspec.Struct, kw_only=True):
    """The data of a report. Columns have a value for each alert, by the time of its event; `texts` are looked up by the numbers in columns.

    `times` are milliseconds since the alert before, the first since 1970. `kept` has the details of some alerts, by number.
    """

    format: int = _FORMAT
    version: str = __version__
    title: str = ""
    run: str = ""
    times: list[int] = []
    priorities: list[int] = []
    rules: list[int] = []
    subjects: list[int] = []
    sources: list[int] = []
    messages: list[str] = []
    texts: list[str] = []
    tags: dict[str, list[str]] = {}
    known: list[dict[str, Any]] = []
    kept: dict[str, dict[str, Any]] = {}
    more: int = 0
    """Alerts of the store that are not in the report."""


def write_report(store: AlertStore, path: Path, title: str, inquiry: Inquiry, limit: int = 500_000) -> int:
    """Write the alerts of a store, and return their number. Raises `LannerError`."""
    report = _collect(store, title, inquiry, limit)
    data = gzip.compress(msgspec.json.encode(report), 9, mtime=0)
    try:
        write_whole(path, make_page(data).encode())
    except OSError as error:
        raise LannerError(f"cannot write the report {path}: {error.strerror}") from None
    return len(report.times)


def is_report(path: Path) -> bool:
    """Return whether the file, which is not empty, is a report of this or another version. Raises OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content[: len(_BEGIN)].lower() == _BEGIN and content.find(DATA_BEGIN.encode()) >= 0


def read_report(path: str) -> Report:
    """Return the data of a report. Raises `LannerError`."""
    try:
        page = read_whole(path, _LARGEST).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"cannot read the report {path}: {error.strerror or error}") from None
    if DATA_BEGIN in page and not page.rstrip().endswith(PAGE_END):
        raise UsageError(f"the report {path} is cut off: it lacks its end. Copy it again, or write it again")
    _, begin, rest = page.partition(DATA_BEGIN)
    packed, end, _ = rest.partition(DATA_END)
    if not begin or not end:
        raise UsageError(f"{path} is not a report of `lanner run --replay FILE --report FILE`")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(base64.b64decode(packed, validate=True))) as opened:
            data = opened.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UsageError(f"the report {path} is larger than {_LARGEST >> 20} MiB when unpacked")
        report = msgspec.json.decode(data, type=Report)
    except (binascii.Error, OSError, EOFError, msgspec.MsgspecError) as error:
        raise UsageError(f"the report {path} is damaged ({error}): write it again") from None
    if report.format != _FORMAT:
        raise UsageError(f"the report {path} is of Lanner {report.version}, with another format: write it again with this version")
    return report


def _collect(store: AlertStore, title: str, inquiry: Inquiry, limit: int) -> Report:
    report = Report(title=title)
    numbers: dict[str, int] = {}
    kept: Counter[str] = Counter()
    details: list[tuple[Detail, dict[str, Any], int]] = []
    before = 0
    rows, report.more = _rows(store, limit)
    for place, row in enumerate(rows):
        at = row.timestamp // _MS
        report.times.append(at - before)
        before = at
        report.priorities.append(row.priority)
        report.rules.append(numbers.setdefault(row.rule, len(numbers)))
        report.subjects.append(numbers.setdefault(row.subject, len(numbers)))
        report.sources.append(numbers.setdefault(row.source, len(numbers)))
        report.messages.append(row.message)
        kept[row.rule] += 1
        if kept[row.rule] <= _KEPT and len(report.kept) < _MOST_KEPT:
            detail = store.find(row.key)
            if detail is not None:
                shown = report.kept[str(place)] = _describe(store, detail)
                report.tags.setdefault(row.rule, shown["tags"])
                details.append((detail, shown, kept[row.rule]))
    _ask(store, inquiry, ("why",), [(detail, shown) for detail, shown, number in details if number <= _EXPLAINED])
    _ask(store, inquiry, ("exception", "test"), [(detail, shown) for detail, shown, number in details if number == 1])
    report.texts = list(numbers)
    with suppress(IndexError):
        report.run = store.runs()[0].key
    rules = describe_rules(store, 0, time.time_ns() + _BATCH * _MS)["rules"]
    report.known = [{name: rule[name] for name in ("rule", "priority", "path", "line", "is_loaded")} for rule in rules]
    return report


def _describe(store: AlertStore, detail: Detail) -> dict[str, Any]:
    rules = (rule for rule in loaded_rules(store, detail.run) if rule.name == detail.alert.rule)
    return detail_of(detail) | {"rules_file": next(({"path": rule.path, "line": rule.line} for rule in rules), None)}


def _ask(store: AlertStore, inquiry: Inquiry, kinds: Sequence[Kind], alerts: Sequence[tuple[Detail, dict[str, Any]]]) -> None:
    """Add answers about the alerts. For an alert without an answer, the page says that the report has none."""
    deadline = time.monotonic() + _PATIENCE
    for detail, shown in alerts:
        if time.monotonic() > deadline:
            return
        for kind in kinds:
            shown[kind] = inquiry.ask(kind, detail, store)


def _rows(store: AlertStore, limit: int) -> tuple[list[_Row], int]:
    """Return the first `limit` alerts of a store, sorted by the time of their events, and the number of the others.

    Several recordings are replayed one after another, and their times may overlap.
    """
    rows: list[_Row] = []
    more = 0
    for alert in stored_alerts(store):
        if len(rows) >= limit:
            more += 1
            continue
        _, key, _, priority, rule, subject, message, source = row_of(alert)
        rows.append(_Row(alert.timestamp, key, priority, rule, subject, shorten(message), source))
    return sorted(rows, key=attrgetter("timestamp")), more


def shorten(message: str) -> str:
    """Return a message as a report has it."""
    return message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"


def stored_alerts(store: AlertStore) -> Iterator[StoredAlert]:
    """Yield all alerts of a store, in order of their arrival."""
    position, more = 0, True
    while more:
        page = store.after(position, limit=_BATCH)
        position, more = page.position, page.more
        yield from page.alerts
