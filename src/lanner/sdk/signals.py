"""Signals that repeat: `timeout` and a terminal's process group send one twice."""

import os
import time

ONE_REQUEST = 0.5
"""Seconds within which further signals count as the same request."""


def end_unless_repeated(heard: float, number: int, _: object = None) -> None:
    """Handle a further signal: end the process at once, unless it belongs to the one `heard` at that monotonic time."""
    if time.monotonic() - heard >= ONE_REQUEST:
        os._exit(128 + number)
