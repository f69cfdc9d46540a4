"""Every condition of the corpus is accepted or rejected as in Falco, for the same reason, and matches the same events."""

from collections import Counter

import pytest

from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.plan import make_plan

from .executors import Both

pytestmark = pytest.mark.native

# The parser checks neither the names of macros nor for an empty text
ELSEWHERE = {"LOAD_ERR_VALIDATE", "LOAD_ERR_YAML_VALIDATE"}
# Falco counts from the start of the condition's scalar, including the quote, in the files of the corpus
CONDITION = len("- rule: c00000\n  desc: d\n  condition: ")


@pytest.fixture(scope="module")
def outcomes(corpus, kv):
    return [(case, outcome(case["condition"], kv)) for case in corpus.cases("conditions.jsonl")]


def outcome(condition, kv):
    fields = FieldTable()
    try:
        checked = check(parse(condition), kv.catalog, fields)
    except ConditionError as error:
        return error
    event = 0
    executor = Both(
        make_plan([checked.tree], fields.requests),
        lambda slot: kv.value(event, fields.requests[slot].name, fields.requests[slot].argument),
    )
    matches = []
    for event in kv.numbers():
        matches += [event] * len(executor.match())
    return checked, matches


# ruff: noqa: T201 - the report is meant to be read


def report(capsys, what, disagreeing, total):
    with capsys.disabled():
        print(f"\n{what}: {total - len(disagreeing)} agree, {len(disagreeing)} disagree")
        for line in disagreeing[:25]:
            print("  ", line)


def test_conditions_are_taken_and_refused_as_falco_does(outcomes, capsys):
    wrong = []
    total = 0
    for case, got in outcomes:
        codes = {error["code"] for error in case["expect"].get("errors", ())}
        if codes & ELSEWHERE:
            continue
        total += 1
        if (case["expect"]["load"] == "ok") == isinstance(got, ConditionError):
            wrong.append((case["id"], case["condition"][:150], case["expect"]["load"], str(got)[:100]))
    report(capsys, "taken or refused", wrong, total)
    assert not wrong


def test_conditions_match_the_same_events(outcomes, capsys):
    wrong = []
    total = 0
    for case, got in outcomes:
        expected = case["expect"].get("matches")
        if expected is None or case.get("memory_dependent") or case["expect"].get("memory_dependent") or isinstance(got, ConditionError):
            continue
        total += 1
        if got[1] != expected:
            wrong.append(
                (case["id"], case["condition"][:150], "missing", set(expected) - set(got[1]), "added", set(got[1]) - set(expected))
            )
    report(capsys, "matches", wrong, total)
    assert not wrong


def test_conditions_are_refused_in_falcos_words_and_at_its_place(outcomes, capsys):
    wrong = []
    total = 0
    for case, got in outcomes:
        errors = case["expect"].get("errors", ())
        if not isinstance(got, ConditionError) or not errors or errors[0]["code"] in ELSEWHERE:
            continue
        total += 1
        expected = errors[0]["message"], errors[0]["position"]["offset"] - CONDITION
        actual = got.message, len(case["condition"][: got.falco_offset].encode())  # Falco counts bytes
        if actual != expected:
            wrong.append((case["id"], case["condition"][:100], "expected", expected, "got", actual))
    report(capsys, "messages and places", wrong, total)
    assert not wrong


def test_conditions_are_warned_about_in_falcos_words(outcomes, capsys):
    wrong = []
    total = 0
    for case, got in outcomes:
        if isinstance(got, ConditionError) or case["expect"]["load"] != "ok":
            continue
        total += 1
        warnings = case["expect"].get("warnings", ())
        expected = Counter(warning["message"] for warning in warnings if warning["code"] == "LOAD_COMPILE_CONDITION")
        if Counter(warning.message for warning in got[0].warnings) != expected:
            wrong.append((case["id"], case["condition"][:100], expected, got[0].warnings))
    report(capsys, "warnings", wrong, total)
    assert not wrong
