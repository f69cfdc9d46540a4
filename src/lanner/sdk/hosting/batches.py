"""The interface between event sources and hosts: batches of events. `lanner.sdk.hosting.open_source` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from lanner.sdk.authoring.protocols import OpenInstance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Batch:
    """Events in order. `timestamps` (ns since 1970) is None if the source gave no times. `ended`: the source has no more events."""

    __slots__ = ("ended", "payloads", "timestamps")

    def __init__(self, payloads: Sequence[bytes], timestamps: list[int | None] | None = None, *, ended: bool = False) -> None:
        self.payloads = payloads
        self.timestamps = timestamps
        self.ended = ended

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Batch) and repr(self) == repr(other)

    def __repr__(self) -> str:
        return f"Batch({list(self.payloads)}, {self.timestamps}, ended={self.ended})"

    __hash__ = None  # type: ignore[assignment]


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


def describe_instance(instance: Any, plugin: str) -> str:
    """Return the open instance's describe(), or "" without one. Errors are logged, not raised."""
    return str(_call(member(instance, "describe"), "describe", plugin) or "")


def call_fileno(fileno: Any, plugin: str) -> int | None:
    """Return the result of an open instance's `fileno`, or None if it is not callable, or after an error, which is logged."""
    found = _call(fileno, "fileno", plugin)
    return found if isinstance(found, int) else None


def close_instance(instance: Any, plugin: str) -> None:
    """Call the open instance's close(), if it has one. Errors are logged, not raised."""
    _call(member(instance, "close"), "close", plugin)


def instance_counters(instance: Any) -> Mapping[str, int]:
    """Return the `counters` of the open instance, if it has such a mapping."""
    found = member(instance, "counters")
    return found if isinstance(found, dict) else {}


def instance_connections(instance: Any) -> Mapping[str, bool]:
    """Return the `connections` of an open instance, if it has such a mapping."""
    found = member(instance, "connections")
    return found if isinstance(found, dict) else {}


def member(instance: Any, name: Literal["counters", "connections", "position", "describe", "fileno", "commit", "close"]) -> Any:
    """Return a member of `OpenInstance` that an open instance has, or None for a missing or inherited one."""
    value = getattr(instance, name, None)
    return None if getattr(value, "__func__", value) is getattr(OpenInstance, name) else value


def _call(method: Any, name: str, plugin: str) -> Any:
    if not callable(method):
        return None
    try:
        return method()
    except Exception:
        import logging  # rare

        logging.getLogger(f"lanner.plugin.{plugin}").exception("%s failed", name)
        return None
