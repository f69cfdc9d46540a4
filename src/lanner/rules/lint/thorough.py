"""All errors of one rule, of which Falco reports only the first: of each exception, each check, and each field of the output.

Messages and places are Falco's; only their number is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.check.rule_condition import weigh
from lanner.rules.condition.ast import Check, find
from lanner.rules.files.items import RuleItem
from lanner.rules.findings import ConditionError, finish
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.template import FormatError, drop_container_info, parse_output
from lanner.rules.resolve.collect import Collector
from lanner.rules.resolve.compilation import output_of
from lanner.rules.session import Session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lanner.rules.check.checker import CheckedCondition, Checker
    from lanner.rules.files.items import Step
    from lanner.rules.files.scalars import ItemError
    from lanner.rules.findings import Finding, Stage
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Addition
    from lanner.rules.output.template import Format
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule

_MOST_ERRORS: Final = 20
"""Yield the errors of one output."""


class ThoroughCollector(Collector):
    """A collector that keeps a rule without its invalid exceptions."""

    def refuse(self, refused: ItemError) -> None:
        """Record the error of an exception."""
        self.findings.append(refused.finding)


class ThoroughSession(Session):
    """A session whose stages continue after an error in a rule."""

    collector = ThoroughCollector

    def __init__(self, catalogs: Iterable[Catalog], plugins: Mapping[str, str] | None = None, shipped: Collection[str] = ()) -> None:
        super().__init__(catalogs, plugins, shipped)
        self._unread: dict[str, frozenset[str]] = {}  # by rule, the unreadable strings

    def collect(self, steps: Sequence[Step]) -> list[Finding]:
        """Apply the steps of a file's next item, and return the findings."""
        self._unread |= {step.name: step.unread for step in steps if isinstance(step, RuleItem)}
        return super().collect(steps)

    def output(self, definition: RuleDefinition, addition: Addition, checker: Checker) -> Stage[Format | None]:
        """Compile the output of a rule; yield all its errors."""
        if "output" in self._unread.get(definition.name, ()):
            return None
        output = yield from super().output(definition, addition, checker)
        if output is not None:
            return output
        printed, skip = output_of(definition), definition.skip_if_unknown_filter
        text, _ = drop_container_info(printed.text.text)
        for number in range(_MOST_ERRORS):
            try:
                parse_output(text, checker.catalog, FieldTable())
            except FormatError as error:
                if number:  # the first one is already reported
                    yield printed.finding(error, *weigh(error, skip=skip))
                begin, end = error.offset, error.offset + error.length
                text = text[:begin] + "." * (end - begin) + text[end:]
            else:
                break
        return None

    def rule(self, definition: RuleDefinition) -> Stage[Rule | None]:
        """Resolve a rule. One with invalid exceptions is resolved without them."""
        if "condition" in self._unread.get(definition.name, ()):
            return None
        return (yield from self.compilation.rule(definition, definition.condition))

    def condition(self, rule: Rule, checker: Checker) -> Stage[CheckedCondition | None]:
        """Check the condition of a rule; yield all its errors, the first one first."""
        told: list[Finding] = []
        checked = finish(super().condition(rule, checker), told)
        yield from told
        if checked is not None:
            return checked
        for check in find(Check, rule.condition):
            try:
                checker.check(check)
            except ConditionError as error:
                found = rule.finding(error, *weigh(error, skip=rule.skip_if_unknown_filter))
                if found not in told:
                    told.append(found)
                    yield found
        return None
