"""Doctor's check of a server for alerts: it connects, and sends nothing."""

from __future__ import annotations

from typing import Final

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.text.printable import join_port

_ANSWER: Final = 5.0
"""Timeout of the connection, in seconds."""


def look_at_server(host: str, port: int, what: str, key: str) -> Finding:
    """Return a finding on whether `what` accepts a connection; `key` is the key of falco.yaml with its address."""
    from lanner.net.dial import Timer, dial

    shown = join_port(host, port)
    try:
        dial(host, port, Timer(_ANSWER), lambda _: None).close()
    except (OSError, UnicodeError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else str(getattr(error, "strerror", None) or error).lower()
        return Finding.problem(
            f"{what} at {shown} does not accept connections: {reason}", f"Start it, or correct {key}; with a spool, alerts wait for it"
        )
    return Finding.ok(f"{what} at {shown} accepts connections")
