"""A test of the rule that fired, with the alert's event: a file for `lanner rules test`, which passed before it is offered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lanner.inquiry import yaml_text
from lanner.inquiry.memory_files import open_memory_file
from lanner.rules.files.load import OWN_RULES
from lanner.sdk.errors import LannerError
from lanner.testing.ruletests import run_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.host.trial import Alert
    from lanner.inquiry.loaded import LoadedCase
    from lanner.inquiry.process_messages import Question

_NOTE: Final = "# Save this as alert_test.yaml: lanner rules test alert_test.yaml\n"


def make_test(loaded: LoadedCase, question: Question, alerts: Sequence[Alert]) -> dict[str, Any]:
    """Return {"text": YAML, "checked": True}. Raises `LannerError` if no such test passes."""
    if loaded.beside:
        raise LannerError("a test file runs one plugin, and this run had several")
    try:
        event = question.event.decode()
    except UnicodeDecodeError:
        raise LannerError("the event has bytes that are not UTF-8, which a test file cannot contain") from None
    reason = ""
    for has_output in (True, False):  # an output with a time or a number of the event differs in a test
        body = _write(loaded, question, event, alerts, has_output=has_output)
        try:
            _run(loaded, body)
        except LannerError as error:
            reason = loaded.restore_names(str(error))
            continue
        names = [OWN_RULES if path == loaded.own_rules else path for path, _ in loaded.case.rules]
        return {"text": _NOTE + _head(loaded, names) + body, "checked": True}
    raise LannerError(f"no test of this alert passes: {reason}")


def _head(loaded: LoadedCase, files: Sequence[str]) -> str:
    lines = [f"plugin: {yaml_text.scalar(loaded.case.plugin)}", f"rules: [{', '.join(map(yaml_text.scalar, files))}]"]
    if loaded.config:
        config = loaded.config if isinstance(loaded.config, str) else json.dumps(loaded.config)  # JSON is YAML
        lines.append(f"config: {config}")
    return "\n".join([*lines, ""])


def _write(loaded: LoadedCase, question: Question, event: str, alerts: Sequence[Alert], *, has_output: bool) -> str:
    lines = ["tests:", f"  - name: {yaml_text.scalar(f'{question.rule} fires')}"]
    if not loaded.rules.rule(question.rule).enabled:
        lines.append(f"    enable: [{yaml_text.quote(question.rule)}]")
    if not loaded.case.is_first:
        lines.append("    all_matches: true")
    lines += ["    events:", f"      - {_event(event)}", "    alerts:"]
    for alert in alerts:
        lines.append(f"      - rule: {yaml_text.scalar(alert.rule)}")
        if has_output and yaml_text.is_writable(alert.output):
            lines.append(f"        output: {yaml_text.quote(alert.output)}")
        lines.append(f"        priority: {alert.priority}")
    return "\n".join([*lines, ""])


def _event(event: str) -> str:
    """Return the payload as a scalar; single quotes leave JSON readable."""
    return "'" + event.replace("'", "''") + "'" if event.isprintable() else yaml_text.quote(event)


def _run(loaded: LoadedCase, body: str) -> None:
    with open_memory_file(_head(loaded, loaded.files) + body) as file:
        (outcome,) = run_file(file).outcomes
    if not outcome.passed:
        raise LannerError(outcome.differences[0].what)
