"""`lanner rules check` shows all errors of one rule, and missing parts of a change to an earlier rule. A run and -V stop as in Falco."""

import pytest

from lanner.rules import Catalog, RulesError, load_rules_text
from lanner.rules.lint import check_files
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo(f"door.{name}", FieldType.STRING, "") for name in ("name", "state", "room")], "door")
RULE = {
    "rule": "R",
    "desc": "d",
    "condition": "door.name = a",
    "output": "x %door.name",
    "priority": "INFO",
    "source": "door",
    "tags": "[a]",
}


def rule(**changes):
    """Return the text of a rule, without keys whose value is None."""
    keys = {key: value for key, value in (RULE | changes).items() if value is not None}
    return "- " + "\n  ".join(f"{key.replace('__', '-')}: {value}" for key, value in keys.items()) + "\n"


@pytest.fixture
def check(tmp_path):
    """`check(text)` returns (severity, message, advice) of all findings."""

    def run(text):
        (tmp_path / "rules.yaml").write_text(text)
        found = check_files([tmp_path / "rules.yaml"], CATALOG)
        return [(each.severity, each.message, each.advice) for each in found]

    return run


def errors(found):
    return [message for severity, message, _ in found if severity == "error"]


def test_independent_errors_of_a_rule_are_all_told(check):
    found = check(
        rule(
            condition="door.nmae = a and door.satte = b",
            output="x %door.rom y %door.xyz",
            priority="HIHG",
            enabled="maybe",
            tags="a",
            colour="red",
            exceptions="[{name: e, fields: [door.name], comps: [foo]}]",
        )
    )
    assert sorted(errors(found)) == sorted(
        [
            "'foo' is not a supported comparison operator",
            "Value is not a sequence",
            "filter_check called with nonexistent field door.nmae",
            "filter_check called with nonexistent field door.satte",
            "unknown filter: unexpected token after '",
            "unknown filter: unexpected token after '",
            "Invalid priority",
            "Can't decode YAML scalar value",
        ]
    )
    assert ("warning", "Unknown key 'colour'. The key will be ignored.") in [each[:2] for each in found]


@pytest.mark.parametrize("missing", ["condition", "output", "desc", "priority"])
def test_a_missing_key_hides_nothing_else(check, missing):
    broken = {"condition": "door.nmae = a", "output": "x %door.rom", "priority": "HIGH", missing: None}
    told = errors(check(rule(**broken, prioritty="INFO")))
    expected = {
        "condition": "filter_check called with nonexistent field door.nmae",
        "output": "unknown filter: unexpected token after '",
        "priority": "Invalid priority",
    }
    assert sorted(told) == sorted([f"Item has no mapping for key '{missing}'", *(text for key, text in expected.items() if key != missing)])


def test_a_run_stops_where_falco_does():
    with pytest.raises(RulesError) as caught:
        load_rules_text(rule(priority="HIGH", enabled="maybe", colour="red"), CATALOG)
    assert [each.message for each in caught.value.findings] == ["Invalid priority"]


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        (
            "- rule: R\n  priority: NOTICE\n",
            "Item has no mapping for key 'condition'",
            "To change an earlier rule of that name, add `override: {priority: replace}`.",
        ),
        (
            "- rule: R\n  output: x\n  tags: [b]\n",
            "Item has no mapping for key 'condition'",
            "To change an earlier rule of that name, add `override: {output: replace, tags: replace}`.",
        ),
        ("- rule: R\n  tags: [b]\n", "Item has no mapping for key 'enabled'", "add `override: {tags: replace}`."),
        (
            "- rule: R\n  priority: NOTICE\n  overide: {priority: replace}\n",
            "Item has no mapping for key 'condition'",
            "Did you mean 'override' by 'overide'?",
        ),
        ("- rule: R\n  priority: NOTICE\n  overrides: {priority: replace}\n", "", "Did you mean 'override' by 'overrides'?"),
        ("- rule: R\n  prioritty: NOTICE\n  override: {prioritty: replace}\n", "cannot be replaced", "Did you mean 'priority'?"),
        ("- rule: R\n  priority: NOTICE\n  override: {priority: replce}\n", "Allowed values are: replace", "Did you mean 'replace'?"),
        ("- rule: R\n  tags: [b]\n  override: {tags: apend}\n", "Allowed values are: append replace", "Did you mean 'append'?"),
        ("- rule: R\n  prioritty: NOTICE\n  enabled: true\n", "Unknown key 'prioritty'", "Did you mean 'priority'?"),
        ("- macro: m\n  conditoin: x\n", "Unknown key 'conditoin'", "Did you mean 'condition'?"),
        ("- list: l\n  item: [x]\n", "Unknown key 'item'", "Did you mean 'items'?"),
        ("- rul: R\n", "Unknown top level item", "Did you mean 'rule'?"),
        (rule(priority="WARNIGN"), "Invalid priority", "Did you mean Warning?"),
    ],
)
def test_the_advice_names_what_may_be_meant(check, text, message, advice):
    found = check(rule() + text)
    assert any(message in said and advice in told for _, said, told in found), found


def test_a_change_without_an_override_is_one_error(check):
    assert errors(check(rule() + "- rule: R\n  priority: NOTICE\n")) == ["Item has no mapping for key 'condition'"]
