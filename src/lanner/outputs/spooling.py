"""A worker's access to its spool: failures are logged once and retried after a pause, and unreadable alerts are passed by."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import SpoolError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert
    from lanner.outputs.spool import Spool

_LOG: Final = logging.getLogger("lanner.outputs")

_GATHER: Final = 0.05
"""Seconds in which alerts are collected for one transaction: each costs a sync of the disk."""
_PAUSE: Final = 5.0
"""Seconds after which a failed or full spool is retried."""
_SELDOM: Final = 60.0
"""Seconds between messages about a full spool."""
_TRIES: Final = 3
"""Consecutive read failures after which newer alerts are sent before those in the spool."""


class SpoolUse:
    """`spool` of the output `name`. `append_at` and `read_at`: time of the next attempt (`time.monotonic`)."""

    def __init__(self, name: str, spool: Spool) -> None:
        self._name, self._spool = name, spool
        self.append_at = self.read_at = 0.0
        self._append_failed = False
        self._full_at = -math.inf  # when it was logged
        self._unread = 0  # consecutive failures

    @property
    def waiting(self) -> int:
        """The number of stored alerts."""
        return self._spool.waiting

    @property
    def damaged(self) -> int:
        """The number of damages."""
        return self._spool.damaged

    @property
    def is_readable(self) -> bool:
        """Whether the spool can be read, as far as is known; otherwise newer alerts do not wait for those in it."""
        return self._unread < _TRIES

    def append(self, alerts: Sequence[Alert]) -> int:
        """Store alerts on disk. Return how many fit."""
        begin = time.monotonic()
        try:
            taken = self._spool.append(alerts)
        except SpoolError as error:
            if not self._append_failed:
                _LOG.warning("%s: %s; alerts wait in memory", self._name, error)
            self._append_failed, self.append_at = True, begin + _PAUSE
            return 0
        if self._append_failed:
            self._append_failed = False
            _LOG.info("%s: the spool works again", self._name)
        self.append_at = begin + _GATHER
        if taken < len(alerts):
            self.append_at = begin + _PAUSE
            if begin - self._full_at >= _SELDOM:
                self._full_at = begin
                _LOG.warning("%s: the spool is full; alerts wait in memory", self._name)
        return taken

    def first(self, most: int) -> list[Alert]:
        """Return the oldest alerts. Raises SpoolError."""
        try:
            alerts = self._spool.first(most)
        except SpoolError as error:
            self._unread += 1
            if self._unread == _TRIES:
                _LOG.error("%s: %s; stored until it can be read: %s. Newer alerts go first", self._name, error, many(self.waiting, "alert"))
            if not self.is_readable:
                self.read_at = time.monotonic() + _PAUSE
            raise
        if not self.is_readable:
            _LOG.info("%s: the spool can be read again", self._name)
        self._unread, self.read_at = 0, 0.0
        return alerts

    def remove(self, count: int) -> None:
        """Mark the oldest `count` alerts as delivered or rejected."""
        self._spool.remove(count)

    def close(self) -> None:
        """Close the spool, and log the number of its alerts."""
        if self.waiting:
            _LOG.warning("%s: %s kept in the spool for the next run", self._name, many(self.waiting, "alert"))
        self._spool.close()
