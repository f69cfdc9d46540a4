"""The meaning of the words for scalars, strings, conditions and lists, in the reference evaluator and the native reader."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from lanner import EACH, INDEX, KEY, concat, item, native, payload, text
from lanner.sdk.payload import evaluate

KINDS = pytest.mark.parametrize("kind", [evaluate.Reader, native.Reader], ids=["reference", "native"])

a, b = payload["a"], payload["b"]
each = payload["l", EACH]
BIG = b"123456789012345678901234567890"


def at(written: str) -> bytes:
    """Return a payload with a value as it is written."""
    return b'{"a": ' + written.encode() + b"}"


SCALARS = [
    # a scalar as JSON writes it
    (a.text(), at("true"), "true"),
    (a.text(), at("201"), "201"),
    (a.text(), at("2.50"), "2.50"),
    (a.text(), at("-0"), "-0"),
    (a.text(), at("0"), "0"),
    (a.text(), at("-7"), "-7"),
    (a.text(), at("1E+2"), "1E+2"),
    (a.text(), at("1e999"), "1e999"),
    (a.text(), b'{"a":' + BIG + b',"b":-0}', BIG.decode()),
    (b.text(), b'{"a":' + BIG + b',"b":-0}', "-0"),
    (a.text(), at('"x\\u0000y"'), "x"),
    (a.text(), at("null"), None),
    (a.text(), at("[1]"), None),
    (a.boolean().text(), at("false"), "false"),
    (a.integer().text(), at('"007"'), "7"),
    # any value
    (a.raw(), at('{ "x" : [ 1.50, "a b\\" c" ] }'), '{"x":[1.50,"a b\\" c"]}'),
    (a.raw(), at('"\\u00e9 "'), '"\\u00e9 "'),
    (a.raw(), at("null"), "null"),
    (a.raw(), at("-0"), "-0"),
    (a.raw(), b'{"a":[ ' + BIG + b" , -0 ]}", f"[{BIG.decode()},-0]"),
    (a.raw(), b"{}", None),
    (a | a.raw(), at('"x"'), "x"),
    (a | a.raw(), at("[]"), "[]"),
    # booleans
    (a.boolean(), at("true"), True),
    (a.boolean(), at("false"), False),
    (a.boolean(), at('"true"'), True),
    (a.boolean(), at('"True"'), None),
    (a.boolean(), at("1"), None),
    # addresses and networks
    (a.address(), at('"10.1.2.3"'), ip_address("10.1.2.3").packed),
    (a.address(), at('"fe80::1"'), ip_address("fe80::1").packed),
    (a.address(), at('"::ffff:1.2.3.4"'), ip_address("::ffff:1.2.3.4").packed),
    (a.address(), at('"010.1.2.3"'), None),
    (a.address(), at('"fe80::1%eth0"'), None),
    (a.address(), at('"10.1.2.3:80"'), None),
    (a.before(":").address(), at('"10.1.2.3:80"'), ip_address("10.1.2.3").packed),
    (a.network(), at('"10.1.2.3/9"'), ip_address("10.0.0.0").packed),
    (a.network(), at('"10.1.2.3"'), ip_address("10.1.2.3").packed),
    (a.network(), at('"fe80::1:2/112"'), ip_address("fe80::1:0").packed),
    (a.network(), at('"10.0.0.0/33"'), None),
    (a.network(), at('"10.0.0.0/08"'), None),
    (a.network(), at('"10.0.0.0/255.0.0.0"'), None),
    # durations and counted times
    (a.duration("s"), at("1.5"), 1_500_000_000),
    (a.duration("ms"), at('"20"'), 20_000_000),
    (a.duration("s"), at("-1"), None),
    (a.time("s"), at("1700000000.123456789"), 1_700_000_000_123_456_789),
    (a.time("s"), at('"1700000000.1"'), 1_700_000_000_100_000_000),
    (a.time("s"), at('"1700000000.12345678999"'), 1_700_000_000_123_456_789),
    (a.time("ms"), at("1.5"), 1_500_000),
    (a.time("s"), at("1.5e3"), None),
    (a.time("s"), at('"1."'), None),
    # strings
    (a.lower(), at('"AbÉ"'), "abÉ"),
    (a.upper(), at('"abé"'), "ABé"),
    (a.basename(), at('"/usr/bin/sh"'), "sh"),
    (a.basename(), at('"sh"'), "sh"),
    (a.basename(), at('"/a/"'), ""),
    (a.query("q"), at('"/p?x=1&q=a%20b+c&q=z#?q=no"'), "a b c"),
    (a.query("q"), at('"/p?q"'), ""),
    (a.query("é"), at('"?%C3%A9=1"'), "1"),
    (a.query("q"), at('"/p#?q=1"'), None),
    (a.query("q"), at('"/p?q=%4"'), None),
    (a.query("q"), at('"/p?q=1;r=2"'), None),
    (a.query("q"), at('"?q=%FF"'), "\udcff"),
    (a.query("q"), at('"?q=a%00b"'), "a"),
    (concat(a, "/", payload["b"]), b'{"a":"x","b":"y"}', "x/y"),
    (concat(a, "/", payload["b"]), b'{"a":"x"}', None),
    (a | text("0"), b"{}", "0"),
    # conditions
    (a.when(b.exists()), b'{"a":"x","b":null}', "x"),
    (a.when(b.present()), b'{"a":"x","b":null}', None),
    (a.when(b.present()), b'{"a":"x","b":{}}', "x"),
    (a.when(b.boolean()), b'{"a":"x","b":false}', None),
    (a.unless(b, "y", "z"), b'{"a":"x","b":"z"}', None),
    (a.unless(b, "y"), b'{"a":"x"}', "x"),
    (a.unless(b), b'{"a":"x"}', "x"),
    (a.unless(b), b'{"a":"x","b":""}', None),
    (a.unless(b.boolean()), b'{"a":"x","b":false}', "x"),
    (a.exists(), b"{}", False),
    (a.exists(), at("null"), True),
    (a.before(":").exists(), at("1"), False),
    (a.present(), at("null"), False),
    (a.present(), at("0"), True),
]
DATES = [
    ("rfc3339", "2024-02-29T12:30:00Z", 1709209800_000000000),
    ("rfc3339", "2024-02-29T12:30:00.123456789123+01:30", 1709204400_123456789),
    ("rfc3339", "2024-02-29t12:30:00-00:00", 1709209800_000000000),
    ("rfc3339", "2024-02-29 12:30:60Z", 1709209860_000000000),
    ("rfc3339", "2023-02-29T12:30:00Z", None),
    ("rfc3339", "2024-02-29T12:30:00", None),
    ("rfc3339", "2024-02-29T24:00:00Z", None),
    ("rfc3339", "2024-02-29T12:30:00+0130", None),
    ("rfc3339", "2024-02-29T12:30:00.Z", None),
    ("rfc3339", "1969-12-31T23:59:59Z", None),
    ("rfc3339", "1970-01-01T00:00:00Z", 0),
    ("rfc3339", "2554-07-21T23:34:33.709551615Z", 2**64 - 1),
    ("rfc3339", "2554-07-21T23:34:33.709551616Z", None),
    ("rfc3339", "٢024-02-29T12:30:00Z", None),
    ("iso8601", "2024-02-29T12:30:00", 1709209800_000000000),
    ("iso8601", "2024-02-29T12:30:00,5", 1709209800_500000000),
    ("iso8601", "2024-02-29T12:30:00+0130", 1709204400_000000000),
    ("iso8601", "2024-02-29T12:30+01", 1709206200_000000000),
    ("iso8601", "2024-02-29", 1709164800_000000000),
    ("iso8601", "20240229T123000Z", 1709209800_000000000),
    ("iso8601", "20240229T123000.5", 1709209800_500000000),
    ("iso8601", "20240229", None),
    ("iso8601", "2024-02-29T123000", None),
    ("iso8601", "2024-02-29T12:30:00+1", None),
    ("rfc2822", "Thu, 29 Feb 2024 12:30:00 +0130", 1709204400_000000000),
    ("rfc2822", "29 feb 2024  12:30 GMT", 1709209800_000000000),
    ("rfc2822", "Thu, 1 Mar 2024 12:30:00 -0000", 1709296200_000000000),
    ("rfc2822", "Thursday, 29 Feb 2024 12:30:00 GMT", None),
    ("rfc2822", "29 Feb 2024 12:30:00", None),
    ("rfc2822", "29 Feb 2024 12:30:00 +2400", None),
    ("http-date", "Thu, 29 Feb 2024 12:30:00 GMT", 1709209800_000000000),
    ("http-date", "Thu, 29 Feb 2024 12:30:00 +0000", None),
    ("http-date", "thu, 29 Feb 2024 12:30:00 GMT", None),
]
LISTS = [
    (each, '["x", 1, "y", null]', None, ("x", "y")),
    (each, "[]", None, None),
    (each, '{"0":"x"}', None, None),
    (each["n"], '[{"n":"x"}, {}, 1, {"n":"y"}]', None, ("x", "y")),
    (each["n", EACH], '[{"n":["x","y"]}, {"n":[]}, {"n":["z"]}]', None, ("x", "y", "z")),
    (each[EACH], '[["x"],["y","z"]]', None, ("x", "y", "z")),
    (each["n"].text(), '[{"n":1.0},{"n":"1"},{"n":true}]', None, ("1.0", "1", "true")),
    (each.integer(), '["1", 2, -3, "x"]', None, (1, 2)),
    (each.boolean(), '[true, "false", 1]', None, (True, False)),
    (each.address(), '["::1", "x"]', None, (ip_address("::1").packed,)),
    (each.raw(), '[ { "x" : 1 } , null]', None, ('{"x":1}', "null")),
    (each.before(":").upper(), '["a:b", "c"]', None, ("A", "C")),
    (each["n", INDEX], '[{"n":["x","y"]}, {"n":["z"]}]', 1, ("y",)),
    (payload["l", INDEX, EACH], '[["x"],["y","z"]]', 1, ("y", "z")),
    (payload["l", INDEX | EACH, "n"], '[{"n":"x"},{"n":"y"}]', None, ("x", "y")),
    (payload["l", INDEX | EACH, "n"], '[{"n":"x"},{"n":"y"}]', 1, ("y",)),
    (payload["l", INDEX | EACH, "n"], '[{"n":"x"},{"n":"y"}]', 2, None),
    (each.nth(1), '["x","y"]', None, "y"),
    (each.nth(2), '["x","y"]', None, None),
    (each.nth(INDEX), '["x","y"]', 0, "x"),
    (each.where("kind", "User")["name"], '[{"kind":"User","name":"x"},{"kind":"Group","name":"y"},{"name":"z"},1]', None, ("x",)),
    (each.where("on", "true", "1")["name"], '[{"on":true,"name":"x"},{"on":1,"name":"y"},{"on":2,"name":"z"}]', None, ("x", "y")),
    (each.where("on")["name"], '[{"on":null,"name":"x"},{"name":"y"}]', None, ("x",)),
    (each.each(item["n"] | item["m"] | text("0")), '[{"n":"x"},{"m":"y"},{}]', None, ("x", "y", "0")),
    (each.each(concat(item["n"], ":", a)), '[{"n":"x"},{}]', None, ("x:A",)),
    (each.each(item["p", EACH].each(item["h"] | item["c"])), '[{"p":[{"h":"1"},{"c":"2"}]},{},{"p":[{"h":"3"}]}]', None, ("1", "2", "3")),
    (each.each(item["p", EACH].join(" ")), '[{"p":["x","y"]},{"p":[]},{}]', None, ("x y", "")),
    (each.each(item), '["x"]', None, ("x",)),
    (each.join(", "), '["x","y"]', None, "x, y"),
    (each.join(","), "[]", None, ""),
    (each.join(","), "{}", None, None),
    (each.every(), '["x", 1]', None, None),
    (each.every(), '["x", "y"]', None, ("x", "y")),
    (each["n"].every(), '[{"n":"x"},{}]', None, None),
    (each.integer().every(), '["1","x"]', None, None),
    (each.boolean().any(), "[false, true]", None, True),
    (each.boolean().any(), "[false, 1]", None, False),
    (each.boolean().any(), "[]", None, False),
    (each.boolean().any(), "{}", None, None),
    (each.any("x", "y"), '["z","y"]', None, True),
    (each.exists(), "[null]", None, True),
    (each.present(), "[null]", None, False),
    (each.keys(), '[{"x":1,"y":2},{"x":3},5]', None, ("x", "y", "x")),
    (each.keys().without("x"), '[{"x":1,"y":2}]', None, ("y",)),
    (a.split(","), "[]", None, ("A",)),
    (payload["c"].split(","), "[]", None, ("x", "", "y")),
    (payload["c"].split(",").nth(2).upper(), "[]", None, "Y"),
    (payload["c"].split(",").without("").join("+"), "[]", None, "x+y"),
    (a.listed() | each, '["x"]', None, ("A",)),
    (payload["no"].listed() | each, '["x"]', None, ("x",)),
    (each.when(a, "A"), '["x"]', None, ("x",)),
    (each.unless(a, "A"), '["x"]', None, None),
    (text("t").when(KEY), "[]", "k", "t"),
    (text("t").when(KEY), "[]", None, None),
    (text("t").unless(INDEX), "[]", 1, None),
]  # fmt: skip


def both_types(got: Any, expected: Any) -> None:
    assert got == expected
    assert type(got) is type(expected)
    if isinstance(got, tuple):
        assert [*map(type, got)] == [*map(type, expected)]


@KINDS
@pytest.mark.parametrize(("value", "document", "expected"), SCALARS)
def test_scalars(kind, value, document, expected):
    reader = kind([value.data()])
    assert reader.load(document)
    both_types(reader.get(0), expected)


@KINDS
@pytest.mark.parametrize(("form", "written", "expected"), DATES)
def test_dates(kind, form, written, expected):
    reader = kind([a.time(form).data()])
    assert reader.load(json.dumps({"a": written}).encode())
    both_types(reader.get(0), expected)


@KINDS
@pytest.mark.parametrize(("value", "items", "argument", "expected"), LISTS)
def test_lists(kind, value, items, argument, expected):
    reader = kind([value.data()])
    assert reader.load(b'{"a":"A","c":"x,,y","l":' + items.encode() + b"}")
    both_types(reader.get(0, argument), expected)


@KINDS
def test_values_of_another_type_are_counted_by_the_type_that_they_have(kind):
    values = [a, a.integer(), a.text(), each["n"], each["n"].integer(), payload["l", EACH, EACH], a | a.raw(), a.keys(), a.time("rfc3339")]
    reader = kind([value.data() for value in values])
    for document in (
        b'{"a":true,"l":[{"n":1},{"n":"x"},{"n":null},{}]}',
        b'{"a":-1,"l":{}}',
        b'{"a":"x"}',
        b'{"a":null}',
        b'{"a":[]}',
        b"[",
    ):
        reader.load(document)
        for slot in range(len(values)):
            reader.get(slot)
    assert reader.misfits() == [
        {"boolean": 1, "number": 1, "array": 1},
        {"boolean": 1, "number": 1, "array": 1, "text": 1},
        {"array": 1},
        {"number": 1, "object": 1},
        {"text": 1, "object": 1},
        {"object": 5},
        {},
        {"boolean": 1, "number": 1, "text": 1, "array": 1},
        {"boolean": 1, "number": 1, "array": 1, "text": 1},
    ]
