"""Try rules on single events: which alerts each event raises, and why a rule matched or not.

`LoadedRules` are a plugin's rules, loaded and checked. A `Trial` runs them from a first event on. The callers (`lanner rules explain`,
`lanner rules test`, `lanner.testing`) supply the events and compare alerts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from lanner.host.beside import join_fields
from lanner.host.own_rules import rules_files
from lanner.host.pump import Pump, host_name
from lanner.host.recording import no_recording, open_recording
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules, load_rules_text
from lanner.rules.findings import UNKNOWN_SOURCE
from lanner.rules.report.explainer import Explainer
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError, SourceError
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import BY_ARGUMENT, init_plugin
from lanner.sdk.payload.misfits import add_misfits, describe_misfits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from os import PathLike
    from typing import TypeAlias

    from lanner.rules import CompiledRules, Rule
    from lanner.rules.report.explanation import Explanation
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.sdk.authoring.plugin import Plugin
    from lanner.sdk.payload.misfits import Misfits

    Event: TypeAlias = tuple[bytes, int | None]

_FOREVER: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: `output` is its message without time and priority, `event` the event's number from 1."""

    rule: str
    priority: str
    output: str
    fields: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    event: int = 0


class LoadedRules:
    """Rules files (none: the plugin's own), or the `text` of one, ready to try. Raises `LannerError` (`RulesError` for invalid rules).

    The plugins `beside` extract further fields. `static` are the values of the fields `static.*`. `way` is how the caller's user sets
    options of the plugin, for `advise_required`.
    """

    def __init__(
        self,
        plugin: type[Plugin],
        files: Sequence[str | PathLike[str]] = (),
        *,
        text: str | None = None,
        config: str | dict[str, Any] = "",
        beside: Sequence[type[Plugin]] = (),
        static: Mapping[str, str] | None = None,
        way: str = BY_ARGUMENT,
    ) -> None:
        infos = [plugin_info(each) for each in (plugin, *beside)]
        self.info = join_fields(infos)
        self._plugin, self._beside = plugin, beside
        self._config, self._static = config, static or {}
        self.catalog = Catalog([declaration.info for declaration in self.info.fields], self.info.read_source, self._static)
        """The fields that these rules can use."""
        versions = {each.name: each.version for each in infos}
        self._ruleset = (
            load_rules(rules_files(files, self.info), self.catalog, plugins=versions)
            if text is None
            else load_rules_text(text, self.catalog, plugins=versions)
        )
        self._compiled: dict[frozenset[str], CompiledRules] = {}
        self.compile()
        init_plugin(plugin, config, way=way)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in order, including disabled ones."""
        return self._ruleset.rules

    def rule(self, name: str) -> Rule:
        """Return the rule with that name. Raises `LannerError` if it does not exist."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        if any(each.code == UNKNOWN_SOURCE and each.places[0].name == name for each in self._ruleset.findings):
            raise LannerError(
                f"the rule {name!r} is not about events of {self.info.name}: name its plugin (--plugin, in a test file `plugin`)"
            )
        near = nearest_rule(name, [rule.name for rule in self.rules])
        raise LannerError(f"no rule {name!r}" + (f": did you mean {near!r}?" if near else " in these files"))

    def definition(self, name: str) -> RuleDefinition:
        """Return the definition of a rule of these files."""
        return self._ruleset.session.collected.rules[self.rule(name).name]

    def compile(self, enable: Collection[str] = ()) -> CompiledRules:
        """Return the compiled rules, with those in `enable` as if their files said `enabled: true`."""
        names = frozenset(self.rule(name).name for name in enable)
        if names not in self._compiled:
            running = [rule for rule in self.rules if rule.enabled or rule.name in names]
            self._compiled[names] = compile_rules(self._ruleset, self.catalog, running)
        return self._compiled[names]

    def trial(self, enable: Collection[str] = (), *, first: bool = True) -> Trial:
        """Start a new run. `first`: only the first matching rule of an event raises an alert."""
        plugin = init_plugin(self._plugin, self._config, warn=lambda _: None)
        beside = [init_plugin(each, "", warn=lambda _: None) for each in self._beside]
        return Trial(plugin, self.compile(enable), first=first, beside=beside, static=self._static)

    def read_recording(self, path: str) -> Iterator[Event]:
        """Yield a recording's events, with their times if known. Raises `SourceError`."""
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
    """One run of the rules: `feed` it the events."""

    def __init__(
        self,
        plugin: Plugin,
        compiled: CompiledRules,
        *,
        first: bool = True,
        beside: Sequence[Plugin] = (),
        static: Mapping[str, str] | None = None,
    ) -> None:
        self._lines: list[str] = []
        self._compiled = compiled
        writer = AlertWriter("json", hostname=host_name(), include_message=True)
        self._pump = Pump(plugin, compiled, writer, lambda alert: self._lines.append(alert.line), first=first, beside=beside, static=static)
        self._explainers: dict[str, Explainer] = {}
        self._alerts: list[Alert] = []
        self._info = plugin_info(type(plugin))
        self._misfits_before: Misfits = {}

    def feed(self, payload: bytes, timestamp: int | None = None) -> list[Alert]:
        """Return the alerts of the next event. An event without a time gets the previous event's."""
        self._lines.clear()
        self._misfits_before = self._pump.counts().misfits
        self._pump.feed(Batch([payload], [timestamp]), lambda: self._pump.timestamp)
        self._alerts = [_alert(line, self._pump.events) for line in self._lines]
        return self._alerts

    @property
    def has_read_nothing(self) -> bool:
        """Whether there were events, and none of them is a payload that the plugin's fields read."""
        counts = self._pump.counts()
        return 0 < counts.events == counts.not_json

    def explain(self, name: str) -> Explanation:
        """Explain the rule's result for the last event."""
        found = self._explainer(name).explain(self._pump.events, self._pump.describe())
        unfit = add_misfits(self._pump.counts().misfits, self._misfits_before, -1)
        found = replace(found, unfit=tuple(describe_misfits(unfit, (each.info for each in self._info.fields), self._info.timestamp)))
        raised = [alert.rule for alert in self._alerts]
        return replace(found, taken_by=raised[0]) if found.holds and raised and name not in raised else found

    def progress(self, name: str) -> float:
        """Return how far the last event came in the rule's condition, from 0 to 1; 1 is a match."""
        return self._explainer(name).progress()

    def _explainer(self, name: str) -> Explainer:
        if name not in self._explainers:
            number = next((number for number, rule in enumerate(self._compiled.rules) if rule.name == name), None)
            if number is None:
                raise LannerError(f"the rule {name!r} is disabled")
            self._explainers[name] = Explainer(self._compiled.rules[number], self._compiled.plan, number, self._pump.executor)
        return self._explainers[name]


def nearest_rule(name: str, names: Iterable[str]) -> str:
    """Return the rule name most similar to `name`, ignoring case; "" if there are no rules."""
    folded = {each.casefold(): each for each in names}
    wanted = name.casefold()
    within = [each for each in folded if wanted and wanted in each]
    near = get_close_matches(wanted, within or folded, n=1, cutoff=0)
    return folded[near[0]] if near else ""


def _alert(line: str, event: int) -> Alert:
    shown = json.loads(line)
    return Alert(shown["rule"], shown["priority"], shown["message"], shown["output_fields"], tuple(shown["tags"]), event)


def explain(trial: Trial, name: str, events: Iterable[Event], *, number: int | None = None, silent: bool = False) -> Explanation | None:
    """Explain the rule for the event of that number, otherwise for the first match, otherwise for the event that came closest.

    `silent` skips events for which the rule raised an alert. Return None if no event is left.
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
