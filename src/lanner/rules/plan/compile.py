"""From resolved rules to what a host runs: the plan of their conditions, and their outputs.

In come a `RuleSet` and the catalog of one event source; out comes a `Compiled`, plain data, or `RulesError` with everything that
is wrong in any rule, disabled ones among them. Reading files and putting rules together is done before (load.py, resolve.py),
running after (run.py, alert.py).
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from lanner.rules.check import deprecations
from lanner.rules.check.checker import Checked, Checker, check
from lanner.rules.condition.parser import parse
from lanner.rules.files.load import load_files, load_text
from lanner.rules.findings import ConditionError, Finding, RulesError
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.append import NOTHING, Added, added, parse_extra
from lanner.rules.output.template import Format, FormatError, drop_container_info, parse_output
from lanner.rules.plan.plan import Plan, make_plan
from lanner.rules.resolve.rules import RuleSet, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from lanner.rules.files.items import RulesFile
    from lanner.rules.findings import Severity
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Append
    from lanner.rules.resolve.rule import Output, Rule

# rule_loader_compiler.cpp: the errors that `skip-if-unknown-filter` turns into a rule that is left out
_UNKNOWN: Final = ("nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:")


class Compiled(Struct, frozen=True, gc=False):
    """Compiled rules. The number of a rule is its index in `rules`, `outputs` and the plan's conditions.

    Disabled rules are checked and then dropped. `findings` are the warnings, those of the rule set first.
    """

    plan: Plan
    rules: tuple[Rule, ...]
    outputs: tuple[Format, ...]
    findings: tuple[Finding, ...]


def load_rules(paths: Iterable[str | PathLike[str]], catalog: Catalog, *, plugins: Mapping[str, str] | None = None) -> RuleSet:
    """Load the rules of these files, in order, for the catalog's event source. Raise `RulesError` for files with errors.

    `plugins` contains the versions of the available plugins, for `required_plugin_versions`. None disables that check.
    """
    with _uncollected():
        return _resolve(load_files(paths), catalog, plugins)


def load_rules_text(text: str, catalog: Catalog, name: str = "rules.yaml", *, plugins: Mapping[str, str] | None = None) -> RuleSet:
    """Load the rules of the text of one file, which findings call `name`. Raise `RulesError` for a text with errors."""
    with _uncollected():
        return _resolve([load_text(text, name)], catalog, plugins)


def _resolve(files: Iterable[RulesFile], catalog: Catalog, plugins: Mapping[str, str] | None) -> RuleSet:
    return resolve(files, {catalog.source}, is_field=lambda _, text: is_field(text, catalog), plugins=plugins)


def is_field(text: str, catalog: Catalog) -> bool:
    """Whether a text can stand left of an operator. Raises `FieldError` for a field with a wrong argument."""
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


def compile_rules(ruleset: RuleSet, catalog: Catalog, running: Sequence[Rule] | None = None, appends: Sequence[Append] = ()) -> Compiled:
    """Check the output and condition of every rule, and build the plan of the rules in `running`, in that order.

    Without `running`, the enabled rules run. `appends` are additions to outputs and alerts. Raise `RulesError` for rules with errors.
    """
    with _uncollected():
        return _compile(ruleset, catalog, running, appends)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would go through everything again and again while it is built up, and find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _compile(ruleset: RuleSet, catalog: Catalog, running: Sequence[Rule] | None, appends: Sequence[Append]) -> Compiled:
    findings = list(ruleset.findings)
    if running is None:
        running = [rule for rule in ruleset.rules if rule.enabled]
    # What a rule asks for that does not run is not among the values that an event is read for
    chosen = frozenset(running)
    tables = {True: FieldTable(), False: FieldTable()}
    checkers = {runs: Checker(catalog, fields) for runs, fields in tables.items()}
    ready = {}
    for rule in ruleset.rules:
        runs = rule in chosen
        more = added(rule, appends, catalog)
        output = compile_output(rule.printed, catalog, tables[runs], findings, more, skip=rule.skip_if_unknown_filter)
        checked = compile_condition(rule, checkers[runs], findings) if output else None
        if output and checked:
            ready[rule] = output, checked
    if any(finding.severity == "error" for finding in findings):
        raise RulesError(findings)
    rules = tuple(rule for rule in running if rule in ready)
    plan = make_plan([ready[rule][1].tree for rule in rules], tables[True].requests)
    return Compiled(plan, rules, tuple(ready[rule][0] for rule in rules), tuple(findings))


def compile_output(
    printed: Output, catalog: Catalog, fields: FieldTable, findings: list[Finding], more: Added = NOTHING, *, skip: bool
) -> Format | None:
    """A rule's output, which Falco looks at before the condition; None where it is wrong, with the reason among the findings.

    With `skip` a field that there is not is no error, but in an added field.
    """
    text, warning = drop_container_info(printed.text.text + more.text)
    if warning:
        findings.append(printed.remark(warning))
    try:
        output = parse_output(text, catalog, fields)
    except FormatError as error:
        findings.append(printed.finding(_at_home(error, printed, more.text), *weigh(error, skip=skip)))
        return None
    _remark(text, printed, findings)
    extra = []
    for key, form in more.fields.items():
        try:
            extra.append(parse_extra(key, form, catalog, fields))
        except FormatError as error:
            begin = len(printed.text.text)
            shown = f"{key}: {form}" if form is not None else key
            findings.append(printed.finding(_at_home(FormatError(error.message, begin, advice=error.advice), printed, shown)))
            return None
        _remark(form or key, printed, findings)
    return replace(output, extra=tuple(extra)) if extra else output


def _at_home(error: FormatError, printed: Output, text: str) -> FormatError:
    """The error itself, or where it is behind the rule's own output one that tells of the text that was added there."""
    end = len(drop_container_info(printed.text.text)[0])
    if error.offset < end or not text:
        return error
    return FormatError(error.message, max(0, end - 1), advice=f"append_output adds `{text.strip()}` here; {error.advice}")


def _remark(text: str, printed: Output, findings: list[Finding]) -> None:
    for remark in deprecations.of_output(text):
        begin = max(0, printed.text.text.find(remark.field))
        about = ConditionError(remark.message, begin, len(remark.field))
        findings.append(printed.finding(about, "warning", remark.code, remark.field))


def compile_condition(rule: Rule, checker: Checker, findings: list[Finding]) -> Checked | None:
    """A rule's condition; None where it is wrong, with the reason among the findings."""
    findings += [rule.remark(remark.code, remark.message, remark.field) for remark in deprecations.of_condition(rule.condition)]
    try:
        checked = checker.check(rule.condition)
    except ConditionError as error:
        findings.append(rule.finding(error, *weigh(error, skip=rule.skip_if_unknown_filter)))
        return None
    for each in checked.warnings:
        begin, end = each.span
        findings.append(rule.finding(ConditionError(each.message, begin, max(1, end - begin)), "warning", "LOAD_COMPILE_CONDITION"))
    return checked


def weigh(error: ConditionError, *, skip: bool) -> tuple[Severity, str]:
    """Whether this ends the loading, or is a reason to go on without the rule."""
    if skip and any(words in error.message for words in _UNKNOWN):
        return "warning", "LOAD_UNKNOWN_FILTER"
    return "error", error.code
