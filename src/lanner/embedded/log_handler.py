"""The handler of log records in a .so: sends them to the host's log, or to standard error with time, level and plugin name.

Each record is attributed to the plugin it comes from and sent to the log of that plugin's host.
"""

from __future__ import annotations

import logging
import sys
import time
import weakref
from typing import TYPE_CHECKING, Final

from lanner.native import call_log
from lanner.sdk.hosting.loglines import record_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from lanner.embedded.log_outlet import Outlet

# plugin_types.h, ss_plugin_log_severity
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))
_TRACE: Final = 8


class HostHandler(logging.Handler):
    """Handler that sends each record to the newest outlet of its plugin. Records of no plugin go to the newest outlet of all."""

    def __init__(self) -> None:
        super().__init__()
        self._outlets: list[tuple[weakref.ref[object], Outlet]] = []

    def add(self, outlet: Outlet, state: object) -> None:
        """Use the outlet for the lifetime of the plugin state."""

        def forget(gone: weakref.ref[object]) -> None:
            self._outlets = [each for each in self._outlets if each[0] is not gone]

        self._outlets = [*self._outlets, (weakref.ref(state, forget), outlet)]

    def emit(self, record: logging.LogRecord) -> None:
        """Send the text with line breaks escaped. Errors are handled as the logging module does."""
        try:
            severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _TRACE)
            text = record_text(record)
            outlet = self._outlet_of(record.name)
            component = outlet.component if outlet else record.name
            if outlet is not None and outlet.log is not None and call_log(outlet.log, component, text, severity):
                return
            if record.levelno >= logging.INFO:
                _write(record, component, text)
        except Exception:  # noqa: BLE001 - logging's own way: a log must not fail its caller
            self.handleError(record)

    def _outlet_of(self, logger: str) -> Outlet | None:
        newest_first = [outlet for _, outlet in reversed(self._outlets)]
        if len({outlet.component for outlet in newest_first}) > 1:
            for name in (logger, *_callers()):
                for outlet in newest_first:
                    if outlet.owns(name):
                        return outlet
        return newest_first[0] if newest_first else None


def _callers() -> Iterator[str]:
    """Yield the modules whose functions are on this thread's stack, innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back


def _write(record: logging.LogRecord, component: str, text: str) -> None:
    """Write a line in the format of Falco's own log."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created))
    try:
        sys.stderr.write(f"{moment}: [{record.levelname.lower()}] {component}: {text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # the process has no standard error
        return


_handler: Final = HostHandler()


def add_outlet(outlet: Outlet, state: object) -> None:
    """Send records to the outlet for the lifetime of the plugin state.

    All records reach the host, which filters by its own level. If the process is a Python program with its own logging configuration
    and the host takes no records, that configuration stays.
    """
    root = logging.getLogger()
    if outlet.log is not None or not root.handlers or _handler in root.handlers:
        root.addHandler(_handler)
        root.setLevel(logging.DEBUG if outlet.log is not None else min(root.level, logging.INFO))
        _handler.add(outlet, state)
