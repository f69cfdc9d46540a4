"""Every rules file of the corpus is accepted or rejected as in Falco, for the same reason at the same place, with the same alerts."""

import pytest

from lanner.rules import RulesError, compile_rules, load_rules_text

from .executors import Both

# The only sources here are the plugin's, as in a run; Falco's reports with the source syscall are in test_corpus_reports.py
SYSCALL = "source: syscall"


def outcome(content, kv):
    """Return the findings, the events on which each rule fires (None if the file is rejected), and the rules by name."""
    try:
        ruleset = load_rules_text(content, kv.catalog, plugins={"kv": "0.1.0"})
        compiled = compile_rules(ruleset, kv.catalog)
    except RulesError as error:
        return error.findings, None, {}
    event = 0
    fields = compiled.plan.fields
    executor = Both(compiled.plan, lambda slot: kv.value(event, fields[slot].name, fields[slot].argument), first=False)
    fires = {}
    for event in kv.numbers():
        for number in executor.match():
            fires.setdefault(compiled.rules[number].name, []).append(event)
    return compiled.findings, fires, {rule.name: rule for rule in ruleset.rules}


@pytest.fixture(scope="module")
def outcomes(corpus, kv):
    return [(case, *outcome(case["content"], kv)) for case in corpus.cases("rulesfiles.jsonl") if SYSCALL not in case["content"]]


def result(case, kind):
    report = case["expect"].get("validate_json")
    return report["falco_load_results"][0][kind] if report else []


def test_rules_fire_on_the_same_events(outcomes):
    wrong = [
        (case["id"], case["expect"].get("fires"), fires)
        for case, _, fires, _ in outcomes
        if fires != (case["expect"]["fires"] if case["expect"]["run_rc"] == 0 else None)
    ]
    assert not wrong


def test_files_are_refused_in_falcos_words(outcomes):
    wrong = []
    for case, findings, _, _ in outcomes:
        errors = [finding for finding in findings if finding.severity == "error"]
        for expected in result(case, "errors"):
            same_message = expected["code"] == "LOAD_ERR_YAML_PARSE" or expected["message"] == errors[0].message
            if expected["code"] != errors[0].code or not same_message:
                wrong.append((case["id"], expected["code"], expected["message"], errors[0]))
    assert not wrong


def test_errors_are_at_falcos_places(outcomes):
    wrong = []
    for case, findings, _, _ in outcomes:
        errors = [finding for finding in findings if finding.severity == "error"]
        for expected in result(case, "errors"):
            # The first is the file; the column of a condition's part has another origin
            places = [
                (where["item_type"], where["item_name"], where["position"]["line"] + 1, where["position"]["column"] + 1)
                for where in expected["context"]["locations"][1:]
                if where["item_type"] != "condition expression"
            ]
            # YAML's own errors are reported at other characters of the line
            columns = 3 if expected["code"] == "LOAD_ERR_YAML_PARSE" else 4
            sight = errors[0].sight
            context = errors[0].context if sight is None else sight.context
            marks = [(spot, spot.mark()) for spot in context if spot.kind not in {"", "condition expression"}]
            got = [(spot.kind, spot.name, mark.line + 1, mark.column + 1) for spot, mark in marks]
            if [place[:columns] for place in places] != [place[:columns] for place in got]:
                wrong.append((case["id"], places, got))
    assert not wrong


def test_warnings_are_falcos(outcomes):
    wrong = []
    for case, findings, fires, _ in outcomes:
        expected = sorted((each["code"], each["message"]) for each in result(case, "warnings"))
        got = sorted((finding.code, finding.message) for finding in findings if finding.severity == "warning" and not finding.own)
        if fires is not None and expected != got:
            wrong.append((case["id"], expected, got))
    assert not wrong


def test_alerts_carry_falcos_priority_and_tags(corpus, kv, outcomes):
    loaded = {case["id"]: rules for case, _, _, rules in outcomes}
    for case in corpus.cases("rulesfiles.jsonl"):
        first = case["expect"].get("first_alert") or {}
        if first and not (rules := loaded.get(case["id"])):
            rules = {rule.name: rule for rule in load_rules_text(case["content"], kv.catalog, plugins={"kv": "0.1.0"}).rules}
        for name, alert in first.items():
            assert (str(rules[name].priority), list(rules[name].tags)) == (alert["priority"], alert["tags"])
