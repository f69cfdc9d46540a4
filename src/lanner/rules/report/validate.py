"""Rules files, one after another, as `falco -V` takes them: what Falco would say of each.

In come files' contents and the catalogs of the event sources, out come `FileResult`s for a report (falco_report.py): findings in
Falco's order, up to the first error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner.rules import findings
from lanner.rules.files.load import load_text
from lanner.rules.files.required_versions import unmet
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
    """What Falco says of one file. `schema` is empty where it did not come to look at that."""

    name: str
    content: str
    findings: list[Finding] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)

    @property
    def successful(self) -> bool:
        """Whether there is no error."""
        return all(each.severity != "error" for each in self.findings)


class Validator:
    """Takes files in order; each one is compiled together with all that was collected from those before it.

    `rules` are those of the last file that had no error. `appends` are added to the rules' outputs.
    """

    def __init__(self, catalogs: Iterable[Catalog], plugins: Mapping[str, str], appends: Sequence[Append] = ()) -> None:
        self._plugins = plugins
        self._appends = appends
        self.session = Session(catalogs)
        self.rules: list[CompiledRule] = []

    def load(self, name: str, content: str) -> FileResult:
        """What Falco says of the next file; after its first error Falco looks no further."""
        result = FileResult(name, content)
        for found in self._load(result):
            if not found.own:
                result.findings.append(found)
            if found.severity == "error":
                break
        return result

    def unmet(self) -> str:
        """Which plugin that is asked for up to here is not there, for which Falco gives up without a report; else nothing."""
        for required in self.session.collected.requirements:
            reason = unmet(required, self._plugins)
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
        yield from session.compilation.unused()
        self.rules = rules
