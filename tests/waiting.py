"""How long tests wait for what happens soon: until something hangs. A wait ends with its event, so that patience costs nothing."""

import gc
import time
from pathlib import Path

PATIENCE = 120.0
"""Seconds, less than the limit of a test in pyproject.toml."""
_PAUSE = 0.005


def until(condition, describe=lambda: "it did not happen"):
    """Return the result of `condition` once it is true. `describe` is called for the message if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, describe()
        time.sleep(_PAUSE)
    return result


def is_running(pid):
    """Whether the process has not ended. In a container whose first process waits for no child, it may stay as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except OSError:
        return False


def count_descriptors():
    """Return the number of this process's open descriptors."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def check_descriptors(before):
    """Wait until no more are open than before. Threads may still close theirs, as those of an earlier test may have."""
    until(lambda: count_descriptors() <= before, lambda: f"{count_descriptors()} descriptors are open, {before} before")
