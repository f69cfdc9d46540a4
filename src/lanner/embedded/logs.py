"""Log records to the host's own log (plugin API 3.3, `log_fn`)."""

from __future__ import annotations

import logging
from typing import Final

from lanner.native import call_log

# plugin_types.h, ss_plugin_log_severity
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))
_TRACE: Final = 8


class HostHandler(logging.Handler):
    """Hands records to the host that came last of those that are still there; `_logs` has the bridge's capsules of their functions."""

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[tuple[str, object]] = []

    def add(self, component: str, log: object) -> None:
        """A host has come. One that inits again takes the place of itself."""
        self._logs.append((component, log))

    def emit(self, record: logging.LogRecord) -> None:
        """Format and hand over; what fails there is handled as the logging module does. Without a host records go to stderr."""
        try:
            severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _TRACE)
            text = self.format(record)
            while self._logs:
                component, log = self._logs[-1]
                if call_log(log, component, text, severity):
                    return
                self._logs.remove((component, log))
            if logging.lastResort is not None and record.levelno >= logging.lastResort.level:
                logging.lastResort.handle(record)
        except Exception:  # noqa: BLE001 - logging's own way: a log must not fail its caller
            self.handleError(record)


_handler: Final = HostHandler()


def send_records(plugin: str, log: object) -> None:
    """From now on the records of all loggers go to this host's log, until it goes."""
    root = logging.getLogger()
    _handler.add(plugin.partition(":")[2] or plugin, log)
    root.addHandler(_handler)
    root.setLevel(logging.INFO)
