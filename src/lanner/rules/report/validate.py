"""Rules files, one after another, as `falco -V` takes them: what Falco would say of each.

In come files' contents and the catalogs of the event sources, out come `FileResult`s for a report (report.py): findings in Falco's
order, up to the first error. `lanner run` goes another way (resolve.py, compile.py), on which everything that is wrong is found.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lanner.rules import findings
from lanner.rules.check import syscall
from lanner.rules.check.checker import Checker
from lanner.rules.files.load import load_text
from lanner.rules.files.schema import SchemaError, schema_status
from lanner.rules.files.versions import unmet
from lanner.rules.findings import ConditionError, Finding, RulesError, Sight
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.append import added
from lanner.rules.plan.compile import compile_condition, compile_output, is_field
from lanner.rules.resolve.collect import Collector
from lanner.rules.resolve.rules import Compilation, output_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Append
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule


_TOO_MANY: Final = "Rule matches too many evt.type values. This has a significant performance penalty."


@dataclass(slots=True)
class FileResult:
    """What Falco says of one file. `schema` is empty where it did not come to look at that."""

    name: str
    content: str
    findings: list[Finding] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)

    @property
    def successful(self) -> bool:
        """Whether there is no error."""
        return all(each.severity != "error" for each in self.findings)


class _FirstError(Exception):
    """Falco looks no further."""


class Validator:
    """Takes files in order; each one is compiled together with all that was collected from those before it.

    `rules` and `compilation` are those of the last file that had no error. `appends` are added to the rules' outputs.
    """

    def __init__(self, catalogs: Iterable[Catalog], plugins: Mapping[str, str], appends: Sequence[Append] = ()) -> None:
        self.catalogs = {catalog.source: catalog for catalog in catalogs}
        self._plugins = plugins
        self.appends = appends
        self._collector = Collector(self.catalogs, lambda source, name: is_field(name, self.catalogs[source]))
        self.rules: list[Rule] = []
        self.collected = self._collector.collected
        self.compilation = Compilation(self.collected)

    def load(self, name: str, content: str) -> FileResult:
        """What Falco says of the next file."""
        result = FileResult(name, content)
        with contextlib.suppress(_FirstError):
            self._load(result)
        return result

    def unmet(self) -> str:
        """Which plugin that is asked for up to here is not there, for which Falco gives up without a report; else nothing."""
        for required in self.collected.requirements:
            reason = unmet(required, self._plugins)
            if reason:
                return reason
        return ""

    def _load(self, result: FileResult) -> None:
        try:
            file = load_text(result.content, result.name)
            result.schema = schema_status(file.documents)
        except RulesError as error:
            _add(result, error.findings)
            return
        except SchemaError as error:
            _add(result, [Finding("error", findings.YAML_PARSE, str(error), sight=Sight())])
            return
        collected = self.collected
        for steps in file.items:
            self._collector.take(steps)
            _take(result, collected.findings)
        compilation = Compilation(collected)
        _take(result, compilation.findings)
        definitions = [definition for definition in collected.rules.values() if definition.known_source]
        rules = [self._rule(definition, compilation, result) for definition in definitions]
        _add(result, compilation.unused())
        self.rules = [rule for rule in rules if rule]
        self.compilation = compilation

    def _rule(self, definition: RuleDefinition, compilation: Compilation, result: FileResult) -> Rule | None:
        """The rule, or None where it is left out. Raises `_FirstError`."""
        catalog, fields = self.catalogs[definition.source], FieldTable()
        found = compilation.findings
        text = compilation.text(definition)
        _take(result, found)
        assert text is not None
        more = added(definition, self.appends, catalog)
        output = compile_output(output_of(definition), catalog, fields, found, more, skip=definition.skip_if_unknown_filter)
        _take(result, found)
        if output is None:
            return None
        rule = compilation.rule(definition, text)
        _take(result, found)
        assert rule is not None
        checked = compile_condition(rule, Checker(catalog, fields), found)
        if checked and rule.source == syscall.SOURCE and (reason := syscall.unsearchable(rule.condition)):
            # Falco ends here without a report
            found.append(rule.finding(ConditionError(reason, 0, len(rule.condition_text))))
            checked = None
        if checked and rule.source == syscall.SOURCE and rule.warn_evttypes and syscall.matches_too_many(rule.condition):
            found.append(rule.warning("LOAD_NO_EVTTYPE", _TOO_MANY))
        _take(result, found)
        return rule if checked else None


def _take(result: FileResult, findings: list[Finding]) -> None:
    """Move findings to the result. Raises `_FirstError` after the first error."""
    moved = findings[:]
    findings.clear()
    _add(result, moved)


def _add(result: FileResult, findings: Iterable[Finding]) -> None:
    for each in findings:
        if not each.own:
            result.findings.append(each)
        if each.severity == "error":
            raise _FirstError
