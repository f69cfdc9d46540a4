"""Lists, macros, exceptions and overrides become conditions in Falco's order; errors are reported at their cause."""

import pytest

from lanner.rules.condition.ast import MAX_DEPTH
from lanner.rules.condition.parser import parse
from lanner.rules.condition.unparse import show
from lanner.rules.files.items import Priority
from lanner.rules.files.load import load_text
from lanner.rules.findings import ConditionError, RulesError
from lanner.rules.language.catalog import Catalog
from lanner.rules.plan.compile import resolve_files
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo(f"x.{letter}", FieldType.STRING, "") for letter in "wyz"], "kv")


def rule(condition, name="r", more=""):
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  source: kv\n{more}"


def macro(name, condition, more=""):
    return f"- macro: {name}\n  condition: {condition}\n{more}"


def listed(name, items, more=""):
    return f"- list: {name}\n  items: [{items}]\n{more}"


def appended(name, condition):
    return macro(name, condition, "  override: {condition: append}\n")


def resolved(*texts, **options):
    return resolve_files([load_text(text, f"{number}.yaml") for number, text in enumerate(texts, 1)], CATALOG, **options)


def condition(*texts):
    return show(resolved(*texts).rules[-1].condition)


def errors(*texts, **options):
    with pytest.raises(RulesError) as caught:
        resolved(*texts, **options)
    return [finding for finding in caught.value.findings if finding.severity == "error"]


def error(*texts, **options):
    (finding,) = errors(*texts, **options)
    return finding


def marked(finding):
    """Return the characters that the finding marks, and their line."""
    line, carets = finding.snippet.splitlines()
    return "".join(char for char, caret in zip(line, carets.ljust(len(line)), strict=False) if caret == "^"), finding.place.line


def warnings(ruleset):
    return [(finding.code, finding.places[-1].line) for finding in ruleset.findings]


# Lists


@pytest.mark.parametrize(
    ("items", "text", "expected"),
    [
        ("a, b", "x.y in (l)", "x.y in (a, b)"),
        ("a, b", "x.y in (c, l ,d)", "x.y in (c, a, b, d)"),
        ("a, b", "x.y in (ll, l-l, l)", "x.y in (ll, l-l, a, b)"),
        ("a b, 'c d', '\"e f\"'", "x.y in (l)", 'x.y in ("a b", "c d", "e f")'),
        ("'x.y = 1 or z'", "l", None),
        ("", "x.y in (a, l)", "x.y in (a)"),
        ("", "x.y in (l, a)", "x.y in (a)"),
        ("", "x.y in (l)", "x.y in ()"),
        ("a", "x.y=l or z.z=1", "x.y = a or z.z = 1"),
        ("a", "x.y = 'the l' or x.y = ' l '", 'x.y = "the l" or x.y = " a "'),
        ("a", "x.y in (l,l,l)", "x.y in (a, a, a)"),
        ("a, l", "x.y in (l)", "x.y in (a, l)"),
    ],
)
def test_a_list_is_written_in_where_its_name_stands_alone(items, text, expected):
    text = listed("l", items) + rule(f'"{text}"')
    if expected is None:
        assert error(text).code == "LOAD_ERR_COMPILE_CONDITION"
    else:
        assert condition(text) == expected


def test_lists_name_earlier_lists():
    assert condition(listed("a", "1, 2") + listed("b", "a, 3") + rule("x.y in (b)")) == "x.y in (1, 2, 3)"


def test_a_list_that_names_a_list_that_names_one_keeps_the_name():
    assert condition(listed("a", "1") + listed("b", "a, 2") + listed("c", "b, 3") + rule("x.y in (c)")) == "x.y in (a, 2, 3)"


def test_what_a_list_brings_may_be_a_later_list():
    assert condition(listed("a", "b, 1") + listed("b", "2") + rule("x.y in (a)")) == "x.y in (2, 1)"


def test_lists_are_redefined_and_appended_to():
    more = listed("l", "c", "  override: {items: append}\n")
    assert condition(listed("l", "a") + listed("l", "b") + more + rule("x.y in (l)")) == "x.y in (b, c)"


def test_a_list_reaches_into_macros_before_it():
    assert condition(macro("m", "x.y in (l)") + listed("l", "a") + rule("m")) == "x.y in (a)"


# Macros


def test_macros_are_put_in_as_a_whole():
    assert condition(macro("m", "a.b = 1 or a.b = 2") + rule("m and not m")) == ("(a.b = 1 or a.b = 2) and not (a.b = 1 or a.b = 2)")


def test_macros_name_earlier_macros():
    assert condition(macro("m", "x.y = 1") + macro("n", "not m") + rule("n or x.y = 2")) == "not x.y = 1 or x.y = 2"


def test_a_macro_that_is_touched_later_may_name_later_macros():
    text = macro("m", "n") + macro("n", "x.y = 1") + appended("m", "or x.y = 2")
    assert condition(text + rule("m")) == "x.y = 1 or x.y = 2"


def test_a_rule_names_macros_behind_it():
    assert condition(rule("m") + macro("m", "x.y = 1")) == "x.y = 1"


def test_a_macro_is_redefined_for_all_rules():
    assert condition(macro("m", "x.y = 1") + rule("m") + macro("m", "x.y = 2")) == "x.y = 2"


@pytest.mark.parametrize(
    ("text", "message", "where", "advice"),
    [
        (rule("x.y = 1 and mm"), "Undefined macro 'mm' used in filter.", ("mm", 3), "Names of fields contain a dot"),
        (macro("shell", "x.y=1") + rule("shel"), "Undefined macro 'shel' used in filter.", ("shel", 5), "Did you mean 'shell'?"),
        (listed("l", "a") + rule("x.y=1 and 'l' or m"), None, None, None),
        (macro("m", "n") + macro("n", "x.y=1") + rule("m"), "Undefined macro 'n' used in filter.", ("n", 2), "The macro is defined at 1.yaml:3:3"),
        (macro("m", "m") + rule("m"), "Undefined macro 'm' used in filter.", ("m", 2), "The macro is defined at 1.yaml:1:3"),
        (macro("m", "x.y=1") + appended("m", "or m") + rule("m"), "reference loop in macro 'm'", ("m", 4), ""),
        (macro("m", "n") + macro("n", "m") + appended("m", "or x.y=1") + appended("n", "or x.y=1") + rule("n"), "reference loop in macro 'n'", ("n", 2), ""),
    ],
)  # fmt: skip
def test_names_that_mean_nothing(text, message, where, advice):
    finding = errors(text)[0]
    if message is None:
        assert finding.code == "LOAD_ERR_COMPILE_CONDITION"
        return
    assert (finding.code, finding.message, marked(finding)) == ("LOAD_ERR_VALIDATE", message, where)
    assert finding.advice.startswith(advice)


def test_a_loop_counts_more_than_an_unknown_name():
    text = macro("m", "x.y=1") + appended("m", "or (zork and m)") + rule("m")
    assert error(text).message == "reference loop in macro 'm'"


def test_an_error_in_a_macro_is_reported_once():
    text = macro("m", "x.y in") + macro("n", "m or zork") + rule("m", "r1") + rule("n", "r2") + rule("zork", "r3")
    assert [marked(finding)[1] for finding in errors(text)] == [2, 19]


def test_all_errors_of_a_file_are_reported_in_falcos_order():
    found = errors(rule("x.y = ", "r1") + macro("m", "zork") + rule("(a", "r2") + rule("bork", "r3"))
    assert [finding.place.line for finding in found] == [8, 3, 11, 17]


def doubling(count, first="x.y = 1"):
    return macro("m0", first) + "".join(macro(f"m{n + 1}", f"m{n} and m{n}") for n in range(count))


def test_macros_that_double_are_refused():
    assert show(resolved(doubling(10) + rule("m10")).rules[0].condition).count("x.y") == 1024
    assert "has more than 100000 nodes" in errors(doubling(60) + rule("m60"))[0].message


def test_macros_that_double_before_they_are_known_are_refused():
    text = "".join(macro(f"m{n}", f"m{n + 1} and m{n + 1}") for n in range(60)) + macro("m60", "x.y = 1")
    text += "".join(appended(f"m{n}", "or x.y = 2") for n in range(61))
    assert "has more than 100000 nodes" in errors(text + rule("m0"))[0].message


@pytest.mark.parametrize("forward", [False, True])
def test_macros_that_go_too_deep_are_refused(forward):
    numbers = range(1000, 0, -1) if forward else range(1, 1001)
    text = ("" if forward else macro("m0", "x.y = 1")) + "".join(macro(f"m{n}", f"not (m{n - 1} and x.y = 2)") for n in numbers)
    if forward:
        text += macro("m0", "x.y = 1") + "".join(appended(f"m{n}", "or x.y = 2") for n in numbers)
    found = errors(text + rule("m1000"))
    assert found[0].message == f"with its macros expanded, the condition is more than {MAX_DEPTH} levels deep"


def test_lists_that_multiply_are_refused():
    text = "".join(listed(f"l{n}", ", ".join([f"l{n + 1}"] * 10)) for n in range(30)) + rule("x.y in (l0)")
    assert error(text).message.startswith("lists make the condition too long, up to list 'l")


def test_unused_macros_and_lists_are_warned_of():
    assert warnings(resolved(macro("m", "x.y=1") + listed("l", "a") + rule("x.y = 1"))) == [
        ("LOAD_UNUSED_MACRO", 1),
        ("LOAD_UNUSED_LIST", 3),
    ]


# Rules


def test_rules_carry_what_their_items_say():
    (made,) = resolved(rule("x.y = 1", more="  tags: [b, a]\n  enabled: no\n")).rules
    assert (made.name, made.output, made.desc, made.priority, made.source) == ("r", "o", "d", Priority.INFORMATIONAL, "kv")
    assert (made.tags, made.enabled, made.condition_text, str(made.place)) == (("a", "b"), False, "x.y = 1", "1.yaml:1:3")


def test_rules_of_unknown_sources_are_left_out():
    ruleset = resolved(rule("x.y = 1", "a").replace("source: kv", "source: nope") + rule("x.y = 1", "b"))
    assert [made.name for made in ruleset.rules] == ["b"]
    assert [(finding.code, finding.message) for finding in ruleset.findings] == [("LOAD_UNKNOWN_SOURCE", "Unknown source nope, skipping")]


def test_a_redefined_rule_keeps_its_place_and_forgets_the_rest():
    ruleset = resolved(rule("x.y = 1", "a", "  tags: [t]\n") + rule("x.y = 1", "b") + rule("x.y = 2", "a"))
    assert [(made.name, show(made.condition), made.tags) for made in ruleset.rules] == [("a", "x.y = 2", ()), ("b", "x.y = 1", ())]


def test_a_rule_is_not_redefined_for_another_source():
    finding = error(rule("x.y = 1") + rule("x.y = 2").replace("  source: kv\n", ""))
    assert (finding.message, finding.place.line) == ("Rule has been re-defined with a different source", 7)


UPDATES = [
    ("  condition: or x.y = 2\n  append: true\n", "x.y = 1 or x.y = 2", {}),
    ("  condition: or x.y = 2\n  override: {condition: append}\n", "x.y = 1 or x.y = 2", {}),
    ("  condition: x.y = 2\n  override: {condition: replace}\n", "x.y = 2", {}),
    ("  output: p\n  desc: e\n  tags: [a]\n  override: {output: append, desc: append, tags: append}\n", "x.y = 1", {"output": "o p", "desc": "d e", "tags": ("a", "t")}),
    ("  output: ' p '\n  tags: [a]\n  priority: error\n  override: {output: replace, tags: replace, priority: replace}\n", "x.y = 1", {"output": " p ", "tags": ("a",), "priority": Priority.ERROR}),
    ("  enabled: false\n", "x.y = 1", {"enabled": False}),
    ("  enabled: false\n  override: {enabled: replace}\n", "x.y = 1", {"enabled": False}),
    ("  condition: and x.y = 3\n  enabled: false\n  override: {condition: append, enabled: replace}\n", "x.y = 1 and x.y = 3", {"enabled": False}),
]  # fmt: skip


@pytest.mark.parametrize(("update", "expected", "attributes"), UPDATES)
def test_rules_are_updated(update, expected, attributes):
    (made,) = resolved(rule("x.y = 1", more="  tags: [t]\n"), f"- rule: r\n{update}").rules
    assert show(made.condition) == expected
    assert {name: getattr(made, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ("  condition: a\n  append: true\n  override: {condition: append}\n", "Keys 'override' and 'append: true' cannot be used together."),
        ("  append: true\n", "Appended rule must have exceptions or condition property"),
        ("  priority: error\n  override: {priority: append}\n", "Key 'priority' cannot be appended to, use 'replace' instead"),
        ("  override: {rule: replace}\n", "Key 'rule' cannot be replaced"),
        ("  condition: a\n  override: {condition: add}\n", "Invalid override operation for key 'condition': 'add'. Allowed values are: append replace "),
        ("  override: {condition: replace}\n", "An replace override for 'condition' was specified but 'condition' is not defined"),
        ("  condition: a\n  output: b\n  override: {condition: replace}\n", "Unexpected key 'output': no corresponding entry under 'override' is defined."),
        ("  override: [condition]\n", "invalid node; this may result from using a map iterator as a sequence iterator, or vice-versa"),
        ("  override: {condition: }\n", "Invalid override operation for key 'condition': 'null'. Allowed values are: append replace "),
        ("  override: {condition: Null}\n", "Invalid override operation for key 'condition': 'null'. Allowed values are: append replace "),
        ("  override: {~: append}\n", "Key 'null' cannot be appended to, use 'replace' instead"),
        ("  override: {condition: [append]}\n", "yaml-cpp: error at line 2, column 25: bad conversion"),
    ],
)  # fmt: skip
def test_updates_that_make_no_sense(update, message):
    assert error(rule("x.y = 1"), f"- rule: r\n{update}").message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rule: q\n  condition: a\n  append: true\n", "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists"),
        ("- rule: q\n  condition: a\n  override: {condition: replace}\n", "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists"),
        ("- rule: q\n  enabled: true\n", "Rule has 'enabled' key but no rule by that name already exists"),
        (appended("q", "a"), "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists"),
        (listed("q", "a", "  append: true\n"), "List uses 'append' or 'override.items: append' but no list by that name already exists"),
    ],
)  # fmt: skip
def test_there_is_nothing_to_update(text, message):
    assert error(text).message == message


def test_old_ways_are_warned_of():
    ruleset = resolved(rule("x.y = 1") + "- rule: r\n  condition: or x.y = 2\n  append: true\n- rule: r\n  enabled: true\n")
    assert warnings(ruleset) == [("LOAD_DEPRECATED_ITEM", 7), ("LOAD_DEPRECATED_ITEM", 10)]


def test_nothing_refers_to_a_later_file():
    assert condition(macro("m", "x.y = 1"), rule("m")) == "x.y = 1"
    finding = error(rule("m"), macro("m", "x.y = 1"))
    assert (finding.message, finding.place.file) == ("Undefined macro 'm' used in filter.", "1.yaml")


# Exceptions


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        ("{name: e, fields: x.y, values: [a, b c]}", 'x.z = 1 and not x.y in (a, "b c")'),
        ("{name: e, fields: x.y, comps: ' startswith oneof ', values: [a]}", "x.z = 1 and not x.y startswith oneof (a)"),
        ("{name: e, fields: x.y, values: []}", "x.z = 1"),
        ("{name: e, fields: [x.y], values: [[a]]}", "x.z = 1 and not x.y = a"),
        ("{name: e, fields: [x.y, x.w], comps: [=, in], values: [[a, [b, c]], [d, e]]}", "x.z = 1 and not (x.y = a and x.w in (b, c) or x.y = d and x.w in (e))"),
        ("{name: e, fields: [x.y]}", "x.z = 1"),
    ],
)  # fmt: skip
def test_exceptions_are_written_behind_the_condition(exception, expected):
    assert condition(rule("x.z = 1", more=f"  exceptions: [{exception}]\n")) == expected


def test_values_are_appended_to_exceptions():
    more = "- rule: r\n  exceptions: [{name: e, values: [b]}, {name: f, fields: x.w, values: [c]}]\n  override: {exceptions: append}\n"
    assert condition(rule("x.z = 1", more="  exceptions: [{name: e, fields: x.y, values: [a]}]\n") + more) == (
        "x.z = 1 and not x.y in (a, b) and not x.w in (c)"
    )


@pytest.mark.parametrize(
    ("exception", "message"),
    [
        ("{name: e}", "Item has no mapping for key 'fields'"),
        ("{fields: x.y}", "Item has no mapping for key 'name'"),
        ("5", "Rule exception must be a mapping"),
        ("{name: e, fields: []}", "Rule exception item must have fields property with a list of fields"),
        ("{name: e, fields: [x.y], comps: [=, =]}", "Fields and comps lists must have equal length"),
        ("{name: e, fields: [x.y], comps: [is]}", "'is' is not a supported comparison operator"),
        ("{name: e, fields: x.y, comps: [in]}", "Fields and comps must both be strings"),
        ("{name: e, fields: x.y, comps: =}", "When fields is a single value, comps must be one of (in, pmatch, intersects)"),
        ("{name: e, fields: x.q, values: [a]}", "'x.q' is not a supported filter field"),
        ("{name: e, fields: [x.y], values: [a]}", "Fields and values lists must have equal length"),
        ("{name: e, fields: x.y, values: [[a]]}", "Expected values array to contain a list of strings"),
        ("{name: e, fields: x.y, values: a}", "Rule exception values must be a sequence"),
    ],
)
def test_exceptions_that_make_no_sense(exception, message):
    text = rule("x.z = 1", more=f"  exceptions: [{exception}]\n")
    finding = error(text)
    assert finding.message.startswith(message)
    assert finding.place.line == 7


def test_an_error_in_an_exceptions_value_is_placed_at_its_name():
    finding = error(rule("x.z = 1", more="  exceptions:\n    - {name: odd, fields: x.y, values: ['a)']}\n"))
    assert marked(finding) == ("odd", 8)
    assert finding.advice == "With its lists expanded, the condition reads there: (x.z = 1) and not (x.y in (a)))"


# Versions


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ("required_engine_version: 62", None),
        ("required_engine_version: 0.62.0", None),
        ("required_engine_version: 63", "Rules require engine version 0.63.0, but engine version is 0.62.0"),
        ("required_engine_version: 1.0.0", "Rules require engine version 1.0.0, but engine version is 0.62.0"),
        ("required_engine_version: new", "Unable to parse engine version 'new' as a semver string."),
        ("required_plugin_versions: [{name: kv, version: 0.1.0}]", None),
        ("required_plugin_versions: [{name: other, version: 1.0.0, alternatives: [{name: kv, version: 0.1.1}]}]", None),
        ("required_plugin_versions: [{name: kv, version: 0.2.0}]", "Plugin 'kv' version '0.1.5' is not compatible with required plugin version '0.2.0'"),
        ("required_plugin_versions: [{name: other, version: 1.0.0}]", "Plugin requirement not satisfied, must load one of: other (>= 1.0.0)"),
        ("required_plugin_versions: [{name: kv, version: new}]", "Invalid required version 'new' for plugin 'kv'"),
        ("required_plugin_versions: kv", "Value of required_plugin_versions must be a sequence"),
    ],
)  # fmt: skip
def test_required_versions(required, message):
    text = f"- {required}\n{rule('x.y = 1')}"
    if message is None:
        assert len(resolved(text, plugins={"kv": "0.1.5"}).rules) == 1
    else:
        assert error(text, plugins={"kv": "0.1.5"}).message.startswith(message)


# Places of the checker's findings


def test_an_error_of_the_checker_is_placed_in_the_macro_that_brought_it():
    (made,) = resolved(macro("m", "a.b = 1 and c.d = 2") + rule(">\n    x.y = 1\n    and m")).rules
    inside = made.condition.children[1].children[1]
    finding = made.finding(ConditionError("no", inside.span[0], inside.span[1] - inside.span[0]))
    assert marked(finding) == ("c.d = 2", 2)
    assert [(place.kind, place.name) for place in finding.places] == [
        ("rule", "r"),
        ("macro", "m"),
        ("macro condition", ""),
        ("condition expression", ""),
    ]
    own = made.condition.children[0]
    assert marked(made.finding(ConditionError("no", own.span[0], own.span[1] - own.span[0]))) == ("x.y = 1", 6)


def test_an_error_behind_a_list_keeps_its_place():
    (made,) = resolved(listed("l", "a, b, c") + rule("x.y in (l) and z.w = 1")).rules
    last = made.condition.children[1]
    assert marked(made.finding(ConditionError("no", last.span[0], 7))) == ("z.w = 1", 5)


def test_an_error_in_an_output_is_placed_there():
    (made,) = resolved(
        rule("x.y = 1").replace("output: o", "output: '  say %foo'"), "- rule: r\n  output: and %bar\n  override: {output: append}\n"
    ).rules
    assert made.output == "say %foo and %bar"
    found = [made.output_finding(ConditionError("no", made.output.index(word), 4)) for word in ("%foo", "%bar")]
    assert [(finding.place.file, marked(finding)) for finding in found] == [("1.yaml", ("%foo", 4)), ("2.yaml", ("%bar", 2))]


def test_trees_of_rules_are_those_of_their_texts():
    (made,) = resolved(rule("x.y = 1 or not a.b in (c)")).rules
    assert made.condition == parse("x.y = 1 or not a.b in (c)")
