"""`lanner rules test`: run test files of rules, and print the results as a table, JSON or JUnit XML."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

from lanner.cli.messages import FAILED, OK
from lanner.cli.show import print_text
from lanner.sdk.errors import LannerError
from lanner.sdk.files import check_apart, write_whole
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import message_line, printable_json, printable_line
from lanner.testing.ruletests import find_silent, run_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from lanner.testing.ruletests import FileOutcome, Outcome

_LEGEND: Final = "- is an expected alert, + a raised alert, ! an alert whose content differs"


def run_tests(paths: Sequence[str], junit: str | None, *, as_json: bool) -> int:
    """Run the test files, print the results, and return the exit code. Raises `LannerError`."""
    if junit is not None:
        check_apart([("--junit", junit)], [("reads the test file", path) for path in paths])
    with redirect_stdout(sys.stderr):  # for the plugin's own output
        files = [run_file(path) for path in paths]
    if junit is not None:
        _write_junit(junit, files)
    print_text(printable_json(_as_dict(files), indent=2) if as_json else "\n".join(map(printable_line, _lines(files))))
    return OK if all(outcome.passed for file in files for outcome in file.outcomes) else FAILED


def _lines(files: Sequence[FileOutcome]) -> Iterator[str]:
    outcomes = [outcome for file in files for outcome in file.outcomes]
    for file in files:
        yield message_line(file.path)
        width = max((len(message_line(outcome.name)) for outcome in file.outcomes), default=0)
        for outcome in file.outcomes:
            name, count = message_line(outcome.name), len(outcome.alerts)
            yield f"  {'ok' if outcome.passed else 'FAILED':6}  {name:{width}}  {many(count, 'alert')}"
    if not all(outcome.passed for outcome in outcomes):
        yield from ("", f"Differences ({_LEGEND}):")
    for file in files:
        for outcome in file.outcomes:
            if not outcome.passed:
                yield from ("", message_line(f"{file.path}: {outcome.name}"), *_failure(outcome))
    named = {rule for file in files for path, rule in file.rules if path != file.own_file}
    silent = find_silent(files)
    if listed := [name for name in silent if name in named]:
        yield from ("", "Rules that fired in no test:", *(f"  {message_line(name)}" for name in listed))
    if others := len(silent) - len(listed):
        yield from ("", f"{many(others, 'rule')} of the plugin's own fired in no test; --json names them")
    failed = sum(not outcome.passed for outcome in outcomes)
    yield from ("", f"{many(len(outcomes), 'test')}, {failed} failed")


def _failure(outcome: Outcome) -> Iterator[str]:
    for difference in outcome.differences:
        yield from f"  {difference.what}".split("\n")
        if difference.why:
            yield from (f"      {line}".rstrip() for line in difference.why.splitlines())


def _as_dict(files: Sequence[FileOutcome]) -> dict[str, Any]:
    return {
        "files": [{"file": file.path, "tests": [_outcome_dict(outcome) for outcome in file.outcomes]} for file in files],
        "never_fired": find_silent(files),
        "passed": all(outcome.passed for file in files for outcome in file.outcomes),
    }


def _outcome_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 6),
        "alerts": [
            {"rule": alert.rule, "priority": alert.priority, "output": alert.output, "fields": alert.fields, "event": alert.event}
            for alert in outcome.alerts
        ],
        "differences": [{"what": difference.what, "why": difference.why} for difference in outcome.differences],
    }


def _write_junit(path: str, files: Sequence[FileOutcome]) -> None:
    from xml.etree.ElementTree import Element, SubElement, tostring

    root = Element("testsuites")
    for file in files:
        failed = sum(not outcome.passed for outcome in file.outcomes)
        suite = SubElement(root, "testsuite", name=printable_line(file.path), tests=str(len(file.outcomes)), failures=str(failed))
        for outcome in file.outcomes:
            _add_case(SubElement(suite, "testcase"), file, outcome)
    try:
        write_whole(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    except OSError as error:
        raise LannerError(f"cannot write {path} (--junit): {error.strerror or error}") from None


def _add_case(case: Element, file: FileOutcome, outcome: Outcome) -> None:
    from xml.etree.ElementTree import SubElement

    case.attrib |= {"classname": printable_line(file.path), "name": printable_line(outcome.name), "time": f"{outcome.seconds:.6f}"}
    if not outcome.passed:
        failure = SubElement(case, "failure", message=outcome.differences[0].what)
        failure.text = "\n".join(map(printable_line, (*_failure(outcome), f"({_LEGEND})")))
