"""`lanner run --replay FILE --report FILE`: a replay as one HTML file."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from lanner.alerts.alert_store import AlertStore
from lanner.cli.messages import say
from lanner.console.report_file import is_report, write_report
from lanner.inquiry.questions import Inquiry
from lanner.outputs.store_output import StoreOutput, open_store
from lanner.sdk.errors import UsageError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from types import TracebackType

    from lanner.cli.runs.settings import Settings

_DAYS: Final = 36_500
_MOST_BYTES: Final = 1 << 40


def check_place(path: str) -> None:
    """Raise `UsageError` if a report cannot be written to this path, or would replace a file that is not a report."""
    place = Path(path)
    if not place.parent.is_dir():
        raise UsageError(f"cannot write the report {path}: the directory {place.parent} does not exist")
    if place.is_dir():
        raise UsageError(f"cannot write the report {path}: it is a directory")
    try:
        is_other = place.is_file() and place.stat().st_size > 0 and not is_report(place)
    except OSError as error:
        raise UsageError(f"cannot write the report {path}: {error.strerror}") from None
    if is_other:
        raise UsageError(f"{path} exists and is not a report, so it is not overwritten: choose another file with --report, or remove it")


class ReplayReport:
    """A report of a replay: alerts go to a temporary store, from which `write` makes the file. A context manager."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

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
        inquiry = Inquiry([setup.target for setup in (settings.plugin, *settings.beside)], counts=False)
        with contextlib.closing(inquiry), contextlib.closing(AlertStore(self._directory.name)) as store:
            number = write_report(store, self._path, title, inquiry)
        say(f"wrote {many(number, 'alert')} to {self._path}: open it in a browser")
