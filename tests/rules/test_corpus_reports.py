"""-V prints Falco's report for every rules file, condition and output of the corpus."""

from collections import Counter

import pytest

from lanner.rules.check.syscall import SyscallCatalog
from lanner.rules.report.falco_report import as_json, as_text, locations, snippet
from lanner.rules.report.validator import Validator

# ruff: noqa: T201 - the report is meant to be read

CONDITION = """\
- rule: {id}
  desc: d
  condition: {condition}
  output: "%evt.num"
  priority: CRITICAL
  source: kv
"""
OUTPUT = """\
- rule: {id}
  desc: d
  condition: evt.num in ({events})
  output: {format}
  priority: {priority}
  source: kv
  tags: [t2, t1]
"""


def validate(content, kv):
    """Return the exit code, the JSON and the text of `-V rules.yaml`; for a missing plugin, only the reason."""
    validator = Validator([kv.catalog, SyscallCatalog()], {"kv": "0.1.0"})
    result = validator.load("rules.yaml", content)
    reason = validator.describe_unmet()
    if reason:
        return 1, reason, ""
    return (0 if result.successful else 1), as_json([result]), as_text([result]) + "\n"


def expected(case):
    expect = case["expect"]
    if expect["validate_json"] is None:
        return expect["validate_rc"], expect["validate_json_stderr"].removeprefix("Error: "), expect["validate_text"]
    return expect["validate_rc"], expect["validate_json"], expect["validate_text"]


def without_words(answer):
    """The messages of YAML's errors are yaml-cpp's own."""
    code, report, text = answer
    if isinstance(report, dict):
        for error in report["falco_load_results"][0]["errors"]:
            if error["code"] == "LOAD_ERR_YAML_PARSE" and error["context"]["locations"][1:]:
                text = text.replace(error["message"], "")
                error["message"] = ""
    return code, report, text


def show(capsys, what, agree, wrong):
    with capsys.disabled():
        total = sum(agree.values())
        print(f"\n{what}: {total} agree, {len(wrong)} disagree ({', '.join(f'{kind} {count}' for kind, count in sorted(agree.items()))})")
        for line in wrong[:25]:
            print("  ", *line)


def test_reports_of_rules_files(corpus, kv, capsys):
    agree, wrong = Counter(), []
    for case in corpus.cases("rulesfiles.jsonl"):
        got, wanted = without_words(validate(case["content"], kv)), without_words(expected(case))
        if case["expect"]["validate_rc"] < 0:  # where Falco crashes, any error will do
            got, wanted = got[0], 1
        if got == wanted:
            agree[case["group"]] += 1
        else:
            wrong.append((case["group"], case["id"], difference(got, wanted)))
    show(capsys, "reports", agree, wrong)
    assert not wrong


def difference(got, wanted, path=""):
    """Return the first difference."""
    if type(got) is type(wanted) and isinstance(got, dict | list | tuple) and len(got) == len(wanted):
        pairs = (
            ((key, got.get(key), wanted.get(key)) for key in got | wanted)
            if isinstance(got, dict)
            else ((number, *pair) for number, pair in enumerate(zip(got, wanted, strict=True)))
        )
        return next((difference(ours, theirs, f"{path}/{key}") for key, ours, theirs in pairs if ours != theirs), "")
    return f"{path}: {got!r}, expected {wanted!r}"


@pytest.mark.parametrize(("kind", "file"), [("condition", "conditions.jsonl"), ("format", "outputs.jsonl")])
def test_findings_of_conditions_and_outputs(corpus, kv, capsys, kind, file):
    agree, wrong = Counter(), []
    for case in corpus.cases(file):
        expect = case["expect"]
        if case.get("memory_dependent") or expect.get("memory_dependent"):
            continue
        text = content(case, kind)
        result = Validator([kv.catalog], {}).load("rules.yaml", text)
        if expect["load"] == "crash":
            if result.successful:
                wrong.append((case["id"], case[kind][:80], "Falco crashes, this must be an error"))
            continue
        for severity in ("error", "warning"):
            got = [shown(result, finding) for finding in result.findings if finding.severity == severity]
            wanted = expect.get(f"{severity}s", [])
            if got == wanted:
                agree[severity] += bool(got)
            else:
                wrong.append((case["id"], case[kind][:80], difference(got, wanted)))
    show(capsys, f"findings of each {kind}", agree, wrong)
    assert not wrong


def content(case, kind):
    values = {**case, "priority": case.get("priority", "CRITICAL"), "events": ",".join(map(str, case.get("events", ())))}
    return (CONDITION if kind == "condition" else OUTPUT).format(**(values | {kind: quoted(case[kind])}))


def quoted(text):
    """Return a YAML double-quoted scalar, as in the corpus."""
    import json

    return json.dumps(text, ensure_ascii=False)


def shown(result, finding):
    where = locations(result, finding)
    last = where[-1]
    return {
        "code": finding.code,
        "message": finding.message,
        "path": [[each.kind, each.item] for each in where[1:]],
        "position": {"name": last.name, "line": last.line, "column": last.column, "offset": last.offset},
        "snippet": snippet(result, finding),
    }
