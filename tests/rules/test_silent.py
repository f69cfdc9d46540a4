"""Rules that cannot match without the values of some fields."""

import pytest

from lanner.rules import Catalog, load_rules_text
from lanner.rules.lint.silent import find_silent_rules
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo(name, FieldType.STRING, name) for name in ("t.a", "t.off.b", "t.off.c")], "t")


@pytest.mark.parametrize(
    ("condition", "is_silent"),
    [
        ("t.off.b = x", True),
        ("t.off.b exists", True),
        ("t.off.b != x", True),
        ("t.a = x and t.off.b = x", True),
        ("t.a = x and (t.off.b = x or t.off.c = x)", True),
        ("tolower(t.off.b) = x", True),
        ("t.a = x", False),
        ("t.a = x or t.off.b = x", False),
        ("not t.off.b = x", False),
        ("t.a = x and not t.off.b = x", False),
    ],
)
def test_a_rule_is_silent_where_its_condition_needs_such_a_field(condition, is_silent):
    text = f"- rule: R\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  source: t\n"
    found = find_silent_rules(load_rules_text(text, CATALOG).rules, {"t.off.": "turn it on"})
    assert found == ({"turn it on": ["R"]} if is_silent else {})
    assert find_silent_rules(load_rules_text(f"{text}  enabled: false\n", CATALOG).rules, {"t.off.": ""}) == {}
