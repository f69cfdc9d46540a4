"""Batches of events, which event sources return to hosts, and the members of open instances."""

from __future__ import annotations

from lanner.sdk.authoring.protocols import OpenInstance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar, Literal


class Batch:
    """Events in order. `timestamps` (ns since 1970) is None if the source gave no times. `ended`: the source has no more events."""

    __slots__ = ("ended", "payloads", "timestamps")

    def __init__(self, payloads: Sequence[bytes], timestamps: list[int | None] | None = None, *, ended: bool = False) -> None:
        self.payloads: Sequence[bytes] = payloads
        self.timestamps: list[int | None] | None = timestamps
        self.ended: bool = ended

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Batch) and repr(self) == repr(other)

    def __repr__(self) -> str:
        return f"Batch({list(self.payloads)}, {self.timestamps}, ended={self.ended})"

    __hash__: ClassVar[None] = None  # type: ignore[assignment]


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
