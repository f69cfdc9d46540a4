"""Compile rules files to the plan and the outputs that a host runs.

The input are files and the catalog of one event source, the output is a `RuleSet` and then a `CompiledRules`. `lanner.rules.session` drives
the stages. A file with errors stops it with a `RulesError`.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from lanner.rules.check.checker import Checker
from lanner.rules.files.load import load_files, load_text
from lanner.rules.findings import Finding, RulesError, finish
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.plan import Plan, make_plan
from lanner.rules.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from lanner.rules.files.items import RulesFile
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Append
    from lanner.rules.output.template import Format
    from lanner.rules.resolve.rule import Rule

_MANY_OBJECTS = 100_000
"""With this number of new objects, the next search for garbage takes some tens of milliseconds."""


class RuleSet(Struct, frozen=True, gc=False):
    """The rules in order, including disabled ones, and the warnings about them."""

    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    session: Session


class CompiledRules(Struct, frozen=True, gc=False):
    """Compiled rules. The number of a rule is its index in `rules`, `outputs` and the plan's conditions.

    Disabled rules are checked and then dropped. `findings` are the warnings, those of the rule set first.
    """

    plan: Plan
    rules: tuple[Rule, ...]
    outputs: tuple[Format, ...]
    findings: tuple[Finding, ...]


def load_rules(
    paths: Iterable[str | PathLike[str]], catalog: Catalog, *, plugins: Mapping[str, str] | None = None, appends: Sequence[Append] = ()
) -> RuleSet:
    """Load the rules of these files, in order, for the catalog's event source. Raise `RulesError` for files with errors.

    `plugins` contains the versions of the available plugins, for `required_plugin_versions`. None disables that check. `appends` are
    additions to outputs, as for `compile_rules`: an unknown field in one may skip a rule.
    """
    with _pause_collector():
        return resolve_files(load_files(paths), catalog, plugins=plugins, appends=appends)


def load_rules_text(text: str, catalog: Catalog, name: str = "rules.yaml", *, plugins: Mapping[str, str] | None = None) -> RuleSet:
    """Load the rules of one file from a string. Findings call the file `name`. Raise `RulesError` for rules with errors."""
    with _pause_collector():
        return resolve_files([load_text(text, name)], catalog, plugins=plugins)


def resolve_files(
    files: Iterable[RulesFile], catalog: Catalog, *, plugins: Mapping[str, str] | None = None, appends: Sequence[Append] = ()
) -> RuleSet:
    """Resolve the rules of these files. Raise `RulesError` with all errors of the first file that has any."""
    session = Session([catalog], plugins)
    rules: list[Rule] = []
    collected: list[Finding] = []
    resolved: list[Finding] = []
    for file in files:
        collected += (finding for steps in file.items for finding in session.collect(steps))
        _raise_errors(collected)
        resolved = list(session.expand())
        rules = finish(session.resolve(appends), resolved)
        _raise_errors([*collected, *resolved])
    return RuleSet(tuple(rules), (*collected, *resolved, *session.compilation.find_unused()), session)


def compile_rules(
    ruleset: RuleSet, catalog: Catalog, running: Sequence[Rule] | None = None, appends: Sequence[Append] = ()
) -> CompiledRules:
    """Check the output and condition of every rule, and build the plan of the rules in `running`, in that order.

    Without `running`, the enabled rules run. `appends` are additions to outputs and alerts. Raise `RulesError` for rules with errors.
    """
    with _pause_collector():
        return _compile(ruleset, catalog, running, appends)


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Pause the garbage collector, which would traverse the growing data repeatedly and find nothing to free.

    Afterwards many new objects count as old ones, which the collector seldom traverses.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # the count of frozen objects takes time for each of them; those that another module has frozen remain so
            if gc.get_count()[0] > _MANY_OBJECTS and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _compile(ruleset: RuleSet, catalog: Catalog, running: Sequence[Rule] | None, appends: Sequence[Append]) -> CompiledRules:
    if running is None:
        running = [rule for rule in ruleset.rules if rule.enabled]
    # Values that only other rules need are not read from events
    chosen = frozenset(rule.name for rule in running)
    checkers = {True: Checker(catalog, FieldTable()), False: Checker(catalog, FieldTable())}
    findings = list(ruleset.findings)
    compiled = finish(ruleset.session.compile(appends, lambda definition: checkers[definition.name in chosen]), findings)
    _raise_errors(findings)
    ready = {each.rule.name: each for each in compiled}
    rules = tuple(rule for rule in running if rule.name in ready)
    plan = make_plan([ready[rule.name].condition.tree for rule in rules], checkers[True].fields.requests)
    return CompiledRules(plan, rules, tuple(ready[rule.name].output for rule in rules), tuple(findings))


def _raise_errors(findings: Sequence[Finding]) -> None:
    if any(finding.severity == "error" for finding in findings):
        raise RulesError(findings)
