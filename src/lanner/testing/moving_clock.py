"""A clock for tests: time passes for the plugin only when the test says so."""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Protocol
from unittest import mock

from lanner.sdk.text.encoding import many
from lanner.sources import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

_SECOND: Final = 1_000_000_000
_START: Final = 1_767_323_045 * _SECOND
_real_monotonic = time.monotonic


class _Waitable(Protocol):
    """An object that `select.poll` takes."""

    def fileno(self) -> int: ...


class _Pause:
    """A pause of a thread up to `end`, in nanoseconds since 1970. `wake` ends it."""

    def __init__(self, end: int) -> None:
        self.end = end
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._descriptor

    def wake(self) -> None:
        os.eventfd_write(self._descriptor, 1)

    def close(self) -> None:
        os.close(self._descriptor)


class Clock:
    """A clock that moves only by `advance`. `lanner.testing.clock` creates it.

    In the context, `time.time`, `time.time_ns` and `time.sleep` use it, and so do the pauses of `lanner.sources`. `time.monotonic`
    runs, and jumps with the clock. `pauses` are the durations in seconds of all pauses that have begun.
    """

    def __init__(self, start: datetime | float | None = None) -> None:
        seconds = start if start is None or isinstance(start, (int, float)) else start.timestamp()
        self._now = self._begin = _START if seconds is None else round(seconds * _SECOND)
        self._changed = threading.Condition()
        self._running: list[_Pause] = []
        self._ended = False
        self._owner = threading.get_ident()
        self.pauses: list[float] = []

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._now / _SECOND

    @property
    def now_ns(self) -> int:
        """Nanoseconds since 1970, as timestamps of events have them."""
        return self._now

    def advance(self, seconds: float, *, waiting: int = 1, timeout: float = 10.0) -> None:
        """Wait until this number of threads of the plugin pause, then move the clock, which ends the pauses that are over.

        `waiting=0` moves the clock at once. Raise `TimeoutError` if no thread pauses within `timeout` real seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._running) >= waiting, timeout):
                raise TimeoutError(f"{len(self._running)} instead of {many(waiting, 'thread')} of the plugin pause after {timeout:g} s")
            self._now += round(seconds * _SECOND)
            for pause in self._running:
                if pause.end <= self._now:
                    pause.wake()
            self._running = [pause for pause in self._running if pause.end > self._now]

    def sleep(self, seconds: float) -> None:
        """Pause this thread, as `time.sleep` does. In the thread of the test, move the clock instead."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if threading.get_ident() == self._owner:
            self.advance(seconds, waiting=0)
        else:
            self.pause(seconds)

    def pause(self, seconds: float, others: Sequence[_Waitable] = ()) -> None:
        """Pause this thread until the clock has moved by this number of seconds, or one of the `others` becomes readable."""
        with self._changed:
            if seconds <= 0 or self._ended:
                return
            pause = _Pause(self._now + round(seconds * _SECOND))
            self._running.append(pause)
            self.pauses.append(seconds)
            self._changed.notify_all()
        poll = select.poll()
        for each in (pause, *others):
            poll.register(each, select.POLLIN)
        poll.poll()
        with self._changed:
            self._running = [each for each in self._running if each is not pause]
            pause.close()

    def _monotonic(self) -> float:
        return _real_monotonic() + (self._now - self._begin) / _SECOND

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            for pause in self._running:
                pause.wake()


@contextmanager
def clock(start: datetime | float | None = None) -> Iterator[Clock]:
    """Replace the clock of this process by one that the test moves.

        def test_it_polls_each_minute():
            with lanner.testing.clock() as clock, lanner.testing.host(Poller) as host:
                host.next()
                clock.advance(60)
                host.next()

    `start` is a `datetime` or seconds since 1970; the default is a fixed time.
    """
    made = Clock(start)
    replaced: dict[str, Callable[..., object]] = {
        "time": lambda: made.now,
        "time_ns": lambda: made.now_ns,
        "sleep": made.sleep,
        "monotonic": made._monotonic,  # noqa: SLF001 - both are of this module
    }
    with ExitStack() as stack:
        stack.callback(made._end)  # noqa: SLF001
        for name, function in replaced.items():
            stack.enter_context(mock.patch.object(time, name, function))
        stack.enter_context(mock.patch.object(waiting, "pause", lambda flags, seconds: made.pause(seconds, flags)))
        yield made
