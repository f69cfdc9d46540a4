"""Lints of whole files: rules, lists and macros together, and several files."""

from pathlib import Path

import pytest

import lanner.docker
from lanner.docker import Docker
from lanner.rules import Catalog
from lanner.rules.lint import check_files
from lanner.rules.lint.hints import CODES
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.types import FieldInfo, FieldType

from .linting import CATALOG, marked_text, rules


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("x.a = a", "x.a = a"),
        ("x.a = a", "x.b = b and x.a = a"),
        ("x.a = a and x.b = b", "x.b = b and (x.n = 1 and x.a = a)"),
        ("x.a in (a, b)", "x.a = b and x.n = 1"),
        ("x.a in (a, b, c)", "x.a in (c, a)"),
        ("x.a = a or x.b = b", "x.b = b and x.n = 1"),
        ("x.a = a or x.b = b or x.n = 1", "x.n = 1 or x.a = a"),
        ("not x.a in (a)", "not x.a in (a) and x.b = b"),
        ("x.list in (a)", "x.list in (a) and x.b = b"),
    ],
)
def test_shadowed_rules(check, earlier, later):
    (finding,) = check(rules(earlier, later))
    assert (finding.code, finding.places[-1].name) == ("LINT_SHADOWED_RULE", "r1")
    assert "'r0' at" in finding.message


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("x.a = a and x.b = b", "x.a = a"),
        ("x.a = a", "x.a in (a, b)"),
        ("x.a = a\n  enabled: false", "x.a = a"),
        ("x.a = a", "x.a = a\n  enabled: false"),
        ("x.list in (a, b)", "x.list intersects (a)"),
        ("x.a = a", "x.map[k] = a"),
        ("x.a = a or x.b = b", "x.a = a or x.n = 1"),
    ],
)
def test_rules_that_are_not_shadowed(check, earlier, later):
    assert check(rules(earlier, later)) == ()


LISTS = "- list: allowed_users\n  items: [root_user, www_data]\n- macro: spawned_process\n  condition: x.b = b\n"


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("allowed_user", "If you mean the list, write `allowed_users`. If you mean the string, put it in quotes: 'allowed_user'."),
        ("Allowed_Users", "If you mean the list, write `allowed_users`. If you mean the string, put it in quotes: 'Allowed_Users'."),
        ("alowed_users", "If you mean the list, write `allowed_users`. If you mean the string, put it in quotes: 'alowed_users'."),
        (
            "spawned_process",
            "A macro is not a value: join it with `and` or `or`. If you mean the string, put it in quotes: 'spawned_process'.",
        ),
    ],
)
def test_a_word_that_is_nearly_a_list(check, word, advice):
    text = rules(f"x.a in (a, {word}) and spawned_process", "x.a in (allowed_users, b)", before=LISTS)
    assert [(each.code, marked_text(each), each.advice) for each in check(text)] == [("LINT_MISTYPED_NAME", word, advice)]


@pytest.mark.parametrize("word", ["'\"allowed_user\"'", "allowedusers", "some_user", "root_users", "user"])
def test_words_that_are_no_list(check, word):
    text = rules("x.a in (allowed_users) and spawned_process", f"x.b = c and x.a in (a, {word.strip(chr(39))})", before=LISTS)
    assert check(text) == ()


def test_what_is_defined_twice_in_a_file(check):
    lists = "- list: l\n  items: [a]\n- macro: m\n  condition: x.b = b\n"
    found = check(lists + lists + rules("x.n = 1") + rules("m and x.a in (l)"))
    assert [(each.code, each.place.line) for each in found] == [("LINT_REDEFINED", 5), ("LINT_REDEFINED", 7), ("LINT_REDEFINED", 16)]
    assert found[0].message == "The list 'l' is already defined at line 1; this definition replaces it."
    assert found[0].advice == "Remove one of them. To add to it, write `override: {items: append}` here."


def test_another_file_may_replace_and_the_same_may_append(check):
    lists = "- list: l\n  items: [a]\n- macro: m\n  condition: x.b = b\n"
    more = "- list: l\n  items: [b]\n  override: {items: append}\n"
    assert check(lists + more, lists, rules("m and x.a in (l)")) == ()


RISKY = [
    ("x.a = a or x.a = b", "and x.b exists", "applies only to the last of them"),
    ("x.a in (a) and x.b = b", "or x.b = c", "an alternative to all of them"),
    ("(x.a in (a)) and (x.b = b)", "or x.b = c", "an alternative to all of them"),
    ("x.a = a", "and x.b = b or x.b = c", "an alternative to the whole earlier condition"),
    ("(x.a = a or x.a = b)", "and x.b = b", ""),
    ("(x.a in (a) and x.b = b)", "or x.b = c", ""),
    ("x.a = a or x.a = b", "or x.b = b", ""),
    ("x.a = a", "and (x.b = b or x.b = c)", ""),
    ("x.a = a", "or x.b = b", ""),
]


@pytest.mark.parametrize(("before", "appended", "words"), RISKY)
@pytest.mark.parametrize("kind", ["macro", "rule"])
def test_an_append_that_groups_otherwise(check, kind, before, appended, words):
    first = rules(before) if kind == "rule" else f"- macro: r0\n  condition: {before}\n"
    found = check(f"{first}- {kind}: r0\n  condition: {appended}\n  override: {{condition: append}}\n")
    risky = [each for each in found if each.code == "LINT_APPENDED_PRECEDENCE"]
    assert [(words in each.message, marked_text(each)) for each in risky] == ([(True, appended)] if words else [])


@pytest.mark.parametrize(("item", "count"), [('"a,b"', 2), ("a,b,c", 3), ('"a, b"', 0), ("'\"a,b\"'", 0), ("a", 0)])
def test_a_comma_in_an_item(check, item, count):
    found = check(f"- list: l\n  items:\n    - {item}\n" + rules("x.a in (l)"))
    assert [marked_text(each) for each in found if each.code == "LINT_COMMA_IN_ITEM"] == ([item] if count else [])
    assert all(f"becomes {count} items" in each.message for each in found)


@pytest.mark.parametrize("word", ["spawned_proces", "spawned_processs", "spawned_procesz", "spawned_porcess"])
@pytest.mark.parametrize("condition", ["x.a = {}", "x.a contains {}", "x.a in (a, {})"])
def test_a_macro_misspelt_by_one_letter(check, condition, word):
    found = check(LISTS + rules("spawned_process", condition.format(word)))
    assert [each.message for each in found if each.code == "LINT_MISTYPED_NAME"] == [
        f"`{word}` is a string here, but its name is similar to the macro `spawned_process`."
    ]


def test_a_source_that_is_nearly_one(check):
    (finding,) = [each for each in check(rules("x.a = a").replace("source: x", "source: xx")) if each.code == "LOAD_UNKNOWN_SOURCE"]
    assert finding.advice == "Did you mean `source: x`?"


def test_what_is_missing(check):
    text = "- rule: A thing\n  desc: ' a Thing'\n  condition: x.a = a\n  output: it happened\n  priority: INFO\n  source: x\n"
    assert [(each.code, each.place.line) for each in check(text)] == [
        ("LINT_NO_TAGS", 1),
        ("LINT_NO_DESCRIPTION", 1),
        ("LINT_OUTPUT_WITHOUT_FIELDS", 4),
    ]


def test_unused_macros_and_lists(check):
    text = rules("named and x.a in (used)", before="- list: used\n  items: [a]\n- macro: named\n  condition: x.b = b\n")
    text += "- list: unused\n  items: [a]\n- macro: unused\n  condition: x.b = b\n"
    assert [(each.code, each.place.line) for each in check(text)] == [("LOAD_UNUSED_LIST", 12), ("LOAD_UNUSED_MACRO", 14)]


def test_everything_that_is_wrong_is_found_in_one_go(check):
    first = "- macro: m\n  condition: (x.a = a\n" + rules("x.nope = 1", "m", "x.a = a and", "x.a = a and x.a = b")
    second = "- rule: [\n"
    third = "- rule: r\n  desc: d\n- list: l\n  items: 5\n" + rules("nope").replace("got %x.a", "got %y.nope").replace("r0", "s")
    found = check(first, second, third)
    assert [(Path(each.place.file).name, each.place.line, each.code) for each in found] == [
        ("0.yaml", 2, "LOAD_ERR_COMPILE_CONDITION"),
        ("0.yaml", 5, "LOAD_ERR_COMPILE_CONDITION"),
        ("0.yaml", 19, "LOAD_ERR_COMPILE_CONDITION"),
        ("0.yaml", 26, "LINT_NEVER_TRUE"),
        ("1.yaml", 2, "LOAD_ERR_YAML_PARSE"),
        ("2.yaml", 1, "LOAD_ERR_YAML_VALIDATE"),
        ("2.yaml", 4, "LOAD_ERR_YAML_VALIDATE"),
        ("2.yaml", 7, "LOAD_ERR_VALIDATE"),
        ("2.yaml", 8, "LOAD_ERR_COMPILE_OUTPUT"),
    ]
    assert all(each.snippet for each in found)


def test_nothing_refers_to_a_later_file(check):
    macro = "- macro: m\n  condition: x.a = a\n"
    assert [(Path(each.place.file).name, each.code) for each in check(rules("m"), macro)] == [("0.yaml", "LOAD_ERR_VALIDATE")]
    assert check(macro, rules("m")) == ()


@pytest.mark.parametrize(
    ("condition", "macro"),
    [
        ("m14", "({0} or x.a = c) and ({0} or x.a = d)"),
        ("m14", "{0} or {0}"),
        ("m60", "not {0} or not (x.a exists)"),
        ("m60", "not ({0} and x.b = b)"),
    ],
)
def test_large_and_deep_conditions_are_looked_at(check, condition, macro):
    macros = "".join(
        f"- macro: m{n}\n  condition: {macro.format(f'm{n - 1}') if n else 'x.a = a'}\n" for n in range(int(condition[1:]) + 1)
    )
    found = check(rules(condition, "x.a = a and x.a = b", before=macros))
    assert [each.code for each in found if each.place.line > len(macros.splitlines()) + 7] == ["LINT_NEVER_TRUE"]


def test_the_shipped_rules():
    info = plugin_info(Docker)
    catalog = Catalog([declaration.info for declaration in info.fields], "docker")
    assert check_files([Path(lanner.docker.__file__).parent / "docker_rules.yaml"], catalog, plugins={"docker": info.version}) == ()


def test_every_code_is_explained():
    text = (Path(__file__).parents[2] / "docs" / "checking-rules.md").read_text("utf-8")
    assert [code for code in CODES if f"| `{code}` |" not in text] == []


OTHER = "- rule: {0}\n  desc: long enough\n  condition: {1}\n  output: o\n  priority: INFO\n  tags: [t]\n"


def test_what_rules_of_another_source_refer_to_is_used(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "- list: l\n  items: [a]\n- list: unused\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n"
        + OTHER.format("o", "m and evt.type = open")
        + OTHER.format("p", "m")
    )
    found = check_files([path], CATALOG)
    assert [each.places[0].name for each in found if each.code.startswith("LOAD_UNUSED")] == ["unused"]


def test_rules_of_an_unknown_source_are_one_finding_a_source(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "".join(OTHER.format(f"r{number}", "a.b = 1") for number in range(3)) + OTHER.format("s", "a.b = 1") + "  source: nope\n"
    )
    found = [each for each in check_files([path], CATALOG) if each.code == "LOAD_UNKNOWN_SOURCE"]
    assert [each.message for each in found] == ["Unknown source syscall, skipping 3 rules", "Unknown source nope, skipping"]
    assert all(len(each.render().splitlines()) <= 2 for each in found)


def test_rules_of_several_sources_are_checked_together(tmp_path):
    path = tmp_path / "rules.yaml"
    other = Catalog([FieldInfo("other.a", FieldType.STRING, "")], "other")
    path.write_text(OTHER.format("r", "other.a = 1 and other.nope = 1") + "  source: other\n")
    (error,) = [each for each in check_files([path], CATALOG, other) if each.severity == "error"]
    assert "other.nope" in error.message
    assert "other.a" in error.advice
