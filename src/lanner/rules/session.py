"""Session: the driver of rules files from loading to compilation, stage by stage.

A stage yields its findings in Falco's order, and the caller decides when to stop: `lanner run` stops after the first file with an error
(plan/compile.py), `-V` at the first error (report/validate.py), and `lanner rules check` never stops (lint/).

As in Falco, no file can refer to a later one: after the items of each file, call `expand`, then `resolve` or `compile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from lanner.rules.check.checker import Checker
from lanner.rules.check.rule_condition import compile_condition, is_field
from lanner.rules.findings import finish
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.append import merge_appends
from lanner.rules.output.rule_output import compile_output
from lanner.rules.resolve.collect import Collector
from lanner.rules.resolve.compilation import Compilation, output_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from lanner.rules.check.checker import CheckedCondition
    from lanner.rules.files.items import Step
    from lanner.rules.findings import Finding, Stage
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Addition, Append
    from lanner.rules.output.template import Format
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule


class CompiledRule(Struct, frozen=True):
    """A valid rule with its compiled output, the additions to that output, the checked condition, and the checker of both."""

    rule: Rule
    addition: Addition
    output: Format
    condition: CheckedCondition
    checker: Checker


class Session:
    """Rules files in all stages, one after another. A subclass may replace the stages of a rule."""

    collector: type[Collector] = Collector

    def __init__(self, catalogs: Iterable[Catalog], plugins: Mapping[str, str] | None = None, shipped: Collection[str] = ()) -> None:
        """Create a session with one catalog for each event source. Rules of other sources are skipped with a warning.

        `plugins` contains the versions of plugins by name, for `required_plugin_versions`. None disables that check. `shipped` are the
        names of macros in the plugins' own rules, which findings may suggest.
        """
        self.catalogs = {catalog.source: catalog for catalog in catalogs}
        self._shipped = shipped
        by_source = self.catalogs  # not by `self`: a reference cycle would keep the rules until the garbage collector runs
        self._collector = self.collector(by_source, lambda source, text: is_field(text, by_source[source]), plugins)
        self.collected = self._collector.collected
        self.compilation = Compilation(self.collected, shipped)

    def collect(self, steps: Sequence[Step]) -> list[Finding]:
        """Apply the steps of a file's next item, and return the findings."""
        return self._collector.take(steps)

    def expand(self) -> Stage[None]:
        """Expand all lists and macros collected so far."""
        self.compilation = Compilation(self.collected, self._shipped)
        yield from self.compilation.expand()

    def resolve(self, appends: Sequence[Append] = ()) -> Stage[list[Rule]]:
        """Return the rules of all definitions, without invalid ones. `appends` are additions to outputs."""
        rules = []
        for definition in self._definitions():
            found: list[Finding] = []
            yield from self.compilation.text(definition)
            rule = finish(self.rule(definition), found)
            if rule:
                rules.append(rule)
            elif definition.skip_if_unknown_filter and self._is_skipped(definition, appends):
                continue
            yield from found
        return rules

    def _is_skipped(self, definition: RuleDefinition, appends: Sequence[Append]) -> bool:
        """Return whether an unknown field in the output skips the rule: Falco compiles the output first, and then not the condition."""
        checker = Checker(self.catalogs[definition.source], FieldTable())
        findings: list[Finding] = []
        output = finish(self.output(definition, merge_appends(definition, appends, checker.catalog), checker), findings)
        # unknown fields of `extra_fields` are errors despite skip-if-unknown-filter
        return output is None and not any(finding.severity == "error" for finding in findings)

    def compile(
        self, appends: Sequence[Append] = (), checkers: Callable[[RuleDefinition], Checker] | None = None
    ) -> Stage[list[CompiledRule]]:
        """Compile exceptions, output and condition of all definitions, and return the valid rules.

        `appends` are additions to outputs. `checkers` chooses the checker of a rule; the default is one for each event source.
        """
        by_source = {source: Checker(catalog, FieldTable()) for source, catalog in self.catalogs.items()}
        compiled = []
        for definition in self._definitions():
            checker = checkers(definition) if checkers else by_source[definition.source]
            rule = yield from self._compile(definition, merge_appends(definition, appends, checker.catalog), checker)
            if rule:
                compiled.append(rule)
        return compiled

    def _definitions(self) -> Iterator[RuleDefinition]:
        return (definition for definition in self.collected.rules.values() if definition.known_source)

    def output(self, definition: RuleDefinition, addition: Addition, checker: Checker) -> Stage[Format | None]:
        """Compile the output of a rule."""
        return compile_output(output_of(definition), checker, addition, skip=definition.skip_if_unknown_filter)

    def rule(self, definition: RuleDefinition) -> Stage[Rule | None]:
        """Resolve a rule: write lists, exceptions and macros into its condition."""
        return self.compilation.rule(definition)

    def condition(self, rule: Rule, checker: Checker) -> Stage[CheckedCondition | None]:
        """Check the condition of a rule."""
        return compile_condition(rule, checker)

    def _compile(self, definition: RuleDefinition, addition: Addition, checker: Checker) -> Stage[CompiledRule | None]:
        text = yield from self.compilation.text(definition)
        output = yield from self.output(definition, addition, checker)
        if output is None and definition.skip_if_unknown_filter:
            return None
        rule = yield from self.rule(definition)
        condition = (yield from self.condition(rule, checker)) if rule else None
        return CompiledRule(rule, addition, output, condition, checker) if text and rule and output and condition else None
