"""State of a run as plain data: the host fills it, metrics and web server read it. Nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.alerts.retention import StoreSize
    from lanner.outputs.base import SinkCounts


@dataclass(frozen=True, slots=True)
class RuleMatches:
    """Number of alerts of one rule; `priority` as Falco prints it ("Critical")."""

    rule: str
    priority: str
    source: str
    tags: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """State of a run at one moment. Times are ns since 1970. Creating one must not block on the run, which may be stuck."""

    plugin: str
    plugin_version: str
    event_source: str
    hostname: str
    started: int
    loaded: int
    """Time of the last load of rules and configuration."""
    version: str = __version__
    events: int = 0
    matches: tuple[RuleMatches, ...] = ()
    not_json: int = 0
    invalid_utf8: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failed extractions, by field."""
    misfits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Values of another type than their field, by field and JSON type."""
    outputs: Mapping[str, SinkCounts] = field(default_factory=dict)
    store: StoreSize | None = None
    """Size of the alert store, if the run writes one."""
    suppressed: Mapping[str, int] = field(default_factory=dict)
    """Alerts suppressed by throttling or deduplication, by rule."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Counters of the source by name, for all its engines together: `events dropped`, `gaps`."""
    connected: Mapping[str, bool] = field(default_factory=dict)
    """Whether the stream is open, by engine name."""
    reloads: int = 0
    reloads_failed: int = 0
    reload_error: str = ""
    """Error of the last reload; "" if it succeeded."""
    rules_files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file in hex, by path."""
    config_files: Mapping[str, str] = field(default_factory=dict)
    not_ready: tuple[str, ...] = ()
    """Reasons why events are not (yet) being watched; empty if they are."""
    unhealthy: tuple[str, ...] = ()
    """Reasons why the process should be restarted; empty if it is healthy."""
