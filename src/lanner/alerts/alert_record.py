"""Records of alerts for the store: JSON with all members, the event, the key, and the run that raised the alert."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lanner.alerts.store_format import EVENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class RunLoad(NamedTuple):
    """One load of rules and configuration by a run: a row of `runs`.

    `key`: the run's 8 hex digits. `started`: the time of the load, ns since 1970. `plugin`: its name. `about`: JSON. `files`: the content
    of the rules files by SHA-256.
    """

    key: str
    started: int
    plugin: str
    about: str
    files: Mapping[str, bytes]


class Record(NamedTuple):
    """The parts of an alert that only the store needs.

    `json`: the alert with all members. `event`: the first EVENT_BYTES of its event, `event_size`: the size of the whole. `sequence` counts
    a run's alerts from 1. `arrived`: when it was raised, ns since 1970.
    """

    json: str
    event: bytes
    event_size: int
    sequence: int
    arrived: int
    load: RunLoad

    @property
    def key(self) -> str:
        """The permanent key of the alert."""
        return f"{self.load.key}-{self.sequence}"

    @property
    def memory(self) -> int:
        """Approximate number of bytes in memory."""
        return self.json.__sizeof__() + len(self.event)


class AlertWithRecord(Protocol):
    """An alert with a record."""

    @property
    def timestamp(self) -> int:
        """The time of the event, ns since 1970."""
        ...

    @property
    def record(self) -> Record | None:
        """The record."""
        ...


class Recorder:
    """The keys of a run's alerts, and its current load of rules.

    The thread that raises an alert holds `lock` from `number` until the alert is in the delivery, so that keys and alerts have one order.
    """

    def __init__(self) -> None:
        self.key = os.urandom(4).hex()
        """The run's part of the keys."""
        self.lock = threading.Lock()
        self.raised = 0
        """The number of alerts so far."""
        self._extend: Callable[[int], int] | None = None
        self._most = sys.maxsize

    def number(self) -> int:
        """Return the number of the next alert. With the lock held."""
        self.raised += 1
        if self.raised > self._most:
            assert self._extend is not None
            self._most = self._extend(self.raised)
        return self.raised

    def use_bound(self, extend: Callable[[int], int] | None) -> None:
        """Call `extend` from now on before an alert that is beyond its last answer: the greatest number until the next call."""
        with self.lock:
            self._extend, self._most = extend, sys.maxsize if extend is None else self.raised


class Recording(NamedTuple):
    """Additions of a pump to its alerts: keys, records of this load (None: no records), and links that begin with `link` ("": no links)."""

    recorder: Recorder
    load: RunLoad | None
    link: str = ""


def make_record(json: str, event: bytes, sequence: int, load: RunLoad) -> Record:
    """Return the record of an alert that is raised now."""
    return Record(json, event[:EVENT_BYTES], len(event), sequence, time.time_ns(), load)
