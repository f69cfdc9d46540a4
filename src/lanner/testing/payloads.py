"""Payloads of events in tests."""

from __future__ import annotations

from typing import Any

from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import to_bytes


def payload(event: Any) -> bytes:
    """Return the payload of an event in a test: bytes, a string, or the JSON of a value. Raises `LannerError` if it cannot be JSON."""
    if isinstance(event, bytes):
        return event
    if isinstance(event, str):
        return to_bytes(event)
    import msgspec

    try:
        return msgspec.json.encode(event)
    except (TypeError, ValueError, RecursionError) as error:
        raise LannerError(f"the event cannot be JSON: {error}") from None
