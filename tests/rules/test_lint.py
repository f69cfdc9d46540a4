"""Lints of one condition: each finds its kind of mistake, with its place, and nothing similar."""

import pytest

from .linting import marked_text, rules


@pytest.mark.parametrize(
    ("condition", "culprit"),
    [
        ("x.a = a and x.a = b", "x.a = b"),
        ("x.a = a and (x.b = c and x.a = b)", "x.a = b"),
        ("x.a in (a, b) and x.b exists and x.a in (c, d)", "x.a in (c, d)"),
        ("x.a in (a, b) and not x.a in (b, a)", "x.a in (b, a)"),
        ("x.a = abc and not x.a startswith ab", "x.a startswith ab"),
        ("x.a startswith ab and x.a startswith b", "x.a startswith b"),
        ("x.a endswith a and not x.a endswith a", "x.a endswith a"),
        ("x.a = a and not x.a exists", "x.a exists"),
        ("x.a regex a+ and x.a = b", "x.a = b"),
        ("x.a in ()", "x.a in ()"),
        ("x.a = a and (x.a = b or x.a = c)", "x.a = b or x.a = c"),
        ("x.n > 5 and x.n < 5", "x.n < 5"),
        ("x.n > 5 and x.n < 6", "x.n < 6"),
        ("x.n >= 7 and not x.n > 6", "x.n > 6"),
        ("x.n < 0", "x.n < 0"),
        ("x.n = 3 and x.n > 4", "x.n > 4"),
        ("len(x.a) = 3 and len(x.a) > 4", "len(x.a) > 4"),
        ("x.flag = true and x.flag = false", "x.flag = false"),
        ("x.ip = 1.2.3.4 and x.ip = 1.2.3.5", "x.ip = 1.2.3.5"),
        ("x.list in (a) and not x.list in (a)", "x.list in (a)"),
        ("x.map[k] = a and x.map[k] = b", "x.map[k] = b"),
        ("x.a = val(x.b) and not x.a = val(x.b)", "x.a = val(x.b)"),
    ],
)
def test_never_true(marked, condition, culprit):
    assert ("LINT_NEVER_TRUE", culprit) in marked(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "x.a = a and x.b = b",
        "x.a = a or x.a = b",
        "x.map[k] = a and x.map[l] = b",
        "x.list intersects (a) and x.list intersects (b)",
        "x.a in (a, b) and x.a in (b, c)",
        "x.a startswith a and x.a startswith ab and x.a endswith b",
        "not x.a = a and not x.a startswith a and not x.b exists",
        "x.n > 5 and x.n < 7 and x.n = 6",
        "x.n >= 5 and x.n <= 5",
        "x.a = a and (x.a = b or x.b = c)",
        "x.a regex a+ and x.a = aa",
        "x.net = 10.0.0.0/8 and x.net = 10.1.0.0/16",
        "tolower(x.a) = a and x.a = A",
        "not x.flag = true and x.b = b",
    ],
)
def test_what_may_be_true(marked, condition):
    assert [code for code, _ in marked(condition) if code in {"LINT_NEVER_TRUE", "LINT_ALWAYS_TRUE"}] == []


def test_an_alternative_that_is_never_true(marked):
    assert marked("x.b = c or (x.a = a and x.a = b)") == [("LINT_NEVER_TRUE", "x.a = b")]


def test_a_macro_that_fits_only_in_part_is_no_finding(marked):
    assert marked("x.a = a and some", "- macro: some\n  condition: (x.a = a or x.a = b)\n") == []


def test_what_is_never_true_is_said_where_a_macro_says_it(check):
    macro = "- macro: both\n  condition: x.a = a and x.a = b\n"
    (finding,) = check(rules("both", "both and x.b = c", before=macro))[:1]
    assert (finding.place.line, finding.place.column) == (2, 26)


def test_a_list_that_is_to_be_filled(marked):
    empty = "- list: allowed\n  items: []\n"
    assert marked("x.a exists and not x.a in (allowed)", empty) == []
    assert marked("x.b = b or x.a in (allowed)", empty) == []
    assert marked("x.a in (allowed)", empty) == [("LINT_NEVER_TRUE", "x.a in (")]
    assert marked("x.a in (allowed)\n  enabled: false", empty) == []


@pytest.mark.parametrize(
    ("condition", "culprit"),
    [
        ("x.b = b and (x.a = a or not x.a = a)", "x.a = a or not x.a = a"),
        ("x.b = b and not x.a in ()", "not x.a in ()"),
        ("x.b = b and (x.a != a or x.a != b)", "x.a != a or x.a != b"),
        ("x.b = b and (x.n < 10 or x.n > 5)", "x.n < 10 or x.n > 5"),
        ("x.b = b and x.n >= 0", "x.n >= 0"),
        ('x.b = b and x.a contains ""', 'x.a contains ""'),
        ("x.b = b and x.a glob *", "x.a glob *"),
        ("x.b = b and (x.flag = true or x.flag = false)", "x.flag = true or x.flag = false"),
        ("x.b = b and not (x.a = a and x.a = b)", "not (x.a = a and x.a = b)"),
    ],
)
def test_always_true(marked, condition, culprit):
    assert ("LINT_ALWAYS_TRUE", culprit) in marked(f"'{condition}'")


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("x.a != a or x.a != b", "Join two `!=` with `and`, "),
        ("x.n >= 0 or x.a = b", "`x.n >= 0` is true for every value by itself: "),
        ("x.n < 10 or x.n > 5", "The alternatives cover every value: correct one of them, or write `x.n exists` "),
        ("x.flag = true or x.flag = false", "The alternatives cover every value: correct one of them, or write `x.flag exists` "),
        ("x.n >= 0", "Remove it, or write `x.n exists` "),
    ],
)
def test_the_advice_on_what_is_always_true_fits_the_case(check, condition, advice):
    found = [finding for finding in check(rules(f"x.b = b and ({condition})")) if finding.code == "LINT_ALWAYS_TRUE"]
    assert found[0].advice.startswith(advice)


@pytest.mark.parametrize(
    "condition", ["x.a exists or x.a = a", "x.n < 5 or x.n > 5", "x.n > 0", "x.a = a or x.a startswith b", "x.a glob a*"]
)
def test_what_is_not_always_true(marked, condition):
    assert marked(condition) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("tolower(x.a) = Abc", "x.a) is never 'Abc': tolower() has no capital letters"),
        ("toupper(x.a) in (ABC, abc)", "is never 'abc': toupper() has no small letters"),
        ("basename(x.a) startswith /bin", "basename() has no slash"),
        ("x.n = -1", "numbers here are not negative"),
        ("x.n = 18446744073709551616", "it does not fit into 64 bits"),
        ("evt.source = syscall", "the rule matches only events of the source 'x'"),
        ("evt.is_async = true", "a plugin's events are not asynchronous"),
    ],
)
def test_impossible_values(check, condition, words):
    (finding,) = check(rules(condition))
    assert (finding.code, marked_text(finding)) == ("LINT_IMPOSSIBLE_VALUE", condition)
    assert words in finding.message


@pytest.mark.parametrize(
    "condition",
    [
        "tolower(x.a) = abc",
        "tolower(x.a) glob A*",
        "basename(x.a) = sh",
        "x.n = 18446744073709551615",
        "evt.source = x",
        "x.n > 00000000000000000000000001",
    ],
)
def test_possible_values(marked, condition):
    assert marked(condition) == []


@pytest.mark.parametrize("condition", ["x.a > 5", "x.a <= 0x10", "tolower(x.a) < 5", "x.map[k] >= 1", "evt.hostname < 1"])
def test_texts_in_order(check, condition):
    (finding,) = [each for each in check(rules(condition)) if each.code == "LINT_TEXT_ORDER"]
    assert marked_text(finding) == condition
    assert finding.message == f"`{condition}` compares strings, character by character: '10' is less than '5'."
    assert "must be a number in its plugin (.integer())" in finding.advice


@pytest.mark.parametrize("condition", ["x.n > 5", "len(x.a) > 5", "x.a = 5", "evt.num < 5", "x.a > val(x.b)"])
def test_other_orders(marked, condition):
    assert "LINT_TEXT_ORDER" not in {code for code, _ in marked(condition)}


@pytest.mark.parametrize(
    ("condition", "culprit"),
    [
        ("x.b = b and x.a != a", "x.a != a"),
        ("x.b = b and not x.a = a", "x.a = a"),
        ("x.a != a and x.a != b", "x.a != a"),
        ("x.n != 0", "x.n != 0"),
    ],
)
def test_fields_that_may_be_absent(marked, condition, culprit):
    assert ("LINT_ABSENT_FIELD", culprit) in marked(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "x.a exists and x.a != a",
        "x.a startswith a and x.a != ab",
        "(x.a startswith a or x.a in (b, c)) and not x.a = ab",
        "x.b = b and (not x.a exists or x.a != a)",
        'x.a != ""',
        "evt.num != 1",
        "x.b = b and not x.a in (a, b)",
        "x.b = b and not x.a contains a",
        "x.b startswith b and not (x.a = a and x.n = 1)",
    ],
)
def test_fields_that_are_there_or_known_to_be_absent(marked, condition):
    assert marked(f"'{condition}'") == []


def test_an_exception_is_for_events_with_its_fields(check):
    own = rules("x.b = b") + "  exceptions:\n  - name: known\n    fields: [x.a]\n    comps: [=]\n    values: [[a]]\n"
    assert check(own) == check(rules("x.b = b"))
    assert [finding.code for finding in check(own.replace("x.b = b", "x.b = b and not x.a = b", 1))] == ["LINT_ABSENT_FIELD"]


NEGATED = "- macro: health\n  condition: {}\n"


@pytest.mark.parametrize("macro", ["x.a = a", "x.a = a or x.a startswith b", "x.a exists and (x.a = a or x.a startswith b)"])
def test_a_negated_macro_is_reported_at_its_negation(check, marked, macro):
    before = NEGATED.format(macro)
    (finding,) = check(rules("x.b = b and not health", before=before))
    assert (finding.code, marked_text(finding)) == ("LINT_ABSENT_FIELD", "not health")
    assert finding.message == "`not health` is true if an event has no x.a, which the macro 'health' compares."
    assert "`(x.a exists and not health)` here" in finding.advice
    assert marked("x.b = b and (x.a exists and not health)", before=before) == []


def test_a_negated_macro_of_several_fields_is_one_finding(check, marked):
    before = NEGATED.format("x.a = a or x.b = b or x.b = c")
    (finding,) = check(rules("x.n = 1 and not health", before=before))
    assert finding.message == "`not health` is true if an event has no x.a or x.b, which the macro 'health' compares."
    assert "`(x.a exists and x.b exists and not health)` here" in finding.advice
    assert marked("x.n = 1 and (x.a exists and x.b exists and not health)", before=before) == []


def test_a_negated_macro_within_a_macro_is_reported_where_the_not_is(check):
    before = NEGATED.format("x.a = a") + "- macro: ill\n  condition: x.b = b and not health\n"
    (finding,) = check(rules("ill", before=before))
    assert (marked_text(finding), finding.place.line) == ("not health", 4)


@pytest.mark.parametrize("name", ["never", "never_true", "user_never"])
def test_macros_that_match_nothing_are_left_alone(marked, name):
    before = f"- macro: {name}\n  condition: (x.n = 999999)\n- macro: user_known\n  condition: ({name})\n"
    assert marked("x.b = b and not user_known", before=before) == []


def test_exceptions_are_no_trouble(marked):
    exceptions = "\n  exceptions:\n    - name: known\n      fields: [x.b, x.n]\n      comps: [=, =]\n      values: [[b, 1]]"
    assert marked(f"x.a in (a){exceptions}") == []


def test_what_is_said_of_absent_fields(check):
    (finding,) = check(rules("x.b = b and x.a != a"))
    assert finding.message == "`x.a != a` is false if an event has no x.a."
    assert finding.advice == "To include such events, write `not x.a = a`; to exclude them, write `x.a exists and` before."


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        ("abc", '= "abc"'),
        ("^abc$", '= "abc"'),
        ("abc.*", 'startswith "abc"'),
        (".*abc", 'endswith "abc"'),
        (".*a b.*", 'contains "a b"'),
        (r"a\\.b.*", 'startswith "a.b"'),
        ("(sh|ba\\\\.sh)", 'in ("sh", "ba.sh")'),
    ],
)
def test_simple_regexes(check, pattern, instead):
    found = check(rules(f"""'x.a regex "{pattern}"'"""))
    assert [each.code for each in found] == ["LINT_SIMPLE_REGEX"]
    assert found[0].advice == f"Write `x.a {instead}`."


@pytest.mark.parametrize("pattern", ["a.c", "ab+", "a.*c", "[ab]", "(a|b)c", ".*", "a?", "(a|b.*)"])
def test_real_regexes(check, pattern):
    assert "LINT_SIMPLE_REGEX" not in [each.code for each in check(rules(f"""'x.a regex "{pattern}"'"""))]
