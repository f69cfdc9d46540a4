"""JSON objects from bytes, regardless of separators, chunk boundaries and length."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.native import ObjectFramer

pytestmark = pytest.mark.native

KEPT = [["Type"], ["Action"], ["Actor", "ID"], ["Actor", "Attributes", "name"], ["timeNano"]]


def framed(*chunks, longest=10_000, multiline=False):
    framer = ObjectFramer(longest, KEPT, multiline=multiline)
    return [payload for chunk in chunks for payload in framer.feed(chunk)] + list(framer.end())


def cuts(data, size):
    return [data[place : place + size] for place in range(0, len(data), size)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=5).map(lambda each: json.dumps(each).encode()), max_size=6)
SEPARATORS = st.sampled_from([b"\n", b"", b" ", b"\r\n", b",", b"\n\n", b" \n\x1e", b"]\n[", b"\t,\r\n "])


@given(OBJECTS, SEPARATORS, st.integers(1, 40), st.booleans())
def test_any_objects_with_any_bytes_between_them_and_any_cuts(objects, separator, size, multiline):
    data = separator.join(objects)
    assert framed(data, multiline=multiline) == objects
    assert framed(*cuts(data, size), multiline=multiline) == objects


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5), st.integers(1, 40))
def test_an_array_over_many_lines_is_its_items(items, size):
    data = json.dumps(items, indent=2).encode()
    for found in (framed(data, multiline=True), framed(*cuts(data, size), multiline=True)):
        assert [json.loads(payload) for payload in found] == items


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"{", b"}", b'"', b"[", b"]", b",", b'{"a":1}', b"\\"])), st.booleans())
def test_any_bytes_end_somehow(chunks, multiline):
    for payload in framed(*chunks, multiline=multiline, longest=20):
        assert payload.strip()
        assert len(payload) <= 20 or json.loads(payload)


def test_an_object_is_there_as_soon_as_its_last_brace_is():
    framer = ObjectFramer(100)
    assert framer.feed(b'{"a":{"b":1}') == []
    assert framer.is_within
    assert framer.feed(b"}") == [b'{"a":{"b":1}}']
    assert not framer.is_within
    assert framer.feed(b'\n{"c":2}{"d"') == [b'{"c":2}']
    assert framer.feed(b":3}") == [b'{"d":3}']
    assert framer.end() == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}x\n{"b":2}\n', [b'{"a":1}', b"x", b'{"b":2}']),
        (b'{"a":1}}\n{"b":2}\n', [b'{"a":1}', b"}", b'{"b":2}']),
        (b'{"a":]}\n{"b":2}\n', [b'{"a":]}', b'{"b":2}']),
        (b'{"a":"tru\n{"b":2}\n', [b'{"a":"tru', b'{"b":2}']),
        (b'{"a":1,\n{"b":2}\n', [b'{"a":1,', b'{"b":2}']),
        (b'garbage {"a":1}\n{"b":2}\n', [b'garbage {"a":1}', b'{"b":2}']),
        (b'"text"\n1\nnull\n{"b":2}', [b'"text"', b"1", b"null", b'{"b":2}']),
    ],
)
@pytest.mark.parametrize("multiline", [False, True])
def test_what_is_broken_costs_its_line_alone(data, expected, multiline):
    assert framed(data, multiline=multiline) == expected
    assert framed(*cuts(data, 1), multiline=multiline) == expected


def test_a_newline_ends_a_broken_object_unless_objects_may_have_several_lines():
    data = b'{"a":\n1}\n'
    assert framed(data) == [b'{"a":', b"1}"]
    assert framed(data, multiline=True) == [b'{"a":\n1}']


BROKEN = [
    b'{"a":',
    b'{"a": ',
    b'{"a":[',
    b'{"a":[1,',
    b'{"a":{"x":',
    b'{"a":[{"x":1},',
    b'{"a":[[',
    b'{"a":1,"b":[{"c":',
    b'{\n  "a": [\n    1,',
]
NEXT = [b'{"b":2}', b'{\n  "b": {\n    "c": [\n      {}\n    ]\n  }\n}', b'{"b":\n  {"c": 3}}']


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("following", NEXT)
@pytest.mark.parametrize("more", [b"", b'\n{"d":4}', b'\n{"d":4}\n{"e":5}'])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\n\n"])
def test_a_line_that_breaks_off_swallows_no_object_after_it(broken, following, more, newline):
    data = broken + newline + following + more + b"\n"
    expected = [broken.strip(), following, *more.split()]
    assert framed(data, multiline=True) == expected
    assert framed(*cuts(data, 1), multiline=True) == expected


def test_several_that_break_off_cost_their_lines_alone():
    data = b'{"a":\n{"b":[\n{"c":3}\n{"d":[1,\n{"e":5},\n{"f":6}\n'
    expected = [b'{"a":', b'{"b":[', b'{"c":3}', b'{"d":[1,', b'{"e":5}', b'{"f":6}']
    assert framed(data, multiline=True) == expected
    assert framed(*cuts(data, 1), multiline=True) == expected
    indented = b'[\n  {"a":\n  {"b":2},\n  {"c":3}\n]\n'
    assert framed(indented, multiline=True) == [b'{"a":', b'{"b":2}', b'{"c":3}']


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":\n{"b":2}\n}',
        b'{\n"a": [\n{\n"b": 1\n},\n{\n"c": 2\n}\n]\n}',
        b'{\n  "a":\n  {\n    "b": [\n    {\n    }\n    ]\n  }\n}',
    ],
    ids=["colon", "no indentation", "braces on separate lines"],
)
def test_whole_objects_stay_whole_however_they_are_written(data):
    assert framed(data + b"\n" + data, multiline=True) == [data, data]
    assert framed(*cuts(data + b"\n" + data, 1), multiline=True) == [data, data]


def test_inner_objects_of_a_broken_one_are_no_events():
    data = b'{\n  "a":\n  {\n    "b": 1\n  },\n  "c": '
    assert framed(data + b'\n{"d":4}\n', multiline=True) == [data.rstrip(), b'{"d":4}']


def event(labels, **members):
    members = {"Type": "container", "Action": "create"} | members
    members |= {"Actor": {"ID": "4f2d", "Attributes": {**labels, "name": "web"}}, "scope": "local", "timeNano": 12}
    return json.dumps(members).encode()


@pytest.mark.parametrize("size", [1, 7, 100, 10**9])
@pytest.mark.parametrize("separator", [b"\n", b""])
@pytest.mark.parametrize(
    "labels",
    [{"a": "x" * 2000}, {"x" * 2000: ""}, {f"l{number}": '"}{\\' for number in range(200)}, {"z": "\U0001f600" * 400}],
    ids=["text", "name", "many", "characters"],
)
def test_of_an_object_that_is_too_long_the_members_asked_for_are_kept(labels, separator, size):
    framer = ObjectFramer(1000, KEPT)
    data = separator.join([b'{"n":1}', event(labels), event(labels), b'{"n":2}']) + separator
    found, cut = [], {}
    for part in cuts(data, size):
        lines = framer.feed(part)
        cut |= {len(found) + place: count for place, count in lines.cut.items()}
        found += lines
    kept = {"Type": "container", "Action": "create", "Actor": {"ID": "4f2d", "Attributes": {"name": "web"}}, "timeNano": 12}
    assert [json.loads(payload) for payload in found] == [{"n": 1}, kept, kept, {"n": 2}]
    assert cut == {1: len(event(labels)), 2: len(event(labels))}
    assert framer.too_long == 0


def test_of_equal_names_the_last_counts_as_it_does_in_a_whole_object():
    data = b'{"Type":"a","Actor":{"ID":"1"},"Type":"b","Actor":{"Attributes":{"name":"n"}},"x":"' + b"x" * 200 + b'"}\n'
    assert json.loads(framed(data, longest=100)[0]) == {"Type": "b", "Actor": {"Attributes": {"name": "n"}}}


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "\\", '"', "\n"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("shift", range(12))
def test_a_long_text_is_cut_between_characters(character, ascii_only, shift):
    text = "-" * shift + character * 100_000
    payload = json.dumps({"Type": text}, ensure_ascii=ascii_only).encode()
    (found,) = framed(payload, longest=10_000)
    kept = json.loads(found)["Type"]
    assert text.startswith(kept)
    assert 64 * 1024 - 12 <= len(found) - len('{"Type":""}') <= 64 * 1024


@pytest.mark.parametrize(
    "data",
    [
        b'{"x":"' + b"x" * 200 + b'"}\n',
        b'{"Type":"a","x":"' + b"x" * 200 + b"\n",
        b'{"Type":a,"x":"' + b"x" * 200 + b'"}\n',
        b"[" * 50 + b'{"a":' + b"[" * 5000 + b"\n",
        b"x" * 200 + b"\n",
    ],
    ids=["nothing", "broken", "word", "depth", "text"],
)
def test_what_cannot_be_kept_is_counted(data):
    for size in (1, 10**9):
        framer = ObjectFramer(100, KEPT)
        assert [payload for part in cuts(data + b'{"n":1}\n', size) for payload in framer.feed(part)] == [b'{"n":1}']
        assert framer.too_long == 1


def test_members_with_invalid_utf8_are_kept_as_they_are():
    framer = ObjectFramer(100, KEPT)
    assert framer.feed(b'{"Type":"\xff","x":"' + b"x" * 200 + b'"}\n') == [b'{"Type":"\xff"}']
    assert framer.too_long == 0


def test_without_members_to_keep_an_object_that_is_too_long_is_dropped_and_counted():
    framer = ObjectFramer(100)
    assert framer.feed(b'{"Type":"' + b"x" * 200 + b'"}{"n":1}') == [b'{"n":1}']
    assert framer.too_long == 1


@pytest.mark.parametrize("piece", [b"{}", b"{},", b"[[[", b'{"a":1}x', b"}", b'{"a":\n', b'{"a":[\n{},\n'])
def test_the_time_grows_with_the_bytes_alone(piece):
    """Each of many objects in a line without an end once caused a search for that end."""
    framer = ObjectFramer(10**8, multiline=True)
    assert len(framer.feed(piece * 500_000)) >= 0
