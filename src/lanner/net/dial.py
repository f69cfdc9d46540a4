"""Connect over TCP within a deadline, and wait under it: the system's resolver and its `connect` have no deadline.

Errors are `OSError`: `TimeoutError`, `WokenError` or an error of the system. A plugin's `.so` imports this module, so it imports little.
"""

from __future__ import annotations

import _socket
import errno
import os
import select
import time

from lanner.sdk.lookup import look_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any


class WokenError(OSError):
    """The wait was cancelled from outside."""


class Timer:
    """A deadline, `timeout` seconds from now, for everything done under it. A wait also ends when the descriptor `wake` is readable."""

    def __init__(self, timeout: float, wake: int = -1) -> None:
        self.timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._wake = wake

    def part(self, count: int) -> Timer:
        """Return a timer for the first of `count` tries that share the time left."""
        timer = Timer(max(0.0, self._deadline - time.monotonic()) / count, self._wake)
        timer.timeout = self.timeout
        return timer

    def left(self) -> float:
        """Return the seconds until the deadline. Raises `TimeoutError` when it is over, for work that arriving bytes would prolong."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def wait(self, descriptor: int, event: int) -> None:
        """Wait for the event of poll(2). Raises `TimeoutError`, `WokenError`."""
        if not self._poll(descriptor, event, self.left()):
            raise TimeoutError

    def pause(self, seconds: float) -> None:
        """Wait for that many seconds. Raises `TimeoutError`, `WokenError`."""
        left = self._deadline - time.monotonic()
        self._poll(-1, 0, min(seconds, left))
        if left <= seconds:
            raise TimeoutError

    def _poll(self, descriptor: int, event: int, seconds: float) -> bool:
        poll = select.poll()
        if descriptor >= 0:
            poll.register(descriptor, event)
        if self._wake >= 0:
            poll.register(self._wake, select.POLLIN)
        ready = dict(poll.poll(max(0.0, seconds) * 1000))
        if self._wake in ready:
            raise WokenError("closed")
        return bool(ready)


def dial(host: str, port: int, timer: Timer, prepare: Callable[[socket.socket], object]) -> socket.socket:
    """Return a non-blocking connection to the first address of `host` that takes it, with options set by `prepare`.

    The addresses share the time left, so that a silent one leaves time for the next. Raises the error of the first address.
    """
    import socket  # a unix socket needs none of it

    addresses = look_up(host, port, lambda descriptor: timer.wait(descriptor, select.POLLIN))
    failure: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            prepare(connection)
            _connect(connection, address, timer.part(len(addresses) - number))
        except WokenError:
            connection.close()
            raise
        except OSError as error:
            connection.close()
            failure = failure or error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    try:
        raise failure or OSError(errno.EADDRNOTAVAIL, "the name has no address")
    finally:
        failure = None  # with it, the error and this frame would keep each other and the callers' objects, until a collection of garbage


def _connect(connection: socket.socket, address: Any, timer: Timer) -> None:
    connection.setblocking(False)
    code = connection.connect_ex(address)
    if code == errno.EINPROGRESS:
        timer.wait(connection.fileno(), select.POLLOUT)
        code = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
