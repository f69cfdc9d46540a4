"""Payloads that are not what a plugin's author expects: no field has a wrong value, none fails, and both evaluators agree."""

import json

import pytest

from lanner import EACH, INDEX, KEY, cef, concat, logfmt, native, pattern, payload
from lanner.sdk.payload import evaluate

pytestmark = pytest.mark.native

LINE = pattern(r"(?P<first>\w+)(?: (?P<second>\w+))?")
FIELDS = {
    "text": payload["a"],
    "deep": payload["a", "b", 0, "c"],
    "item": payload["list", INDEX],
    "member": payload["a", KEY],
    "each": payload["list", EACH, "name"],
    "names": payload["a"].keys(),
    "written": payload["a"].text(),
    "number": payload["a"].integer(),
    "truth": payload["a"].boolean(),
    "time": payload["a"].time("rfc3339"),
    "address": payload["a"].address(),
    "raw": payload["a"].raw(),
    "pointer": payload.pointer("/a/b"),
    "either": payload["a"] | LINE["second"] | logfmt["a"] | cef["name"],
    "both": concat(payload["a"], LINE["first"]),
}
PAYLOADS = {
    "a list where an object was": b'{"a":[1,"x"],"list":{"0":"x"}}',
    "an object where a list was": b'{"a":{"b":{"0":{"c":"x"}}},"list":{"name":"x"}}',
    "a number where a string was": b'{"a":5,"list":[5,{"name":5}]}',
    "a string where a number was": b'{"a":"five","list":"five"}',
    "a string where a list was": b'{"a":{"b":"x"},"list":"abc"}',
    "null everywhere": b'{"a":null,"list":[null,{"name":null}]}',
    "a list of everything": b'{"list":[null,true,1,1.5,"x",[],{},{"name":"n"},{"name":{"x":1}}]}',
    "numbers beyond 64 bits": b'{"a":123456789012345678901234567890,"list":[-1,1e999]}',
    "no object": b'[{"a":"x"}]',
    "a string": b'"a"',
    "a number": b"5",
    "NUL in a string": b'{"a":"x\\u0000y","list":[{"name":"n\\u0000m"}]}',
    "NUL in a name": b'{"a":{"x\\u0000y":"z"},"a\\u0000":"no"}',
    "a raw NUL": b'{"a":"x\0y"}',
    "no UTF-8": b'{"a":"\xff","list":[{"name":"\xc3"},{"\xfe":1}]}',
    "half a pair": b'{"a":"\\ud800","list":[{"name":"\\udfff"}]}',
    "no UTF-8 outside of texts": b'{"a":\xff"x"}',
    "deepest": b'{"a":' * 1023 + b"{}" + b"}" * 1023,
    "too deep": b'{"a":' * 1024 + b"{}" + b"}" * 1024,
    "much too deep": b"[" * 10_000,
    "the same name repeatedly": b"{" + b'"a":"x",' * 1000 + b'"a":1}',
    "cut": b'{"a":"x","list":["x"',
    "two documents": b'{"a":"x"}{"a":"y"}',
    "nothing": b"",
    "blanks": b" \t\r\n",
    "a byte order mark": b'\xef\xbb\xbf{"a":"x"}',
    "a line": b"one two",
    "a line without its optional group": b"one",
    "pairs": b"a=x a=y",
    "a line of NULs": b"\0" * 1000,
}


@pytest.mark.parametrize("what", PAYLOADS)
def test_both_evaluators_read_the_same_of_bad_input(what):
    table = [value.data() for value in FIELDS.values()]
    readers = [native.Reader(table), evaluate.Reader(table)]
    good = b'{"a":"x","list":["y"]}'
    for document in (good, PAYLOADS[what], good):
        loaded = [(reader.load(document), reader.has_invalid_utf8) for reader in readers]
        assert loaded[0] == loaded[1]
        for slot, name in enumerate(FIELDS):
            for argument in (None, 0, 2**64 - 1, "b", "x\0y"):
                one, other = (reader.get(slot, argument) for reader in readers)
                assert one == other, (name, argument)


VALUES = [
    ("a list where an object was", "deep", None),
    ("a list where an object was", "raw", '[1,"x"]'),
    ("an object where a list was", "item", None),
    ("an object where a list was", "each", None),
    ("a number where a string was", "text", None),
    ("a number where a string was", "written", "5"),
    ("a string where a number was", "number", None),
    ("a string where a list was", "each", None),
    ("null everywhere", "either", None),
    ("a list of everything", "each", ("n",)),
    ("numbers beyond 64 bits", "number", None),
    ("numbers beyond 64 bits", "written", "123456789012345678901234567890"),
    ("NUL in a string", "text", "x"),
    ("NUL in a string", "each", ("n",)),
    ("NUL in a name", "names", ("x",)),
    ("no UTF-8", "text", "\udcff"),
    ("no UTF-8", "each", ("\udcc3",)),
    ("half a pair", "text", "\\ud800"),
    ("too deep", "names", None),
    ("the same name repeatedly", "written", "1"),
    ("a line", "either", "two"),
    ("a line without its optional group", "either", None),
    ("a line without its optional group", "both", None),
    ("pairs", "either", "y"),
    ("a line of NULs", "either", None),
]


@pytest.mark.parametrize("kind", [evaluate.Reader, native.Reader], ids=["reference", "native"])
@pytest.mark.parametrize(("what", "field", "expected"), VALUES, ids=[f"{what}: {field}" for what, field, _ in VALUES])
def test_values_of_bad_input(kind, what, field, expected):
    reader = kind([FIELDS[field].data()])
    reader.load(PAYLOADS[what])
    assert reader.get(0) == expected


LARGE = {
    "a string": lambda: (b'{"a":"' + b"x" * 10_000_000 + b'"}', "text", "x" * 10_000_000),
    "names": lambda: (
        json.dumps({"a": {str(number): number for number in range(600_000)}}).encode(),
        "names",
        tuple(map(str, range(600_000))),
    ),
    "items": lambda: (b'{"list":[' + b'{"name":"x"},' * 700_000 + b"1]}", "each", ("x",) * 700_000),
    "no UTF-8": lambda: (b'{"a":"' + b"\xff" * 10_000_000 + b'"}', "text", "\udcff" * 10_000_000),
    "numbers": lambda: (b'{"list":[' + b"1e999," * 1_500_000 + b'1],"a":"x"}', "text", "x"),
    "a line": lambda: (b"one " + b"x" * 10_000_000, "either", "x" * 10_000_000),
    "pairs": lambda: (b"b=y " * 2_500_000 + b"a=x", "either", "x"),
}
"""Payload, field and value. Made by the test: each process imports this file."""


@pytest.mark.parametrize("what", LARGE)
def test_ten_megabytes_are_read_like_any_other_payload(what):
    document, field, expected = LARGE[what]()
    assert len(document) > 8_000_000
    reader = native.Reader([value.data() for value in FIELDS.values()])
    assert reader.load(document)
    assert reader.get(list(FIELDS).index(field)) == expected
    assert reader.load(b'{"a":"y"}')
    assert reader.get(0) == "y"
