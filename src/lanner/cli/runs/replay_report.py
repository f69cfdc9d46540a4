"""`lanner run --replay FILE --report FILE` and `lanner report diff`: a replay as one HTML file, and two replays side by side."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from lanner.alerts.alert_store import AlertStore
from lanner.cli.messages import OK, say
from lanner.cli.show import print_text
from lanner.console.report_diff import compare_reports
from lanner.console.report_file import read_report, write_report
from lanner.inquiry.questions import Inquiry
from lanner.outputs.store_output import StoreOutput, open_store
from lanner.rules import Priority
from lanner.sdk.errors import UsageError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from types import TracebackType

    from lanner.cli.runs.settings import Settings
    from lanner.console.report_diff import ReportAlert

_DAYS: Final = 36_500
_MOST_BYTES: Final = 1 << 40
_SHOWN: Final = 10
"""Alerts of a rule that the text shows on each side; JSON has all."""


class Reporting:
    """A report of a replay: alerts go to a temporary store, from which `write` makes the file. A context manager."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        if not self._path.parent.is_dir():
            raise UsageError(f"cannot write the report {path}: the directory {self._path.parent} does not exist")
        if self._path.is_dir():
            raise UsageError(f"cannot write the report {path}: it is a directory")

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="lanner-report-")
        self.sink: StoreOutput = open_store(self._directory.name, _DAYS, _MOST_BYTES)
        self.sink.name = "report"
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.sink.close()
        self._directory.cleanup()

    def write(self, title: str, settings: Settings) -> None:
        """Write the report. Raises `LannerError`."""
        inquiry = Inquiry([setup.target for setup in (settings.plugin, *settings.beside)])
        with contextlib.closing(inquiry), contextlib.closing(AlertStore(self._directory.name)) as store:
            number = write_report(store, self._path, title, inquiry)
        say(f"wrote {many(number, 'alert')} to {self._path}: open it in a browser")


def diff_reports(first: str, second: str, *, as_json: bool) -> int:
    """Print the difference of two reports, and return the exit code. Raises `LannerError`."""
    one, two = read_report(first), read_report(second)
    found = compare_reports(one, two)
    if as_json:
        rules = [difference.as_dict() for difference in found]
        print_text(json.dumps({"first": one.title, "second": two.title, "rules": rules}, ensure_ascii=False))
        return OK
    lines = [f"first:  {first}: {one.title}", f"second: {second}: {two.title}", ""]
    if changed := [each for each in found if each.first != each.second]:
        lines.append(f"{'first':>9} {'second':>9} {'change':>9}  rule")
        lines += [f"{each.first:>9,} {each.second:>9,} {each.second - each.first:>+9,}  {each.rule}" for each in changed]
    if same := len(found) - len(changed):
        lines.append(f"{many(same, 'rule')} with the same count")
    for each in found:
        for which, alerts in (("first", each.only_first), ("second", each.only_second)):
            if alerts:
                lines += ["", f"only in the {which}: {each.rule}, {many(len(alerts), 'alert')}", *map(_line, alerts[:_SHOWN])]
                if len(alerts) > _SHOWN:
                    lines.append(f"    ... and {len(alerts) - _SHOWN:,} more; --format json has all")
    if not any(each.only_first or each.only_second for each in found):
        lines += ["", "both have the same alerts"]
    print_text("\n".join(map(printable_line, lines)))
    return OK


def _line(alert: ReportAlert) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(alert.time / 1000, UTC)
    return f"    {at:%Y-%m-%d %H:%M:%S}.{alert.time % 1000:03} {Priority(alert.priority)} {alert.message}"
