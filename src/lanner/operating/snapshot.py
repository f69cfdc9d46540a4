"""What a run says of itself, as plain data: filled by the host, read by metrics and the web server. Nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.outputs.base import SinkCounts


@dataclass(frozen=True, slots=True)
class RuleMatches:
    """How many alerts a rule has raised; `priority` as Falco prints it ("Critical")."""

    rule: str
    priority: str
    source: str
    tags: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment of a run. Times are ns since 1970; whoever makes one must not wait for the run, which may be stuck."""

    plugin: str
    plugin_version: str
    event_source: str
    hostname: str
    started: int
    loaded: int
    """When rules and configuration were last loaded."""
    version: str = __version__
    events: int = 0
    matches: tuple[RuleMatches, ...] = ()
    not_json: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failed extractions, by field."""
    outputs: Mapping[str, SinkCounts] = field(default_factory=dict)
    suppressed: Mapping[str, int] = field(default_factory=dict)
    """Alerts that were left out on purpose, by rule."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """What the source counts, by its words: `events dropped`, `gaps`."""
    engine_counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The same by the engine's name, where there are several; what stands here is left out of `counters`."""
    connected: Mapping[str, bool] = field(default_factory=dict)
    """Whether there is a stream, by the engine's name."""
    reloads: int = 0
    reloads_failed: int = 0
    reload_error: str = ""
    """Of the last time, if that failed."""
    rules_files: Mapping[str, str] = field(default_factory=dict)
    """The files' SHA-256 in hex, by path."""
    config_files: Mapping[str, str] = field(default_factory=dict)
    not_ready: tuple[str, ...] = ()
    """Why events are not being watched (yet); none: they are."""
    unhealthy: tuple[str, ...] = ()
    """Why the process should be restarted; none: all is well."""
