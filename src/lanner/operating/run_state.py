"""Writes the state of a run to its alert store every two seconds, and applies the store's retention while no alert arrives."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from lanner.alerts.run_file import write_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lanner.operating.snapshot import Snapshot

_LOG: Final = logging.getLogger("lanner.outputs")
_INTERVAL: Final = 2.0
_LEAVE_AFTER: Final = 2.0
"""Seconds to wait for the retention, which the next run can continue."""
_PATIENCE: Final = 10.0
"""Seconds to wait for the disk to take the state."""


class StoreState(NamedTuple):
    """The members of run.json in addition to a snapshot.

    `last_event`: when the last event arrived, ns since 1970. `kill`: the unfinished work of the previous run, if that was killed.
    """

    run: str
    raised: int
    last_event: int | None
    kill: str


class RunState:
    """Thread that writes run.json to the store in `directory` until it is closed. `tend` is called each time, first."""

    def __init__(
        self,
        directory: Path,
        snapshot: Callable[[], Snapshot],
        more: Callable[[], StoreState],
        tend: Callable[[], None] = lambda: None,
    ) -> None:
        self.directory = directory
        """The directory of the store."""
        self._snapshot, self._more, self._tend = snapshot, more, tend
        self._is_failing = False
        self._closed = threading.Event()
        self._writing = threading.Lock()
        self._write(None)  # before the first alert: it tells a kill
        self._thread = threading.Thread(target=self._work, name="lanner-run-state", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, and write that the run has ended. A disk that does not answer is left to its thread, and logged."""
        self._closed.set()
        self._thread.join(_LEAVE_AFTER)
        if not self._writing.acquire(timeout=_PATIENCE):
            text = "the alert store %s does not answer: the end of the run is not written, and the next run reports that it was killed"
            _LOG.warning(text, self.directory)
            return
        try:
            self._write(time.time_ns())
        finally:
            self._writing.release()
        if self._thread.is_alive():
            _LOG.warning("the retention of the alert store %s was not finished: the next run continues it", self.directory)

    def _work(self) -> None:
        while True:
            try:
                self._tend()
                with self._writing:
                    if self._closed.is_set():  # its end is written, or will be
                        return
                    self._write(None)
            except Exception:  # noqa: BLE001 - the run continues, and the next time may succeed
                _LOG.exception("the state of the run could not be written this time")
            if self._closed.wait(_INTERVAL):
                return

    def _write(self, ended: int | None) -> None:
        state: dict[str, Any] = msgspec.to_builtins(self._snapshot())
        state |= {**self._more()._asdict(), "pid": os.getpid(), "written": time.time_ns(), "ended": ended}
        try:
            write_state(self.directory, msgspec.json.encode(state))
        except OSError as error:
            if not self._is_failing:
                _LOG.warning("cannot write the state of the run to the alert store %s: %s; Lanner retries", self.directory, error.strerror)
            self._is_failing = True
        else:
            self._is_failing = False
