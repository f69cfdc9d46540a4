"""Messages between `Inquiry` and its process: a case first, then questions, each with one answer.

A message is its length and its MessagePack.
"""

from __future__ import annotations

import os
import select
import time
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, msgpack

Kind: TypeAlias = Literal["why", "exception", "test"]

_SIZE: Final = 8
_PIECE: Final = 1 << 16


class Case(Struct, frozen=True):
    """The plugin of a run, those `beside` it, its rules files as paths with contents.

    `config` is the plugin's configuration. `is_first`: only the first matching rule of an event raised an alert.
    """

    plugin: str
    beside: tuple[str, ...]
    config: str
    rules: tuple[tuple[str, bytes], ...]
    static: tuple[tuple[str, str], ...]
    is_first: bool


class RecentEvents(Struct, frozen=True):
    """Events of the newest alerts of a rule, with their times. `period` names all of them, if they are all: "of the last 7 days"."""

    events: tuple[tuple[bytes, int], ...] = ()
    period: str = ""


class Question(Struct, frozen=True):
    """A question about an alert of `rule`.

    For an exception, `others` are further events of the rule, with their times; one has other values. Those that it silences are
    counted in `recent`.
    """

    kind: Kind
    rule: str
    event: bytes
    timestamp: int
    key: str
    fields: dict[str, Any]
    others: tuple[tuple[bytes, int], ...] = ()
    recent: RecentEvents = RecentEvents()


class EndedError(Exception):
    """The other side has closed the pipe, or did not answer in time."""


def send(descriptor: int, message: object) -> None:
    """Write a message. Raises `EndedError`."""
    data = msgpack.encode(message)
    data = len(data).to_bytes(_SIZE, "little") + data
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        raise EndedError from None


def receive(descriptor: int, seconds: float | None = None) -> bytes:
    """Return the MessagePack of the next message. Raises `EndedError`, even if it is not complete within these seconds."""
    until = None if seconds is None else time.monotonic() + seconds
    size = int.from_bytes(_read(descriptor, _SIZE, until), "little")
    return _read(descriptor, size, until)


def _read(descriptor: int, size: int, until: float | None) -> bytes:
    content = bytearray()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(content) < size:
        if until is not None and not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            raise EndedError
        data = os.read(descriptor, min(_PIECE, size - len(content)))
        if not data:
            raise EndedError
        content += data
    return bytes(content)
