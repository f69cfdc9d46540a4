"""Log records to the host's own log (plugin API 3.3, `log_fn`)."""

from __future__ import annotations

import logging
from typing import Final

from lanner.native import call_log

# plugin_types.h, ss_plugin_log_severity
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))
_TRACE: Final = 8


class HostHandler(logging.Handler):
    """Hands records to the host; `log` is the bridge's capsule of its function."""

    def __init__(self, component: str, log: object) -> None:
        super().__init__()
        self._component = component
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Format and hand over; what fails there is handled as the logging module does."""
        try:
            severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _TRACE)
            call_log(self._log, self._component, self.format(record), severity)
        except Exception:  # noqa: BLE001 - logging's own way: a log must not fail its caller
            self.handleError(record)


def send_records(plugin: str, log: object) -> None:
    """From now on the records of all loggers go to this host's log. A host that inits again takes the place of itself."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, HostHandler)]:
        root.removeHandler(handler)
    root.addHandler(HostHandler(plugin.partition(":")[2] or plugin, log))
    root.setLevel(logging.INFO)
