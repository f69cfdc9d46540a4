"""`payload.pointer` returns what the official json plugin 0.7.4 returned, in the reference and the native evaluator."""

import json
import lzma
from pathlib import Path

import pytest

from lanner import KEY, DefinitionError, native, payload
from lanner.sdk.payload import evaluate
from lanner.sdk.text.encoding import from_bytes, to_bytes

pytestmark = pytest.mark.native

ANSWERS = Path(__file__).parents[1] / "data" / "json-pointers.jsonl.xz"


@pytest.fixture(scope="module", params=[evaluate.Reader, native.Reader], ids=["reference", "native"])
def reader(request):
    return request.param([payload.pointer(KEY).data()])


def read(reader, document, pointer):
    reader.load(document)
    return reader.get(0, pointer)


def test_every_answer_of_the_json_plugin(reader):
    """The first line lists the pointers; each other one is a payload with the pointers that had a value for the plugin."""
    pointers, *rows = map(json.loads, lzma.decompress(ANSWERS.read_bytes()).decode().splitlines())
    for row in rows:
        document = bytes.fromhex(row["hex"]) if "hex" in row else row["payload"].encode()
        reader.load(document)
        for pointer in pointers["pointers"]:
            answer = row["answers"].get(pointer)
            expected = from_bytes(bytes.fromhex(answer["hex"])) if isinstance(answer, dict) else answer
            assert reader.get(0, pointer) == expected, (document, pointer)


DOCUMENT = (
    b'{ "a" : {"b/c": [10, "x", {"d": null}], "~": "tilde", "~1": "one", "": "empty"}, "t": true, "n": 2.50, "e": 1e3, "z": -0,'
    b' "big": 12345678901234567890123, "s": "q\\"\\u00e9", "o": { "k" : [ 1 , "a b" ] }, "eo": { }, "ea": [ ] }'
)
TABLE = [
    ("a/b~1c/1", "x"),
    ("/a/b~1c/1", "x"),
    ("/a/b~1c/01", "x"),
    ("/a/b~1c/+1", "x"),
    ("/a/b~1c/-0", "10"),
    ("/a/b~1c/-1", None),
    ("/a/b~1c/-", None),
    ("/a/b~1c/3", None),
    ("/a/b~1c/99999999999999999999", None),
    ("/a/b~1c/1.0", None),
    ("/a/b~1c/" + "1" * 5000, None),
    ("/a/b~1c/" + "0" * 5000 + "1", "x"),
    ("/a/b~1c/ 1", None),
    ("/a/b~1c/", None),
    ("/a/b~1c/2/d", "null"),
    ("/a/b~1c/1/x", None),
    ("/a/~0", "tilde"),
    ("/a/~01", "one"),
    ("/a/", "empty"),
    ("/a/b~1c", '[10,"x",{"d":null}]'),
    ("/t", "true"),
    ("/n", "2.50"),
    ("/e", "1e3"),
    ("/z", "-0"),
    ("/big", "12345678901234567890123"),
    ("/s", 'q"\u00e9'),
    ("/o", '{"k":[1,"a b"]}'),
    ("/eo", "{}"),
    ("/ea", "[]"),
    ("/", None),
    ("/T", None),
    ("//a", None),
]


@pytest.mark.parametrize(("pointer", "expected"), TABLE)
def test_pointers(reader, pointer, expected):
    assert read(reader, DOCUMENT, pointer) == expected


DOCUMENTS = [
    (b'{"a":1,"a":2}', "a", "1"),
    (b'{"\\u0061":1,"a":2}', "a", "2"),
    (b'{"\\u0061":1,"\\u0061":2}', "a", "1"),
    (b'{"":1}', "/", "1"),
    (b'{"":1}', "", '{"":1}'),
    (b' {"a":1}', "a", None),
    (b'"a"', "", None),
    (b"1", "", None),
    (b"", "", None),
    (b'{"a":1} \r\n\t', "a", "1"),
    (b'{"a":1}x', "a", None),
    (b'{"a":1', "a", None),
    (b'{"a":1,}', "a", None),
    (b"[1,]", "0", None),
    (b'{"a" 1}', "a", None),
    (b'{"a":NaN,"b":-inf,"c":1.2.3,"d":+5,"e":-}', "a", None),
    (b'{"a":NaN}', "a", "NaN"),
    (b'{"a":-inf}', "a", "-inf"),
    (b'{"a":nan}', "a", "nan"),
    (b'{"a":Infinity}', "a", None),
    (b'{"a":1.2.3}', "a", "1.2.3"),
    (b'{"a":+5}', "a", "+5"),
    (b'{"a":tru}', "a", None),
    (b'{"a":"\\ud800"}', "a", "\\ud800"),
    (b'{"a":"\\ud83d\\ude00"}', "a", "\U0001f600"),
    (b'{"a":"\\ud800\\u0041"}', "a", "\ufffd"),
    (b'{"a":"\\u00g1\\x\\u12"}', "a", "\\u00g1\\x\\u12"),
    (b'{"a":"x\\u0000y"}', "a", "x"),
    (b'{"a":"\x01\n"}', "a", "\x01\n"),
    (b'{"a":"\xff"}', "a", "\udcff"),
    (b'{"\xff":1}', "\udcff", "1"),
    (b'{"a":{"\\u0062":"\\/"}}', "a", '{"\\u0062":"\\/"}'),
    (b"[" * 300 + b"]" * 300, "0", "[" * 299 + "]" * 299),
    (b"[" * 301 + b"]" * 301, "0", None),
    (b"[" * 299 + b"1" + b"]" * 299, "/0" * 299, "1"),
    (b"[" * 300 + b"1" + b"]" * 300, "0", None),
    (b"[" * 1_000_000, "", None),
    (b'{"a":"' + b"x" * 10_000_000 + b'"}', "a", "x" * 10_000_000),
]


@pytest.mark.parametrize(("document", "pointer", "expected"), DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_documents(reader, document, pointer, expected):
    assert read(reader, document, pointer) == expected
    if expected is not None:
        assert to_bytes(expected)


@pytest.mark.parametrize("kind", [evaluate.Reader, native.Reader], ids=["reference", "native"])
def test_a_fixed_pointer_and_words_after_it(kind):
    table = [payload.pointer("/a/0").integer(), payload.pointer("a/1").upper(), payload.pointer("/b") | payload["c"]]
    reader = kind([value.data() for value in table])
    assert reader.load(b'{"a":[201,"x"],"c":"c"}')
    assert [reader.get(slot) for slot in range(3)] == [201, "X", "c"]


@pytest.mark.parametrize("kind", [evaluate.Reader, native.Reader], ids=["reference", "native"])
def test_a_payload_that_only_the_plugin_reads_is_readable(kind):
    reader = kind([payload.pointer(KEY).data()])
    assert reader.load(b'{"a":NaN}')
    assert not reader.load(b' {"a":1}')
    assert reader.get(0, None) is None
    assert reader.get(0, 1) is None


def test_wrong_declarations():
    assert payload.pointer(KEY).own_arguments == {KEY}
    for wrong in (5, None, True):
        with pytest.raises(DefinitionError, match="`pointer` needs a JSON pointer, such as"):
            payload.pointer(wrong)
    with pytest.raises(DefinitionError, match="begins at the whole payload"):
        payload["a"].pointer("/b")
