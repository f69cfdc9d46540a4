"""One HTTP exchange over an open link: a POST and its response, with a deadline regardless of how slowly bytes arrive."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.net.http1 import HttpError, NoAnswerError, Response, read_head

if TYPE_CHECKING:
    from lanner.net.dial import Timer
    from lanner.net.link import Link

_MOST_READ: Final = 64 * 1024
"""Maximum size of a response's body in bytes."""

CLOSED: Final = (ConnectionError, NoAnswerError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Errors that mean the server has closed the connection."""


class Answer(NamedTuple):
    """A response. `is_last`: the connection cannot be used again."""

    status: int
    reason: str
    retry_after: str
    text: bytes
    is_last: bool


def exchange(link: Link, request: bytes, timer: Timer) -> Answer:
    """Send the request and read the response: its status decides, even if the rest cannot be read. Raises OSError, HttpError."""
    response, was_sent, text = Response(), True, b""
    try:
        link.send(request, timer)
    except CLOSED as error:
        # a server that stopped reading may have sent its answer (413)
        was_sent = False
        with suppress(OSError, HttpError):
            text = _read(link, response, timer)
        if response.head is None or response.head.status < 300:  # it has not read the body, so it cannot have accepted it
            raise error from None
    else:
        try:
            text = _read(link, response, timer)
        except (OSError, HttpError):
            if response.head is None:
                raise
    head = response.head
    assert head is not None
    return Answer(head.status, head.reason, head.headers.get("retry-after", ""), text, not (was_sent and response.leaves_open))


def _read(link: Link, response: Response, timer: Timer) -> bytes:
    """Read the head, and return the beginning of the body; without waiting for the rest."""
    parts = [read_head(link, response, timer)]
    size = len(parts[0])
    while size < _MOST_READ and not response.is_complete:
        data = link.read()
        if data is None:
            break
        timer.left()
        if data:
            parts.append(response.feed(data))
            size += len(parts[-1])
        else:
            link.wait(timer)
    return b"".join(parts)[:_MOST_READ]
