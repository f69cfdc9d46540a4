"""The meaning of the words of a value, and which payloads have values, in the reference evaluator and the native reader."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner import INDEX, KEY, native, payload
from lanner.sdk.payload import evaluate
from lanner.sdk.payload.values import Value

UINT64 = 2**64 - 1


@pytest.fixture(scope="module", params=[evaluate.Reader, native.Reader], ids=["reference", "native"])
def kind(request):
    return request.param


def read(kind: Any, value: Value, document: Any, argument: str | int | None = None) -> Any:
    reader = kind([value.data()])
    assert reader.load(document if isinstance(document, bytes) else json.dumps(document).encode())
    return reader.get(0, argument)


def fits(kind: Any, document: bytes) -> bool:
    return kind([]).load(document)


a, b = payload["a"], payload["b"]
TABLE = [
    # paths
    (a, {"a": "x"}, None, "x"),
    (a, {"a": ""}, None, ""),
    (a, {}, None, None),
    (a, {"a": None}, None, None),
    (a, {"a": 1}, None, None),
    (a, {"a": True}, None, None),
    (a, {"a": ["x"]}, None, None),
    (a, ["a"], None, None),
    (a, b'"a"', None, None),
    (payload, b'"x"', None, "x"),
    (payload["a", "b", 1], {"a": {"b": ["x", "y"]}}, None, "y"),
    (payload["a", "b", 2], {"a": {"b": ["x", "y"]}}, None, None),
    (payload[0], {"0": "x"}, None, None),
    (payload["0"], ["x"], None, None),
    (payload[""], {"": "x"}, None, "x"),
    (a, {"a": "é☃😀"}, None, "é☃😀"),
    (a, b'{"a":"x","a":"y"}', None, "y"),
    (a, b'{"a":"x","a":1}', None, None),
    (a, b'{"a":"x","\\u0061":"y"}', None, "y"),
    (payload["a", "b"], b'{"a":{"b":"x"},"a":{"c":"y"}}', None, None),
    (a, {"a": "x\0y"}, None, "x"),
    (a, {"a\0": "x"}, None, None),
    # arguments
    (payload[KEY], {"a.b/c": "x"}, "a.b/c", "x"),
    (payload["l", KEY], {"l": {"k": "x"}}, "k", "x"),
    (payload["l", KEY], {"l": {"k": "x"}}, "n", None),
    (payload["l", INDEX], {"l": ["x", "y"]}, 1, "y"),
    (payload["l", INDEX], {"l": ["x", "y"]}, 2, None),
    (payload["l", INDEX, "n"], {"l": [{"n": "x"}]}, 0, "x"),
    (payload["l", KEY] | a, {"a": "x", "l": {}}, None, "x"),
    # the first that has a value
    (a | b, {"a": "x", "b": "y"}, None, "x"),
    (a | b, {"a": "", "b": "y"}, None, ""),
    (a | b, {"a": None, "b": "y"}, None, "y"),
    (a | b | payload["c"], {"c": "z"}, None, "z"),
    (a | b, {}, None, None),
    (a.integer() | b.integer(), {"a": "x", "b": "0"}, None, 0),
    (a.keys() | b.keys(), {"a": {}, "b": {"x": 1}}, None, ("x",)),
    # only when
    (a.when(b, "x", "y"), {"a": "v", "b": "y"}, None, "v"),
    (a.when(b, "x", "y"), {"a": "v", "b": "z"}, None, None),
    (a.when(b, "x"), {"a": "v"}, None, None),
    (a.when(b, "1"), {"a": "v", "b": 1}, None, None),
    (a.when(b, ""), {"a": "v", "b": ""}, None, "v"),
    (a.when(b.before(":"), "exec"), {"a": "v", "b": "exec: ls"}, None, "v"),
    (a.integer().when(b, "x"), {"a": 5, "b": "x"}, None, 5),
    (a.when(b, "x").integer(), {"a": 5, "b": "x"}, None, 5),
    # before and after
    (a.before(":"), {"a": "exec: ls: x"}, None, "exec"),
    (a.before(":"), {"a": "exec"}, None, "exec"),
    (a.before(":"), {"a": ":x"}, None, ""),
    (a.after(": "), {"a": "exec: ls: x"}, None, "ls: x"),
    (a.after(":"), {"a": "exec"}, None, None),
    (a.after(":"), {"a": "exec:"}, None, ""),
    (a.after(":"), {"a": "x\0:y"}, None, None),
    (a.after_last("/"), {"a": "/usr/bin/sh"}, None, "sh"),
    (a.after_last("/"), {"a": "sh"}, None, "sh"),
    (a.after_last("/"), {"a": "/"}, None, ""),
    (a.after_last("//"), {"a": "a///b"}, None, "b"),
    (a.after_last("/"), {"a": 5}, None, None),
    (a.before("☃"), {"a": "é☃x"}, None, "é"),
    (a.before(":"), {}, None, None),
    (a.before(":"), {"a": 5}, None, None),
    (a.after(":").before(","), {"a": "x:1,2"}, None, "1"),
    # integers
    (a.integer(), {"a": "42"}, None, 42),
    (a.integer(), {"a": 42}, None, 42),
    (a.integer(), {"a": 0}, None, 0),
    (a.integer(), {"a": "007"}, None, 7),
    (a.integer(), {"a": "0" * 19 + "7"}, None, 7),
    (a.integer(), {"a": "0" * 20 + "7"}, None, None),
    (a.integer(), {"a": UINT64}, None, UINT64),
    (a.integer(), {"a": str(UINT64)}, None, UINT64),
    (a.integer(), {"a": UINT64 + 1}, None, None),
    (a.integer(), {"a": str(UINT64 + 1)}, None, None),
    (a.integer(), {"a": -1}, None, None),
    (a.integer(), {"a": "-1"}, None, None),
    (a.integer(), {"a": "+1"}, None, None),
    (a.integer(), {"a": " 1"}, None, None),
    (a.integer(), {"a": ""}, None, None),
    (a.integer(), {"a": "1_0"}, None, None),
    (a.integer(), {"a": "١"}, None, None),  # noqa: RUF001 - a digit, but not a decimal one of ASCII
    (a.integer(), {"a": "²"}, None, None),
    (a.integer(), {"a": "12\x003"}, None, 12),
    (a.integer(), {"a": 1.0}, None, None),
    (a.integer(), b'{"a":1e2}', None, None),
    (a.integer(), b'{"a":-0}', None, None),
    (a.integer(), b'{"a":-0,"b":"2020-01-01"}', None, None),
    (a.integer(), b'{"a":7,"b":"-0 \\" -0"}', None, 7),
    (a.integer(), b'{"a":7,"b":1e-0}', None, 7),
    (a.integer(), {"a": True}, None, None),
    (a.integer(), {"a": None}, None, None),
    (a.before(" ").integer(), {"a": "137 x"}, None, 137),
    (a.before(" ").integer(), {"a": 137}, None, None),
    ((a | b).integer(), {"a": 5, "b": 6}, None, 5),
    ((a | b).integer(), {"a": "x", "b": 6}, None, None),
    # times
    (a.time("ns"), {"a": 1_700_000_000_123_456_789}, None, 1_700_000_000_123_456_789),
    (a.time("us"), {"a": 5}, None, 5_000),
    (a.time("ms"), {"a": "5"}, None, 5_000_000),
    (a.time("s"), {"a": 1_700_000_000}, None, 1_700_000_000 * 10**9),
    (a.time("s"), {"a": UINT64 // 10**9}, None, UINT64 // 10**9 * 10**9),
    (a.time("s"), {"a": UINT64 // 10**9 + 1}, None, None),
    (a.time("ns"), {"a": 1.5}, None, None),
    # names
    (a.keys(), {"a": {"x": 1, "y": None, "": 2}}, None, ("x", "y", "")),
    (a.keys(), b'{"a":{"x":1,"y":2,"x":3}}', None, ("x", "y")),
    (a.keys(), b'{"a":{"x":1,"x\\u0000y":2}}', None, ("x",)),
    (a.keys(), {"a": {}}, None, None),
    (a.keys(), {"a": ["x"]}, None, None),
    (a.keys(), {"a": "x"}, None, None),
    (a.keys(), {}, None, None),
    (payload["l", KEY].keys(), {"l": {"k": {"x": 1}}}, "k", ("x",)),
]


@pytest.mark.parametrize(("value", "document", "argument", "expected"), TABLE)
def test_words(kind, value, document, argument, expected):
    got = read(kind, value, document, argument)
    assert got == expected
    assert type(got) is type(expected)


def test_each_slot_is_its_own_value_and_payloads_are_independent(kind):
    reader = kind([a.data(), b.data()])
    reader.load(b'{"a":"x","b":"y"}')
    assert (reader.get(0), reader.get(1)) == ("x", "y")
    reader.load(b'{"a":"z"}')
    assert (reader.get(0), reader.get(1)) == ("z", None)
    assert not reader.load(b'{"a":"z"')
    assert (reader.get(0), reader.get(1)) == (None, None)


VALID = [
    b"{}", b" \t\r\n[ ] ", b"null", b"0", b"-1", b"1.5e-3", b"1E+999", b"-1e-999", b"1" * 5000, b"-" + b"1" * 5000, b"0." + b"1" * 5000,
    b"1e" + b"1" * 5000, b'"\\u0000\\/\\b\\f"', b'"\\ud83d\\ude00"', b'"\x7f\xe2\x80\xa8"', b'{"a":1,"a":2}', b'{"":{"":[]}}',
    b'"' + b"1" * 5000 + b'"', b"-0", b"-0.0",
    b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'{"\xff":1}', b'{"a":"\xe2\x82"}', b'"\\ud800"',
    b'"\\ud800x"', b'"\\udc00"', b'"\\ud83d\\u0041"', b'"\\udc00\\ud800"', b'{"\\ud800":1}',
]  # fmt: skip
INVALID = [
    b"", b" ", b"{", b"[1,]", b'{"a":1,}', b'{"a" 1}', b"{'a':1}", b"{a:1}", b'{"a":1}{"b":2}', b"1 2", b"[1 2]", b"tru", b"True", b"NaN",
    b"Infinity", b"-Infinity", b"01", b"-01", b"1.", b".5", b"+1", b"-", b"1e", b"0x1", b'"', b'"\\"', b'"\n"', b'"\t"', b'"\x00"', b'"\\x"',
    b'"\\u00e"', b"\xef\xbb\xbf{}", b"\x0b1", b"[1\x00]", b'\xff"a"', b'"a"\xff', b'["a"\xff]', b'"\\\xff"', b'"\xff', b'["\xff" 1]', b'"\xff\x01"',
    b"{}\x00", b"[1]]", b"{1:2}", b"// x\n1", b"0" + b"1" * 5000, b"-00", b"[1" + b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("document", VALID)
def test_wholly_valid_json(kind, document):
    assert fits(kind, document)


@pytest.mark.parametrize("document", INVALID)
def test_anything_else_is_none(kind, document):
    assert not fits(kind, document)


def nested(levels: int, begin: bytes = b"[", inside: bytes = b"", end: bytes = b"]") -> bytes:
    return begin * levels + inside + end * levels


@pytest.mark.parametrize("levels", [1, 199, 200, 201, 1000, 1023, 1024])
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"b":', b"}]")])
def test_as_deep_as_1024_levels(kind, levels, begin, end):
    each = begin.count(b"[") + begin.count(b"{")
    assert fits(kind, nested(levels // each, begin, b"1", end))


@pytest.mark.parametrize("levels", [1025, 5_000, 100_000])
def test_deeper_is_not_json(kind, levels):
    assert not fits(kind, nested(levels))
    assert not fits(kind, nested(levels, b'{"a":', b"1", b"}"))


def test_brackets_in_texts_are_no_levels(kind):
    assert fits(kind, b'["' + b"[" * 5_000 + b'\\"' + b"{" * 5_000 + b'"]')


def test_wide_is_not_deep(kind):
    assert fits(kind, b"[" + b"[],{}," * 5_000 + b"[]]")
    assert fits(kind, b"[" + (nested(1000) + b",") * 3 + b"[]]")


def test_depth_does_not_depend_on_how_deep_the_caller_stands(kind):
    def call(levels: int) -> bool:
        return call(levels - 1) if levels else fits(kind, nested(1024))

    limit = sys.getrecursionlimit()
    assert call(limit // 2)
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "document",
    [nested(300, inside=b'"' + b'\\"' * 500_000), nested(300, inside=b'"a"' * 300_000 + b'"'), b"[" * 1_000_000, b'{"a":' * 200_000],
    ids=["endless text", "texts side by side", "brackets", "objects"],
)
def test_hostile_payloads_take_linear_time(kind, document):
    """A reader that backtracks at each quote would far exceed the test's time limit for the first two."""
    assert not fits(kind, document)


def strictly_valid(document: bytes) -> bool:
    """An independent reference: Python's own json, made strict."""

    def refuse(_: str) -> None:
        raise ValueError

    try:
        json.loads(document.decode(errors="surrogateescape"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
texts = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass"), documents, st.booleans()
)


@given(texts, st.data())
def test_validity_agrees_with_an_independent_judge(kind, document, data):
    place = data.draw(st.integers(0, len(document)))
    end = data.draw(st.integers(place, min(place + 2, len(document))))
    piece = data.draw(
        st.sampled_from([b"", b'"', b"\\", b"\\u", b"d800", b"-0", b"0", b"e", b".", b",", b"]", b"{", b"\xc3", b"\n", b"\x01", b" "])
    )
    broken = document[:place] + piece + document[end:]
    assert fits(kind, broken) == strictly_valid(broken)


@given(documents)
def test_texts_are_read_as_python_reads_them(kind, value):
    got = read(kind, payload["x"], {"x": value})
    assert got == (value.partition("\0")[0] if isinstance(value, str) else None)
