"""Files one after another as with falco -V, and its reports on files that the corpus does not contain."""

import pytest

from lanner.rules.check.syscall import SyscallCatalog
from lanner.rules.language.catalog import Catalog
from lanner.rules.report.falco_report import as_json, as_text, full_text
from lanner.rules.report.validator import Validator
from lanner.sdk.types import FieldInfo, FieldType

RULE = "- rule: {0}\n  desc: d\n  condition: {1}\n  output: '{2}'\n  priority: INFO\n  source: {3}\n"


def rule(name="r", condition="kv.num = 1", output="o", source="kv"):
    return RULE.format(name, condition, output, source)


def load(*texts):
    validator = Validator([Catalog([FieldInfo("kv.num", FieldType.UINT64, "")], "kv"), SyscallCatalog()], {})
    return [validator.load(f"{number}.yaml", text) for number, text in enumerate(texts, 1)]


def codes(result):
    return [(finding.code, finding.message) for finding in result.findings]


def test_a_macro_of_an_earlier_file_is_known_and_a_later_one_is_not():
    first, second = load(rule(condition="m"), "- macro: m\n  condition: kv.num = 1\n" + rule("s", "m"))
    assert codes(first) == [("LOAD_ERR_VALIDATE", "Undefined macro 'm' used in filter.")]
    assert second.successful


def test_the_first_error_ends_and_the_output_comes_before_the_condition():
    (result,) = load(rule(output="%kv.nope", condition="kv.num =") + rule("s", "kv.nope = 1"))
    assert codes(result) == [("LOAD_ERR_COMPILE_OUTPUT", "unknown filter: unexpected token after '")]


def test_a_finding_in_an_earlier_file_quotes_that_file():
    text = "- macro: m\n  condition: kv.num = 1\n"
    first, second = load(text, rule())
    assert [codes(each) for each in (first, second)] == [[("LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro")]] * 2
    (warning,) = as_json([second])["falco_load_results"][0]["warnings"]
    assert warning["context"]["locations"][1]["position"] == {"name": "1.yaml", "line": 0, "column": 2, "offset": 2}
    assert warning["context"]["snippet"] == "- macro: m\n  ^\n"


BAD = {
    "the condition": (rule("a", "kv.nope = 1"), ""),
    "its syntax": (rule("a", "kv.num ="), ""),
    "the output": (rule("a", output="%kv.nope"), ""),
    "a macro": ("- macro: m\n  condition: nope\n" + rule("a", "m"), ""),
    "an exception": (rule("a") + "  exceptions: [{name: e, fields: [kv.num], values: [[1, 2]]}]\n", ""),
    "what is appended": (rule("a"), "- rule: a\n  condition: and kv.nope = 1\n  override: {condition: append}\n"),
}


@pytest.mark.parametrize("what", BAD)
def test_the_outermost_place_is_the_file_that_defines_what_is_wrong(what):
    first, second = BAD[what]
    report = as_json(load(first, second + rule("b")))["falco_load_results"][-1]
    assert [error["context"]["locations"][0]["position"]["name"] for error in report["errors"]] == ["1.yaml"]


REPLACED = (
    rule("a") + "  exceptions: {0}\n- rule: a\n  source: kv\n  override: {{exceptions: replace}}\n  exceptions:\n    - {{name: e, {1}}}\n"
)
UNEQUAL = "Fields and comps lists must have equal length"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [  # the messages of Falco 0.44.1; where it crashes, UNEQUAL
        ("[{name: a, fields: [kv.num], comps: ['='], values: [[7]]}]", "fields: [kv.num], values: [[1], [2]]", ""),
        ("[{name: a, fields: [kv.num], values: [[7]]}]", "fields: [kv.num], values: [[1]]", ""),
        ("[{name: a, fields: [kv.num, kv.num], values: [[7, 8]]}]", "fields: [kv.num, kv.num], values: [[1, 2]]", ""),
        ("[{name: a, fields: [kv.num], values: [[7]]}]", "fields: [kv.num], comps: in, values: [[1]]", ""),
        ("[]", "fields: [kv.num], comps: ['=', '='], values: [[1]]", ""),
        ("[]", "fields: [kv.num]", ""),
        ("[]", "fields: [kv.num], values: [[1]]", UNEQUAL),
        ("[{name: a, fields: kv.num, values: [7]}]", "fields: [kv.num], values: [[1]]", UNEQUAL),
        ("[{name: a, fields: [kv.num], values: [[7]]}]", "fields: [kv.num, kv.num], values: [[1, 2]]", UNEQUAL),
        ("[{name: a, fields: [kv.num], values: [[7]]}]", "fields: [kv.num, kv.num], comps: ['='], values: [[1, 2]]", UNEQUAL),
        ("[]", "fields: [kv.num], values: [[1, 2]]", "Fields and values lists must have equal length"),
        (
            "[{name: a, fields: [kv.num], comps: ['>'], values: []}]",
            "fields: [kv.num], values: [[a]]",
            "expected a number value or a field with a valid transformer",
        ),
    ],
)
def test_replaced_exceptions_have_the_operators_that_falco_reads(before, after, message):
    (result,) = load(REPLACED.format(before, after))
    assert [each.message[: len(message)] for each in result.findings] == ([message] if message else [])


@pytest.mark.parametrize("comps", ["startswith  anyof", "'startswith\tanyof'", "exists anyof", "'>= anyof'"])
def test_a_modifier_in_an_exception_takes_one_blank(comps):
    (result,) = load(rule() + f"  exceptions: [{{name: e, fields: [kv.num], comps: [{comps}], values: [[1]]}}]\n")
    assert result.findings[0].message.endswith("is not a supported comparison operator")


def test_exceptions_are_checked_one_after_the_other():
    (result,) = load(rule() + "  exceptions:\n    - {name: a, fields: [kv.x], values: [[7]]}\n    - {name: b, fields: [], values: [[7]]}\n")
    assert codes(result) == [("LOAD_ERR_VALIDATE", "'kv.x' is not a supported filter field")]


def test_reports_of_several_files_stand_below_each_other():
    good, odd = load(rule(), "- x: 1\n")
    assert as_text([good, odd]) == "1.yaml: Ok\n2.yaml: Ok, with warnings"
    assert full_text(odd).endswith("LOAD_UNKNOWN_ITEM (Unknown rules file item): Unknown top level item\n")


def test_deprecated_fields_are_named():
    (result,) = load(rule(output="evt.dir of %kv.num"))
    (warning,) = as_json([result])["falco_load_results"][0]["warnings"]
    assert (warning["code"], warning["deprecated_field"]) == ("LOAD_DEPRECATED_ITEM", "evt.dir")
    assert "(Used deprecated item: field 'evt.dir'): usage of deprecated field 'evt.dir'" in full_text(result)


def test_a_comparison_with_nothing_is_unsafe_for_some_fields():
    (result,) = load(rule(condition="jevt.value = <NA> or evt.latency exists"))
    assert [code for code, _ in codes(result)] == ["LOAD_UNSAFE_NA_CHECK", "LOAD_DEPRECATED_ITEM", "LOAD_ERR_COMPILE_CONDITION"]


def test_long_lines_are_cut():
    condition = "kv.num = 1 or " * 20 + "kv.nope = 1"
    (result,) = load(rule(condition=condition))
    (error,) = as_json([result])["falco_load_results"][0]["errors"]
    line, caret, _ = error["context"]["snippet"].split("\n")
    assert line.startswith("...")
    assert len(line) == 81
    assert caret == " " * 80 + "^"
    assert error["context"]["locations"][-1]["position"]["name"] == '"kv.num = 1 or kv...."'


@pytest.mark.parametrize(
    ("item", "message"), [("- []\n", "JSON value is not an object."), ("- [a]: 1\n", "yaml-cpp: error at line 1, column 3: bad conversion")]
)
def test_what_the_schema_check_trips_over_is_no_yaml(item, message):
    (result,) = load(item)
    assert codes(result) == [("LOAD_ERR_YAML_PARSE", message)]
    (shown,) = as_json([result])["falco_load_results"]
    assert "schema_valid" not in shown
    assert [where["item_type"] for where in shown["errors"][0]["context"]["locations"]] == ["rules content"]


def test_the_schema_of_overrides_and_exceptions():
    (result,) = load(rule() + "- rule: r\n  override: {}\n  exceptions: [{values: []}]\n")
    assert result.schema == [
        "failed for <root>[1][exceptions][0]: Missing required property 'name'.",
        "failed for <root>[1][exceptions]: Failed to validate item #0 in array.",
        "failed for <root>[1]: Failed to validate against schema associated with property name 'exceptions'.",
        "failed for <root>[1][override]: Object should have no fewer than 1 properties.",
        "failed for <root>[1]: Failed to validate against schema associated with property name 'override'.",
        "failed for <root>: Failed to validate item #1 in array.",
    ]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("evt.type = open", []),
        ("evt.type in (open, openat) and proc.name = cat and fd.num >= 0", []),
        ("evt.type != open", ["LOAD_NO_EVTTYPE"]),
        ("not evt.type != open", []),
        ("not (evt.type != open or proc.pid = 1)", []),
        ("evt.type = open or proc.name = cat", ["LOAD_NO_EVTTYPE"]),
        ("evt.type = open and evt.type = close", ["LOAD_NO_EVTTYPE"]),
        ("evt.type = mseal", []),
        ("evt.type exists", ["LOAD_NO_EVTTYPE"]),
        ("evt.type = nope", ["LOAD_ERR_COMPILE_CONDITION"]),
        ("evt.type = open and proc.aname[2] = a and evt.arg.flags contains x and evt.arg[0] = 1", []),
        ("container.id = x", ["LOAD_ERR_COMPILE_CONDITION"]),
    ],
)
def test_rules_of_system_calls(condition, found):
    (result,) = load(rule(condition=condition, source="syscall"))
    assert [code for code, _ in codes(result)] == found


def test_an_unknown_event_type_can_be_skipped():
    (result,) = load(rule(condition="evt.type = nope", source="syscall\n  skip-if-unknown-filter: true"))
    assert codes(result) == [("LOAD_UNKNOWN_FILTER", "unknown event type nope")]


def test_warnings_about_event_types_can_be_left_out():
    (result,) = load(rule(condition="evt.num = 1", source="syscall\n  warn_evttypes: false"))
    assert codes(result) == []
    (result,) = load(
        rule(condition="evt.num = 1", source="syscall") + "- rule: r\n  warn_evttypes: no\n  override: {warn_evttypes: replace}\n"
    )
    assert codes(result) == []
