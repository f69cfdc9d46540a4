"""A case in its process: plugin and rules are loaded, and events can be tried. Everything here may run the plugin's code."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.inquiry.exception import make_exception
from lanner.inquiry.placeholders import placeholder_options
from lanner.inquiry.test_file import make_test
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import ConfigError, LannerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.host.trial import Alert, Trial
    from lanner.inquiry.process_messages import Case, Question
    from lanner.rules.report.explanation import Explanation

_DESCRIPTORS: Final = "/proc/self/fd/"
_PROBE: Final = "The values of an event"
_WAY: Final = "with --config '{}'"


class LoadedCase:
    """The plugin and the rules of a case. Raises `LannerError`, or what the plugin's code raises."""

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

    def named(self, text: str) -> str:
        """Return a text with the paths of the run's rules files instead of those in memory."""
        for shown, (path, _) in zip(self.files, self.case.rules, strict=True):
            text = text.replace(f"{shown}:", f"{path}:")
        return text


def memory_file(content: bytes) -> str:
    """Return the path of a file in memory: readers of rules and tests take paths. `close_file` frees it."""
    descriptor = os.memfd_create("rules", os.MFD_CLOEXEC)
    while content:
        content = content[os.write(descriptor, content) :]
    return f"{_DESCRIPTORS}{descriptor}"


def close_file(path: str) -> None:
    """Free a file of `memory_file`."""
    os.close(int(path.removeprefix(_DESCRIPTORS)))


def answer(loaded: LoadedCase, question: Question) -> dict[str, Any]:
    """Return the answer to a question. Its `notes` say what may make it differ from the run."""
    found, alerts = loaded.explain(loaded.rules, question.rule, question.event, question.timestamp)
    if not found.holds:
        raise LannerError(
            "the rule does not match the stored event: the plugin, its options or the engine that it asks have changed since the alert"
        )
    notes = [*loaded.notes, *_differences(question, alerts)]
    if question.kind == "exception":
        shown = make_exception(loaded, question, found)
    elif question.kind == "test":
        shown = make_test(loaded, question, alerts)
    else:
        deciding = sorted(found.part.deciding(), key=lambda each: not each[1].holds)
        shown = found.as_dict() | {"deciding": [list(path) for path, _ in deciding], "text": found.reasons()}
        shown["place"] = loaded.named(found.place)
    return shown | {"notes": [*shown.get("notes", ()), *notes]}


def _differences(question: Question, alerts: Sequence[Alert]) -> Iterator[str]:
    """Yield a note if the event has other values now than in the stored alert, other than its number and times."""
    now = next((alert.fields for alert in alerts if alert.rule == question.rule), {})
    before = question.fields
    names = [name for name in now if name in before and not name.startswith("evt.") and now[name] != before[name]]
    if names:
        yield f"fields that have other values now than in the alert: {', '.join(names)}"
