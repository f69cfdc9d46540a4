"""The result of a replay: alerts that rules raised for events, with explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lanner.host.trial import explain
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lanner.host.trial import Alert, Event, LoadedRules
    from lanner.rules.report.explanation import Explanation


class ReplayResult:
    """The result of a replay: `alerts`, in the order of the events."""

    asked: ClassVar[tuple[ReplayResult, str, list[Alert]] | None] = None
    """The last query of `fired` and its result, to explain a failed assertion."""

    def __init__(self, rules: LoadedRules, events: Sequence[Event], enable: Collection[str] = (), *, first: bool = True) -> None:
        self.rules = rules
        self.events = events
        self._enable = enable
        self._first = first
        trial = rules.trial(enable, first=first)
        self.alerts: list[Alert] = [alert for payload, timestamp in events for alert in trial.feed(payload, timestamp)]

    def fired(self, rule: str) -> list[Alert]:
        """Return the alerts of a rule. Raise `LannerError` for an unknown rule."""
        alerts = self._alerts_of(rule)
        ReplayResult.asked = self, rule, alerts
        return alerts

    def explain(self, rule: str, event: int | None = None) -> Explanation | None:
        """Explain why a rule fired on an event or not. Without `event`, take an event that raised no alert of the rule.

        Return None if every event raised one. Raise `LannerError` for an unknown or disabled rule.
        """
        if not self.rules.rule(rule).enabled and rule not in self._enable:
            raise LannerError(f"the rule {rule!r} is disabled: only tests that enable it try it")
        trial = self.rules.trial(self._enable, first=self._first)
        return explain(trial, rule, self.events, number=event, silent=True)

    def why(self, rule: str, event: int | None = None) -> str:
        """Return the explanation as text."""
        try:
            found = self.explain(rule, event)
        except LannerError as error:
            return str(error)
        if found is None:
            return f"the rule {rule!r} fired on each of {many(len(self.events), 'event')}" if self.events else "there was no event"
        return found.text()

    def assert_fired(self, rule: str, times: int | None = None) -> list[Alert]:
        """Return the alerts of a rule. Raise `AssertionError` with the explanation without alerts, or if their number is not `times`."""
        __tracebackhide__ = True
        alerts = self._alerts_of(rule)
        if not alerts or (times is not None and len(alerts) != times):
            counted = f"fired {many(len(alerts), 'time')}, not {times}" if times is not None else "did not fire"
            event = alerts[-1].event if times is not None and len(alerts) > times else None
            raise AssertionError(f"the rule {rule!r} {counted}\n{self.why(rule, event)}")
        return alerts

    def assert_silent(self, *rules: str) -> None:
        """Raise `AssertionError` with the explanation if one of these rules, or without names any rule, fired."""
        __tracebackhide__ = True
        for alert in [alert for rule in rules for alert in self._alerts_of(rule)] if rules else self.alerts:
            raise AssertionError(f"the rule {alert.rule!r} fired on event {alert.event}\n{self.why(alert.rule, alert.event)}")

    def _alerts_of(self, rule: str) -> list[Alert]:
        ReplayResult.asked = None
        self.rules.rule(rule)
        return [alert for alert in self.alerts if alert.rule == rule]
