"""Events, which an event source yields and a field method receives.

A source yields payloads (bytes or str), `Event`s with a known time, or `NOTHING` if no event is available, or it returns
`Chunk`s of lines. `lanner.sdk.hosting.open_source` reads them.
"""

from __future__ import annotations

from lanner.native import LazySlot
from lanner.sdk.records import Record
from lanner.sdk.text.encoding import to_bytes_leniently
from lanner.sdk.typing_marks import final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    from lanner.sdk.authoring.positions import Position

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A JSON value, for type checkers: code must check its type before it uses the value, because an event may hold any."""


@final
class Nothing:
    """The type of `NOTHING`: the source is alive, but has no event now. `position`: it has moved there without an event."""

    __slots__ = ("position",)

    def __init__(self, position: Position = None) -> None:
        self.position: Any = position

    def __repr__(self) -> str:
        return "lanner.NOTHING" if self.position is None else f"lanner.Nothing({self.position!r})"


NOTHING: Final = Nothing()
_NO_TIME: Final = 2**64 - 1
"""The value of an unknown timestamp in hosts."""


def _decoders() -> tuple[Callable[[bytes], Any], int, Callable[[bytes], Any]]:
    from lanner.sdk.payload.jsondoc import MAX_DEPTH, decode, decode_short  # msgspec is imported at the first use

    return decode_short, MAX_DEPTH, decode


@final
class Event:
    """An event: a source yields it together with its time, and field methods receive it.

    An event is valid only during the call of a field method.
    """

    __slots__ = ("_json", "number", "payload", "position", "source", "timestamp")

    def __init__(
        self, payload: bytes | str, timestamp: int | None = None, *, number: int = 0, source: str = "", position: Position = None
    ) -> None:
        """Create an event of `payload` (str is encoded as UTF-8) at `timestamp` (ns since 1970, UTC; None: the host's clock).

        `position` is where the source resumes after this event. The host stores it once it has processed the event.
        Raises `TypeError` or `ValueError` for other values.
        """
        if timestamp is not None and not (type(timestamp) is int and 0 <= timestamp < _NO_TIME):
            _check_time(timestamp)
        self.payload: bytes = payload if isinstance(payload, bytes) else _bytes(payload)
        self.timestamp: int | None = timestamp
        self.number: int = number
        self.source: str = source
        self.position: Any = position

    def __repr__(self) -> str:
        position = "" if self.position is None else f", position={self.position!r}"
        return f"Event({self.payload!r}, timestamp={self.timestamp}, number={self.number}, source={self.source!r}{position})"

    if TYPE_CHECKING:

        @property
        def json(self) -> Json: ...
    else:
        json = LazySlot(
            _decoders,
            "payload",
            "_json",
            """The payload decoded from JSON, once. Raise `PayloadError` (no value, for the host) if it is not valid JSON.

            Read it with `match`, which takes only members of the expected types: `case {"user": {"name": str(name)}}: return name`.
            """,
        )


def _bytes(payload: object) -> bytes:
    if isinstance(payload, str):
        return to_bytes_leniently(payload)  # json.loads makes halves of characters of an API's escapes: they end no run
    if isinstance(payload, (bytearray, memoryview)):
        return bytes(payload)
    raise TypeError(f"the payload of an event must be bytes or str, not {type(payload).__name__}")


def _check_time(timestamp: object) -> None:
    if not isinstance(timestamp, int) or isinstance(timestamp, bool):
        raise TypeError(f"a timestamp must be an int, ns since 1970, such as time.time_ns(), not {type(timestamp).__name__}")
    if not 0 <= timestamp < _NO_TIME:
        raise ValueError(f"the timestamp {timestamp} does not fit into an unsigned 64-bit integer")


@final
class Chunk(Record):
    """Bytes from one of several connections: newline-separated payloads, the last one perhaps incomplete.

    `stream` names the connection: the host keeps one incomplete line for each. `reset` means that the connection was reopened: the host
    drops and counts its incomplete line.
    """

    data: bytes
    stream: str | int = ""
    reset: bool = False

    def __post_init__(self) -> None:
        """Check the types. Raises `TypeError`."""
        if not isinstance(self.data, bytes) or not isinstance(self.stream, (str, int)):
            raise TypeError(f"a Chunk needs bytes and a stream named by str or int, not {type(self.data).__name__} of {self.stream!r}")
