"""The stage that checks the condition of a rule: errors, Falco's warnings, and the effect of `skip-if-unknown-filter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.check import syscall
from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language.typed import FieldTable

if TYPE_CHECKING:
    from lanner.rules.check.checker import CheckedCondition, Checker
    from lanner.rules.findings import Severity, Stage
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.resolve.rule import Rule

# rule_loader_compiler.cpp: the errors that skip the rule if it has `skip-if-unknown-filter`
_UNKNOWN: Final = ("nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:")
_TOO_MANY: Final = "Rule matches too many evt.type values. This has a significant performance penalty."


def compile_condition(rule: Rule, checker: Checker) -> Stage[CheckedCondition | None]:
    """Check the condition of a rule; return None for an invalid one."""
    for remark in checker.deprecations.remarks(rule.condition):
        yield rule.remark(remark.code, remark.message, remark.field)
    try:
        checked = checker.check(rule.condition)
    except ConditionError as error:
        yield rule.finding(error, *weigh(error, skip=rule.skip_if_unknown_filter))
        return None
    for each in checked.warnings:
        begin, end = each.span
        yield rule.finding(ConditionError(each.message, begin, max(1, end - begin)), "warning", "LOAD_COMPILE_CONDITION")
    if not isinstance(checker.catalog, syscall.SyscallCatalog):
        return checked
    if reason := syscall.unsearchable(rule.condition):  # Falco exits here without a report
        yield rule.finding(ConditionError(reason, 0, len(rule.condition_text)))
        return None
    if rule.warn_evttypes and syscall.matches_too_many(rule.condition):
        yield rule.warning("LOAD_NO_EVTTYPE", _TOO_MANY)
    return checked


def weigh(error: ConditionError, *, skip: bool) -> tuple[Severity, str]:
    """Return severity and code of an error. With `skip`, an unknown field is a warning, and the rule is skipped."""
    if skip and any(words in error.message for words in _UNKNOWN):
        return "warning", "LOAD_UNKNOWN_FILTER"
    return "error", error.code


def is_field(text: str, catalog: Catalog) -> bool:
    """Return whether a string is valid left of an operator. Raise `FieldError` for a field with a wrong argument."""
    if "(" in text:
        return _is_left_side(text, catalog)
    if catalog.lookup(text.partition("[")[0]) is None:
        return False
    catalog.request(text)
    return True


def _is_left_side(text: str, catalog: Catalog) -> bool:
    try:
        check(parse(f"{text} exists"), catalog, FieldTable())
    except ConditionError:
        return False
    return True
