"""Rules match as in a naive implementation of their conditions, and the lints' claims about conditions are true for every event."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanner.rules import Catalog, compile_rules, load_rules_text
from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Not, Or, Transform
from lanner.rules.condition.parser import parse
from lanner.rules.condition.unparse import show
from lanner.rules.lint import check_files
from lanner.sdk.types import Argument, FieldInfo, FieldType

from .executors import Both
from .naive import holds

CATALOG = Catalog(
    [
        FieldInfo("x.a", FieldType.STRING, "d"),
        FieldInfo("x.b", FieldType.STRING, "d"),
        FieldInfo("x.map", FieldType.STRING, "d", argument=Argument(key=True)),
        FieldInfo("x.n", FieldType.UINT64, "d"),
    ],
    "x",
)
TEXTS = ["", "a", "A", "b", "ab", "aB", "abc", "/a", "/a/b", "a*", "b?"]
NUMBERS = [0, 1, 2, 3, (1 << 64) - 1]

texts = st.sampled_from(TEXTS).map(lambda text: Constant(text, quoted=True))
patterns = st.text("ab/*?", max_size=4).map(lambda text: Constant(text, quoted=True))
regexes = st.sampled_from(["a", "a.*", ".*b", "[ab]+", "(a|b)*", "a?b", ".*", "(ab|a)c?"]).map(lambda text: Constant(text, quoted=True))
numbers = st.sampled_from(NUMBERS).map(lambda number: Constant(str(number)))
text_fields = st.sampled_from([Field("x.a"), Field("x.b"), Field("x.map", "k"), Field("x.map", "l")])
changed = st.builds(Transform, st.sampled_from(["tolower", "toupper", "basename"]), st.tuples(text_fields))
measured = st.builds(Transform, st.just("len"), st.tuples(text_fields))
values = st.builds(Transform, st.just("val"), st.tuples(text_fields))
plain = st.sampled_from(["=", "==", "!=", "contains", "icontains", "startswith", "endswith"])
orders = st.sampled_from(["<", "<=", ">", ">="])


def listed(items):
    return st.lists(items, max_size=3).map(lambda found: ConstantList(tuple(found)))


checks = st.one_of(
    st.builds(Check, text_fields | changed, plain, texts),
    st.builds(Check, text_fields, plain, values),
    st.builds(Check, text_fields | changed, plain, listed(texts), st.sampled_from(["oneof", "anyof", "allof"])),
    st.builds(Check, text_fields | changed, st.just("in") | st.just("intersects"), listed(texts)),
    st.builds(Check, text_fields | changed, st.sampled_from(["glob", "iglob"]), patterns),
    st.builds(Check, text_fields | changed, st.just("regex"), regexes),
    st.builds(Check, text_fields | changed, st.just("pmatch"), listed(patterns)),
    st.builds(Check, st.just(Field("x.n")) | measured, orders, numbers),
    st.builds(Check, st.just(Field("x.n")) | measured, st.sampled_from(["=", "!="]), numbers),
    st.builds(Check, st.just(Field("x.n")), st.just("in"), listed(numbers)),
    st.builds(Check, text_fields | st.just(Field("x.n")), st.just("exists")),
)


def logic(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


conditions = st.recursive(checks, logic, max_leaves=8)
some_text = st.none() | st.sampled_from(TEXTS)
events = st.fixed_dictionaries(
    {
        "x.a": some_text,
        "x.b": some_text,
        "x.map[k]": some_text,
        "x.map[l]": some_text,
        "x.n": st.none() | st.sampled_from(NUMBERS),
    }
)


def rules(trees):
    return "".join(
        f"- rule: r{n}\n  desc: d\n  condition: {json.dumps(show(tree))}\n  output: o\n  priority: INFO\n  source: x\n"
        for n, tree in enumerate(trees)
    )


def compare(trees, happened):
    compiled = compile_rules(load_rules_text(rules(trees), CATALOG), CATALOG)
    keys = [request.name if request.argument is None else f"{request.name}[{request.argument}]" for request in compiled.plan.fields]
    current = {}
    executor = Both(compiled.plan, lambda slot: current.get(keys[slot]), first=False)
    for event in happened:
        current.clear()
        current.update(event)
        assert list(executor.match()) == [number for number, tree in enumerate(trees) if holds(tree, event)]


@pytest.mark.slow
@settings(max_examples=2 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions, min_size=1, max_size=8), st.lists(events, min_size=1, max_size=10))
def test_rules_match_what_a_naive_reading_says(trees, happened):
    compare(trees, happened)


# Few fields and values, so that all events can be tried, and contradictions occur
small_texts = st.sampled_from(["", "a", "ab", "b"]).map(lambda text: Constant(text, quoted=True))
small_checks = st.one_of(
    st.builds(Check, st.just(Field("x.a")), st.sampled_from(["=", "!=", "startswith", "endswith", "contains"]), small_texts),
    st.builds(Check, st.just(Field("x.a")), st.sampled_from(["in", "pmatch"]), listed(small_texts)),
    st.builds(
        Check, st.just(Field("x.a")), st.sampled_from(["=", "!="]), listed(small_texts), st.sampled_from(["oneof", "anyof", "allof"])
    ),
    st.builds(Check, st.just(Field("x.n")), orders | st.sampled_from(["=", "!="]), numbers),
    st.builds(Check, st.sampled_from([Field("x.a"), Field("x.n")]), st.just("exists")),
)
small_conditions = st.recursive(small_checks, logic, max_leaves=6)
EVERY_EVENT = [
    {"x.a": text, "x.n": number}
    for text, number in itertools.product([None, "", "a", "b", "ab", "ba", "aab", "c"], [None, 0, 1, 2, 3, 4, (1 << 64) - 1])
]


@settings(max_examples=2 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(trees=st.lists(small_conditions, min_size=1, max_size=6))
def test_what_the_lints_say_of_conditions_is_true(tmp_path, trees):
    path = tmp_path / "rules.yaml"
    path.write_text(rules(trees), "utf-8")
    for finding in check_files([path], CATALOG):
        number = int(finding.places[0].name.removeprefix("r"))
        if finding.message.startswith("The condition can never be true"):
            assert not any(holds(trees[number], event) for event in EVERY_EVENT)
        if finding.code == "LINT_ALWAYS_TRUE" and finding.message.endswith("is always true.") and "..." not in finding.message:
            part = parse(finding.message.split("`")[1])
            assert all(holds(part, event) for event in EVERY_EVENT)
        if finding.code == "LINT_SHADOWED_RULE":
            earlier = int(finding.message.split("'r")[1].split("'")[0])
            assert earlier < number
            assert all(holds(trees[earlier], event) for event in EVERY_EVENT if holds(trees[number], event))
