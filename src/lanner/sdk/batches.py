"""What an event source gives to every host: batches of events, by way of one protocol. `lanner.sdk.sources` makes such sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from lanner.sdk.protocols import OpenInstance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Batch:
    """Events in order. `timestamps` is None where no event has one from the source; `ended`: there will be no more."""

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
        """What happened on the way, by its name: `dropped tails`, `lines too long`, and what the open instance counts in its `counters`."""

    @property
    def connections(self) -> Mapping[str, bool]:
        """The connections of the open instance by name, and whether each is up."""

    description: str
    """What is watched, in the open instance's own words (its `describe()`), "" where it has none."""

    def next_batch(self, timeout: float) -> Batch:
        """The events that there are, as soon as there are any; none after `timeout` seconds, or when another thread closes the source.

        Raises `SourceError` where the plugin failed, once everything before the failure was handed over.
        """
        ...

    position: int
    """How far `next_batch` has come, as a number for `commit`."""

    def commit(self, position: int) -> None:
        """The host has dealt with all up to a `position` of before: a source that can go on there after a restart takes note.

        After `close` it is on disk when this returns, if it has a place there.
        """

    commits_itself: bool
    """Whether each `next_batch` commits all that came before. A host that calls `commit` turns this off first."""

    def close(self) -> None:
        """End the source: a waiting `next_batch` returns at once. From any thread, any number of times."""


def describe_instance(instance: Any, plugin: str) -> str:
    """What the open instance's describe() says, "" where it has none. What that raises is logged, not passed on."""
    return str(_call(instance, "describe", plugin) or "")


def instance_fileno(instance: Any, plugin: str) -> int | None:
    """What the open instance's fileno() gives; None where it has none or fails, which is logged."""
    found = _call(instance, "fileno", plugin)
    return found if isinstance(found, int) else None


def close_instance(instance: Any, plugin: str) -> None:
    """Call the open instance's own close(), if it has one. What it raises is logged, not passed on."""
    _call(instance, "close", plugin)


def instance_counters(instance: Any) -> Mapping[str, int]:
    """What the open instance counts in its `counters`, if it has such a mapping."""
    found = member(instance, "counters")
    return found if isinstance(found, dict) else {}


def instance_connections(instance: Any) -> Mapping[str, bool]:
    """Return the `connections` of an open instance, if it has such a mapping."""
    found = member(instance, "connections")
    return found if isinstance(found, dict) else {}


def member(instance: Any, name: Literal["counters", "connections", "describe", "fileno", "commit", "close"]) -> Any:
    """Return a member of `OpenInstance` that an open instance has; None for one that it lacks or has not overridden."""
    value = getattr(instance, name, None)
    return None if getattr(value, "__func__", value) is getattr(OpenInstance, name) else value


def _call(instance: Any, name: Literal["describe", "fileno", "close"], plugin: str) -> Any:
    method = member(instance, name)
    if not callable(method):
        return None
    try:
        return method()
    except Exception:
        import logging  # rare

        logging.getLogger(f"lanner.plugin.{plugin}").exception("%s failed", name)
        return None
