"""Notify the service manager (sd_notify(3)): ready, reloading, stopping, a status line, and the watchdog.

Without NOTIFY_SOCKET in the environment every method does nothing. No library is needed: a message is a datagram on a unix socket.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from lanner.sdk.text.printable import escape_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_LOG: Final = logging.getLogger("lanner.notify")
_FORM: Final = "/path or @name"


class Notifier:
    """Connection to the service manager. Removes its variables from `environ`, so that child processes cannot speak for this one.

    `alive` returns whether the run is healthy. While it is, a thread notifies the watchdog twice per period.
    """

    def __init__(self, alive: Callable[[], bool] = lambda: True, environ: MutableMapping[str, str] = os.environ) -> None:
        address = environ.pop("NOTIFY_SOCKET", "")
        period = _period(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))
        self._alive = alive
        self._socket = _connect(address) if address else None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if self._socket is not None and period:
            self._thread = threading.Thread(target=self._watch, args=(period / 2,), name="lanner-watchdog", daemon=True)
            self._thread.start()

    def tell_ready(self, status: str = "") -> None:
        """Events are being watched: sent after the start and after each reload."""
        self._send("READY=1", *([_status(status)] if status else []))

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(_status(text))

    def tell_reloading(self) -> None:
        """A reload of rules and configuration begins. `ready` follows, whether it succeeds or not."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def tell_stopping(self) -> None:
        """The run has ended and the remaining alerts are being delivered."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Stop the watchdog thread and close the socket."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(1.0)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _watch(self, interval: float) -> None:
        was_alive = True
        while not self._closed.wait(interval):
            is_alive = self._ask()
            if is_alive:
                self._send("WATCHDOG=1")
            elif was_alive:
                _LOG.error("the run is stuck: no watchdog notifications until it continues")
            was_alive = is_alive

    def _ask(self) -> bool:
        try:
            return self._alive()
        except Exception:  # noqa: BLE001 - the host's defect
            _LOG.exception("the health check failed")
            return False

    def _send(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(escape_bytes("\n".join(lines)).encode())
        except OSError as error:
            _LOG.warning("cannot send %s to the service manager: %s", lines[0], error.strerror)


def _connect(address: str) -> socket.socket | None:
    if not address.startswith(("/", "@")):
        _LOG.warning("invalid NOTIFY_SOCKET=%s: expected %s; the service manager is not notified", address, _FORM)
        return None
    # a manager that does not read must not block the run
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        connection.connect(f"\0{address[1:]}" if address.startswith("@") else address)
    except OSError as error:
        connection.close()
        _LOG.warning("no service manager listens at NOTIFY_SOCKET=%s: %s", address, error)
        return None
    return connection


def _period(text: str, process: str) -> float:
    """Return the watchdog's period in seconds; 0 if the watchdog does not expect this process."""
    meant = not process or process == str(os.getpid())
    return int(text) / 1_000_000 if meant and text.isascii() and text.isdigit() and len(text) < 19 else 0.0


def _status(text: str) -> str:
    """Return the status as one line: a line break would begin another message."""
    return f"STATUS={' '.join(text.split())}"
