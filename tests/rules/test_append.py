"""The effect of `append_output` and `static_fields` on rules and alerts (Falco 0.44.1: rule_loader_compiler.cpp, formats.cpp)."""

import json

import pytest

from lanner.rules import AlertRule, AlertWriter, Catalog, Executor, RulesError, compile_rules, load_rules, load_rules_text
from lanner.rules.output.append import Append
from lanner.rules.plan.executor import compile_values
from lanner.sdk.types import Argument, FieldInfo, FieldType

CATALOG = Catalog(
    [
        FieldInfo("x.text", FieldType.STRING, ""),
        FieldInfo("x.count", FieldType.UINT64, ""),
        FieldInfo("x.map", FieldType.STRING, "", argument=Argument(key=True)),
    ],
    "x",
    ["site", "my.zone"],
)
EVENT = {"x.text": "a\udcff", "x.count": 7, "static.site": "Rome", "static.my.zone": "eu"}
RULE = "- rule: R\n  desc: d\n  condition: x.count = 7\n  output: '{}'\n  priority: info\n  source: x\n  tags: [t, u]\n{}"


def compiled(*appends, output="o %x.text", more=""):
    return compile_rules(load_rules_text(RULE.format(output, more), CATALOG), CATALOG, appends=appends)


def alert(kind, *appends, output="o %x.text", **toggles):
    ready = compiled(*appends, output=output)
    executor = Executor(ready.plan, lambda slot: EVENT.get(ready.plan.fields[slot].name))
    assert executor.match()
    written = AlertWriter(kind, **toggles).compile(AlertRule("R", "Informational", "x"), ready.outputs[0])
    return written.line(15, compile_values(written.operands, executor.value)())


def fields(*appends, **options):
    found = json.loads(alert("json", *appends, **options))["output_fields"]
    return {key: value for key, value in found.items() if key != "evt.time"}


def test_text_goes_to_the_end_of_the_output_with_a_blank_in_order():
    text = alert("text", Append(output="n=%x.count"), Append(output="last"), output="o")
    assert text.endswith("Informational o n=7 last")


def test_fields_of_added_text_are_fields_of_the_alert():
    assert fields(Append(output="n=%x.count"), output="o") == {"x.count": 7}


@pytest.mark.parametrize(
    ("append", "concerned"),
    [
        (Append(rule="R", output="more"), True),
        (Append(rule="r", output="more"), False),
        (Append(rule="R*", output="more"), False),
        (Append(source="x", output="more"), True),
        (Append(source="syscall", output="more"), False),
        (Append(tags=frozenset("tu"), output="more"), True),
        (Append(tags=frozenset("tv"), output="more"), False),
        (Append("R", "x", frozenset("v"), "more"), False),
    ],
)
def test_all_that_is_named_has_to_fit(append, concerned):
    assert alert("text", append, output="o").endswith(" o more" if concerned else " o")


def test_added_fields_are_texts_or_values():
    append = Append(formatted={"id": "<%x.count>", "x.text": "mine"}, raw=("x.count", "static.site"))
    assert fields(append) == {"id": "<7>", "x.text": "mine", "x.count": 7, "static.site": "Rome"}
    assert alert("text", append) == alert("text")


def test_a_later_entry_has_its_way_with_a_field():
    assert fields(Append(formatted={"a": "1"}), Append(formatted={"a": "2"}), output="o") == {"a": "2"}


def test_an_added_field_takes_the_place_of_the_time():
    assert json.loads(alert("json", Append(formatted={"evt.time": "now"})))["output_fields"]["evt.time"] == "now"


def test_a_value_that_is_not_there_is_null_and_in_a_text_not_available():
    assert fields(Append(formatted={"a": "%x.map[k]"}, raw=("x.map[k]",)), output="o") == {"a": "<NA>", "x.map[k]": None}


@pytest.mark.parametrize("key", ["x.counter", "tolower(x.text)", "x.text and"])
def test_a_raw_field_that_is_none_to_its_very_end_is_null(key):
    assert fields(Append(raw=(key,)), output="o") == {key: None}


def test_broken_utf8_in_an_added_text_is_replaced():
    assert fields(Append(formatted={"a": "%x.text!"}), output="o") == {"a": "a\ufffd!"}


def test_without_output_fields_there_are_no_added_ones():
    assert "output_fields" not in json.loads(alert("json", Append(raw=("x.count",)), include_output_fields=False))


def test_static_fields_are_suggested_in_the_order_of_their_names():
    text = alert("text", Append(suggested=True, output="first"), output="o")
    assert text.endswith(" o first static_my_zone=eu static_site=Rome")


def test_fields_of_the_plugin_suggest_themselves_after_static_ones():
    fields = [FieldInfo("x.b", FieldType.STRING, "", add_output=True), FieldInfo("x.a", FieldType.STRING, "")]
    assert Catalog(fields, "x", ["site"]).suggested == ("static.site", "x.b")


def test_static_fields_can_be_asked_for_in_conditions():
    ready = compile_rules(load_rules_text(RULE.format("o", "").replace("x.count = 7", "static.site = Rome"), CATALOG), CATALOG)
    assert [request.name for request in ready.plan.fields] == ["static.site"]


def test_old_container_info_is_taken_out_of_added_text():
    ready = compiled(Append(output="%container.info"))
    assert [finding.code for finding in ready.findings] == ["LOAD_DEPRECATED_ITEM"]


@pytest.mark.parametrize(
    ("append", "problem", "advice"),
    [
        (Append(output="n=%x.none"), "unknown filter", "append_output adds `n=%x.none` here"),
        (Append(formatted={"a": "%x.none"}), "unknown filter", "append_output adds `a: %x.none` here"),
        (Append(formatted={"a": ""}), "empty formatting token", "append_output adds `a:` here"),
        (Append(raw=("none",)), "unknown filter", "append_output adds `none` here"),
    ],
)
def test_what_is_wrong_in_added_text_is_reported_at_the_rule(append, problem, advice):
    with pytest.raises(RulesError) as caught:
        compiled(append)
    (finding,) = caught.value.findings
    assert finding.code == "LOAD_ERR_COMPILE_OUTPUT"
    assert problem in finding.message
    assert advice in finding.advice
    assert finding.place.line == 4


def test_a_rule_that_does_not_mind_unknown_fields_is_left_out_for_added_text_but_not_for_added_fields():
    more = "  skip-if-unknown-filter: true\n"
    assert compiled(Append(output="%x.none"), more=more).rules == ()
    with pytest.raises(RulesError):
        compiled(Append(raw=("none",)), more=more)


def test_added_fields_of_rules_that_do_not_run_are_not_asked_of_events():
    ready = compile_rules(load_rules_text(RULE.format("o", ""), CATALOG), CATALOG, [], [Append(raw=("x.text",))])
    assert ready.rules == ready.plan.fields == ()


@pytest.mark.parametrize("condition", ["x.count >= 1 and", "unknown_macro", "x.count = (1", "x.none = 1", "x.count startswith 1"])
def test_added_text_skips_a_rule_before_its_condition_is_read(tmp_path, condition):
    """Falco compiles the output first: the condition may have any error."""
    file = tmp_path / "rules.yaml"
    file.write_text(RULE.format("o", "  skip-if-unknown-filter: true\n").replace("x.count = 7", condition))
    for append, is_skipped in ((Append(output="%x.none"), True), (Append(raw=("x.none",)), False), (Append(output="%x.text"), False)):
        if is_skipped:
            ruleset = load_rules([file], CATALOG, appends=[append])
            assert compile_rules(ruleset, CATALOG, appends=[append]).rules == ()
        elif condition != "x.none = 1":  # that skips it in any case
            with pytest.raises(RulesError):
                compile_rules(load_rules([file], CATALOG, appends=[append]), CATALOG, appends=[append])
