"""Run test files of rules: compare expected and actual alerts, and explain each difference."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from lanner.rules import Priority
from lanner.rules.files.load import OWN_RULES
from lanner.sdk.errors import ConfigError, LannerError, UsageError
from lanner.sdk.text.printable import message_line, printable_line
from lanner.testing.casefile import TestFile
from lanner.testing.rule_files import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.host.trial import Alert
    from lanner.testing.casefile import Case, ExpectedAlert
    from lanner.testing.replayed import ReplayResult


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between expected and actual alerts, and an explanation (may be empty). Both are printable."""

    what: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test that was run."""

    name: str
    alerts: list[Alert]
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the test passed."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """A test file that was run, and its rules with their files. `own_file`: that of the plugin's own rules, if it uses them."""

    path: str
    outcomes: list[Outcome]
    rules: list[tuple[str, str]]
    own_file: str = ""


def run_file(path: str) -> FileOutcome:
    """Run the tests of a file. Raises `LannerError` if the file or the rules are invalid."""
    file = TestFile(path)
    content = file.content
    try:
        under_test = Rules(*file.rules(), plugin=file.plugin(), config=content.config)
    except UsageError as error:
        raise file.error(str(error), "plugin") from None
    except ConfigError as error:
        from lanner.sdk.options.option_errors import REQUIRED  # rare

        advice = "" if REQUIRED in str(error) else ". The tests run with the options of `config`"
        raise file.error(f"{error}{advice}", "config") from None
    file.check_rules(under_test.rules.rules)
    outcomes = []
    for number, case in enumerate(content.tests):
        begin = time.perf_counter()
        try:
            events = file.recording(case) or case.events or ()
            replayed = under_test.replay(events, enable=case.enable, all_matches=case.all_matches)
        except LannerError as error:
            raise file.error(f"test {case.name!r}: {error}", "tests", number) from None
        differences = list(compare(case, replayed))
        outcomes.append(Outcome(case.name, replayed.alerts, differences, time.perf_counter() - begin))
    own_file = str(under_test.rules.info.rules) if not content.rules or OWN_RULES in content.rules else ""
    return FileOutcome(path, outcomes, [(rule.place.file, rule.name) for rule in under_test.rules.rules], own_file)


def compare(case: Case, replayed: ReplayResult) -> Iterator[Difference]:
    """Yield the differences between the alerts and the test's expectations."""
    expected, alerts = case.expected(), replayed.alerts
    names = [each.rule for each in expected], [each.rule for each in alerts]
    for what, begin, end, first, last in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if what == "equal":
            for wanted, alert in zip(expected[begin:end], alerts[first:last], strict=True):
                yield from _details(wanted, alert)
            continue
        for wanted in expected[begin:end]:
            yield Difference(f"- {message_line(wanted.rule)}: expected, but not raised", replayed.why(wanted.rule))
        for alert in alerts[first:last]:
            text = f"+ {alert.rule}: not expected, but event {alert.event} raised it: {alert.output}"
            yield Difference(message_line(text), replayed.why(alert.rule, alert.event))


def _details(wanted: ExpectedAlert, alert: Alert) -> Iterator[Difference]:
    pairs: list[tuple[str, Any, Any]] = []
    if wanted.output is not None:
        pairs.append(("output", wanted.output, alert.output))
    if wanted.priority is not None:
        pairs.append(("priority", str(Priority.parse(wanted.priority)), alert.priority))
    for name, value in wanted.fields.items():
        if name in alert.fields:
            pairs.append((f"field {name}", value, alert.fields[name]))
        else:
            there = ", ".join(sorted(alert.fields))
            yield Difference(message_line(f"! {alert.rule} (event {alert.event}): its output has no field {name}; it has {there}"))
    for name, want, have in pairs:
        if (type(want), want) != (type(have), have):
            title = message_line(f"! {alert.rule} (event {alert.event}): {name}")
            yield Difference(f"{title}\n    - {_value_text(want)}\n    + {_value_text(have)}")


def _value_text(value: Any) -> str:
    return printable_line(value if isinstance(value, str) and not value.isdecimal() else json.dumps(value, ensure_ascii=False))


def find_silent(files: Sequence[FileOutcome]) -> list[str]:
    """Return the rules that fired in no test of these files, in order."""
    names = dict.fromkeys(rule for file in files for rule in file.rules)
    fired = {alert.rule for file in files for outcome in file.outcomes for alert in outcome.alerts}
    return [name for _, name in names if name not in fired]
