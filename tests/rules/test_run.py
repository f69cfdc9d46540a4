"""Evaluation of a plan: which rules match, in which order, and which values are read from an event."""

import pytest

from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.path_prefixes import PathPrefixes
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.executor import Executor
from lanner.rules.plan.plan import make_plan
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog(
    [
        *(FieldInfo(f"x.{letter}", FieldType.STRING, "") for letter in "abc"),
        FieldInfo("x.list", FieldType.STRING, "", is_list=True),
        FieldInfo("x.number", FieldType.UINT64, ""),
        FieldInfo("x.address", FieldType.IPADDR, ""),
        FieldInfo("x.net", FieldType.IPNET, ""),
    ],
    "x",
)


class Engine:
    """Rules over events that are dicts from field name to value. Counts the values that are read."""

    def __init__(self, *texts, first=False):
        self.fields = FieldTable()
        trees = [check(parse(text), CATALOG, self.fields).tree for text in texts]
        self.got = []
        self.executor = Executor(make_plan(trees, self.fields.requests), self._get, first=first)

    def _get(self, slot):
        name = self.fields.requests[slot].name
        self.got.append(name)
        return self.event.get(name)

    def match(self, **values):
        self.event = {f"x.{name}": value for name, value in values.items()}
        self.got.clear()
        return list(self.executor.match())


def test_all_conditions_of_the_corpus_at_once_match_what_each_matches_alone(corpus, kv):
    fields = FieldTable()
    cases = [case for case in corpus.cases("conditions.jsonl") if "matches" in case["expect"] and not case.get("memory_dependent")]
    trees = []
    for case in cases:
        try:
            trees.append(check(parse(case["condition"]), kv.catalog, fields).tree)
        except ConditionError:
            pytest.fail(f"{case['id']} is refused")
    plan = make_plan(trees, fields.requests)
    assert plan.index.fields
    assert len(plan.index.always) < len(plan.conditions)
    current = 0
    got = []

    def get(slot):
        got.append(slot)
        return kv.value(current, fields.requests[slot].name, fields.requests[slot].argument)

    everything, first = Executor(plan, get, first=False), Executor(plan, get)
    for current in [*kv.numbers(), *kv.numbers()]:
        got.clear()
        expected = [number for number, case in enumerate(cases) if current in case["expect"]["matches"]]
        assert list(everything.match()) == expected
        assert len(got) == len(set(got)), "a value is got once"
        assert list(first.match()) == expected[:1]


def test_rules_match_in_their_order_whether_indexed_or_not():
    engine = Engine("x.b contains 1", "x.a = 1", "x.b exists", "x.a in (1, 2)")
    assert engine.match(a="1", b="1") == [0, 1, 2, 3]
    assert engine.match(a="2", b="0") == [2, 3]
    assert engine.match() == []


def test_the_first_match_ends_the_scan():
    engine = Engine("x.a = 1", "x.a = 1 and x.b exists", first=True)
    assert engine.match(a="1", b="1") == [0]
    assert engine.got == ["x.a"]


def test_values_are_got_once_and_only_where_wanted():
    engine = Engine("x.a = 1 and x.b contains b and x.c exists", "x.a = 1 and not x.b contains c")
    engine.match(a="2")
    assert engine.got == ["x.a"]
    engine.match(a="1", b="b")
    assert engine.got == ["x.a", "x.b", "x.c"]
    assert engine.executor.value(1) == "b"
    assert engine.got == ["x.a", "x.b", "x.c"]


def test_values_of_one_event_are_forgotten_at_the_next():
    engine = Engine("x.a = 1")
    assert [engine.match(a="1"), engine.match(a="2"), engine.match(), engine.match(a="1")] == [[0], [], [], [0]]


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("x.a != 1", {}, False),
        ("not x.a = 1", {}, True),
        ("not x.a exists", {}, True),
        ("x.a = ''", {"a": ""}, True),
        ("x.a icontains É", {"a": "xÉx"}, True),
        ("x.a icontains é", {"a": "xÉx"}, False),
        ("x.a icontains ABC", {"a": "é abc"}, True),
        ("x.a < val(x.b)", {"a": "\udc80", "b": "é"}, True),
        ("x.a contains val(x.b)", {"a": "é", "b": "\udca9"}, True),
        ("x.a glob 'a?c'", {"a": "aéc"}, False),
        ("x.a glob 'a??c'", {"a": "aéc"}, True),
        ("x.a glob '/a*z'", {"a": "/a/b/z"}, True),
        ("x.a iglob 'A*'", {"a": "abc"}, True),
        ("x.a regex 'a.c'", {"a": "aéc"}, True),
        ("x.a regex 'b'", {"a": "abc"}, False),
        ("x.a regex 'a|ab'", {"a": "ab"}, True),
        ("x.a regex 'a.c'", {"a": "a\udcffc"}, False),
        ("x.a = oneof (a, a)", {"a": "a"}, False),
        ("x.a != allof (a, b)", {"a": "c"}, True),
        ("len(x.a) = 2", {"a": "é"}, True),
        ("tolower(x.a) = 'abcÉ'", {"a": "ABCÉ"}, True),
        ("b64(x.a) = hello", {"a": "aGVsbG8"}, True),
        ("b64(x.a) = hello", {"a": "aGVsbG8="}, True),
        ("b64(x.a) exists", {"a": "aGVsbG9"}, False),
        ("b64(x.a) exists", {"a": "="}, False),
        ("b64(x.a) = a", {"a": "YQBi"}, True),
        ("b64(x.a) in (a)", {"a": "YQBi"}, False),
        ("len(b64(x.a)) = 1", {"a": "YQBi"}, True),
        ("x.a in tolower(x.b)", {"a": "a", "b": "a"}, False),
        ("x.a = tolower(x.b)", {"a": "a", "b": "A"}, True),
        ("tolower(x.list) in (a)", {"list": ("a",)}, False),
        ("x.list in (a, b)", {"list": ("a", "b", "a")}, True),
        ("x.list in (a, b)", {"list": ("a", "c")}, False),
        ("x.list intersects (a, b)", {"list": ("a", "c")}, True),
        ("x.list in ()", {"list": ("a",)}, False),
        ("join('-', x.list) = 'a-b'", {"list": ("a", "b")}, True),
        ("join('-', (x.a, 1, x.number)) = 'a-1-7'", {"a": "a", "number": 7}, True),
        ("join('-', (x.a, x.b)) exists", {"a": "a"}, False),
        ("concat(x.a, len(x.a)) = 'aA'", {"a": "a" * 65}, False),
        ("getopt(x.list, 'ab:') intersects (v)", {"list": ("-ab", "v")}, True),
        ("getopt(x.list, 'ab:') in val(x.list)", {"list": ("v",)}, True),  # no constants: an empty list is in them
        ("getopt(x.list, 'ab:') intersects val(x.list)", {"list": ("v",)}, False),
        ("getopt(x.list, 'ab:') intersects tolower(x.list)", {"list": ("v",)}, False),
        ("getopt(x.list, 'ab:')[b] = v", {"list": ("-abv", "x")}, True),
        ("getopt(x.list, 'ab:')[b] = ''", {"list": ("-b",)}, True),
        ("getopt(x.list, 'ab:')[a] exists", {"list": ("--", "-a")}, False),
        ("getopt(x.list, 'ab:') exists", {"list": ("x",)}, True),
        ("len(getopt(x.list, 'ab:')) exists", {"list": ("x",)}, False),
        ("x.address = ::ffff:1.2.3.4", {"address": b"\1\2\3\4"}, None),
        ("x.address != ::1", {"address": b"\1\2\3\4"}, True),
        ("x.net = 10.0.0.0/8", {"net": b"\n\1\2\3"}, True),
        ("x.net = 0.0.0.0/0", {"net": b"\n\1\2\3"}, True),
        ("x.net = fe80::/10", {"net": b"\xfe\xbf" + bytes(14)}, True),
        ("x.net != fe80::/10", {"net": b"\n\1\2\3"}, True),
        ("x.net in (10.0.0.0/8, fe80::/10)", {"net": b"\n\1\2\3"}, True),
    ],
)
def test_operators_and_transformers(condition, values, expected):
    if expected is None:
        with pytest.raises(ConditionError):
            Engine(condition)
    else:
        assert Engine(condition).match(**values) == ([0] if expected else [])


@pytest.mark.parametrize(
    ("paths", "path", "expected"),
    [
        (["/usr/bin"], "/usr/bin", True),
        (["/usr/bin"], "/usr/bin/ls", True),
        (["/usr/bin"], "/usr/binary", False),
        (["/usr/bin"], "/usr", False),
        (["/usr/bin", "/usr"], "/usr/lib", True),
        (["/usr", "/usr/bin"], "/usr/lib", True),
        (["/"], "anything", True),
        ([""], "", True),
        (["/a"], "", False),
        (["usr//bin/"], "//usr/bin", True),
        (["/h*/x", "/*/y"], "/home/y/z", True),
        (["/h*/x", "/home/y"], "/home/x", True),
        (["/h[ao]me"], "/home", True),
        ([], "/", False),
    ],
)
def test_pmatch_goes_by_leading_components(paths, path, expected):
    assert PathPrefixes(paths).match(path) is expected


def test_patterns_made_to_be_slow_are_not():
    """Both patterns would take practically forever if they backtracked over components or alternatives."""
    deep = "/".join(["*"] * 100)
    engine = Engine(f"x.a pmatch ({deep}/b, {deep}/c)", "x.a regex '(a*)*b'")
    assert engine.match(a="/".join(["a"] * 5000)) == []
    assert engine.match(a="a" * 5000) == []
