"""Lanner's log messages: to standard error as text or JSON lines, and to the local syslog. Alerts do not pass through here.

Messages may contain text from events or engines. Control characters and line breaks are escaped, so that no message can forge a
second line or send commands to a terminal. Passwords in addresses are masked.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Final, Literal

from lanner.sdk.hosting.loglines import record_text, traceback_text
from lanner.sdk.options.secrets import mask_message
from lanner.sdk.text.printable import escape_bytes, shorten

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
    """Configure Python's logging for the whole process, replacing any earlier configuration. `syslog` is the path of a unix socket."""
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
    """Format a record as `lanner: WARNING: name: message`, with the traceback indented below."""

    def format(self, record: logging.LogRecord) -> str:
        return f"lanner: {record.levelname}: {record.name}: {record_text(record)}"


class _Json(logging.Formatter):
    """Format a record as one JSON object: time (UTC), level, logger, message, and exception if the record has one."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        document = {
            "time": f"{seconds}.{int(record.created % 1 * 1_000_000):06}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": "\n".join(map(shorten, mask_message(record.getMessage()).split("\n"))),
        }
        if record.exc_info and record.exc_info[1]:
            document["exception"] = mask_message(traceback_text(record.exc_info[1]))
        return json.dumps(document)  # ASCII only: control characters become escapes


class _Stderr(logging.Handler):
    """Write to the current `sys.stderr`, which is a stand-in while the progress bar is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # standard error is closed
        except Exception:  # noqa: BLE001 - a message of a plugin that cannot be formatted
            self.handleError(record)


class _Syslog(logging.Handler):
    """Send each record as a datagram to a syslog socket. The handler never blocks: it drops a record that is not accepted at once."""

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
        # a restarted daemon has a new socket at the same path
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
