"""Sends a worker's alerts to its sink: adapts the batch size, logs slow deliveries, and contains bugs of the sink."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError
from lanner.outputs.histogram import DURATIONS, Histogram

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from lanner.outputs.base import Alert, Sink

_LOG: Final = logging.getLogger("lanner.outputs")

_MOST: Final = 256
"""Maximum number of alerts per call."""
_QUICK: Final = 0.05
_SLOW: Final = 0.25
"""Seconds: a sink that is slower gets smaller batches, one faster than `_QUICK` larger ones. A batch in progress
when the run ends may be sent again, and is not settled meanwhile."""
_SELDOM: Final = 60.0
"""Seconds between messages about slow deliveries."""
_TRIES: Final = 3
"""An alert that triggers a bug in an output is dropped after this many attempts."""


class Sender:
    """A sender of alerts to `sink`, up to `most` at once. `timeout`: seconds after which a call is logged and counted as late."""

    def __init__(self, sink: Sink, lock: threading.Lock, timeout: float) -> None:
        self._sink, self._lock, self._timeout = sink, lock, timeout
        self._batch_size = sink.batch_size
        self.most = 16
        self.timeouts = 0
        self.durations = Histogram(DURATIONS)
        """Seconds of each call. Changed and read with the lock held."""
        self.bug = ""
        """The last bug of the output: an error that no output should raise."""
        self._bugs = 0  # consecutive, for one alert
        self._since: float | None = None  # time when the current batch was handed over
        self._late: float | None = None  # the same, if already counted as late
        self._said_at = -math.inf

    def send(self, alerts: Sequence[Alert]) -> tuple[int, OutputError | None]:
        """Send alerts and return the number that arrived, and the error of the next one. Raises OutputClosedError."""
        is_defect = False
        begin = self._since = time.monotonic()
        try:
            self._sink.send(alerts)
        except OutputError as error:
            return min(error.delivered, len(alerts)), error
        except OutputClosedError:
            raise
        except OSError as error:
            return 0, OutputError(str(error))
        except BaseException as error:  # noqa: BLE001 - libraries raise many kinds
            is_defect = True
            bug = f"{type(error).__name__}: {error}"
            if bug != self.bug:
                _LOG.exception("%s: a bug in the output", self._sink.name)
            self.bug = bug
            self._bugs = self._bugs + 1 if len(alerts) == 1 else 0
            return 0, OutputError(self.bug, permanent=self._bugs >= _TRIES)
        else:
            self._bugs = 0
            return len(alerts), None
        finally:
            took = time.monotonic() - begin
            with self._lock:
                self._since = None
                self.durations.observe(took)
                if took > self._timeout and self._late != begin:
                    self.timeouts += 1
            if took > self._timeout:
                self._say(f"it took {took:.1f} s for a batch")
            if is_defect:
                self.most = 1  # single alerts show which one it is
            elif took > _SLOW:
                # the alerts of one exchange take the same time together
                self.most = max(self._batch_size, self.most // 2)
            elif took < _QUICK:
                self.most = min(max(_MOST, self._batch_size), self.most * 2)

    def look(self) -> None:
        """Log, from another thread, that the sink is late."""
        with self._lock:
            since = self._since
            late = since is not None and time.monotonic() - since > self._timeout
            if late and since != self._late:
                self._late = since
                self.timeouts += 1
        if late:
            self._say(f"a batch has been in delivery for more than {self._timeout:g} s")

    def _say(self, message: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SELDOM:
            self._said_at = now
            _LOG.warning("%s: output timeout: %s", self._sink.name, message)
