"""A case in its process: plugin and rules are loaded, and events can be tried. Everything here may run the plugin's code."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.inquiry.memory_files import memory_file
from lanner.inquiry.placeholders import placeholder_options
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.host.trial import Alert, Trial
    from lanner.inquiry.process_messages import Case
    from lanner.rules.report.explanation import Explanation

_PROBE: Final = "The values of an event"
_WAY: Final = "with --config '{}'"


class LoadedCase:
    """The plugin and the rules of a case. Raises `LannerError`, or any exception of the plugin's code."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.plugin = load_plugin(case.plugin)
        self.beside = [load_plugin(name) for name in case.beside]
        self.own_rules = plugin_info(self.plugin).rules
        self.files = [memory_file(content) for _, content in case.rules]
        self.config: str | dict[str, Any] = case.config
        self.notes: list[str] = []
        """Remarks that every answer contains."""
        try:
            self.rules = self.load(self.files)
        except ConfigError as error:
            self.rules = self._load_with_placeholders(error)

    def _load_with_placeholders(self, error: ConfigError) -> LoadedRules:
        """Load the rules with placeholders for required options. Raises the given error if the plugin refuses them."""
        info = plugin_info(self.plugin)
        for options in () if self.case.config else placeholder_options(info):
            self.config = options
            self.notes = [f"options of {info.name} that the store does not contain have placeholders: {', '.join(options)}"]
            with suppress(ConfigError):
                return self.load(self.files)
        raise error

    def load(self, files: Sequence[str]) -> LoadedRules:
        """Return the rules of these files for the case's plugins."""
        return self._load(files)

    def explain(self, rules: LoadedRules, name: str, event: bytes, timestamp: int) -> tuple[Explanation, list[Alert]]:
        """Return why a rule matches an event or does not, and the alerts that the event raises."""
        trial = self._trial(rules, name)
        alerts = list(trial.feed(event, timestamp))
        return trial.explain(name), alerts

    def holds(self, rules: LoadedRules, name: str, events: Sequence[tuple[bytes, int]]) -> list[bool]:
        """Return for each event whether the rule matches it."""
        trial = self._trial(rules, name)
        found = []
        for event, timestamp in events:
            trial.feed(event, timestamp)
            found.append(trial.progress(name) == 1)
        return found

    def values(self, names: Sequence[str], events: Sequence[tuple[bytes, int]]) -> list[dict[str, Any]]:
        """Return for each event the values of these fields; None for a field without a value."""
        rule = {"rule": _PROBE, "desc": _PROBE, "condition": "evt.num exists", "priority": "NOTICE"}
        rule |= {"output": " ".join(f"%{name}" for name in names), "source": self.rules.catalog.source}
        text = json.dumps([rule])  # JSON is YAML
        trial = self._load(None, text).trial()
        return [{name: alert.fields.get(name) for name in names} for event in events for alert in trial.feed(*event)]

    def _load(self, files: Sequence[str] | None, text: str | None = None) -> LoadedRules:
        static = dict(self.case.static)
        return LoadedRules(self.plugin, files or (), text=text, config=self.config, beside=self.beside, static=static, way=_WAY)

    def _trial(self, rules: LoadedRules, name: str) -> Trial:
        return rules.trial([name], first=self.case.is_first)

    def restore_names(self, text: str) -> str:
        """Return a string with the paths of the run's rules files instead of those in memory."""
        for shown, (path, _) in zip(self.files, self.case.rules, strict=True):
            text = text.replace(f"{shown}:", f"{path}:")
        return text
