"""The native reader returns the reference evaluator's results, for any tree and any payload, and survives any input."""

import gc
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanner import EACH, INDEX, KEY, DefinitionError, concat, item, payload, text
from lanner.docker.event_fields import FIELDS
from lanner.native import Reader
from lanner.sdk.payload import evaluate
from lanner.sdk.payload.trees import uses_item
from lanner.sdk.payload.words import DATE_FORMS, ROWS, UNITS, WORDS

from ..waiting import PATIENCE

pytestmark = pytest.mark.native

RECORDING = Path(__file__).parent.parent / "data" / "docker-engine-20.10-events.jsonl"

NAMES = ["a", "b", "c", "a b", "é", "", "x\x00y", "1"]
# bytes that are not UTF-8, as lanner.sdk.text.encoding has them, and characters that stand for such bytes in the evaluators
ODD_TEXTS = ["\udcff", "a\udce2\udc82:b", "\U0010ff80\U0010ffff\udc80", "\udcc3", "\udca9:é"]
TEXTS = [
    "", "x", "a:b", "a: b", ":", "12", "007", "18446744073709551615", "18446744073709551616", "é:ü", "n\x00ul", "1" * 21, "٣", "true", "X/é",
    "1.5", "5.", "2024-02-29T12:30:00.25Z", "2023-02-29T00:00:00Z", "20240229T123000+0130", "1969-12-31T23:59:59.9Z", "2024-02-29",
    "Thu, 29 Feb 2024 12:30:00 GMT", "29/Feb/2024:12:30:00 +0130", "29 feb 2024 12:30 -0130", "10.1.2.3", "10.1.2.3/9", "::1", "fe80::1%lo/64", "::ffff:1.2.3.4/100",
    "/p?a=x&b=%41+b&a=y#?a=z", "?%61=1;2", "?a=%fF%00x", "?a=%4", "?=e&&1",
]  # fmt: skip
texts = st.sampled_from(TEXTS)
numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.sampled_from([0, 2**64 - 1, 2**64, 18446744074, 10**30, 1.5, 0.1, 1e300, 1700000000.123456789])
)
documents = st.recursive(
    st.one_of(st.sampled_from(TEXTS + ODD_TEXTS), numbers, st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from([*NAMES, "\udcff"]), inner, max_size=5)),
    max_leaves=20,
)
separators = st.sampled_from([":", ": ", "b", "é"])
some_texts = st.lists(texts, min_size=1, max_size=2)
# By the kind of its arguments
OPERANDS = {
    None: st.just(()),
    "separator": st.tuples(separators),
    "unit": st.tuples(st.sampled_from(list(UNITS))),
    "time form": st.tuples(st.sampled_from([*UNITS, *DATE_FORMS])),
    "name": st.tuples(st.sampled_from([*NAMES, KEY])),
    "texts": some_texts,
    "optional texts": st.one_of(st.just(()), some_texts),
    "index": st.tuples(st.one_of(st.integers(0, 3), st.just(INDEX))),
}


def made(value, name, *operands):
    """Return the result of a method, or the value itself if it has another type than the method needs."""
    try:
        return getattr(value, name)(*operands)
    except (AttributeError, DefinitionError):
        return value


def applied(rows, values):
    """Return values that the words of these rows make from others."""
    return st.sampled_from(rows).flatmap(
        lambda row: st.builds(lambda value, operands: made(value, row.name, *operands), values, OPERANDS[row.operand])
    )


def selected(root, parts, where):
    """Return a path, perhaps with a condition on items."""
    path = root
    for part in parts:
        path = path[part]
        if part in {EACH, INDEX | EACH} and where is not None:
            path = path.where(*where)
    return path


PARTS = st.one_of(st.sampled_from(NAMES), st.integers(0, 3), st.sampled_from([KEY, INDEX, EACH, EACH, INDEX | EACH]))
paths = st.builds(
    selected,
    st.sampled_from([payload, payload, item]),
    st.lists(PARTS, max_size=4).filter(lambda parts: sum(part in {KEY, INDEX, INDEX | EACH} for part in parts) <= 1),
    st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(NAMES), texts), st.tuples(st.sampled_from(NAMES))),
)


pointers = st.one_of(st.just(KEY), st.sampled_from(["", "/", "/a", "b/c", "/a/b", "/a/01", "/b/0/c", "/x\x00y", "/a b/é", "/1/+0"])).map(
    payload.pointer
)


def concatenated(value, other):
    try:
        return concat(value, ":", other)
    except DefinitionError:
        return value


trees = st.recursive(
    st.one_of(paths, paths, paths, pointers, texts.filter(lambda each: "\0" not in each).map(text)),
    lambda inner: st.one_of(
        applied(WORDS, inner),
        applied(WORDS, inner),
        st.builds(lambda one, other: made(one, "__or__", other), inner, inner),
        st.builds(
            made,
            inner,
            st.sampled_from(["when", "unless"]),
            st.one_of(inner, applied([ROWS["exists"], ROWS["any"]], inner), st.sampled_from([KEY, INDEX])),
        ),
        st.builds(
            lambda value, name, condition, some: made(value, name, condition, *some),
            inner,
            st.sampled_from(["when", "unless"]),
            paths,
            some_texts,
        ),
        st.builds(made, paths, st.just("each"), inner),
        st.builds(concatenated, inner, inner),
    ),
    max_leaves=6,
)
values = trees.map(lambda value: payload[EACH].each(value) if uses_item(value) else value)
arguments = st.one_of(st.none(), st.sampled_from([*NAMES, "\udcff", "\ud800", "/a/b", "a/0/b"]), st.integers(-1, 5))


def both(tree: list[object], document: bytes, argument: str | int | None = None) -> tuple[object, object]:
    """Return the result of the native reader and the reference for a payload: (is it JSON, the value, values of other types)."""
    answers, has_invalid_utf8 = [], []
    for kind in (Reader, evaluate.Reader):
        reader = kind([tree])
        answers.append((reader.load(document), reader.get(0, argument), reader.misfits()))
        has_invalid_utf8.append(reader.has_invalid_utf8)
    assert has_invalid_utf8[0] is has_invalid_utf8[1]
    return answers[0], answers[1]


def spelt(document, style):
    """Return a document as JSON: with letters or escapes, with blanks or without, with zeros at the end of fractions.

    As escapes, bytes that are not UTF-8 are half pairs.
    """
    written = json.dumps(document, ensure_ascii=(style & 1) == 0, indent=1 if style & 2 else None)
    written = re.sub(r"(?m)(?<=[ \[])([0-9]+\.[0-9]+)(?=[,\]}]|$)", r"\g<1>0" if style & 4 else r"\g<1>", written)
    return written.encode("utf-8", "surrogateescape")


@settings(max_examples=4 * settings.default.max_examples)
@given(values, documents, arguments, st.integers(0, 7))
def test_agrees_with_the_reference_on_any_tree_and_document(value, document, argument, style):
    native, reference = both(value.data(), spelt(document, style), argument)
    assert native == reference
    assert native[0] or "pointer" in str(value.data())  # pointers need an object or array
    assert type(native[1]) is type(reference[1])
    if isinstance(native[1], tuple):
        assert [*map(type, native[1])] == [*map(type, reference[1])]


@settings(max_examples=10 * settings.default.max_examples)
@given(st.data())
def test_agrees_with_the_reference_on_damaged_events(data):
    line = bytearray(data.draw(st.sampled_from(RECORDING.read_bytes().splitlines())))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(line) - 1))
        line[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if not line:
            break
    for value in (payload["Actor", "ID"], payload["Actor", "Attributes"].keys(), payload["timeNano"].time("ns")):
        native, reference = both(value.data(), bytes(line))
        assert native == reference


def test_agrees_with_the_reference_on_every_field_of_every_recorded_event():
    table = [field.value.data() for field in FIELDS]
    native, reference = Reader(table), evaluate.Reader(table)
    for line in RECORDING.read_bytes().splitlines():
        assert native.load(line) is reference.load(line) is True
        for slot in range(len(table)):
            assert native.get(slot, "name") == reference.get(slot, "name")


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        (b"{}", True),
        (b' {"a": 1} \r\n', True),
        (b'"text"', True),
        (b"[" * 1024 + b"]" * 1024, True),
        (b"[" * 1024 + b"1" + b"]" * 1024, True),
        (b"[" * 1023 + b"1e999" + b"]" * 1023, True),
        (b"[" * 1024 + b'-0, "\\"[", 1e999' + b"]" * 1024, True),
        (b'{"a":' * 1023 + b"{}" + b"}" * 1023, True),
        (b'{"a": 1e999, "b": -1e999, "c": 123456789012345678901234567890, "d": -0, "e": 0.1e+5}', True),
        (b'{"a": "' + b"x" * 5_000_000 + b'"}', True),
        (b'{"a": ' + b"9" * 100_000 + b"}", True),
        (b"", False),
        (b"   ", False),
        (b"{", False),
        (b'{"a": 1}x', False),
        (b'{"a": 1}{"a": 2}', False),
        (b'{"a": 1,}', False),
        (b"{'a': 1}", False),
        (b'{"a": 01}', False),
        (b'{"a": 1.}', False),
        (b'{"a": .5}', False),
        (b'{"a": +1}', False),
        (b'{"a": 1e999.}', False),
        (b'{"a": 1e999e}', False),
        (b'{"a": NaN}', False),
        (b'{"a": "\xff"}', True),
        (b'{"a": "\xed\xa0\x80"}', True),
        (b'{"a": "\\ud800"}', True),
        (b'{"a": "\\udc00\\ud800"}', True),
        (b'{"a": "\xff}', False),
        (b'{"a": "\\\xff"}', False),
        (b'{"a": "" \xff}', False),
        (b"\xff{}", False),
        (b"[" * 1023 + b'"\xff", -0, 1e999' + b"]" * 1023, True),
        (b"[" * 1025 + b'"\xff"' + b"]" * 1025, False),
        (b'{"a": "\\x41"}', False),
        (b'{"a": "\x01"}', False),
        (b"\xef\xbb\xbf{}", False),
        (b"[" * 1025 + b"]" * 1025, False),
        (b"[" * 1025 + b"1" + b"]" * 1025, False),
        (b"[" * 1025 + b"1e999" + b"]" * 1025, False),
        (b"[" * 10_000 + b"]" * 10_000, False),
        (b"[" * 1_000_000, False),
        (b"\x00", False),
        (b'{"a": 1}\x00', False),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_only_what_is_wholly_json_is_json(document, valid):
    native, reference = both(payload["a"].data(), document)
    assert native[0] is valid
    assert reference == native


def test_the_last_of_equal_names_wins_at_every_level():
    document = b'{"a": {"b": "old"}, "a": {"b": "older", "b": "new"}}'
    assert both(payload["a", "b"].data(), document) == ((True, "new", [{}]), (True, "new", [{}]))


def test_nothing_of_an_event_is_left_for_the_next_one():
    reader = Reader([payload["a"].data()])
    assert reader.load(b'{"a": "secret"}')
    assert reader.get(0) == "secret"
    assert reader.load(b'{"b": "x"}')
    assert reader.get(0) is None
    assert not reader.load(b'{"a": "broken')
    assert reader.get(0) is None


A = ["path", ["a"]]
NO_TABLES = [
    (None, "a table must be a list, not NoneType"),
    (5, "a table must be a list, not int"),
    ("path", "a table must be a list, not str"),
    ([A, 1], "slot 1: a value must be a list, not int"),
    ([[]], "slot 0: a value must be a word with its operands, not an empty list"),
    ([[5, []]], "slot 0: the word of a value must be a string, not int"),
    ([["path"]], '"path" takes 1 operands, not 0'),
    ([["path", [], []]], '"path" takes 1 operands, not 2'),
    ([["path", "a"]], "a path must be a list, not str"),
    ([["path", [-1]]], "a number in a path must be from 0 to"),
    ([["path", [2**64]]], "a number in a path must be from 0 to"),
    ([["path", [1.5]]], "a step of a path must be a string, a number, or"),
    ([["path", [True]]], "a step of a path must be a string, a number, or"),
    ([["path", [None]]], "a step of a path must be a string, a number, or"),
    ([["path", [{}]]], "a step of a path must be a string, a number, or"),
    ([["path", [{"argument": "both"}]]], "a step of a path must be a string, a number, or"),
    ([["path", [{"argument": 1}]]], "a step of a path must be a string, a number, or"),
    ([["path", [{1: "key"}]]], "a step of a path must be a string, a number, or"),
    ([["path", [{"argument": "key", "more": 1}]]], "a step of a path must be a string, a number, or"),
    ([["path", ["\ud800"]]], "a name in a path must be a string that UTF-8 can encode"),
    ([["no such word", []]], 'unknown word "no such word"'),
    ([["first", 5]], 'the operand of "first" must be a list, not int'),
    ([["first", [A, 5]]], "a value must be a list, not int"),
    ([["when", A, A]], '"when" takes 3 operands, not 2'),
    ([["when", A, A, "x"]], 'the last operand of "when" must be a list, not str'),
    ([["when", A, A, [1]]], 'an operand of "when" must be a string, not int'),
    ([["before", A, ""]], "a separator must not be empty"),
    ([["after", A, b":"]], "a separator must be a string, not bytes"),
    ([["integer", A, "ns"]], '"integer" takes 1 operands, not 2'),
    ([["time", A, "days"]], 'unknown time unit "days"'),
    ([["time", A, 1]], "a unit of time must be a string, not int"),
    ([["keys", ["integer", A]]], '"keys" needs a path as its operand'),
]


@pytest.mark.parametrize(("table", "message"), NO_TABLES, ids=[message for _, message in NO_TABLES])
def test_what_is_no_table_is_refused_in_words(table, message):
    with pytest.raises(ValueError, match=f"not a table of values: .*{re.escape(message)}"):
        Reader(table)


def nested(levels: int) -> list[object]:
    tree = A
    for _ in range(levels):
        tree = ["lower", tree]
    return tree


def test_a_table_is_nested_a_hundred_levels_at_most():
    assert Reader([nested(100)]).load(b"{}")
    with pytest.raises(ValueError, match="nested more than 100 levels"):
        Reader([nested(101)])


def test_a_table_that_holds_itself_is_refused():
    tree: list[object] = ["first", []]
    tree[1] = [tree, tree]
    with pytest.raises(ValueError, match="nested more than 100 levels"):
        Reader([tree])


def test_a_table_that_would_unfold_without_end_is_refused():
    """Each level contains the one below it twice: a hundred lists, and 2^99 values."""
    tree = A
    for _ in range(99):
        tree = ["first", [tree, tree]]
    with pytest.raises(ValueError, match="more than 100000 values"):
        Reader([tree])


def test_wrong_arguments_are_type_errors():
    reader = Reader([payload[KEY].data()])
    reader.load(b'{"a": "x"}')
    assert reader.get(0, "a") == "x"
    assert reader.get(0, "\ud800") is None
    assert reader.get(0, 2**70) is None
    with pytest.raises(TypeError):
        reader.get(0, 1.5)
    with pytest.raises(TypeError):
        reader.load("text")
    with pytest.raises(IndexError):
        reader.get(1)


def test_names_chosen_for_equal_hashes_cost_no_more_than_others():
    # at each place the two blocks leave the same state in the hash of the C++ library, whose key is known
    blocks = [(b"m yYB|=k", b"m 6s\xdda\xe5\xf9"), (b"`Rk$]?SU", b"`R(>\xf8$\xfb\xe3")]
    bits = 15
    names = [b"".join(blocks[0][number >> bit & 1] + blocks[1][number >> bit & 1] for bit in range(bits)) for number in range(2**bits)]
    reader = Reader([payload.keys().data()])
    assert reader.load(b"{" + b",".join(b'"%s":1' % name for name in names) + b"}")
    begin = time.thread_time()
    assert len(reader.get(0)) == len(names)
    assert time.thread_time() - begin < 1


def test_an_event_that_failed_to_load_has_no_values():
    """A reader has no values of the event before, when memory did not suffice for the next one."""
    code = """
import resource
from lanner import logfmt, payload
from lanner.native import Reader
reader = Reader([payload["a"].data(), logfmt["a"].data()])
assert reader.load(b'{"a":"x"}') and reader.get(0) == "x"
large = b"a=x " * 50_000_000
resource.setrlimit(resource.RLIMIT_AS, (2**28 + len(large),) * 2)
try:
    reader.load(large)
except MemoryError:
    print(reader.get(0), reader.get(1))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.stderr) == ("None None\n", "")


@pytest.mark.parametrize(
    ("value", "large"),
    [('logfmt["a"]', 'b"a= " * 2_000_000'), ("payload.raw()", 'b"[" + b" 1," * 2_000_000 + b"1]"')],
    ids=["pairs", "tokens"],
)
def test_the_memory_of_a_large_event_is_released(value, large):
    code = f"""
import resource
from lanner import logfmt, payload
from lanner.native import Reader

def work(event):
    for _ in range(2):
        reader.load(event)
        reader.get(0)

def kept():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

reader = Reader([({value}).data()])
small, large = b'{{"a":"x"}}', {large}
work(small)
before = kept()
work(large)
work(small)
print(kept() - before)
"""
    # so that the C library itself keeps no freed memory
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1000000"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True, env=environment)
    assert int(done.stdout) < 8_000_000


def test_memory_does_not_grow_with_the_number_of_events():
    table = [field.value.data() for field in FIELDS]
    lines = RECORDING.read_bytes().splitlines()

    def work(rounds: int) -> None:
        for number in range(rounds):
            reader = Reader(table)
            for line in lines:
                reader.load(line.replace(b'"name"', b'"name%d"' % number))
                for slot in range(len(table)):
                    reader.get(slot, f"name{number}")

    work(20)
    gc.collect()
    blocks, memory = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(60)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 500
    # 60 rounds handle some 500,000 values; a leak of eight bytes for each would be 4 MB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 3 * 1024
