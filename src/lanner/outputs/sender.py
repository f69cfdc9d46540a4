"""How a worker hands alerts to its sink: how many at once, what is said when it takes long, and what may go wrong with it."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputClosedError, OutputError

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from lanner.outputs.base import Alert, Sink

_LOG: Final = logging.getLogger("lanner.outputs")

_MOST: Final = 256
"""Alerts that are sent at once, at most."""
_QUICK: Final = 0.05
_SLOW: Final = 0.25
"""Seconds: a sink that needs more for what it is handed is handed less, and one that needs less than `_QUICK` more. What is under way
when the run ends may be sent again, and is not settled meanwhile."""
_SELDOM: Final = 60.0
"""Seconds between messages that it takes long."""
_TRIES: Final = 3
"""An alert on which an output has an error that it should not have is dropped after so many tries."""


class Sender:
    """Hands alerts to `sink`, `most` at once. `timeout`: seconds after which one that has not come back is spoken of, and counted."""

    def __init__(self, sink: Sink, lock: threading.Lock, timeout: float) -> None:
        self._sink, self._lock, self._timeout = sink, lock, timeout
        self._batch_size = sink.batch_size
        self.most = 16
        self.timeouts = 0
        self.bug = ""
        """The last error that no output should raise."""
        self._bugs = 0  # in a row, on one alert
        self._since: float | None = None  # when what is under way was handed over
        self._late: float | None = None  # the same, of what is counted as late already
        self._said_at = -math.inf

    def send(self, alerts: Sequence[Alert]) -> tuple[int, OutputError | None]:
        """Gives how many have arrived, and what was wrong with the next one. Raises OutputClosedError."""
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
        except BaseException as error:  # noqa: BLE001 - so many libraries, so many kinds
            is_defect = True
            bug = f"{type(error).__name__}: {error}"
            if bug != self.bug:
                _LOG.exception("%s: an error in the output itself", self._sink.name)
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
                if took > self._timeout and self._late != begin:
                    self.timeouts += 1
            if took > self._timeout:
                self._say(f"it took {took:.1f} s for what it was handed")
            if is_defect:
                self.most = 1  # one at a time tells which of them it is about
            elif took > _SLOW:
                # what goes in one exchange anyway takes no longer for being more
                self.most = max(self._batch_size, self.most // 2)
            elif took < _QUICK:
                self.most = min(max(_MOST, self._batch_size), self.most * 2)

    def look(self) -> None:
        """Say, from another thread, that the sink does not come back."""
        with self._lock:
            since = self._since
            late = since is not None and time.monotonic() - since > self._timeout
            if late and since != self._late:
                self._late = since
                self.timeouts += 1
        if late:
            self._say(f"what it was handed is under way for more than {self._timeout:g} s")

    def _say(self, message: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SELDOM:
            self._said_at = now
            _LOG.warning("%s: output timeout: %s", self._sink.name, message)
