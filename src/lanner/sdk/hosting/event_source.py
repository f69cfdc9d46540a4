"""The protocol of an open event source for hosts. `lanner.sdk.hosting.open_source` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.sdk.hosting.batches import Batch


class Source(Protocol):
    """An open event source, as a host uses it."""

    @property
    def counters(self) -> Mapping[str, int]:
        """Counters by name: `dropped tails`, `lines too long`, and the `counters` of the open instance."""
        ...

    @property
    def connections(self) -> Mapping[str, bool]:
        """The connections of the open instance by name, and whether each is up."""
        ...

    description: str
    """The open instance's name for the watched object (its `describe()`), or ""."""

    def next_batch(self, timeout: float, most: int = ..., /) -> Batch:
        """Return available events, as soon as there are any; none after `timeout` seconds, or when another thread closes the source.

        A source that can divide its events returns at most `most`.


        Raises `SourceError` if the plugin failed, after all events before the failure were returned.
        """
        ...

    position: int
    """The position of `next_batch` in the source, for `commit`."""

    def commit(self, position: int) -> None:
        """Acknowledge all events up to an earlier `position`. A source that can resume there after a restart stores it.

        After `close` the position is on disk when this returns, if the source stores it on disk.
        """

    @property
    def commits_itself(self) -> bool:
        """Whether each `next_batch` commits all previous events. A host that calls `commit` turns this off first."""
        ...

    @commits_itself.setter
    def commits_itself(self, value: bool) -> None: ...

    @property
    def stuck(self) -> str:
        """After `close`: the message about plugin code that still blocks the thread of `next_batch`; "" without such code."""
        ...

    def close(self) -> None:
        """Close the source: a waiting `next_batch` returns at once. Any thread may call it, any number of times."""
