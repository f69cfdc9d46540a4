"""Which rules run, and in which order. test_corpus_selection.py compares this with Falco."""

import pytest

from lanner.rules import Catalog, Priority, load_rules_text
from lanner.rules.resolve.select import Switch, matches_wildcard, select

CATALOG = Catalog([], "x")


def rule(name, priority="WARNING", tags=(), *, enabled=True):
    return (
        f"- rule: {name}\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: {priority}\n  source: x\n"
        f"  tags: [{', '.join(tags)}]\n  enabled: {enabled}\n"
    )


RULES = load_rules_text(rule("a b", tags=("t", "u")) + rule("c", "ERROR") + rule("d b", "DEBUG", ("u",), enabled=False), CATALOG).rules


def names(*switches, least=Priority.DEBUG):
    return [each.name for each in select(RULES, switches, least)]


def test_without_a_word_the_enabled_rules_run_in_their_order():
    assert names() == ["a b", "c"]


def test_switches_work_one_after_the_other_and_what_is_enabled_again_comes_last():
    off, on = Switch(enable=False, rule="a*"), Switch(enable=True, rule="a*")
    assert names(off) == ["c"]
    assert names(off, on) == ["c", "a b"]
    assert names(on, off) == ["c"]
    assert names(on) == ["a b", "c"]


def test_a_tag_switches_all_that_have_it():
    assert names(Switch(enable=True, tag="u")) == ["a b", "c", "d b"]
    assert names(Switch(enable=False, tag="u")) == ["c"]


def test_a_switch_may_name_rules_and_a_tag():
    assert names(Switch(enable=False, rule="c", tag="t")) == []


def test_a_rule_below_the_least_priority_never_runs():
    assert names(Switch(enable=True, rule="*"), least=Priority.ERROR) == ["c"]
    assert names(Switch(enable=True, rule="*"), least=Priority.WARNING) == ["a b", "c"]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "", True),
        ("a", "a", True),
        ("a", "A", False),
        ("*", "", True),
        ("**", "anything", True),
        ("a*", "a", True),
        ("a*", "ab", True),
        ("a*", "ba", False),
        ("*a", "ba", True),
        ("*foo", "foo foo", False),
        ("*foo*", "foo foo", True),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("a**b", "ab", True),
        ("ab*b", "ab", False),
        ("?", "a", False),
        ("[a]", "a", False),
    ],
)
def test_a_star_is_the_only_wildcard_and_nothing_is_tried_twice(pattern, text, matches):
    assert matches_wildcard(pattern, text) is matches
