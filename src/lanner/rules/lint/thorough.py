"""All errors of one rule, of which Falco reports the first: those of each exception, each check, and each field of the output.

Messages and places are Falco's; only how many there are is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import Check
from lanner.rules.findings import ConditionError
from lanner.rules.language.typed import FieldTable
from lanner.rules.lint.hints import nodes_of
from lanner.rules.output.template import FormatError, drop_container_info, parse_output
from lanner.rules.plan.compile import compile_condition, compile_output, weigh
from lanner.rules.resolve.collect import Collector
from lanner.rules.resolve.rules import output_of

if TYPE_CHECKING:
    from lanner.rules.check.checker import Checker
    from lanner.rules.files.scalars import Refused
    from lanner.rules.findings import Finding
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.template import Format
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule

_MOST_ERRORS: Final = 20
"""Errors of one output."""


class ThoroughCollector(Collector):
    """A collector that keeps a rule without its invalid exceptions."""

    def refuse(self, refused: Refused) -> None:
        """Record the error of an exception."""
        self.collected.findings.append(refused.finding)


def check_output(definition: RuleDefinition, catalog: Catalog, fields: FieldTable, found: list[Finding]) -> Format | None:
    """Compile the output; return None if it is invalid, with all its errors among the findings."""
    printed, skip = output_of(definition), definition.skip_if_unknown_filter
    output = compile_output(printed, catalog, fields, found, skip=skip)
    if output is not None:
        return output
    text, _ = drop_container_info(printed.text.text)
    for number in range(_MOST_ERRORS):
        try:
            parse_output(text, catalog, FieldTable())
        except FormatError as error:
            if number:  # the first one was reported by compile_output
                found.append(printed.finding(error, *weigh(error, skip=skip)))
            begin, end = error.offset, error.offset + error.length
            text = text[:begin] + "." * (end - begin) + text[end:]
        else:
            break
    return None


def check_condition(rule: Rule, checker: Checker, found: list[Finding]) -> bool:
    """Return whether the condition is valid. All its errors go to the findings, the first one first."""
    if compile_condition(rule, checker, found) is not None:
        return True
    for each in nodes_of(rule.condition):
        if not isinstance(each, Check):
            continue
        try:
            checker.check(each)
        except ConditionError as error:
            told = rule.finding(error, *weigh(error, skip=rule.skip_if_unknown_filter))
            if told not in found:
                found.append(told)
    return False
