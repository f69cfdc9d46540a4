"""Calls of a developer's function that may block: in a thread, so that a source ends at once when it is closed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from lanner.sources.waiting import Flag

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def block_signals() -> None:
    """Let signals go to other threads: they belong to the host's threads."""
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


class Call(Generic[_T]):
    """A running call of `function`. `done` is set at its end. A call that never ends leaves its thread behind."""

    def __init__(self, function: Callable[[], _T], name: str) -> None:
        self._function = function
        self._results: list[_T] = []
        self._error: BaseException | None = None
        self.done = Flag()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def result(self) -> _T:
        """Return the result after `done`, or raise the function's exception."""
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        block_signals()
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - `result` raises it
            self._error = error
        finally:
            self.done.set()
