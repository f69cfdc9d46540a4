"""Lanner's own messages: to standard error as text or lines of JSON, and to this machine's syslog. Alerts are another matter.

Messages may hold what events or engines said: control characters and line breaks come out as escapes, so that none can end a line and
begin another, or talk to a terminal. Passwords in addresses are masked.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Final, Literal

from lanner.sdk.address import mask_addresses
from lanner.sdk.loglines import record_text, traceback_text
from lanner.sdk.printable import escape_bytes

if TYPE_CHECKING:
    from lanner.config.falco import LogLevel

_LEVELS: Final = {
    "emergency": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "notice": logging.INFO,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_SYSLOG: Final = "/dev/log"
_DAEMON: Final = 3 << 3
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))


def setup_logs(
    level: LogLevel, form: Literal["text", "json"], *, to_stderr: bool = True, to_syslog: bool = False, syslog: str = _SYSLOG
) -> None:
    """Have all of Python's logging go there from now on; a second call takes the place of the first. `syslog` is a unix socket's path."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Stderr | _Syslog):
            root.removeHandler(handler)
            handler.close()
    formatter = _Json() if form == "json" else _Text()
    handlers: list[logging.Handler] = [*([_Stderr()] if to_stderr else []), *([_Syslog(syslog)] if to_syslog else [])]
    for each in handlers or [logging.NullHandler()]:
        each.setFormatter(formatter)
        root.addHandler(each)
    root.setLevel(_LEVELS[level])


class _Text(logging.Formatter):
    """`lanner: WARNING: name: message`, with a traceback indented below."""

    def format(self, record: logging.LogRecord) -> str:
        return f"lanner: {record.levelname}: {record.name}: {record_text(record)}"


class _Json(logging.Formatter):
    """One object: time (UTC), level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        document = {
            "time": f"{seconds}.{int(record.created % 1 * 1_000_000):06}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_addresses(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1]:
            document["exception"] = mask_addresses(traceback_text(record.exc_info[1]))
        return json.dumps(document)  # ASCII alone: control characters come out as escapes


class _Stderr(logging.Handler):
    """To what `sys.stderr` is at that time: a progress bar stands in for it while it is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # nobody is there to be told
        except Exception:  # noqa: BLE001 - a message of a plugin that cannot be formatted
            self.handleError(record)


class _Syslog(logging.Handler):
    """To a syslog daemon's socket, a datagram each. It waits for nobody: what the daemon does not take at once is left out."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._socket: socket.socket | None = None

    def emit(self, record: logging.LogRecord) -> None:
        severity = next(number for level, number in _SEVERITIES if record.levelno >= level)
        try:
            text = escape_bytes(self.format(record)).encode()
        except Exception:  # noqa: BLE001 - as above
            self.handleError(record)
            return
        # a daemon that was restarted has a new socket at the same path
        if not self._send(b"<%d>lanner[%d]: %b" % (_DAEMON | severity, os.getpid(), text)):
            self._hang_up()
            self._send(b"<%d>lanner[%d]: %b" % (_DAEMON | severity, os.getpid(), text))

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _send(self, data: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                self._socket.connect(self._path)
            self._socket.send(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
