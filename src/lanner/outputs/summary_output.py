"""A summary of alerts instead of their lines (`lanner run --watch`): rate, counts by priority, the most frequent rule, the last alert.

On a terminal the summary is one line, drawn in place. Elsewhere it is a plain line now and then, and one at the end.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

import msgspec

from lanner.outputs.line_writer import LineWriter
from lanner.outputs.status_line import StatusLine
from lanner.outputs.stdout_output import STDOUT, stdout_failure
from lanner.outputs.terminal import COLOURS, can_draw, has_colours
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line, without_middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert
    from lanner.outputs.status_line import Piece

_IN_PLACE: Final = 0.25
_PLAIN: Final = 10.0
"""Seconds between two summaries on a terminal, and elsewhere."""
_WINDOW: Final = 10.0
"""Seconds whose average is the rate."""
_LONGEST: Final = 500
"""Characters of a summary's strings from outside."""


class Summary:
    """The figures of a summary. Times are seconds of a monotonic clock. Without `has_rate` it has no alerts per second."""

    def __init__(self, now: float, *, has_rate: bool = True) -> None:
        self._has_rate = has_rate
        self.total = 0
        self._priorities: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._totals: deque[tuple[float, int]] = deque([(now, 0)])
        self._last: Alert | None = None

    def add(self, alerts: Sequence[Alert]) -> None:
        """Count alerts, in order."""
        self.total += len(alerts)
        self._priorities.update([alert.priority for alert in alerts])
        self._rules.update([alert.rule for alert in alerts])
        self._last = alerts[-1]

    def pieces(self, now: float) -> list[Piece]:
        """Return the summary at this time."""
        counts = [(name, self._priorities[name]) for name in COLOURS if self._priorities[name]]
        rate = f", {self._rate(now):,.1f}/s" if self._has_rate else ""
        pieces = [(f"{many(self.total, 'alert')}{rate}", "")]
        for number, (name, count) in enumerate(counts):
            pieces += [(", " if number else " | ", ""), (f"{name} {count:,}", COLOURS[name])]
        for rule, count in self._rules.most_common(1):
            pieces.append((f" | most: {_escape(rule)} {count:,}", ""))
        if self._last is not None:
            pieces.append((f" | last: {_escape(_text(self._last))}", ""))
        return pieces

    def _rate(self, now: float) -> float:
        totals = self._totals
        while len(totals) > 1 and totals[1][0] <= now - _WINDOW:
            totals.popleft()
        since, before = totals[0]
        totals.append((now, self.total))
        return (self.total - before) / max(now - since, 1.0)


class SummaryOutput:
    """A `Sink` that prints a summary to file descriptor 1 (or another open one, which it does not close).

    Without `has_rate` the summary has no alerts per second, which mean nothing in a replay.
    """

    name = "stdout_output"
    batch_size = 256
    wants_records = False

    def __init__(self, descriptor: int = STDOUT, *, has_rate: bool = True, in_place: float = _IN_PLACE, plain: float = _PLAIN) -> None:
        self._has_rate = has_rate
        self._descriptor = descriptor
        self._line = StatusLine(descriptor) if os.isatty(descriptor) and can_draw() else None
        self._coloured = has_colours()
        self._every = plain if self._line is None else in_place
        self._writer = LineWriter(stdout_failure)
        self._lock = threading.Lock()  # of the summary
        self._summary: Summary | None = None  # begins with the first alert
        self._printed = 0  # alerts in the last plain line
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def send(self, alerts: Sequence[Alert]) -> None:
        """Count the alerts. Raises the error of the last summary, OutputError or OutputClosedError."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        with self._lock:
            if self._summary is None:
                self._summary = Summary(time.monotonic(), has_rate=self._has_rate)
            self._summary.add(alerts)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="lanner-summary", daemon=True)
            self._thread.start()

    def reopen(self) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """See `Sink`."""
        self._writer.interrupt()

    def close(self) -> None:
        """Print the last summary. Standard output itself stays open."""
        self._closing.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
            self._print()
        if self._line is not None:
            try:
                self._line.close()
            except OSError as error:
                self._failure = stdout_failure(error)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _work(self) -> None:
        while not self._closing.wait(self._every):
            self._print()

    def _print(self) -> None:
        with self._lock:
            assert self._summary is not None
            pieces, total = self._summary.pieces(time.monotonic()), self._summary.total
        try:
            if self._line is not None:
                self._line.draw(pieces if self._coloured else [(text, "") for text, _ in pieces])
            elif total > self._printed:
                self._writer.write(self._descriptor, ["".join(text for text, _ in pieces)])
                self._printed = total
        except OSError as error:
            self._failure = error if isinstance(error, LannerError) else stdout_failure(error)


def _escape(text: str) -> str:
    return without_middle(printable_line(text), _LONGEST)


def _text(alert: Alert) -> str:
    """Return an alert as one line of text."""
    if not alert.line.startswith("{"):
        return alert.line
    try:
        found = msgspec.json.decode(alert.line, type=_Output)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return alert.line
    return found.output or found.message or alert.rule


class _Output(msgspec.Struct, gc=False):
    """The strings of an alert in JSON, if the configuration includes them."""

    output: str = ""
    message: str = ""
