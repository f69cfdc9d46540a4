"""The protocol of event sources that return chunks. Importing it imports `typing`, which a plugin's .so need not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from lanner.sdk.authoring.events import Chunk, Nothing


@runtime_checkable
class ChunkReader(Protocol):
    """An open event source that returns payloads as chunks of lines, as they arrive. It may also have the members of `OpenInstance`."""

    def read_chunk(self, timeout: float, /) -> bytes | Chunk | Nothing:
        """Return the bytes that arrive within `timeout` seconds: `NOTHING` for none, `b""` at the end of the source.

        Lanner calls it with any number of seconds if the instance has a `close`, which must end the wait, otherwise with short timeouts.
        """
        ...
