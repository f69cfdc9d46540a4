"""`lanner doctor`: check this setup and show each problem with its fix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lanner.cli.messages import FAILED, OK
from lanner.cli.show import print_json, print_table, print_text
from lanner.doctor.all import look_at_machine, look_at_setup
from lanner.doctor.results import Result, problem
from lanner.sdk.authoring.checks import Level
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import message_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.config.plugin_entries import PluginSetup
    from lanner.sdk.authoring.plugin import Plugin


def examine(plugin: str | None, file: str | None, rules: Sequence[str], config: str | None, host: str | None, *, as_json: bool) -> int:
    """Run the checks, print the results, and return the exit code: failure if there is a problem."""
    results = _setup(plugin, file, rules, config, host) + look_at_machine()
    count = Counter(finding.level for result in results for finding in result.findings)
    if as_json:
        print_json({"problems": count[Level.PROBLEM], "warnings": count[Level.WARNING], "checks": list(map(_as_dict, results))})
    else:
        print_table(("", "CHECK", "FOUND"), [row for result in results for row in _rows(result)])
        print_text(f"\n{_sum(count)}")
    return FAILED if count[Level.PROBLEM] else OK


def _setup(plugin: str | None, file: str | None, rules: Sequence[str], config: str | None, host: str | None) -> list[Result]:
    try:
        from lanner.cli.plugin_config import make_entry
        from lanner.doctor.setup import SetupChecks
    except ImportError as error:  # the native module, or a package that Lanner needs
        return [Result("Lanner", [problem(f"it does not load: {error}", "See `native module` below, or reinstall Lanner")])]

    def make(cls: type[Plugin], entry: PluginSetup, warn: Callable[[str], object]) -> Plugin:
        return make_entry(cls, entry.with_values(config, None), host, warn=warn)

    return look_at_setup(SetupChecks(plugin, file, rules, make))


def _rows(result: Result) -> Iterator[tuple[str, str, str]]:
    for finding in result.findings:
        yield str(finding.level), message_line(result.check), message_line(finding.text)
        if finding.fix:
            yield "", "", f"-> {message_line(finding.fix)}"


def _sum(count: Counter[Level]) -> str:
    if not count[Level.PROBLEM] and not count[Level.WARNING]:
        return "No problems found."
    return f"{many(count[Level.PROBLEM], 'problem')}, {many(count[Level.WARNING], 'warning')}."


def _as_dict(result: Result) -> dict[str, object]:
    findings = [{"level": str(each.level), "text": each.text, "fix": each.fix} for each in result.findings]
    return {"check": result.check, "findings": findings}
