"""One rule in a test: whether it matches an event, and the output of its alert."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.sdk.authoring.plugin import plugin_info
from lanner.testing.payloads import payload
from lanner.testing.replayed import ReplayResult

if TYPE_CHECKING:
    from lanner.sdk.authoring.plugin import Plugin

_NAME = "The rule under test"


class RuleOnTrial:
    """A single rule: other rules do not take its events. `lanner.testing.rule` and `Rules.rule` create it."""

    def __init__(self, rules: LoadedRules, name: str) -> None:
        self._rules = rules
        self._name = rules.rule(name).name

    def matches(self, event: Any) -> bool:
        """Return whether the rule matches an event: a payload, or a mapping (its JSON is the payload).

        With the pytest plugin, a failed assertion shows why it does or does not.
        """
        return bool(self._replay(event).fired(self._name))

    def output(self, event: Any) -> str | None:
        """Return the message of the alert for the event, or None without an alert."""
        alerts = self._replay(event).fired(self._name)
        return alerts[0].output if alerts else None

    def fields(self, event: Any) -> dict[str, Any] | None:
        """Return the fields of the alert for the event by name, or None without an alert."""
        alerts = self._replay(event).fired(self._name)
        return alerts[0].fields if alerts else None

    def why(self, event: Any) -> str:
        """Explain the result for the event."""
        return self._replay(event).why(self._name, 1)

    def _replay(self, event: Any) -> ReplayResult:
        return ReplayResult(self._rules, [(payload(event), None)], {self._name}, first=False)


def rule(
    condition: str,
    output: str = "",
    *,
    plugin: str | type[Plugin] = "docker",
    config: str | dict[str, Any] = "",
    lists: dict[str, list[str]] | None = None,
    macros: dict[str, str] | None = None,
) -> RuleOnTrial:
    """Return a rule with this condition and output for events of a plugin, a class or a name as for `lanner run`.

        forced = rule("github.forced = true", "%github.repo was forced", plugin=Github)
        assert forced.matches({"forced": True})

    The condition may use `lists` and `macros`, given by name. Raise `RulesError` for an invalid rule.
    """
    cls = load_plugin(plugin) if isinstance(plugin, str) else plugin
    source = plugin_info(cls).read_source
    items: list[dict[str, Any]] = [{"list": name, "items": words} for name, words in (lists or {}).items()]
    items += [{"macro": name, "condition": text} for name, text in (macros or {}).items()]
    about = {"rule": _NAME, "desc": "A rule of a test", "condition": condition, "output": output or "it matches", "priority": "NOTICE"}
    items.append(about | ({"source": source} if source else {}))
    # JSON is YAML
    return RuleOnTrial(LoadedRules(cls, text=json.dumps(items, ensure_ascii=False), config=config), _NAME)
