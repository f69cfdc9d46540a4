"""What an event source gives and what a field method gets.

A source yields payloads (bytes or str), `Event`s where it knows the time, `NOTHING` where there is nothing to say, or hands over
`Chunk`s of lines. Nothing here reads a source; `lanner.sdk.sources` does.
"""

from __future__ import annotations

from typing import Any, Final, final

from lanner.sdk.records import Record
from lanner.sdk.text import to_bytes


@final
class Nothing:
    """The type of `NOTHING`: the source is alive, but has no event now."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "lanner.NOTHING"


NOTHING: Final = Nothing()
_NO_TIME: Final = 2**64 - 1
"""What a host has where a timestamp is not known."""


@final
class Event:
    """An event: a source yields it together with its time, and field methods receive it.

    An event is valid only during the call of a field method.
    """

    __slots__ = ("_json", "number", "payload", "source", "timestamp")

    def __init__(self, payload: bytes | str, timestamp: int | None = None, *, number: int = 0, source: str = "") -> None:
        """Make an event of `payload` (str becomes UTF-8) at `timestamp` (ns since 1970, UTC; None: the host's clock decides).

        Raises `TypeError` or `ValueError` for what is neither.
        """
        if timestamp is not None and not (type(timestamp) is int and 0 <= timestamp < _NO_TIME):
            _check_time(timestamp)
        self.payload: bytes = payload if isinstance(payload, bytes) else _bytes(payload)
        self.timestamp: int | None = timestamp
        self.number: int = number
        self.source: str = source
        self._json: Any = _UNREAD

    def __repr__(self) -> str:
        return f"Event({self.payload!r}, timestamp={self.timestamp}, number={self.number}, source={self.source!r})"

    @property
    def json(self) -> Any:
        """The payload decoded from JSON, once. Raise `PayloadError` (no value, for the host) if it is not valid JSON."""
        if self._json is _UNREAD:
            self._json = _decode(self.payload)
        return self._json


_UNREAD: Final = object()


def _decode(payload: bytes) -> Any:
    # msgspec is imported where JSON is really read; from then on its decoder stands here
    global _decode  # noqa: PLW0603
    from lanner.sdk.jsondoc import decode

    _decode = decode
    return decode(payload)


def _bytes(payload: object) -> bytes:
    if isinstance(payload, str):
        # a lone surrogate is a byte that was no UTF-8 where it can be one; no other can be written
        return to_bytes(payload)
    if isinstance(payload, (bytearray, memoryview)):
        return bytes(payload)
    raise TypeError(f"the payload of an event is bytes or str, not {type(payload).__name__}")


def _check_time(timestamp: object) -> None:
    if not isinstance(timestamp, int) or isinstance(timestamp, bool):
        raise TypeError(f"a timestamp is an int, ns since 1970, such as time.time_ns(), not {type(timestamp).__name__}")
    if not 0 <= timestamp < _NO_TIME:
        raise ValueError(f"the timestamp {timestamp} does not fit into 64 bits without a sign")


@final
class Chunk(Record):
    """Bytes as they arrived from one of several connections: newline-separated payloads, the last one perhaps unfinished.

    `stream` names the connection: the host keeps one unfinished line for each. `reset` means that the connection was reopened: the host
    drops and counts its unfinished line.
    """

    data: bytes
    stream: str | int = ""
    reset: bool = False

    def __post_init__(self) -> None:
        """Refuse what no host could read: `TypeError`."""
        if not isinstance(self.data, bytes) or not isinstance(self.stream, (str, int)):
            raise TypeError(f"a Chunk is bytes of a stream named by str or int, not {type(self.data).__name__} of {self.stream!r}")
