"""`lanner doctor`: what is wrong with this set-up, each with the fix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lanner.cli.config import make_plugin
from lanner.cli.messages import FAILED, OK, many
from lanner.cli.show import print_json, print_table
from lanner.cli.validate import print_text
from lanner.doctor import engine, machine, outputs
from lanner.doctor.check import Check, Level, problem, run
from lanner.doctor.setup import SetUp
from lanner.operating.logs import printable
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lanner.docker.endpoint import Endpoint
    from lanner.doctor.check import Finding, Result


def examine(plugin: str | None, file: str | None, rules: Sequence[str], host: str | None, *, as_json: bool) -> int:
    """Print what is wrong; gives the exit code: that something does not work, warnings aside."""
    setup = SetUp(plugin, file, rules, lambda cls, entry: make_plugin(cls, entry.init_config, host))
    results = run([Check("configuration", lambda: _in_turn(setup.look_at_configuration(), setup.look_at_plugin()))])
    results += run([*_engine_checks(setup), *_other_checks(setup)])
    count = Counter(finding.level for result in results for finding in result.findings)
    if as_json:
        print_json({"problems": count[Level.PROBLEM], "warnings": count[Level.WARNING], "checks": list(map(_as_dict, results))})
    else:
        print_table(("", "CHECK", "FOUND"), [row for result in results for row in _rows(result)])
        print_text(f"\n{_sum(count)}")
    return FAILED if count[Level.PROBLEM] else OK


def _engine_checks(setup: SetUp) -> Iterator[Check]:
    """Of the Docker plugin alone: others have engines of their own kind, or none."""
    from lanner.docker.plugin import Docker

    if not isinstance(setup.plugin, Docker):
        return
    try:
        endpoints = _endpoints(setup.plugin)
    except LannerError as error:
        text = str(error)
        yield Check("engine", lambda: [problem(text, "See docs/docker.md on addresses")])
        return
    for endpoint in endpoints:
        name = "engine" if len(endpoints) == 1 else f"engine {endpoint}"
        yield Check(f"{name}: rights", lambda at=endpoint: engine.look_at_socket(at))  # type: ignore[misc]
        yield Check(f"{name}: answer", lambda at=endpoint: engine.look_at_engine(at))  # type: ignore[misc]
        yield Check(f"{name}: clock", lambda at=endpoint: engine.look_at_clock(at))  # type: ignore[misc]


def _endpoints(plugin: object) -> list[Endpoint]:
    from lanner.docker.endpoint import find_endpoint

    return [find_endpoint(plugin.config.host)]  # type: ignore[attr-defined]


def _other_checks(setup: SetUp) -> Iterator[Check]:
    yield Check("rules", setup.look_at_rules)
    if setup.read is not None:
        falco = setup.read.falco
        yield Check("outputs", lambda: outputs.look_at_outputs(falco))
        yield Check("disk", lambda: outputs.look_at_disk(falco))
        yield Check("web server", lambda: outputs.look_at_webserver(falco))
    yield Check("clock", machine.look_at_clock)
    yield Check("limits", machine.look_at_limits)
    yield Check("native module", machine.look_at_native_module)
    yield Check("Python library", machine.look_at_python)
    yield Check("Falco", machine.look_at_falco)
    yield Check("sysdig", machine.look_at_sysdig)


def _in_turn(*many_findings: Iterable[Finding]) -> Iterator[Finding]:
    for findings in many_findings:
        yield from findings


def _rows(result: Result) -> Iterator[tuple[str, str, str]]:
    for number, finding in enumerate(result.findings):
        yield str(finding.level), "" if number else printable(result.check), printable(finding.text)
        if finding.fix:
            yield "", "", f"-> {printable(finding.fix)}"


def _sum(count: Counter[Level]) -> str:
    if not count[Level.PROBLEM] and not count[Level.WARNING]:
        return "All is well."
    return f"{many(count[Level.PROBLEM], 'problem')}, {many(count[Level.WARNING], 'warning')}."


def _as_dict(result: Result) -> dict[str, object]:
    findings = [{"level": str(each.level), "text": each.text, "fix": each.fix} for each in result.findings]
    return {"check": result.check, "findings": findings}
