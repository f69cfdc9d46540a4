"""Event sources in a .so whose position is stored in a file, from which the next start of the host resumes.

The host has processed a batch when it asks for the next one, so the source commits by itself.
"""

from __future__ import annotations

from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.positionfile import PositionFile, state_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.sdk.hosting.event_source import Source


def open_resuming(plugin: Plugin, params: str) -> Source | ResumingSource:
    """Open the source of a plugin whose `open` takes a position. Raises `LannerError`."""
    directory = state_directory()
    if directory is None:
        return open_source(plugin, params)
    positions = PositionFile(directory, plugin_info(type(plugin)))
    try:
        return ResumingSource(open_source(plugin, params, positions), positions)
    except BaseException:
        positions.close()
        raise


class ResumingSource:
    """The members of a `Source` that the bridge uses. `close` also closes the file."""

    commits_itself = True

    def __init__(self, source: Source, positions: PositionFile) -> None:
        self._source, self._positions = source, positions
        self.next_batch = source.next_batch
        fileno: Callable[[], int] | None = getattr(source, "fileno", None)
        if fileno is not None:
            self.fileno = fileno

    def close(self) -> None:
        """Close the source and the file."""
        self._source.close()
        self._positions.close()
