"""The index of a plan: the rules that an event's values select."""

import pytest

from lanner.native._executor import Executor
from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.native_program import make_program
from lanner.rules.plan.plan import make_plan, requirements
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog(
    [
        *(FieldInfo(f"x.{letter}", FieldType.STRING, "") for letter in "abcdefghij"),
        FieldInfo("x.n", FieldType.UINT64, ""),
        FieldInfo("x.list", FieldType.STRING, "", is_list=True),
        FieldInfo("x.net", FieldType.IPNET, ""),
    ],
    "x",
)


def plan_of(*texts):
    fields = FieldTable()
    trees = [check(parse(text), CATALOG, fields).tree for text in texts]
    return make_plan(trees, fields.requests)


def index_of(*texts):
    plan = plan_of(*texts)
    return {plan.fields[field.slot].name: dict(field.rules) for field in plan.index.fields}, plan.index.always


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.a = 1", {"x.a": {"1"}}),
        ("x.a in (1, 2)", {"x.a": {"1", "2"}}),
        ("x.a intersects (1, 2)", {"x.a": {"1", "2"}}),
        ("x.a = anyof (1, 2)", {"x.a": {"1", "2"}}),
        ("x.a = oneof (1, 2)", {}),
        ("x.a in ()", {"x.a": set()}),
        ("x.a = 1 and x.b = 2", {"x.a": {"1"}, "x.b": {"2"}}),
        ("x.a in (1, 2) and x.a in (2, 3)", {"x.a": {"2"}}),
        ("x.a = 1 or x.a = 2", {"x.a": {"1", "2"}}),
        ("x.a = 1 or x.b = 2", {}),
        ("(x.a = 1 and x.b = 2) or (x.a = 3 and x.c = 2)", {"x.a": {"1", "3"}}),
        ("x.a = 1 and (x.b = 2 or x.b contains 3)", {"x.a": {"1"}}),
        ("x.a = 1 and not x.b = 2", {"x.a": {"1"}}),
        ("not x.a = 1", {}),
        ("not (not x.a = 1)", {"x.a": {"1"}}),
        ("not (not x.a = 1 or x.b = 2)", {"x.a": {"1"}}),
        ("not (not x.a = 1 and not x.a = 2)", {"x.a": {"1", "2"}}),
        ("not (not x.a = 1 and x.b = 2)", {}),
        ("not (x.a != 1)", {}),
        ("x.a != 1", {}),
        ("x.a exists", {}),
        ("x.a = val(x.b)", {}),
        ("tolower(x.a) = a", {}),
        ("x.list in (a)", {}),
        ("x.net in (10.0.0.0/8)", {}),
    ],
)
def test_what_must_hold_for_a_condition_is_read_off_it(text, expected):
    plan = plan_of(text)
    assert {plan.fields[slot].name: values for slot, values in requirements(plan.conditions[0]).items()} == expected


def test_rules_are_found_by_the_value_that_the_fewest_share():
    assert index_of("x.a = t and x.b = 1", "x.a = t and x.b = 2", "x.a = t and x.b in (2, 3)") == (
        {"x.b": {"1": (0,), "2": (1, 2), "3": (2,)}},
        (),
    )


def test_rules_that_require_no_value_are_always_candidates():
    assert index_of("x.a = 1", "x.b contains 1", "x.a = 1 or x.b = 1") == ({"x.a": {"1": (0,)}}, (1, 2))


def test_a_rule_that_can_never_match_is_no_candidate():
    assert index_of("x.a = 1 and x.a = 2", "x.a = 1") == ({"x.a": {"1": (1,)}}, ())


def test_an_event_is_asked_for_few_values_only():
    plan = plan_of(*(f"x.{letter} = {number}" for letter in "abcdefghij" for number in range(1 if letter > "f" else 2)))
    assert [plan.fields[field.slot].name for field in plan.index.fields] == ["x.a", "x.b", "x.c", "x.d", "x.e", "x.f"]
    assert len(plan.index.always) == 4


@pytest.mark.parametrize(
    "form",
    [
        "x.b = v{0}",
        "x.b in (v{0}, w{0})",
        "x.b startswith v{0}-",
        "x.b icontains V{0}-",
        "x.b endswith -v{0}",
        "x.b glob '*v{0}-?'",
        "x.b regex '(v{0}|w{0})-.*'",
        "x.b regex 'v{0}-|w{0}-'",
        "x.b pmatch (/usr/v{0}, /usr/*/w{0})",
        "x.n = {0}",
        "x.n in ({0}, 5{0})",
        "(x.b = v{0} or x.n = {0})",
        "(x.b startswith v{0}- and x.n > 3 or x.c contains w{0}-)",
        "not (not x.b = v{0})",
        "not (not x.b startswith v{0}- or x.c = {0})",
        "x.list intersects (v{0}, w{0})",
        "tolower(x.b) = v{0}",
        "x.n > {0}",
        "x.c exists",
    ],
)
def test_rules_that_an_event_cannot_match_are_not_evaluated(form):
    """1,000 rules share a value and differ in another one; the event has the shared value only, or also that of a few rules."""
    plan = plan_of(*(f"x.a = t and {form.format(number)}" for number in range(1000)))
    native = Executor(make_program(plan, [("absent",)] * len(plan.fields)), False)
    names = [each.name for each in plan.fields]

    def evaluated(**values):
        before = native.evaluated()
        native.match(tuple(values.get(name[2:]) for name in names))
        return native.evaluated() - before

    assert evaluated(a=b"t") == 0
    if form not in {"x.n > {0}", "x.c exists"}:  # any value may be enough for these
        assert evaluated(a=b"t", b=b"other", c=b"other", n=100_000, list=(b"other",)) == 0
        own = [b"v723", b"723-v723-w723-/usr/v723/v723-5", b"x-v723"]
        found = [evaluated(a=b"t", b=value, c=b"w723-", n=723, list=(b"v723",)) for value in own]
        assert 1 <= max(found) < 10


def test_a_plan_is_plain_data():
    assert plan_of("x.a = 1 and x.b regex 'a*'") == plan_of("x.a = 1 and x.b regex 'a*'")
