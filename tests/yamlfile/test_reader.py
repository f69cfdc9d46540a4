"""YAML is read as yaml-cpp reads it in Falco 0.44.1: nodes with places, or its error in its words and with its place."""

import contextlib
import gc
import subprocess
import sys
import threading
import weakref

import pytest

from lanner.yamlfile.reader import MAX_DEPTH, Mapping, Scalar, Sequence, YamlError, read_documents
from lanner.yamlfile.source import SourceFile, source_file

from ..growth import grows_linearly

pytestmark = pytest.mark.native


def read(text, **options):
    return read_documents(source_file("f.yaml", text), **options)


def plain(node):
    """A node as Python's own values: None for a null, pairs for a mapping."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {plain(key): plain(value) for key, value in node.pairs}


def values(text):
    return [plain(document) for document in read(text)]


def error(text):
    with pytest.raises(YamlError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("- rule: r1\n   desc: d\n", (18, 1, 7), "illegal map value"),
        ("- rule: r1\n desc: d\n", (12, 1, 1), "end of sequence not found"),
        ("- rule: r1\n\tdesc: d\n", (11, 1, 0), "illegal tab when looking for indentation"),
        ("- desc: %d\n", (8, 0, 8), "unknown token"),
        ("a: - b", (3, 0, 3), "illegal block entry"),
        ('- "é" b', (7, 0, 7), "unexpected scalar"),
        ('- "a" b @', (6, 0, 6), "unexpected scalar"),
        ('- "a\n  b" c: d', (10, 1, 5), "unexpected scalar"),
        ('"a", b', (3, 0, 3), "unexpected scalar"),
        ("a: [b\n, c]", (6, 1, 0), "plain value cannot start with flow indicator character"),
        (",a: b", (0, 0, 0), "plain value cannot start with flow indicator character"),
        ("- rule: \n,r\n", (9, 1, 0), "plain value cannot start with flow indicator character"),
        ("[?a, b]", (1, 0, 1), "unknown token"),
        ('- rule: "abc', (12, 0, 12), "illegal EOF in scalar"),
        ("- 'b\n, c", (8, 1, 3), "illegal EOF in scalar"),
        ("- 'b\n, c'd'", (9, 1, 4), "unexpected scalar"),
        ("- a: 'b\n---\n'", (8, 1, 0), "illegal document indicator in scalar"),
        ('- a: "\\q"', (8, 0, 8), "unknown escape character: q"),
        ('- a: "\\xg0"', (10, 0, 10), "bad character found while scanning hex number"),
        ('- a: "\\uD800"', (12, 0, 12), "invalid unicode: 55296"),
        ("- a: |0\n", (7, 0, 7), "cannot set zero indentation for a block scalar"),
        ("- a: | x\n", (7, 0, 7), "unexpected character in block scalar"),
        ("- rule: [a, b\n", (14, 1, 0), "end of sequence flow not found"),
        ("{a: b", (5, 0, 0), "end of map flow not found"),
        ("[a]]", (3, 0, 3), "illegal flow end"),
        ("a:\n  - b\n c: d\n", (10, 2, 1), "end of map not found"),
        ("- rule: *é\n", (8, 0, 8), "the referenced anchor is not defined: é"),
        ("- rule: *\n", (9, 0, 9), "alias not found after *"),
        ("- &a &b c", (5, 0, 5), "cannot assign multiple anchors to the same node"),
        ("x: !a !b c", (6, 0, 6), "cannot assign multiple tags to the same node"),
        ("%YAML 3.0\n---\n- a", (0, 0, 0), "YAML major version too large"),
        ("%YAML x\n---\n- a", (0, 0, 0), "bad YAML version: x"),
        ("%YAML 1.2\n%YAML 1.2\n---\n- a", (10, 1, 0), "repeated YAML directive"),
    ],
)
def test_what_stops_yaml_cpp(text, place, message):
    found = error(text)
    assert found.mark == place
    assert found.message == f"yaml-cpp: error at line {place[1] + 1}, column {place[2] + 1}: {message}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# nothing\n", []),
        ("[127.0.0.1, ::1]", [["127.0.0.1", "::1"]]),
        ("[a:, b]", [[{"a": None}, "b"]]),
        ("[[registry:, container]]", [[[{"registry": None}, "container"]]]),
        ("- 'a'\n\t\n- b\t# comment\n", [["a", "b"]]),
        ('- "a\x01\x7f\x85b"\n- c\x02\x85d\n', [["a\x01\x7f\x85b", "c\x02\x85d"]]),
        ("%YAML 1.3\n---\n- a", [["a"]]),
        ("- a: b\n  word\n", [[{"a": "b", "word": None}]]),
        ("a:\n  b\n  c\nd: e\n", [{"a": "b c", "d": "e"}]),
        ("- a\nb: c\n", [["a"], {"b": "c"}]),  # two roots
        ("- 'open\n", [["open "]]),
        ("a: ''''\nb: \"\\x41\\\n  c\"\nc: >-\n  folded\n   more\n\n  end\n", [{"a": "'", "b": "Ac", "c": "folded\n more\n\nend"}]),
        ("- {a, b: c, ? d}\n- [a: b, {c: d}, ]\n", [[{"a": None, "b": "c", "d": None}, [{"a": "b"}, {"c": "d"}]]]),
        ("- !=\n- !!str\n- !!null x\n- ! ~\n- ~\n-\n- null\n", [["", "", "x", "~", None, None, None]]),
        ("- &a x\n- *a\n", [["x", "x"]]),
        ("--- a\n...\n--- b\n", ["a", "b"]),
        ("~\n---\n[", [None]),  # an empty document is the end
        ("- a\n---\n\n---\n[", [["a"], None]),
        ("- a\r- b: c\r  d: 'e\rf'\r", [["a", {"b": "c", "d": "e f"}]]),
        ("a:\r\n  - b\r\n", [{"a": ["b"]}]),
        ("'a\n, b'", ["a , b"]),
        ('- "a" # b\n- "c"\n- ["d", "e"]\n- "f": "g"\n', [["a", "c", ["d", "e"], {"f": "g"}]]),
    ],
)
def test_what_yaml_cpp_takes(text, expected):
    assert values(text) == expected


def test_the_first_document_alone():
    assert [plain(each) for each in read("a\n---\n[", only_first=True)] == ["a"]


def test_nodes_have_places_in_characters_and_in_bytes():
    (root,) = read("é: &x 'ü' # c\nb:\n- !t |\n   text\n   more\n- {c: [d], e}\nf:\ng: h\n  i\n")
    assert isinstance(root, Mapping)
    text = root.file.text
    shown = {key.value: (text[value.begin : value.end], value.mark) for key, value in root.pairs}
    assert shown == {
        "é": ("&x 'ü'", (4, 0, 4)),
        "b": ("- !t |\n   text\n   more\n- {c: [d], e}", (19, 2, 0)),
        "f": ("", (59, 7, 0)),
        "g": ("h\n  i", (62, 7, 3)),
    }
    block, flow = root.values["b"].items
    assert (text[block.begin : block.end], block.style, block.tag) == ("!t |\n   text\n   more", "|", "!t")
    assert text[flow.begin : flow.end] == "{c: [d], e}"
    missing = root.values["f"]
    assert (missing.begin, missing.spot().place().column, missing.spot().mark()) == (missing.end, 3, missing.mark)


def test_of_equal_keys_the_first_counts_and_keys_that_are_no_text_are_pairs():
    (root,) = read("a: 1\na: 2\n[b]: 3\n")
    assert {key: plain(value) for key, value in root.values.items()} == {"a": "1"}
    assert len(root.pairs) == 3


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_encodings_are_reported_by_the_first_bytes(encoding, mark):
    data = (mark + "- é\n- \U0001f40b\n").encode(encoding)
    assert values(data.decode("utf-8", "surrogateescape")) == [["é", "\U0001f40b"]]


def test_bytes_that_are_not_utf_8_are_replaced_one_by_one():
    (root,) = read(b"- a\xe9\xff b\n- c\n".decode("utf-8", "surrogateescape"))
    assert plain(root) == ["a\ufffd\ufffd b", "c"]
    assert root.items[1].mark == (10, 1, 2)


def test_half_a_character_is_refused_at_its_place():
    with pytest.raises(YamlError, match=r"f\.yaml:1:2: this is half of a character"):
        read_documents(SourceFile("f.yaml", "a\ud800"))


def test_limits():
    assert values("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert "levels deep" in error("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).message
    assert "is inside the node that it names" in error("&a {b: *a}").message
    bomb = "".join(f"- &x{n} [{', '.join([f'*x{n - 1}' if n else 'x'] * 10)}]\n" for n in range(9))
    assert "aliases expand to more than" in error(bomb).message


@pytest.mark.parametrize("unit", ["[", "{", "- ", "? ", "a: b\n", "&a ", "[],", '"a" b\n', "\n,", "a\r", "'", "- |\n a\n", "--- a\n"])
def test_the_time_grows_with_the_text_alone(unit):
    def run(size):
        with contextlib.suppress(YamlError):
            read(unit * (size // len(unit)))

    assert grows_linearly(run, 40_000)


def test_nodes_are_freed():
    file = source_file("f.yaml", "- &a [x, {b: c}]\n- *a\n")
    gone = weakref.ref(file)
    documents = read_documents(file)
    del file
    assert gone() is not None
    del documents
    gc.collect()
    assert gone() is None


def test_a_reader_of_a_large_file_lets_other_threads_run():
    text = "- a: b\n" * 400_000
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (read(text), ended.set()))
    thread.start()
    steps = 0
    while not ended.wait(0.001):
        steps += 1
    thread.join()
    assert steps > 10


def test_no_yaml_is_loaded_before_it_is_needed():
    code = "import sys, lanner; print('lanner.native._yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
