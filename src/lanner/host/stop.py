"""Stop a run from outside: SIGINT, SIGTERM and a time limit end it; other signals, such as SIGHUP, call a function.

The main thread blocks in the source. A small thread waits for signals (on the pipe to which Python writes
their numbers) and for the limit, and calls the function that closes the source. Nothing polls. The caller handles the events
already taken.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from lanner.sdk.signals import end_unless_repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_LONGEST_WAIT: Final = 24 * 3600.0  # select refuses times beyond the system's clocks; treat those as infinite
_DONE: Final = 0  # no signal has this number
_PIPE_BYTES: Final = 1 << 16


@contextmanager
def close_on_signal(
    close: Callable[[], None], duration: float | None = None, others: Mapping[int, Callable[[], None]] | None = None
) -> Iterator[None]:
    """Within this context, the first SIGINT or SIGTERM, or the end of `duration` (seconds), calls `close` from another thread.

    Each signal in `others` calls its function in that thread, which must return soon. An ignored signal (nohup) stays ignored.
    A second signal, half a second later or more, ends the process at once with 128 + its number. `close` is called at most once. After
    a signal the handlers stay, for the caller's remaining work; otherwise they are restored. Main thread only.
    """
    wakeup_read, wakeup_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    heard: list[float] = []
    calls = {number: call for number, call in (others or {}).items() if signal.getsignal(number) is not signal.SIG_IGN}
    watcher = threading.Thread(target=_watch, args=(wakeup_read, close, duration, heard, calls), name="lanner-stop", daemon=True)
    previous_wakeup = signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    # Python writes to the pipe only for signals with a Python handler
    previous = {number: signal.signal(number, _do_nothing) for number in SIGNALS}
    previous_others = {number: signal.signal(number, _do_nothing) for number in calls}
    watcher.start()
    try:
        yield
    finally:
        for number, handler in previous.items():
            # if a signal ends the run, the same signal sent twice must not interrupt the caller's remaining work
            signal.signal(number, partial(end_unless_repeated, heard[0]) if heard else handler)
        for other, handler in previous_others.items():
            signal.signal(other, handler)
        signal.set_wakeup_fd(previous_wakeup)
        with suppress(BlockingIOError):  # the pipe is full of signals; closing it suffices
            os.write(wakeup_write, bytes([_DONE]))
        # the plugin's close() may be slow, so do not wait for it
        watcher.join(timeout=0.1)
        os.close(wakeup_write)


def _do_nothing(*_: object) -> None:
    """Do nothing: the thread that reads the pipe does the work."""


def _watch(
    wakeup_read: int, close: Callable[[], None], duration: float | None, heard: list[float], others: Mapping[int, Callable[[], None]]
) -> None:
    """Watch the pipe. `heard` receives the time of the first signal."""
    deadline = None if duration is None else time.monotonic() + duration
    closer: threading.Thread | None = None
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        ready, _, _ = select.select([wakeup_read], [], [], None if left is None else min(max(0.0, left), _LONGEST_WAIT))
        if not ready and left is not None and left > _LONGEST_WAIT:
            continue
        numbers = os.read(wakeup_read, _PIPE_BYTES) if ready else b""
        for number in set(numbers) & others.keys():
            others[number]()
        signals = [number for number in numbers if number in SIGNALS]
        if signals:
            heard.append(time.monotonic())
            if closer:
                end_unless_repeated(heard[0], signals[-1])
        if _DONE in numbers or (ready and not numbers):
            os.close(wakeup_read)
            return
        if signals or not ready:  # a stop signal, or the time limit
            deadline = None
            # in a separate thread, so that a close() that hangs does not keep a second signal from being handled
            if closer is None:
                closer = threading.Thread(target=close, name="lanner-close", daemon=True)
                closer.start()
