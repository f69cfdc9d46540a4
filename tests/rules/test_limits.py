"""No rules file, pattern or event can exhaust the stack, the memory or the time: it works, or is rejected with its place.

No test here asserts a time: anything that is not linear would reach the timeout of all tests.
"""

import pytest

from lanner.rules import Catalog, Executor, RulesError, compile_rules, load_rules_text
from lanner.rules.check.checker import MAX_PROGRAM
from lanner.rules.condition.ast import MAX_DEPTH
from lanner.rules.condition.parser import MAX_GROUPS, parse
from lanner.rules.condition.unparse import show
from lanner.rules.files.items import RuleException
from lanner.rules.files.load import MAX_SIZE, load_text
from lanner.rules.language import operators
from lanner.rules.lint import check_files
from lanner.rules.report.descriptions import describe
from lanner.rules.report.validator import Validator
from lanner.rules.resolve.lists import Lists
from lanner.rules.resolve.macros import MAX_SIZE as MAX_NODES
from lanner.sdk.types import FieldInfo, FieldType

pytestmark = pytest.mark.slow

CATALOG = Catalog([FieldInfo("x.text", FieldType.STRING, "d")], "x")
CHECK = "x.text = b"
MEGABYTE = 1_000_000


def rule(condition, before="", output="o"):
    return f"{before}- rule: r\n  desc: d\n  condition: '{condition}'\n  output: '{output}'\n  priority: INFO\n  source: x\n"


def macros(count, condition):
    """Return `count` macros m0, m1 ..., of which the first is a check and the others are built from the previous one."""
    return "".join(f"- macro: m{n}\n  condition: {condition.format(f'm{n - 1}') if n else CHECK}\n" for n in range(count))


def matches(text, value="b"):
    """Return whether the rule matches an event: loaded, compiled, run, and also shown, reported and described."""
    ruleset = load_rules_text(text, CATALOG)
    for each in ruleset.rules:
        assert parse(show(each.condition)) == each.condition
    validator = Validator([CATALOG], {})
    assert validator.load("rules.yaml", text).successful
    describe(validator, [], None)
    return bool(Executor(compile_rules(ruleset, CATALOG).plan, lambda _: value).match())


def refusal(text):
    with pytest.raises(RulesError) as caught:
        compile_rules(load_rules_text(text, CATALOG), CATALOG)
    finding = caught.value.findings[0]
    assert not Validator([CATALOG], {}).load("rules.yaml", text).successful
    assert finding.place
    assert finding.snippet
    return finding.message


def nested(depth):
    return "".join("(x.text = c or " if level % 2 else "(x.text = b and " for level in range(depth)) + CHECK + ")" * depth


@pytest.mark.parametrize(
    "condition",
    ["(" * MAX_GROUPS + CHECK + ")" * MAX_GROUPS, nested(MAX_DEPTH - 1), "not " * 100_000 + CHECK, " and ".join([CHECK] * 5_000)],
    ids=["parentheses", "and and or", "not", "and"],
)
def test_conditions_of_any_shape(condition):
    assert matches(rule(condition))


def test_negations_in_parentheses():
    assert matches(rule("not (" * (MAX_DEPTH - 2) + CHECK + ")" * (MAX_DEPTH - 2)))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("(" * MEGABYTE, "more than 1000 parentheses are open here"),
        (nested(1000), "the condition nests 'and', 'or' and 'not' more than 200 levels deep"),
        ("not (" * 1000 + CHECK + ")" * 1000, "the condition nests 'and', 'or' and 'not' more than 200 levels deep"),
        ("tolower(" * 1000 + "x.text" + ")" * 1000 + " = b", "more than 50 transformers are open here"),
        (CHECK + ")" * MEGABYTE, "unexpected token after 'b', expecting 'or', 'and'"),
        ("x.text in (" + "," * 200_000, "expected a ')' token"),
        ('"' * 200_000, "expected a '(' token, a field check, or an identifier"),
    ],
)
def test_conditions_that_are_refused(condition, message):
    assert refusal(rule(condition)) == message


def test_macros_that_double():
    assert matches(rule("m14", macros(15, "{0} and {0}")))
    assert refusal(rule("m99", macros(100, "{0} or {0}"))) == f"with its macros expanded, the condition has more than {MAX_NODES} nodes"


def test_macros_in_macros():
    assert matches(rule("m1999", macros(2000, "{0}")))
    assert matches(rule("m90", macros(91, f"not {{0}} or not ({CHECK})")), "c")
    deep = f"with its macros expanded, the condition is more than {MAX_DEPTH} levels deep"
    assert refusal(rule("m1999", macros(2000, f"not ({{0}} and {CHECK})"))) == deep


def test_lists_that_grow():
    lists = "".join(f"- list: l{n}\n  items: [{', '.join([f'l{n + 1}'] * 10)}]\n" for n in range(40))
    assert refusal(rule("x.text in (l0)", lists)).startswith("lists make the condition too long, up to list ")


def test_a_hundred_thousand_alternatives():
    alternatives = (f"x.text = v{n}" for n in range(MAX_NODES - 2))
    compiled = compile_rules(load_rules_text(rule(" or ".join([*alternatives, CHECK])), CATALOG), CATALOG)
    assert Executor(compiled.plan, lambda _: "b").match()
    message = f"with its macros expanded, the condition has more than {MAX_NODES} nodes"
    with pytest.raises(RulesError, match=message):
        load_rules_text(rule(" or ".join([CHECK] * (MAX_NODES + 1))), CATALOG)


@pytest.mark.parametrize("output", ["%concat(" * 49 + "x.text," * 5000, "%concat(" + "getopt(a, b)[a]," * 5000, "%" + "tolower(" * 100_000])
def test_outputs_that_are_refused(output):
    assert refusal(rule(CHECK, output=output)) == "unknown filter: unexpected token after '"


@pytest.mark.parametrize("output", ["%x.text " * 20_000, "%x.text" + "[" * MEGABYTE, "%x.text" + "a" * 20_000])
def test_long_outputs(output):
    assert matches(rule(CHECK, output=output))


def test_a_file_that_is_too_large():
    with pytest.raises(RulesError, match="The file is larger than 16 MiB"):
        load_text("#" * (MAX_SIZE + 1), "rules.yaml")


@pytest.mark.parametrize(
    ("operator", "pattern", "end"),
    [
        ("regex", "(a+)+$", ""),
        ("regex", "(a|aa)+[bc]", "c"),
        ("regex", "(.*)" * 60 + "[bc]", "c"),
        ("regex", "(a|b)*a(a|b){40}c", "c"),
        ("glob", "*" + "a" * 200 + "[bc]", "c"),
        ("glob", "*a" * 120 + "[bc]", "c"),
        ("iglob", "*?" * 120 + "[bc]", "C"),
        ("glob", "*[!b]" * 50 + "[bc]", "c"),
        ("pmatch", "*" + "a" * 200 + "[bc]", "c"),
        ("pmatch", "/".join(["*a*"] * 60), "/a" * 59),
        ("contains", "a" * 250 + "c", "c"),
        ("icontains", "a" * 250 + "C", "c"),
        ("endswith", "a" * 250 + "c", "c"),
    ],
)
def test_hostile_patterns_on_long_texts(operator, pattern, end):
    text = rule(f'x.text {operator} ("{pattern}")' if operator == "pmatch" else f'x.text {operator} "{pattern}"')
    assert matches(text, "a" * MEGABYTE + end)
    assert not matches(text, "a" * MEGABYTE + end + "\nx") or operator in {"pmatch", "contains", "icontains"}


def test_a_pattern_that_is_too_large():
    assert refusal(rule('x.text regex "((a{1,100}){1,100}){1,100}"')).startswith("invalid regex pattern: ")


def test_patterns_that_are_too_large_in_all(monkeypatch):
    many = "".join(rule(f'x.text regex "((a|b|{n}){{1,30}}[^x]{{1,30}}){{1,25}}"').replace("rule: r", f"rule: r{n}") for n in range(2000))
    compiled = []
    real = operators.compile_regex
    monkeypatch.setattr(operators, "compile_regex", lambda pattern: compiled.append(pattern) or real(pattern))
    with pytest.raises(RulesError) as caught:
        compile_rules(load_rules_text(many, CATALOG), CATALOG)
    finding = caught.value.findings[0]
    assert finding.message == f"the regexes up to this one need more than {MAX_PROGRAM} RE2 instructions in total"
    assert (finding.snippet != "", "repeat less" in finding.advice) == (True, True)
    assert len(compiled) < 400


def test_one_pattern_in_many_rules_counts_once():
    many = "".join(rule('x.text regex "((a|b){1,30}[^x]{1,30}){1,25}"').replace("rule: r", f"rule: r{n}") for n in range(400))
    assert len(compile_rules(load_rules_text(many, CATALOG), CATALOG).rules) == 400


def test_a_list_that_is_too_long():
    items = ", ".join(f"i{n}" for n in range(600_000))
    with pytest.raises(RulesError) as caught:
        load_rules_text(rule("x.text in (l)", f"- list: l\n  items: [{items}]\n"), CATALOG)
    assert caught.value.findings[0].message == "lists make the condition too long, up to list 'l'"
    assert "make the lists smaller" in caught.value.findings[0].advice


def test_many_exceptions_are_appended_without_a_search_for_each(monkeypatch):
    asked = []
    monkeypatch.setattr(RuleException, "name", property(lambda self: asked.append(1) or self.label.value))
    part = "- rule: r\n  exceptions: [{{name: e{0}, fields: [x.text], values: [[a{0}]]}}]\n  override: {{exceptions: append}}\n"
    load_rules_text(rule(CHECK) + "".join(part.format(number) for number in range(2000)), CATALOG)
    assert len(asked) < 20 * 2000


def test_findings_share_the_condition_with_its_lists(monkeypatch, tmp_path):
    """A condition of many parts with as many findings, in one line as tools write it: its lists are not expanded for each."""
    written = []
    write = Lists.write_into
    monkeypatch.setattr(Lists, "write_into", lambda lists, text: written.append(1) or write(lists, text))
    (tmp_path / "rules.yaml").write_text(rule(" or ".join(f'x.text regex "w{number}"' for number in range(1000))))
    assert len(check_files([tmp_path / "rules.yaml"], CATALOG)) >= 1000
    assert len(written) < 10


@pytest.mark.parametrize("constant", ["a" * MEGABYTE, "\\\\a" * 100_000, "\\t" * 100_000])
def test_long_constants_are_refused(constant):
    assert refusal(rule(f'x.text = "{constant}"'))


def test_many_appends_to_one_macro():
    appended = "".join(f"- macro: m\n  condition: or x.text = {number}\n  override: {{condition: append}}\n" for number in range(10_000))
    text = f"- macro: m\n  condition: x.text = a\n{appended}" + rule("m")
    assert compile_rules(load_rules_text(text, CATALOG), CATALOG).rules
