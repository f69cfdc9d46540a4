"""An engine's bytes to events, one JSON object each; of an event that is too long, what identifies it.

Labels make an event long, and who may create a container chooses them. So an event that exceeds the limit is not dropped: the members
that fields and rules ask for by name are kept, and the event says how long it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner import MAX_LINE, ObjectFramer, Path, Value
from lanner.docker.fields import FIELDS, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.native import Lines

MAX_EVENT: Final = MAX_LINE - 1024 * 1024
"""Bytes of an event that is kept whole. What Lanner adds to it has room below the limit of a line."""

# Attributes of engines that have no field of their own
_ATTRIBUTES: Final = (
    *("availability.new", "availability.old", "comment", "driver", "execDuration", "imageID", "imageRef", "network", "oldName"),
    *("oomKilled", "podId", "reclaimed", "role.new", "role.old", "updatestate.new", "updatestate.old"),
)


class EventFramer:
    """The events of one stream. For one thread."""

    def __init__(self) -> None:
        self._framer = ObjectFramer(MAX_EVENT, KEPT)
        self._too_long = 0

    @property
    def is_within(self) -> bool:
        """Whether an event has begun that has not ended."""
        return self._framer.is_within

    def feed(self, data: bytes) -> Lines:
        """Return the events that the bytes complete, as lines without their ends."""
        return self._framer.feed(data)

    def end(self) -> bool:
        """Forget what is unfinished, and say whether there was something; the next bytes are those of another stream."""
        was_within = self._framer.is_within
        self._framer.end()
        return was_within

    def take_lost(self) -> int:
        """Return how many events were too long, and nothing of them could be kept, since the last call."""
        before, self._too_long = self._too_long, self._framer.too_long
        return self._too_long - before


def _paths(value: Value) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Path):
        names = tuple(part for part in value.parts if type(part) is str)
        if len(names) == len(value.parts) and names[0] != "lanner":
            yield names
    for child in value.children:
        yield from _paths(child)


KEPT: Final = sorted(
    {path for value in (TIMESTAMP, *(field.value for field in FIELDS if isinstance(field.value, Value))) for path in _paths(value)}
    | {("Actor", "Attributes", name) for name in _ATTRIBUTES}
)
"""The members that are kept of an event that is too long, as paths of names."""
