"""Falco's -L descriptions of rules, macros and lists."""

import json
import lzma
from pathlib import Path

import pytest

from lanner.rules.check.syscall import SyscallCatalog
from lanner.rules.condition.falco_unparse import show
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language.catalog import Catalog
from lanner.rules.report.descriptions import describe, table
from lanner.rules.report.validator import Validator
from lanner.sdk.types import Argument, FieldInfo, FieldType

MACRO_EVENTS = Path(__file__).parents[1] / "data" / "macro-events.jsonl.xz"
FIELDS = [
    FieldInfo("kv.str", FieldType.STRING, ""),
    FieldInfo("kv.num", FieldType.UINT64, ""),
    FieldInfo("kv.map", FieldType.STRING, "", argument=Argument(key=True, required=True)),
]
TEXT = """\
- required_engine_version: 0.50.0
- required_engine_version: 0.20.0
- required_plugin_versions: [{name: kv, version: 0.1.0, alternatives: [{name: other, version: 1.0.0}]}]
- list: inner
  items: [a, "b c"]
- list: l
  items: [inner, d]
- macro: m
  condition: kv.str in (l)
- macro: opening
  condition: evt.type in (open, openat)
- rule: r
  desc: about
  condition: m or not kv.map[x] = oneof (1, 2)
  output: "  %kv.map[k] %container.info%tolower(kv.str)"
  priority: info
  source: kv
  tags: [t2, t1]
  capture: true
  capture_duration: 5
  exceptions:
    - name: e
      fields: [kv.str, kv.num]
      comps: [=, in]
      values: [[q, [1, 2]]]
    - name: unused
      fields: kv.num
- rule: calls
  desc: d
  condition: opening
  output: o
  priority: DEBUG
  enabled: false
"""


@pytest.fixture
def loaded():
    validator = Validator([Catalog(FIELDS, "kv"), SyscallCatalog()], {"kv": "0.1.0"})
    assert validator.load("r.yaml", TEXT).successful
    return validator


def test_a_rule(loaded):
    (rule,) = describe(loaded, (), "r")["rules"]
    assert rule["info"] == {
        "name": "r",
        "condition": "m or not kv.map[x] = oneof (1, 2)",
        "priority": "Informational",
        "output": "%kv.map[k] %container.info%tolower(kv.str)",
        "description": "about",
        "enabled": True,
        "source": "kv",
        "capture": True,
        "capture_duration": 5,
        "tags": ["t1", "t2"],
    }
    assert rule["details"] == {
        "macros": ["m"],
        "lists": [],
        "condition_operators": ["=", "= oneof", "in"],
        "condition_fields": ["kv.map[x]", "kv.num", "kv.str"],
        "condition_compiled": '((kv.str in (a, "b c", d) or not kv.map[x] = oneof (1, 2)) and not (kv.str = q and kv.num in (1, 2)))',
        "output_fields": ["kv.map[k]", "kv.str"],
        "output_compiled": "%kv.map[k] %tolower(kv.str)",
        "exception_fields": ["kv.num", "kv.str"],
        "exception_names": ["e", "unused"],
        "exception_operators": ["=", "in"],
        "events": ["asyncevent", "pluginevent"],
        "plugins": [],
    }


def test_everything(loaded):
    described = describe(loaded, ())
    assert [rule["info"]["name"] for rule in described["rules"]] == ["r", "calls"]
    assert described["required_engine_version"] == "0.50.0"
    assert described["required_plugin_versions"] == [
        {"name": "kv", "version": "0.1.0", "alternatives": [{"name": "other", "version": "1.0.0"}]}
    ]
    macro, opening = described["macros"]
    assert macro["info"] == {"name": "m", "condition": "kv.str in (l)"}
    assert (macro["details"]["lists"], macro["details"]["used"]) == (["l"], True)
    assert macro["details"]["condition_compiled"] == 'kv.str in (a, "b c", d)'
    assert opening["details"]["events"] == ["asyncevent", "open", "openat"]
    inner, outer = described["lists"]
    assert inner["info"] == {"name": "inner", "items": ["a", "b c"]}
    assert outer["info"] == {"name": "l", "items": ["d"]}
    assert outer["details"] == {"used": True, "lists": ["inner"], "items_compiled": ["a", "b c", "d"], "plugins": []}
    assert described["rules"][1]["details"]["events"] == ["asyncevent", "open", "openat"]


def test_a_rule_that_is_not_loaded(loaded):
    with pytest.raises(KeyError):
        describe(loaded, (), "nope")


def test_the_table_wraps_descriptions():
    text = " ".join(["word"] * 12)
    lines = table({"rules": [{"info": {"name": "r", "description": text}}]}).split("\n")
    assert lines[:2] == [f"{'Rule':50} Description", f"{'----':50} -----------"]
    assert lines[2:] == [f"{'r':50} {'word ' * 11}", f"{'':51}word ", ""]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("a.b = 1 and c.d exists or m", "((a.b = 1 and c.d exists) or m)"),
        ("not (a.b = 'x y' or a.b = \"q'\")", 'not (a.b = "x y" or a.b = "q\'")'),
        ("a.b[''] startswith oneof (\"\\n\", x)", 'a.b[""] startswith oneof ("\\n", x)'),
        ('a.b = "" and a.b contains "" or a.b in ("", x)', "((a.b =  and a.b contains ) or a.b in (, x))"),
        ("join(',', (a.b, 'x=')) = getopt(a.b, 'x:')[x] and a.b = val(c.d[k])", 'join(,,(a.b,"x=")) = getopt(a.b,x:)[x]'),
    ],
)
def test_falcos_text_of_a_condition(condition, shown):
    assert shown in show(parse(condition))


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ('tolower("X") = x', "binary"),
        ('kv.num > 1 and tolower("X") = kv.str', "binary"),
        ('tolower("X") = val(kv.str)', "binary"),
        ('kv.num > 1 or not join(",", ()) = ""', "binary"),
        ('join(",", ("a", "b")) in (a)', "binary"),
        ('concat("a", toupper("x")) exists', "unary"),
        ('concat("a", kv.str) = x', ""),
        ("tolower(kv.str) exists", ""),
    ],
)
@pytest.mark.parametrize("macro", [False, True])
def test_a_condition_that_names_no_field_on_the_left_is_not_described(condition, kind, macro):
    other = "- rule: other\n  desc: d\n  condition: kv.num > 1\n  output: o\n  priority: INFO\n  source: kv\n"
    text = other.replace("other", "r").replace("kv.num > 1", "m" if macro else f"'{condition}'")
    validator = Validator([Catalog(FIELDS, "kv")], {"kv": "0.1.0"})
    assert validator.load("r.yaml", f"- macro: m\n  condition: '{condition if macro else 'kv.num > 1'}'\n{text}{other}").successful
    assert describe(validator, [], "other")["rules"]
    for name in ("r", None):
        if not kind:
            assert describe(validator, [], name)["rules"]
            continue
        with pytest.raises(ConditionError) as caught:
            describe(validator, [], name)
        assert str(caught.value) == f"can't find field info in {kind} check expression"


def _described(condition):
    macro = {"macro": "m", "condition": condition}
    rule = {"rule": "r", "desc": "d", "condition": "evt.type = open", "output": "o", "priority": "INFO"}
    validator = Validator([SyscallCatalog()], {})
    assert validator.load("r.yaml", json.dumps([macro, rule])).successful
    try:
        return describe(validator, ())["macros"][0]["details"]["events"]
    except ConditionError as error:
        return error.message


def test_events_of_macros_are_those_that_falco_prints():
    """A line of the data: a macro's condition, and the events that Falco 0.44.1 prints for it, or the error that ends it."""
    lines = lzma.decompress(MACRO_EVENTS.read_bytes()).decode().splitlines()
    wrong = [(condition, expected) for condition, expected in map(json.loads, lines) if _described(condition) != expected]
    assert not wrong


def test_a_condition_whose_lists_complete_its_syntax_cannot_be_described():
    rules = [
        {"list": "equals", "items": ["="]},
        {"rule": "r", "desc": "d", "condition": "proc.name equals cat", "output": "o", "priority": "INFO"},
    ]
    validator = Validator([SyscallCatalog()], {})
    assert validator.load("r.yaml", json.dumps(rules)).successful
    with pytest.raises(ConditionError, match="expected a valid check operator"):
        describe(validator, ())
