"""`run.json`: the state of the run that writes a store, from which the next run recognises a killed run."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from lanner.alerts.raised_bound import read_bound
from lanner.alerts.store_format import STATE_FILE
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST_STATE: Final = 16 << 20
"""Bytes of the file that are read."""
_NEWEST: Final = "SELECT key, sequence FROM alerts JOIN runs ON runs.id = alerts.run ORDER BY alerts.id DESC LIMIT 1"


class RunStart(msgspec.Struct):
    """The members of run.json that the next run needs."""

    run: str
    pid: int
    ended: int | None = None


def write_state(directory: Path, content: bytes) -> None:
    """Replace the file atomically, with mode 0600. It is not synced: it is of use only while the machine runs. Raises OSError."""
    new = directory / f"{STATE_FILE}.new"
    with suppress(FileNotFoundError):
        new.unlink()  # of a run that was killed; a link is not followed
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(directory / STATE_FILE)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def describe_kill(directory: Path, newest: str) -> str:
    """Return a sentence about alerts that a killed run may not have stored; "" if it closed the store. `newest` is the newest key, or "".

    While a run writes the store, the answer means nothing.
    """
    try:
        state = msgspec.json.decode(read_whole(directory / STATE_FILE, MOST_STATE, pipes=False), type=RunStart)
    except (OSError, msgspec.MsgspecError, ValueError):
        return ""
    bound = read_bound(directory)
    bound = None if bound is None or bound.run != state.run else bound
    if state.ended is not None or (bound is not None and bound.has_ended):
        return ""
    key, _, number = newest.partition("-")
    stored = int(number) if key == state.run and number.isdecimal() else 0
    killed = f"the last run (process {state.pid}) was killed"
    last = f"; the last one stored is {newest}" if stored else ""
    if bound is None:
        return f"{killed}: alerts of its last moment may be missing in the alert store {directory}{last}"
    missing = max(0, bound.most - max(stored, bound.first))
    if not missing:
        return f"{killed}: all its alerts are in the alert store {directory}"
    count = f"up to {missing:,} of its last alerts" if missing > 1 else "its last alert"
    return f"{killed}: {count} may be missing in the alert store {directory}{last}"


def newest_key(path: Path | None) -> str:
    """Return the key of the newest alert of a file, or "". Raises nothing."""
    import sqlite3  # a run without a store does not need it

    if path is not None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as database:
            return "{}-{}".format(*database.execute(_NEWEST).fetchone() or ("", ""))
    return ""
