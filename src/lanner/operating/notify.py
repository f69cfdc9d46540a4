"""Word to the service manager, as sd_notify(3) has it: ready, reloading, stopping, a line of status, and that the run is alive.

Without NOTIFY_SOCKET in the environment all of it does nothing. No library is needed: a message is a datagram on a unix socket.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from lanner.sdk.printable import escape_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_LOG: Final = logging.getLogger("lanner.notify")
_FORM: Final = "/path or @name"


class Notifier:
    """Takes the variables out of `environ`, so that programs that are started from here do not speak for this one.

    `alive` says whether the run works as it should; while it does, the manager's watchdog hears so twice in its time, from a thread.
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

    def ready(self, status: str = "") -> None:
        """Events are being watched, for the first time or after `reloading`."""
        self._send("READY=1", *([_status(status)] if status else []))

    def status(self, text: str) -> None:
        """What `systemctl status` shows."""
        self._send(_status(text))

    def reloading(self) -> None:
        """Rules and configuration are loaded again; `ready` follows, whether it went well or not."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The run has ended, what is left is delivered."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Say no more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(1.0)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _watch(self, interval: float) -> None:
        was_alive = True
        while not self._closed.wait(interval):
            is_alive = self._asked()
            if is_alive:
                self._send("WATCHDOG=1")
            elif was_alive:
                _LOG.error("the run is stuck: the service manager's watchdog is told nothing more until it goes on")
            was_alive = is_alive

    def _asked(self) -> bool:
        try:
            return self._alive()
        except Exception:  # noqa: BLE001 - the host's defect
            _LOG.exception("whether the run is alive cannot be told")
            return False

    def _send(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(escape_bytes("\n".join(lines)).encode())
        except OSError as error:
            _LOG.warning("the service manager could not be told %s: %s", lines[0], error.strerror)


def _connect(address: str) -> socket.socket | None:
    if not address.startswith(("/", "@")):
        _LOG.warning("NOTIFY_SOCKET=%s is no %s: the service manager is told nothing", address, _FORM)
        return None
    # a manager that does not read must not hold up the run
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        connection.connect(f"\0{address[1:]}" if address.startswith("@") else address)
    except OSError as error:
        connection.close()
        _LOG.warning("nobody listens at NOTIFY_SOCKET=%s: %s", address, error)
        return None
    return connection


def _period(text: str, process: str) -> float:
    """Seconds in which the watchdog wants to hear from this process; 0 for none."""
    meant = not process or process == str(os.getpid())
    return int(text) / 1_000_000 if meant and text.isascii() and text.isdigit() and len(text) < 19 else 0.0


def _status(text: str) -> str:
    """A line break would begin another message."""
    return f"STATUS={' '.join(text.split())}"
