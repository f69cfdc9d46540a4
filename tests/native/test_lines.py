"""Payloads that are lines: the native reader returns the reference evaluator's results for any pattern, logfmt and CEF, and any bytes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanner import KEY, cef, logfmt, pattern, payload
from lanner.native import Reader
from lanner.sdk.payload import evaluate

pytestmark = pytest.mark.native

PATTERNS = [
    pattern(r"(?P<a>\S+) (?P<b>.*)"),
    pattern(r'(?P<a>[^ ]*) \[(?P<b>[^\]]*)\] "(?P<c>[^"]*)"(?: (?P<d>\d+))?'),
    pattern(r"(?P<a>\w+)=(?P<b>é|\W+)?.*"),
    pattern(r"(?is)(?P<a>.)(?P<b>.{2})(?P<c>.*?)(?P<d>x*)"),
    pattern(r"(?P<a>a*)(?P<b>(?:a|b)*)c?"),
    pattern("(?P<a>(x)(y)?|.)*"),
]
groups = st.sampled_from([line[name] for line in PATTERNS for name in line.names])
names = st.sampled_from(["a", "b", "level", "deviceVendor", "name", "severity", "é", "", "src", KEY])
parts = st.one_of(groups, names.map(logfmt.__getitem__), names.map(cef.__getitem__))
values = st.one_of(
    parts,
    parts.map(lambda part: part.before("=") | part.after(" ")),
    parts.map(lambda part: part.integer()),
    parts.map(lambda part: part.when(part, "a", "b").upper()),
    st.builds(lambda one, two: one | two, parts, parts),
    parts.map(lambda part: part | payload["a"]),
    parts.map(lambda part: part.exists()),
)
PIECES = [
    b"a", b"b", b"c", b"x", b"x", b"12", b" ", b" ", b"=", b"=", b'"', b"|", b"|", b"\\", b"\\n", b"\\u00e9", b"\\ud800", b"[", b"]", b"\t", b"\n", b"\r\n",
    b"\0", b"\xff", b"\xc3", b"\xa9", "é".encode(), b"a=b", b'level="x y"', b"level=info ", b"CEF:", b"CEF:0|v|p|1|2|n|5|", b" src=1.2.3.4 ",
    b"name=x ", b'{"a":"x"}', b"\xf4\x8f\xbf\xbf",
]  # fmt: skip
lines = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
arguments = st.sampled_from([None, "a", "level", "src", "\udcff", "\ud800", 1])


def both(tree, line, argument=None):
    """Return what the native reader and the reference give for a line: (has it a form, its value, invalid UTF-8, misfits)."""
    answers = []
    for kind in (Reader, evaluate.Reader):
        reader = kind([tree])
        answers.append((reader.load(line), reader.get(0, argument), reader.has_invalid_utf8, reader.misfits()))
    return answers


@settings(max_examples=10 * settings.default.max_examples)
@given(values, st.one_of(lines, st.binary(max_size=30)), arguments)
def test_agrees_with_the_reference_on_any_line(value, line, argument):
    native, reference = both(value.data(), line, argument)
    assert native == reference


def test_each_line_of_one_reader_is_read_for_itself():
    line = pattern(r"(?P<a>\w+) (?P<b>\w+)?")
    reader = Reader([line["a"].data(), line["b"].data(), logfmt["a"].data()])
    assert reader.load(b"one two")
    assert (reader.get(0), reader.get(1), reader.get(2)) == ("one", "two", None)
    assert reader.load(b"a=1")
    assert (reader.get(0), reader.get(1), reader.get(2)) == (None, None, "1")
    assert reader.load(b"one ")
    assert (reader.get(0), reader.get(1), reader.get(2)) == ("one", None, None)
    assert not reader.load(b"...")
    assert (reader.get(0), reader.get(1), reader.get(2)) == (None, None, None)


NO_TABLES = [
    (["group", "(?P<a>", "a"], "invalid pattern: missing )"),
    (["group", "(?P<a>x)", "b"], 'the pattern has no group "b"'),
    (["group", "(?P<a>x)"], '"group" takes 2 operands, not 1'),
    (["group", 5, "a"], "a pattern must be a string, not int"),
    (["logfmt", 5], "a name must be a string, not int"),
    (["pointer", None], "a name must be a string, not NoneType"),
    (["cef"], '"cef" takes 1 operands, not 0'),
]


@pytest.mark.parametrize(("tree", "message"), NO_TABLES, ids=[message for _, message in NO_TABLES])
def test_an_invalid_tree_is_refused(tree, message):
    with pytest.raises(ValueError, match=f"not a table of values: slot 0: {re.escape(message)}"):
        Reader([tree])


@pytest.mark.parametrize(
    "line",
    [b"a" * 10_000_000, b" " * 10_000_000, b'"' * 5_000_000, b"a=" * 3_000_000, b'a="' + b"\\" * 5_000_000, b"CEF:0|" + b"|" * 5_000_000,
     b"CEF:0|v|p|1|2|n|5|" + b" a=b" * 1_000_000, b"\xff" * 3_000_000],
    ids=["letters", "blanks", "quotes", "pairs", "backslashes", "bars", "fields", "no UTF-8"],
)  # fmt: skip
def test_hostile_lines_take_linear_time(line):
    """Each form reads ten megabytes in seconds, where backtracking would take years."""
    nested = pattern(r"(?P<a>(?:a|a|a+)*)b")
    reader = Reader([nested["a"].data(), logfmt["a"].data(), cef["a"].data(), PATTERNS[0]["b"].data(), payload.pointer("/a").data()])
    reader.load(line)
    for slot in range(5):
        reader.get(slot)
