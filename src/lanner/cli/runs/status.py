"""State of a run: a `Snapshot` for metrics, the web server and the service manager."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from lanner.host.own_rules import rules_files
from lanner.host.pump import host_name
from lanner.operating.snapshot import RuleMatches, Snapshot
from lanner.rules.files.load import MAX_SIZE
from lanner.sdk.files import read_whole
from lanner.sdk.options.secrets import mask_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.alerts.retention import StoreSize
    from lanner.cli.runs.settings import Settings
    from lanner.host.reload import Reloader
    from lanner.host.runner import Runner
    from lanner.rules import CompiledRules, Rule
    from lanner.sdk.authoring.plugin import PluginInfo
    from lanner.sdk.hosting.event_source import Source

STUCK_AFTER: Final = 30.0
"""Seconds in one batch of events after which a run counts as stuck."""


class Status:
    """Observer of a run. `note_load` is called after each load of rules and configuration."""

    def __init__(self, info: PluginInfo, runner: Runner, source: Source) -> None:
        self._info, self._runner, self._source = info, runner, source
        self._started = self._loaded = time.time_ns()
        self._rules: dict[str, Rule] = {}  # removed rules may have raised alerts
        self._rules_files: dict[str, str] = {}
        self._config_files: dict[str, str] = {}
        self._hostname = host_name()
        self.reloader: Reloader | None = None
        self.running = False
        """Whether events are being watched."""
        self.store: StoreSize | None = None
        """Size of the alert store, as it was last measured."""

    @classmethod
    def of_replay(cls, info: PluginInfo, runner: Runner, source: Source, settings: Settings, compiled: CompiledRules) -> Status:
        """Return the observer of a run whose rules do not change."""
        status = cls(info, runner, source)
        status.note_load(settings, compiled)
        status.running = True
        return status

    def note_load(self, settings: Settings, compiled: CompiledRules) -> None:
        """Set the current settings."""
        self._loaded = time.time_ns()
        self._rules |= {rule.name: rule for rule in compiled.rules}
        self._rules_files = _digests(rules_files(settings.rules, self._info))
        self._config_files = _digests(settings.config_files)

    def is_alive(self) -> bool:
        """Return whether the run makes progress or waits for events."""
        return self._runner.busy_for() < STUCK_AFTER

    def snapshot(self) -> Snapshot:
        """Return the current state."""
        counts = self._runner.pump.counts()
        reloader = self.reloader
        engines = {mask_message(name): is_open for name, is_open in self._source.connections.items()}
        return Snapshot(
            plugin=self._info.name,
            plugin_version=self._info.version,
            event_source=self._info.event_source or "",
            hostname=self._hostname,
            started=self._started,
            loaded=self._loaded,
            events=counts.events,
            matches=tuple(self._matches(counts.alerts)),
            not_json=counts.not_json,
            invalid_utf8=counts.invalid_utf8,
            failures=counts.failures,
            misfits=counts.misfits,
            outputs=self._runner.delivery.counts(),
            store=self.store,
            suppressed=self._runner.delivery.suppressed,
            counters={mask_message(name): count for name, count in self._source.counters.items()},
            connected=engines,
            reloads=reloader.succeeded if reloader else 0,
            reloads_failed=reloader.failures if reloader else 0,
            reload_error=mask_message(reloader.last_error) if reloader else "",
            rules_files=self._rules_files,
            config_files=self._config_files,
            not_ready=self._not_ready(engines),
            unhealthy=() if self.is_alive() else (f"the run has been processing one batch of events for {self._runner.busy_for():.0f} s",),
        )

    def _matches(self, alerts: dict[str, int]) -> Iterable[RuleMatches]:
        for name, rule in self._rules.items():
            yield RuleMatches(name, str(rule.priority), rule.source, rule.tags, alerts.get(name, 0))

    def _not_ready(self, engines: dict[str, bool]) -> tuple[str, ...]:
        if not self.running:
            return ("events are not being watched",)
        return tuple(f"{engine} is unreachable" for engine, connected in engines.items() if not connected)


def _digests(paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of each readable file."""
    found = {}
    for path in paths:
        try:
            found[path] = hashlib.sha256(read_whole(path, MAX_SIZE, patience=0)).hexdigest()
        except OSError:
            found[path] = ""
    return found
