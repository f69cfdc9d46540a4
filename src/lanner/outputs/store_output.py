"""Alerts to the alert store on this machine's disk, with all their fields and the beginning of their events."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.alerts.retention import Limits
from lanner.alerts.store_errors import StoreError
from lanner.alerts.writer import StoreWriter, check_store
from lanner.outputs.base import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.alert_record import RunLoad
    from lanner.outputs.base import Alert

_PAUSE: Final = 0.02
"""Seconds between two small transactions: each costs as much as several alerts."""
_SMALL: Final = 64
"""Alerts of a small transaction."""


class StoreOutput:
    """A `Sink` that writes to an alert store, and closes it. Each `send` is a transaction."""

    name = "store_output"
    batch_size = 256
    wants_records = True

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self.directory = writer.directory
        self.kill = writer.kill
        self._interrupted = threading.Event()
        self._next = 0.0

    def send(self, alerts: Sequence[Alert]) -> None:
        """Store the alerts. Raises OutputError."""
        wait = self._next - time.monotonic()
        if wait > 0 and len(alerts) < _SMALL:
            self._interrupted.wait(wait)
        try:
            self._writer.write(alerts)
        except StoreError as error:
            raise _failure(error) from None
        self._next = time.monotonic() + _PAUSE

    def note(self, load: RunLoad) -> None:
        """See `RecordSink`."""
        with suppress(StoreError):
            self._writer.note(load)

    def retain(self) -> None:
        """See `RecordSink`."""
        self._writer.retain()

    def reopen(self) -> None:
        """Do nothing: other programs do not rotate the files of a store."""

    def interrupt(self) -> None:
        """See `Sink`; a transaction in progress ends by itself."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the store."""
        self._writer.close()


def _failure(error: StoreError) -> OutputError:
    return OutputError(str(error), delivered=getattr(error, "stored", 0))


def open_store(path: str, days: int, size: int) -> StoreOutput:
    """Return the sink of the store in this directory, which keeps that many days and bytes. Raises OutputError."""
    try:
        return StoreOutput(StoreWriter(path, Limits(days, size)))
    except StoreError as error:
        raise _failure(error) from None


def check_store_output(path: str) -> None:
    """Raise the OutputError that `open_store` would raise. Creates nothing."""
    try:
        check_store(Path(path))
    except StoreError as error:
        raise _failure(error) from None
