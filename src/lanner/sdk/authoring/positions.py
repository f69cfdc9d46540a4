"""Positions of event sources: where a source resumes after a restart, as JSON values.

An event source gives a position with an event (`Event.position`). `Marks` keeps it until the host has processed the event and passes it on
to `Positions`, which stores it. `lanner.sdk.hosting.positionfile` is the store of the hosts.
"""

from __future__ import annotations

from collections import deque

from lanner.sdk.errors import SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final, Protocol, TypeAlias

    class Positions(Protocol):
        """A store of a source's position."""

        resumed: Any
        """The position of the previous run; None without one."""

        @property
        def counters(self) -> Mapping[str, int]:
            """Counters by name, for the counters of the source."""
            ...

        def advance(self, position: Any) -> None:
            """Store the position: the host has processed everything up to it."""


Position: TypeAlias = "bool | int | float | str | Sequence[Position] | Mapping[str, Position] | None"
"""A value that JSON can represent. None means that no position is known."""

_MOST_CHARACTERS: Final = 1 << 20
_SCALARS: Final = (str, int, float, bool)


class Marks:
    """The positions of events that the host has not processed yet. `count` is the source's own count of events or chunks."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._waiting: deque[tuple[int, Any]] = deque()
        self._committed = 0

    def mark(self, count: int, position: Any) -> None:
        """Note the position after that many events."""
        if count <= self._committed:
            self._positions.advance(position)
        elif self._waiting and self._waiting[-1][0] == count:
            self._waiting[-1] = count, position
        else:
            self._waiting.append((count, position))

    def commit(self, count: int) -> None:
        """Store the last position among the first `count` events, which the host has processed."""
        self._committed = max(count, self._committed)
        reached = None
        while self._waiting and self._waiting[0][0] <= count:
            reached = self._waiting.popleft()
        if reached is not None:
            self._positions.advance(reached[1])


def freeze(position: Any, plugin: str) -> Any:
    """Return a copy that later changes of the plugin's own value do not reach. Raises `SourceError` for a value that is not JSON."""
    kind = type(position)
    if kind is int or (kind is str and len(position) <= _MOST_CHARACTERS):
        return position
    try:
        return _copy(position, [_MOST_CHARACTERS])
    except (TypeError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SourceError(
            f"plugin {plugin}: open yielded an event with an invalid position: {reason}. "
            "A position is a JSON value: a string, a number, a list, or a mapping of strings to such values"
        ) from None


def _copy(value: Any, left: list[int]) -> Any:
    left[0] -= len(value) if isinstance(value, str) else 1
    if left[0] < 0:
        raise ValueError(f"it has more than {_MOST_CHARACTERS >> 20} MiB")
    if value is None or isinstance(value, _SCALARS):
        if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 - NaN
            raise ValueError(f"{value} is not a JSON number")
        return value
    if isinstance(value, (list, tuple)):
        return [_copy(item, left) for item in value]
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"it has the key {name!r}, and keys are strings")
        return {_copy(name, left): _copy(item, left) for name, item in value.items()}
    raise TypeError(f"it contains {type(value).__name__}")
