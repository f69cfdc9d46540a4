"""Rules tried on events one at a time: what alerts each event raises, and why a rule matched it or did not.

`LoadedRules` are a plugin's rules as loaded and checked, `Trial` one run of them from a first event on. Where events come from, and what
alerts were expected, is for others to say (the commands `lanner rules explain` and `lanner rules test`, `lanner.testing`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from lanner.host.own_rules import rules_files
from lanner.host.pump import Pump, host_name
from lanner.host.recording import no_recording, open_recording
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules
from lanner.rules.report.explain import Explainer
from lanner.sdk.batches import Batch
from lanner.sdk.errors import LannerError, SourceError
from lanner.sdk.hosting import init_plugin
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from os import PathLike
    from typing import TypeAlias

    from lanner.rules import Compiled, Rule
    from lanner.rules.report.explanation import Explanation
    from lanner.sdk.plugin import Plugin

    Event: TypeAlias = tuple[bytes, int | None]

_FOREVER: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: `output` is its message, without the time and priority before it; `event` is the event's number, from 1."""

    rule: str
    priority: str
    output: str
    fields: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    event: int = 0


class LoadedRules:
    """The rules of files (none: the plugin's own), ready to be tried. Raises `LannerError` (of wrong rules, `RulesError`)."""

    def __init__(self, plugin: type[Plugin], files: Sequence[str | PathLike[str]] = (), *, config: str | dict[str, Any] = "") -> None:
        self.info = plugin_info(plugin)
        self._plugin = plugin
        self._config = config
        self._catalog = Catalog([declaration.info for declaration in self.info.fields], self.info.event_source or "")
        self._ruleset = load_rules(rules_files(files, self.info), self._catalog, plugins={self.info.name: self.info.version})
        self._compiled: dict[frozenset[str], Compiled] = {}
        self.compiled()
        init_plugin(plugin, config)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, disabled ones among them, in order."""
        return self._ruleset.rules

    def rule(self, name: str) -> Rule:
        """The rule of that name. Raises `LannerError` if there is none."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        if any(each.code == "LOAD_UNKNOWN_SOURCE" and each.places[0].name == name for each in self._ruleset.findings):
            raise LannerError(
                f"the rule {name!r} is not about events of {self.info.name}: name its plugin (--plugin, in a test file `plugin`)"
            )
        near = nearest_rule(name, [rule.name for rule in self.rules])
        raise LannerError(f"there is no rule {name!r}" + (f": did you mean {near!r}?" if near else " in these files"))

    def compiled(self, enable: Collection[str] = ()) -> Compiled:
        """The rules compiled, those of `enable` as if their files said `enabled: true`."""
        names = frozenset(self.rule(name).name for name in enable)
        if names not in self._compiled:
            running = [rule for rule in self.rules if rule.enabled or rule.name in names]
            self._compiled[names] = compile_rules(self._ruleset, self._catalog, running)
        return self._compiled[names]

    def trial(self, enable: Collection[str] = (), *, first: bool = True) -> Trial:
        """A new run. `first`: of the rules that match an event only the first raises an alert."""
        return Trial(init_plugin(self._plugin, self._config, warn=lambda _: None), self.compiled(enable), first=first)

    def recorded(self, path: str) -> Iterator[Event]:
        """The events of a recording, with their times where it tells them. Raises `SourceError`."""
        source = open_recording(path, self.info)
        is_empty = True
        while True:
            batch = source.next_batch(_FOREVER)
            is_empty = is_empty and not batch.payloads
            yield from zip(batch.payloads, batch.timestamps or [None] * len(batch.payloads), strict=True)
            if batch.ended:
                break
        if is_empty and source.counters:
            raise SourceError(no_recording(path, self.info))


class Trial:
    """One run of rules: `feed` it the events."""

    def __init__(self, plugin: Plugin, compiled: Compiled, *, first: bool = True) -> None:
        self._lines: list[str] = []
        self._compiled = compiled
        writer = AlertWriter("json", hostname=host_name(), include_message=True)
        self._pump = Pump(plugin, compiled, writer, lambda alert: self._lines.append(alert.line), first=first)
        self._explainers: dict[str, Explainer] = {}
        self._alerts: list[Alert] = []

    def feed(self, payload: bytes, timestamp: int | None = None) -> list[Alert]:
        """The alerts of the next event. One that tells no time has that of the event before."""
        self._lines.clear()
        self._pump.feed(Batch([payload], [timestamp]), lambda: self._pump.timestamp)
        self._alerts = [_alert(line, self._pump.events) for line in self._lines]
        return self._alerts

    def explain(self, name: str) -> Explanation:
        """What the rule says of the last event."""
        found = self._explainer(name).explain(self._pump.events, self._pump.describe())
        raised = [alert.rule for alert in self._alerts]
        return replace(found, taken_by=raised[0]) if found.holds and raised and name not in raised else found

    def progress(self, name: str) -> float:
        """How far the last event came in the rule's condition, from 0 to 1; 1 is a match."""
        return self._explainer(name).progress()

    def _explainer(self, name: str) -> Explainer:
        if name not in self._explainers:
            number = next((number for number, rule in enumerate(self._compiled.rules) if rule.name == name), None)
            if number is None:
                raise LannerError(f"the rule {name!r} is disabled")
            self._explainers[name] = Explainer(self._compiled.rules[number], self._compiled.plan, number, self._pump.executor)
        return self._explainers[name]


def nearest_rule(name: str, names: Iterable[str]) -> str:
    """Return the rule's name most like `name` without regard to case, "" if there are no rules."""
    folded = {each.casefold(): each for each in names}
    wanted = name.casefold()
    within = [each for each in folded if wanted and wanted in each]
    near = get_close_matches(wanted, within or folded, n=1, cutoff=0)
    return folded[near[0]] if near else ""


def _alert(line: str, event: int) -> Alert:
    shown = json.loads(line)
    return Alert(shown["rule"], shown["priority"], shown["message"], shown["output_fields"], tuple(shown["tags"]), event)


def explain(trial: Trial, name: str, events: Iterable[Event], *, number: int | None = None, silent: bool = False) -> Explanation | None:
    """What a rule says of the event of that number; else of the first event that it matches, else of the one that came furthest.

    `silent` leaves out events of which the rule raised an alert. None: there is no such event.
    """
    best, furthest = None, -1.0
    for count, (payload, timestamp) in enumerate(events, start=1):
        alerts = trial.feed(payload, timestamp)
        if number is not None:
            if count == number:
                return trial.explain(name)
            continue
        if silent and any(alert.rule == name for alert in alerts):
            continue
        progress = trial.progress(name)
        if progress > furthest:
            best, furthest = trial.explain(name), progress
        if progress == 1:
            break
    return best
