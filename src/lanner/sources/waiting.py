"""Parts of event sources with several threads: a flag to wait on, and counters."""

from __future__ import annotations

import _thread
import os
import select

from lanner.native import clear_eventfd, set_eventfd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Flag:
    """A descriptor that is readable while it is set. It closes itself with its last reference: every waiting object keeps one."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.is_set: bool = False

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def set(self) -> None:
        """Make it readable."""
        self.is_set = True
        set_eventfd(self._descriptor)

    def clear(self) -> None:
        """Make it unreadable."""
        self.is_set = False
        clear_eventfd(self._descriptor)


def wait(flags: Sequence[Flag], timeout: float) -> None:
    """Wait until one of them is set, or `timeout` seconds have passed."""
    poll = select.poll()
    for flag in flags:
        poll.register(flag, select.POLLIN)
    poll.poll(max(0.0, min(timeout, 1e6)) * 1000)


pause = wait
"""The function by which feeds pause. A test replaces it by that of its clock (`lanner.testing.clock`)."""


class Counters:
    """Counters by name, from any thread. Contains only names with a count."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._lock = _thread.allocate_lock()

    def add(self, name: str, count: int = 1) -> None:
        """Add to a counter; 0 adds nothing."""
        if count:
            with self._lock:
                self.counts[name] = self.counts.get(name, 0) + count
