"""Splits an engine's bytes into events, one JSON object each; an oversized event is reduced to its identifying members.

Labels make an event long, and the creator of a container chooses them. So an event over the limit is not dropped: the members
that fields and rules name are kept, and the event contains its original length.
"""

from __future__ import annotations

from lanner import MAX_LINE, ObjectFramer, Path, Value
from lanner.docker.event_fields import FIELDS, TIMESTAMP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from lanner.native import Lines

MAX_EVENT: Final = MAX_LINE - 1024 * 1024
"""Maximum size in bytes of an event that is kept whole. Lanner's additions still fit into the limit of a line."""

# attributes of engines without a field
_ATTRIBUTES: Final = (
    *("availability.new", "availability.old", "comment", "driver", "execDuration", "imageID", "imageRef", "network", "oldName"),
    *("oomKilled", "podId", "reclaimed", "role.new", "role.old", "updatestate.new", "updatestate.old"),
)


class EventFramer:
    """The events of one stream. For one thread."""

    def __init__(self) -> None:
        self._framer = ObjectFramer(MAX_EVENT, KEPT)
        self._too_long = 0
        self.feed: Callable[[bytes], Lines] = self._framer.feed
        """Return the events that the bytes complete, as lines without their ends."""

    @property
    def native(self) -> ObjectFramer:
        """The framer that a host's thread may use instead of `feed`."""
        return self._framer

    @property
    def is_within(self) -> bool:
        """Whether an incomplete event has begun."""
        return self._framer.is_within

    def end(self) -> bool:
        """Discard an incomplete event, and return whether there was one; the next bytes belong to another stream."""
        was_within = self._framer.is_within
        self._framer.end()
        return was_within

    def take_lost(self) -> int:
        """Return the number of oversized events since the last call of which nothing could be kept."""
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
"""The members that are kept of an oversized event, as paths of names."""
