"""A bounded list of the events that an engine remembers, on a second connection, while the open stream is read.

A watch uses it to find out whether the engine remembers everything since the last seen event, and whether a silent stream is dead.
It returns lines without interpreting them.
"""

from __future__ import annotations

import select
import time

from lanner.docker.client import Connection
from lanner.docker.engine_errors import EngineError
from lanner.docker.eventframer import EventFramer
from lanner.net.http1 import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from lanner.docker.endpoint import Endpoint
    from lanner.docker.engine_link import SpareLink
    from lanner.native import Lines
    from lanner.sources import Flag

TIMEOUT: Final = 5.0
_SILENCE: Final = 1.0
"""Seconds without a byte after which a listing is complete: one up to a future time stays open."""
_MOST_BYTES: Final = 16 * 1024 * 1024


def list_events(endpoint: Endpoint, target: str, stream: Connection, drain: Callable[[], bool], closing: Flag, spare: SpareLink) -> Lines:
    """Return the whole lines of the engine's response to GET `target`. Raises `EngineError`.

    `drain` is called when `stream` is readable, and returns whether to continue watching it.
    """
    listing = Connection(endpoint, target, closing.fileno(), TIMEOUT, spare)
    try:
        if listing.head is not None and listing.head.status != 200:
            raise EngineError(f"{endpoint}: the engine refuses to list its events: {listing.head.status} {listing.head.reason}")
        return EventFramer().feed(_read(listing, stream, drain, closing))
    except (OSError, HttpError) as error:
        raise EngineError(f"{endpoint}: the engine's list of events broke off: {error}") from None
    finally:
        listing.close()


def _read(listing: Connection, stream: Connection, drain: Callable[[], bool], closing: Flag) -> bytes:
    parts: list[bytes] = []
    poll = select.poll()
    for each in (listing, stream, closing):
        poll.register(each, select.POLLIN)
    size = 0
    begun = heard = time.monotonic()
    while not listing.ended and size < _MOST_BYTES:
        data = listing.read()
        if data is None:
            break
        now = time.monotonic()
        if data:
            size += len(data)
            heard = now
            parts.append(data)
        left = min(begun + TIMEOUT, heard + _SILENCE) - now
        if left <= 0:
            break
        ready = dict(poll.poll(0 if data else left * 1000))
        if closing.fileno() in ready:
            break
        if stream.fileno() in ready and not drain():
            poll.unregister(stream)
    return b"".join(parts)
