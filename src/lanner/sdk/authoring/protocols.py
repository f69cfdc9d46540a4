"""The types of the results of a plugin's `open`."""

from __future__ import annotations

from types import MappingProxyType

from lanner.sdk.authoring.events import Event, Nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping
    from typing import Any, TypeAlias

    from lanner.sdk.authoring.chunk_reader import ChunkReader

Payload: TypeAlias = bytes | str | Event | Nothing
"""An item of an iterator: an event's payload, with or without its time, or `NOTHING`."""
OpenResult: TypeAlias = "Iterable[Payload] | AsyncIterable[Payload] | ChunkReader"
"""The result of `open`: a generator, another iterator, an async one, or an object that reads chunks of lines."""


class OpenInstance:
    """The members that an open event source may have in addition to its events. Lanner uses the members that exist.

    Deriving from this class is optional. A member that a subclass does not override counts as missing.
    """

    counters: Mapping[str, int] = MappingProxyType({})
    """Counters by name, for the summary and the metrics of a run."""
    connections: Mapping[str, bool] = MappingProxyType({})
    """The names of connections, and whether each is up: /readyz and the metrics report them."""
    position: Any = None
    """The position after the last chunk that `read_chunk` returned: the end of a whole line. The host stores it, and resumes there."""

    def describe(self) -> str:
        """Return the name of the source, for messages such as "watching NAME"."""
        return ""

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when `read_chunk` need not wait, or -1."""
        return -1

    def commit(self, count: int, /) -> None:
        """Store that the host has processed the first `count` chunks, so that the source can resume there after a restart."""

    def close(self) -> None:
        """End the source. Any thread may call it while another one waits in the source."""
