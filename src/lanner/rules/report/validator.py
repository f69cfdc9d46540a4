"""Validate rules files, one after another, as `falco -V` does.

The input are files' contents and the catalogs of the event sources. The output are `FileResult`s for a report (falco_report.py):
findings in Falco's order, up to the first error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner.rules import findings
from lanner.rules.files.load import load_text
from lanner.rules.files.required_versions import find_unmet
from lanner.rules.files.schema import SchemaError, schema_status
from lanner.rules.findings import Finding, RulesError, Sight
from lanner.rules.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanner.rules.findings import Stage
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.output.append import Append
    from lanner.rules.session import CompiledRule


@dataclass(slots=True)
class FileResult:
    """Falco's findings for one file. `schema` is empty if Falco did not reach that check."""

    name: str
    content: str
    findings: list[Finding] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)

    @property
    def successful(self) -> bool:
        """Whether the file has no error."""
        return all(each.severity != "error" for each in self.findings)


class Validator:
    """Validates files in order. Each one is compiled together with the items of all previous files.

    `rules` are those of the last file without an error. `appends` are added to the rules' outputs.
    """

    def __init__(self, catalogs: Iterable[Catalog], plugins: Mapping[str, str], appends: Sequence[Append] = ()) -> None:
        self._plugins = plugins
        self._appends = appends
        self.session = Session(catalogs)
        self.rules: list[CompiledRule] = []

    def load(self, name: str, content: str) -> FileResult:
        """Return Falco's findings for the next file. Falco stops after its first error."""
        result = FileResult(name, content)
        for found in self._load(result):
            if not found.own:
                result.findings.append(found)
            if found.severity == "error":
                break
        return result

    def describe_unmet(self) -> str:
        """Return the message for a required plugin that is not loaded, for which Falco exits without a report, or ""."""
        for required in self.session.collected.requirements:
            reason = find_unmet(required, self._plugins)
            if reason:
                return reason
        return ""

    def _load(self, result: FileResult) -> Stage[None]:
        session = self.session
        try:
            file = load_text(result.content, result.name)
            result.schema = schema_status(file.documents)
        except RulesError as error:
            yield from error.findings
            return
        except SchemaError as error:
            yield Finding("error", findings.YAML_PARSE, str(error), sight=Sight())
            return
        for steps in file.items:
            yield from session.collect(steps)
        yield from session.expand()
        rules = yield from session.compile(self._appends)
        yield from session.compilation.find_unused()
        self.rules = rules
