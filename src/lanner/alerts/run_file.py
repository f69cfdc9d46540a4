"""`run.json`: the state of the run that writes a store, and what it tells about a run that was killed."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from lanner.alerts.store_format import STATE_FILE
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST_STATE: Final = 16 << 20
"""Bytes of the file that are read."""
_NEWEST: Final = "SELECT key, sequence FROM alerts JOIN runs ON runs.id = alerts.run ORDER BY alerts.id DESC LIMIT 1"


class Beginning(msgspec.Struct):
    """The members of run.json that the next run needs. `raised`: the number of the run's alerts when it was written."""

    run: str
    pid: int
    ended: int | None = None
    raised: int = 0


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


def describe_kill(directory: Path, newest: Path | None) -> str:
    """Return what the last run left unfinished, as a sentence; "" if it closed the store. `newest` is the newest file of the store."""
    try:
        state = msgspec.json.decode(read_whole(directory / STATE_FILE, MOST_STATE, pipes=False), type=Beginning)
    except (OSError, msgspec.MsgspecError, ValueError):
        return ""
    if state.ended is not None:
        return ""
    key, stored = _last_alert(newest)
    stored = stored if key == state.run else 0
    missing = max(0, state.raised - stored)
    count = (
        f"at least {missing:,} of its alerts are"
        if missing > 1
        else "one of its alerts is"
        if missing
        else "alerts of its last moment may be"
    )
    last = f"; the last one stored is {key}-{stored}" if stored else ""
    return f"the run before (process {state.pid}) was killed: {count} missing in the alert store {directory}{last}"


def _last_alert(path: Path | None) -> tuple[str, int]:
    """Return the key of the run and the sequence of the newest alert."""
    import sqlite3  # a run without a store does not need it

    if path is not None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
            key, sequence = database.execute(_NEWEST).fetchone() or ("", 0)
            return str(key), int(sequence)
    return "", 0
