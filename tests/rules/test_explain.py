"""An explanation agrees with the executor part by part, with the names in the file."""

import json

import pytest

from lanner.rules import Catalog, Executor, compile_rules, load_rules_text
from lanner.rules.report.explainer import Explainer
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog(
    [
        *(FieldInfo(f"x.{letter}", FieldType.STRING, "") for letter in "abc"),
        FieldInfo("x.list", FieldType.STRING, "", is_list=True),
        FieldInfo("x.address", FieldType.IPADDR, ""),
    ],
    "x",
)
MACROS = """
- list: few
  items: [one, "two three"]
- list: many
  items: [few, four]
- list: none
  items: []
- macro: inner
  condition: x.a in (many, five)
- macro: outer
  condition: inner
- macro: wide
  condition: (x.b = 0 or x.b = 1 or x.b = 2 or x.b = 3 or x.b = 4 or x.b = 5)
"""


class Watch:
    """One rule over events that are dicts from field name to value."""

    def __init__(self, condition, exceptions=()):
        rule = {"rule": "R", "desc": "d", "condition": condition, "output": "o", "priority": "INFO", "source": "x"}
        ruleset = load_rules_text(MACROS + f"- {json.dumps(rule | {'exceptions': list(exceptions)})}\n", CATALOG)
        plan = compile_rules(ruleset, CATALOG).plan
        self.executor = Executor(plan, lambda slot: self.event.get(plan.fields[slot].name))
        self.explainer = Explainer(ruleset.rules[0], plan, 0, self.executor)

    def explain(self, **event):
        self.event = {f"x.{name}": value for name, value in event.items()}
        self.executor.match()
        return self.explainer.explain(7, "the event")

    def tree(self, **event):
        return self.explain(**event).text(full=True).split("\n\n")[1].splitlines()


def test_macros_and_lists_keep_their_names_and_tests_have_values():
    found = Watch("outer and not x.b exists").explain(a="two three")
    assert found.text().splitlines() == [
        '"R" (rules.yaml:14:3) matches event 7:',
        "    the event",
        "",
        "yes  all of",
        'yes    macro outer: macro inner: x.a in (many, five)   -> "two three"',
        "yes    not x.b exists   -> no value",
        "",
        'many: (one, "two three", four)',
    ]


def test_the_first_part_that_says_no_is_marked_and_no_other():
    assert Watch("outer and (x.b = 1 or x.b = 2) and x.c = 3").tree(a="one", b="7") == [
        "no   all of",
        'yes    macro outer: macro inner: x.a in (many, five)   -> "one"',
        "no     one of   <-- the first part that is false",
        'no       x.b = 1   -> "7"',
        'no       x.b = 2   -> "7"',
        "no     x.c = 3   -> no value",
    ]
    assert Watch("not (x.a = 1 and x.b exists)").tree(a="1", b="7") == [
        "no   not all of   <-- the first part that is false",
        'yes    x.a = 1   -> "1"',
        'yes    x.b exists   -> "7"',
    ]


def test_the_mark_is_inside_of_what_has_to_hold_as_a_whole():
    tree = Watch("x.a exists and (x.b exists and x.c != 1)").tree(a="1", b="2")
    assert [line for line in tree if "<--" in line] == ["no       x.c != 1   -> no value   <-- the first part that is false"]


def test_exceptions_have_their_names():
    exceptions = [
        {"name": "known", "fields": ["x.b", "x.c"], "comps": ["=", "startswith"], "values": [["1", "2"]]},
        {"name": "single", "fields": "x.c", "values": ["few", "z"]},
    ]
    assert Watch("x.a = 1", exceptions).tree(a="1", b="1", c="23") == [
        "no   all of",
        'yes    x.a = 1   -> "1"',
        "no     exception known: not all of   <-- the first part that is false",
        'yes      x.b = 1   -> "1"',
        'yes      x.c startswith 2   -> "23"',
        'yes    exception single: not x.c in (one, "two three", z)   -> "23"',
    ]


def test_what_a_transformer_makes_stands_beside_what_it_is_made_of():
    assert Watch("tolower(x.a) = ab and x.c = concat(x.a, x.b) and len(x.list) > 1 and x.address = 10.0.0.1").tree(
        a="AB", b="ab", c="ABab", list=("p", "q"), address=bytes([10, 0, 0, 1])
    ) == [
        "yes  all of",
        'yes    tolower(x.a) = ab   -> "ab"; x.a "AB"',
        'yes    x.c = concat(x.a, x.b)   -> "ABab"; concat(x.a, x.b) "ABab"; x.a "AB"; x.b "ab"',
        'yes    len(x.list) > 1   -> 2; x.list ["p", "q"]',
        'yes    x.address = 10.0.0.1   -> "10.0.0.1"',
    ]


LONG = "x.c exists and (x.a = long or " + " or ".join(f"x.b = {number}" for number in range(20)) + ")"


def shorten(condition, **event):
    text = Watch(condition).explain(**event).text()
    return text.split("\n\n")[1].splitlines()


def test_of_a_long_condition_that_holds_the_true_alternative_is_shown():
    assert shorten(LONG, c="x", b="3") == [
        "yes  all of",
        'yes    x.c exists   -> "x"',
        "yes    one of",
        'yes      x.b = 3   -> "3"',
        "         ... and 20 other alternatives",
    ]


def test_of_a_long_condition_that_does_not_hold_the_first_false_part_is_shown():
    assert shorten(LONG, c="x", b="99") == [
        "no   all of",
        "no     one of   <-- the first part that is false",
        "no       x.a = long   -> no value",
        'no       x.b = 0   -> "99"',
        'no       x.b = 1   -> "99"',
        'no       x.b = 2   -> "99"',
        "         ... and 17 more that are false",
        "       ... and 1 that is true",
    ]


def test_other_false_parts_of_a_long_condition_have_one_line():
    assert shorten(LONG, b="99") == [
        "no   all of",
        "no     x.c exists   -> no value   <-- the first part that is false",
        "no     one of",
    ]


def test_the_full_text_has_every_part():
    found = Watch(LONG).explain(c="x", b="3")
    assert len(found.text(full=True).split("\n\n")[1].splitlines()) == 24


def test_the_short_text_names_only_the_lists_of_its_parts():
    found = Watch(f"x.c in (few) and x.a in (many) and ({LONG})").explain(c="one", a="nine")
    assert "many: " in found.text()
    assert "few: " not in found.text()
    assert "few: " in found.text(full=True)


def test_json_has_all_of_it():
    found = Watch("wide and x.a in (few)").explain(b="3").as_dict()
    assert found["matches"] is False
    assert found["lists"] == {"few": ["one", "two three"]}
    wide, last = found["condition"]["parts"]
    assert [part["holds"] for part in wide["parts"]] == [False, False, False, True, False, False]
    assert (wide["kind"], wide["macros"]) == ("one", ["wide"])
    assert last == {"kind": "test", "holds": False, "text": "x.a in (few)", "values": {"x.a": None}, "says_no_first": True}


def test_an_event_cannot_drive_the_terminal():
    assert "\x1b" not in Watch("x.a exists").explain(a="\x1b[2J").text()


@pytest.mark.parametrize(
    ("condition", "event", "progress"),
    [
        ("x.a = 1 and x.b = 1", {"a": "2", "b": "1"}, 0),
        ("x.a = 1 and x.b = 1", {"a": "1", "b": "2"}, 0.5),
        ("x.a = 1 and (x.b = 1 and x.c = 1)", {"a": "1", "b": "1"}, 0.75),
        ("(x.a = 1 or (x.b = 1 and x.c = 1)) and x.list exists", {"b": "1"}, 0.25),
        ("x.a = 1 and not x.b = 1", {"a": "1"}, 1),
    ],
)
def test_progress_is_the_share_that_held_before_the_first_no(condition, event, progress):
    watch = Watch(condition)
    watch.explain(**event)
    assert watch.explainer.progress() == progress


def consistent(part):
    """Return whether each part's result follows from its children's."""
    inner = [child.holds for child in part.parts]
    expected = {"all": all, "one": any, "not": lambda inner: not inner[0], "test": lambda _: part.holds}[part.kind](inner)
    return part.holds == expected and all(map(consistent, part.parts))


def marked(part):
    return part.marked + sum(map(marked, part.parts))


def test_explanations_of_the_corpus_say_what_the_executor_says(corpus, kv):
    cases = [case["condition"] for case in corpus.cases("conditions.jsonl") if case["expect"]["load"] == "ok"][::7]
    rule = {"desc": "d", "output": "o", "priority": "INFO", "source": "kv"}
    text = "".join(f"- {json.dumps(rule | {'rule': f'r{number}', 'condition': case})}\n" for number, case in enumerate(cases))
    ruleset = load_rules_text(text, kv.catalog)
    plan = compile_rules(ruleset, kv.catalog).plan
    event = 0
    executor = Executor(plan, lambda slot: kv.value(event, plan.fields[slot].name, plan.fields[slot].argument), first=False)
    explainers = [Explainer(each, plan, number, executor) for number, each in enumerate(ruleset.rules)]
    assert len(explainers) > 100
    for event in list(kv.numbers())[::3]:
        matches = set(executor.match())
        for number, explainer in enumerate(explainers):
            found = explainer.explain(event, "")
            assert found.holds == (number in matches) == (explainer.progress() == 1), cases[number]
            assert consistent(found.part), cases[number]
            assert marked(found.part) == (not found.holds), cases[number]
            found.text()
            json.dumps(found.as_dict())
