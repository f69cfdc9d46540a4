"""The native reader finds the members that many fields name, even if their names have a common part."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanner import KEY, payload
from lanner.native import Reader
from lanner.sdk.payload import evaluate

pytestmark = pytest.mark.native

# of all sizes around those that are compared as two words (the first four and the last eight bytes), equal at both ends, or only in size
NAMES = [
    *(letter * size for letter in "ab" for size in range(20)),
    *(f"com.docker.{middle}.name" for middle in ("a", "b", "stack", "swarm")),
    *("aaaa" + middle + "aaaaaaaa" for middle in ("b", "c", "bb", "bc")),
    *("\0" * size for size in range(1, 4)),
    *("é" * size for size in range(1, 11)),
]


class Array(list):
    """A JSON array."""


names = st.sampled_from(NAMES)
steps = names | st.integers(0, 2)
documents = st.recursive(
    names, lambda inner: st.lists(st.tuples(names, inner), max_size=30) | st.lists(inner, max_size=3).map(Array), max_leaves=40
)


def written(value) -> str:
    """Return the JSON text, where lists of pairs are objects: names may be repeated."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Array):
        return "[" + ",".join(map(written, value)) + "]"
    return "{" + ",".join(f"{json.dumps(name)}:{written(inner)}" for name, inner in value) + "}"


@settings(max_examples=2 * settings.default.max_examples)
@given(st.lists(documents.map(written), min_size=1, max_size=3), st.lists(st.lists(steps, max_size=3), min_size=1, max_size=60))
def test_every_path_leads_to_the_same_value_as_in_the_reference(documents, paths):
    table = [value.data() for path in paths for value in (payload[tuple(path)], payload[(*path, KEY)], payload[tuple(path)].keys())]
    reader, reference = Reader(table), evaluate.Reader(table)
    for document in documents:
        assert reader.load(document.encode()) == reference.load(document.encode())
        for slot in range(len(table)):
            assert reader.get(slot, "aa") == reference.get(slot, "aa"), (document, table[slot])


def test_objects_of_which_now_one_and_now_several_members_are_asked():
    random = Random(7)
    paths = [("a",), *(("a", name) for name in NAMES), *(("a", "b", name) for name in NAMES)]
    table = [payload[path].data() for path in paths]
    reader, reference = Reader(table), evaluate.Reader(table)
    for _ in range(500):
        inner = random.sample(NAMES, random.randrange(len(NAMES)))
        outer = [(name, name * 2) for name in random.choices(NAMES, k=10)] + [("b", [(name, name * 3) for name in inner])]
        document = written([("a", outer)]).encode()
        assert reader.load(document)
        assert reference.load(document)
        for slot in random.sample(range(len(table)), random.choice([1, 1, 2, 40])):
            assert reader.get(slot) == reference.get(slot), (document, table[slot])


@pytest.mark.parametrize("path", [("a", 0), ("a", 0, "b"), ("a", 0, 0)])
def test_an_object_has_no_items_even_if_a_member_has_no_name(path):
    reader = Reader([payload[path].data()])
    for inner in ("x", [("b", "x")], [("", "x")]):
        assert reader.load(written([("a", [("", inner)])]).encode())
        assert reader.get(0) is None


def test_items_and_members_of_one_place():
    table = [payload["a", part].data() for part in (0, 2, 3, "0", "x")]
    reader = Reader(table)
    for text, found in (
        (b'{"a":["p","q","r"]}', ["p", "r", None, None, None]),
        (b'{"a":{"0":"n","x":"m"}}', [None, None, None, "n", "m"]),
        (b'{"a":["p","q","r"],"a":["s"]}', ["s", None, None, None, None]),
        (b'{"a":"text"}', [None] * 5),
        (b"[]", [None] * 5),
    ):
        assert reader.load(text)
        assert [reader.get(slot) for slot in range(len(table))] == found


def test_a_path_longer_than_any_document():
    path = ["a"] * 1200
    text = b'{"a":' * 1000 + b'"deep"' + b"}" * 1000
    table = [payload[tuple(path[:1000])].data(), payload[tuple(path)].data()]
    reader = Reader(table)
    assert reader.load(text)
    assert [reader.get(slot) for slot in range(2)] == ["deep", None]
