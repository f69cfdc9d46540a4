"""One driver, three policies: `run` stops at a file with errors, `-V` at the first error, `rules check` continues."""

import gc
import weakref

import pytest

from lanner.rules import Catalog, RulesError, compile_rules, load_rules_text
from lanner.rules.files.load import load_text
from lanner.rules.findings import finish
from lanner.rules.lint import check_files
from lanner.rules.report.validator import Validator
from lanner.rules.session import Session
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo("kv.num", FieldType.UINT64, "")], "kv")
RULE = "- {{rule: {}, desc: About numbers, condition: '{}', output: '{}', priority: INFO, source: kv, tags: [t]{}}}\n"
SKIP = ", skip-if-unknown-filter: true"


def rule(condition="kv.num = 1", output="o %kv.num", name="r", more=""):
    return RULE.format(name, condition, output, more)


def errors(findings):
    return [finding.code for finding in findings if finding.severity == "error"]


def run(text):
    try:
        return errors(compile_rules(load_rules_text(text, CATALOG), CATALOG).findings)
    except RulesError as error:
        return errors(error.findings)


def validated(text):
    return errors(Validator([CATALOG], {}).load("rules.yaml", text).findings)


@pytest.fixture
def checked(tmp_path):
    def check(text):
        path = tmp_path / "rules.yaml"
        path.write_text(text)
        return errors(check_files([path], CATALOG))

    return check


OUTPUT, CONDITION = "LOAD_ERR_COMPILE_OUTPUT", "LOAD_ERR_COMPILE_CONDITION"


def test_each_command_stops_where_it_should(checked):
    text = rule("kv.num = x", "o %kv.no", "a") + rule("kv.num = ", "o", "b") + rule("kv.no = 1", "o", "c")
    assert validated(text) == [OUTPUT]
    assert run(text) == [CONDITION]  # of the unreadable rule
    assert checked(text) == [CONDITION, OUTPUT, CONDITION, CONDITION]


def test_output_and_condition_of_a_rule_are_both_looked_at(checked):
    text = rule("kv.num = x", "o %kv.no")
    assert run(text) == [OUTPUT, CONDITION]
    assert checked(text) == [CONDITION, OUTPUT]  # in the order of the file
    assert validated(text) == [OUTPUT]


def test_a_rule_that_its_output_leaves_out_is_not_looked_at_further(checked):
    text = rule(name="other") + rule("kv.num = x", "o %kv.no", more=SKIP)
    assert run(text) == validated(text) == checked(text) == []
    compiled = compile_rules(load_rules_text(text, CATALOG), CATALOG)
    assert [each.name for each in compiled.rules] == ["other"]
    assert [each.code for each in compiled.findings] == ["LOAD_UNKNOWN_FILTER"]


def test_what_comes_after_a_stopped_stage_is_never_done():
    session = Session([CATALOG])
    for steps in load_text(rule("kv.num = x", "o", "a") + rule("undefined", "o", "b"), "rules.yaml").items:
        assert session.collect(steps) == []
    assert list(session.expand()) == []
    stage = session.compile()
    assert next(stage).places[0].name == "a"
    stage.close()
    found = []
    assert finish(session.compile(), found) == []
    assert [finding.places[0].name for finding in found] == ["a", "b"]


def test_rules_are_freed_without_the_garbage_collector():
    """Rules that are reloaded often would otherwise stay in memory until a collection, which counts none of their nodes."""
    gc.disable()
    try:
        ruleset = load_rules_text(
            "- {list: l, items: [1, 2]}\n- {macro: m, condition: kv.num in (l)}\n" + rule("m and kv.num > 0"), CATALOG
        )
        compiled = compile_rules(ruleset, CATALOG)
        session = weakref.ref(ruleset.session)
        assert compiled.rules
        del ruleset, compiled
        assert session() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("condition", ["kv.num contians 1", "kv.num = ", "no_such_macro"])
def test_a_rule_that_its_output_skips_may_have_any_condition(checked, condition):
    """Falco compiles the output first: an unknown field there skips the rule before the condition is parsed."""
    text = rule(condition, "o %kv.no", "a", SKIP) + rule(name="b")
    assert (run(text), validated(text), checked(text)) == ([], [], [])
    ready = compile_rules(load_rules_text(text, CATALOG), CATALOG)
    assert [each.name for each in ready.rules] == ["b"]
    assert [each.code for each in ready.findings] == ["LOAD_UNKNOWN_FILTER"]


@pytest.mark.parametrize(("output", "more"), [("o %kv.num", SKIP), ("o %kv.no", "")])
def test_a_syntax_error_in_a_rule_that_is_not_skipped_is_an_error(output, more):
    assert CONDITION in run(rule("kv.num contians 1", output, "a", more))


def test_an_error_in_the_exceptions_of_a_rule_that_its_output_skips_is_an_error():
    exceptions = ", exceptions: [{name: e, fields: kv.num, comps: nope}]"
    text = rule("kv.num contians 1", "o %kv.no", "a", SKIP + exceptions)
    assert run(text)
    assert validated(text)
