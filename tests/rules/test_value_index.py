"""The native executor's indexes change no result: many rules match the same events as on the Python executor, which evaluates each one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanner.native._executor import Executor as NativeExecutor
from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.executor import Executor
from lanner.rules.plan.native_program import make_program, native_value
from lanner.rules.plan.plan import Index, make_plan
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog(
    [
        *(FieldInfo(f"x.{name}", FieldType.STRING, "") for name in ("a", "b", "c")),
        FieldInfo("x.n", FieldType.UINT64, ""),
        FieldInfo("x.t", FieldType.BOOL, ""),
        FieldInfo("x.ip", FieldType.IPADDR, ""),
        FieldInfo("x.list", FieldType.STRING, "", is_list=True),
    ],
    "x",
)
WORDS = ("ab", "abc", "b/c", "/ab/c", "d}e", "B")
TEXTS = st.sampled_from(("", "ab", "abc", "xabcx", "/ab/c/d", "b/c", "d}e", "a", "AB", "cd}e"))
REGEXES = (
    "(ab|cd).*",
    "a(b|bc)?",
    ".*(b(/|})c|d).*",
    "ab{c|d}e",
    "ab{1,2}c?",
    "a+(bc)+",
    "x?(ab|)c?x?",
    r"d\\}e",
    "[a-c]+|d}e",
    "(a|A)(b|B)",
    ".*",
)
_words = st.sampled_from(WORDS)
_checks = st.one_of(
    st.builds(
        "x.{} {} '{}'".format,
        st.sampled_from("abc"),
        st.sampled_from(("=", "!=", "contains", "icontains", "startswith", "endswith")),
        _words,
    ),
    st.builds(
        "x.{} {} ('{}', '{}')".format,
        st.sampled_from("abc"),
        st.sampled_from(("in", "pmatch", "intersects", "= oneof", "startswith anyof", "contains allof")),
        _words,
        _words,
    ),
    st.builds("x.{} regex '{}'".format, st.sampled_from("abc"), st.sampled_from(REGEXES)),
    st.builds("x.{} glob '{}'".format, st.sampled_from("abc"), st.sampled_from(("*ab*", "a?", "/ab/*", "[ab]*"))),
    st.builds("x.list {} ('{}', '{}')".format, st.sampled_from(("in", "intersects")), _words, _words),
    st.builds("x.n {} {}".format, st.sampled_from(("=", "!=", ">", "<=")), st.integers(0, 3)),
    st.builds("x.n in ({}, {})".format, st.integers(0, 3), st.integers(0, 3)),
    st.builds("x.t = {}".format, st.sampled_from(("true", "false"))),
    st.builds("x.{} exists".format, st.sampled_from(("a", "b", "n", "t", "list"))),
    st.builds("tolower(x.{}) = '{}'".format, st.sampled_from("ab"), _words),
    st.just("x.a = val(x.b)"),
    st.builds("x.ip {} {}".format, st.sampled_from(("=", "!=")), st.sampled_from(("1.2.3.4", "::1"))),
    st.just("x.ip in (1.2.3.4, 10.0.0.0)"),
)
_conditions = st.recursive(
    _checks,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' and '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
        inner.map("not ({})".format),
    ),
    max_leaves=5,
)
_events = st.fixed_dictionaries(
    {
        **dict.fromkeys(("x.a", "x.b", "x.c"), st.none() | TEXTS),
        "x.n": st.none() | st.integers(0, 3),
        "x.t": st.none() | st.booleans(),
        "x.ip": st.sampled_from((None, bytes((1, 2, 3, 4)), bytes((10, 0, 0, 0)), bytes(15) + b"\1")),
        "x.list": st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["", "x.a = 'ab' and "])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_many_rules_match_as_each_one_alone(shared, data):
    fields = FieldTable()
    texts = data.draw(st.lists(_conditions, min_size=12, max_size=40))
    trees = [check(parse(shared + text), CATALOG, fields).tree for text in texts]
    plan = make_plan(trees, fields.requests)
    native = NativeExecutor(make_program(plan, [("absent",)] * len(plan.fields)), False)
    for event in data.draw(st.lists(_events, min_size=1, max_size=6)):
        values = [event[each.name] for each in plan.fields]
        plain = type(plan)(plan.fields, plan.conditions, Index((), tuple(range(len(trees)))))
        expected = list(Executor(plain, values.__getitem__, first=False).match())
        hits = native.match(tuple(map(native_value, values)))
        assert [rule for _, rule, *_ in hits] == expected, [texts[rule] for rule in {rule for _, rule, *_ in hits} ^ set(expected)]
        assert list(Executor(plan, values.__getitem__, first=False).match()) == expected
