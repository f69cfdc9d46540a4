"""From the text of a rules file to compiled rules, and the errors on the way."""

import subprocess
import sys

import pytest

import lanner.rules
from lanner.rules import Catalog, Executor, RulesError, compile_rules, load_rules, load_rules_text
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo("x.kind", FieldType.STRING, ""), FieldInfo("x.count", FieldType.UINT64, "")], "x")


def rule(name, condition, output="%x.kind", **keys):
    more = "".join(f"  {key}: {value}\n" for key, value in keys.items())
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: '{output}'\n  priority: info\n  source: x\n{more}"


def compiled(*rules):
    return compile_rules(load_rules_text("".join(rules), CATALOG), CATALOG)


def refused(*rules):
    with pytest.raises(RulesError) as caught:
        compiled(*rules)
    return caught.value.findings


def matches(ready, event):
    executor = Executor(ready.plan, lambda slot: event.get(ready.plan.fields[slot].name), first=False)
    return [ready.rules[number].name for number in executor.match()]


def test_rules_of_a_file_are_run(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "- list: kinds\n  items: [a, b]\n- macro: known\n  condition: x.kind in (kinds)\n"
        + rule("Known", "known")
        + rule("Many", "known and x.count > 3")
        + rule("Unknown", "not known")
    )
    ready = compile_rules(load_rules([path], CATALOG), CATALOG)
    assert [matches(ready, event) for event in ({"x.kind": "a", "x.count": 4}, {"x.kind": "b"}, {})] == [
        ["Known", "Many"],
        ["Known"],
        ["Unknown"],
    ]
    assert ready.findings == ()


def test_disabled_rules_are_checked_but_take_no_part():
    ready = compiled(rule("Off", "x.count = 1", "%x.count", enabled="false"), rule("On", "x.kind = a"))
    assert [each.name for each in ready.rules] == ["On"]
    assert [request.name for request in ready.plan.fields] == ["x.kind"]
    (finding,) = refused(rule("Off", "x.count = many", enabled="false"))
    assert finding.message == "many is not a valid number"


def test_everything_that_is_wrong_is_reported_with_its_place_and_what_to_do():
    condition, output = refused(
        rule("One", "x.kind = a and x.cont = 1"),
        rule("Two", "x.kind = a", "%x.nothing"),
        rule("Three", "x.kind = a"),
    )
    assert condition.code == "LOAD_ERR_COMPILE_CONDITION"
    assert (condition.place.line, condition.place.column, condition.place.length) == (3, 29, len("x.cont = 1"))
    assert condition.advice == "Did you mean x.count?"
    assert output.code == "LOAD_ERR_COMPILE_OUTPUT"
    assert output.place.line == 10


def test_a_rule_may_ask_to_be_left_out_where_a_field_is_unknown():
    ready = compiled(
        rule("Condition", "x.nothing = 1", **{"skip-if-unknown-filter": "true"}),
        rule("Output", "x.count = 1", "%y.nothing", **{"skip-if-unknown-filter": "true"}),
        rule("Good", "x.count = 1"),
    )
    assert [each.name for each in ready.rules] == ["Good"]
    assert [finding.code for finding in ready.findings] == ["LOAD_UNKNOWN_FILTER", "LOAD_UNKNOWN_FILTER"]


def test_odd_checks_are_warned_about_where_they_stand():
    (finding,) = compiled(rule("One", "x.kind = x.count")).findings
    assert (finding.severity, finding.code, finding.place.column) == ("warning", "LOAD_COMPILE_CONDITION", 23)


def test_all_public_names_are_there():
    assert all(getattr(lanner.rules, name) is not None for name in lanner.rules.__all__)


def test_asking_for_the_catalog_loads_neither_yaml_nor_re2():
    code = "import sys; from lanner.rules import Catalog; print(sorted({'lanner.native._yaml', 're2', 'lanner.rules.plan.executor'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("x.kind regex 'a(b'", "Patterns use RE2's syntax"),
        ("x.count > many", "Write a number in digits"),
        ("(x.kind = a or x.kind = b", "A `(` before this is not closed"),
        ("x.kind = 'a", "The quote is not closed."),
        ("x.count contains 9", "The operators for numbers are `exists`, `<=`, `<`, `>=`, `>`, `=`, `!=`, "),
        ("x.count =>90", "Did you mean '>='?"),
    ],
)
def test_what_to_do_is_said_of_mistakes_in_writing(condition, advice):
    (finding,) = refused(rule("One", condition))
    assert finding.advice.startswith(advice)
