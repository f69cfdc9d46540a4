"""Parts of `each` that are the same for all items: computed once, and repeated within a limit. Both evaluators agree."""

import functools
import json

import pytest

from lanner import EACH, INDEX, concat, item, native, payload
from lanner.sdk.payload import evaluate
from lanner.sdk.payload.misfits import describe_misfits
from lanner.sdk.types import FieldInfo, FieldType

from ..growth import grows_linearly

COUNT = 4_000  # items reach the limit if each repeats `TEXT`
TEXT = "t" * 300
ITEMS = payload["a", EACH]
MANY = payload["b", EACH]
SHARED = {
    "a condition": (ITEMS.each(item["name"].when(MANY.any("z").text(), "true")), ("x",)),
    "a condition of each item": (ITEMS.each(MANY.join("").after("-").when(item["flag"], "yes")), ("z",)),
    "a string": (ITEMS.each(concat(item["name"], payload["m", "list", 1])), ("x2",)),
    "a pointer": (ITEMS.each(concat(item["name"], payload.pointer("/m/list/0"))), ("x1",)),
    "a list": (ITEMS.each(payload["m", "list", EACH]), ("1", "2")),
    "an inner each": (ITEMS.each(payload["m", "list", EACH].each(concat(item, payload["m", "list", 0]))), ("11", "21")),
    "an argument": (ITEMS.each(concat(item["name"], payload["b", INDEX])), ("xz",)),
    "a boolean": (ITEMS.each(MANY.any("z")), (True,)),
}
EXCESSIVE = {
    "a list": ITEMS.each(MANY),
    "a list of some items": ITEMS.each(MANY.when(item["name"], "x")).any("q").text(),
    "a list as a condition": ITEMS.each(item["name"].when(MANY.when(item["flag"], "yes").any("z").text(), "true")),
    "a list instead of a missing member": ITEMS.each(item["missing", EACH] | MANY),
    "texts": ITEMS.each(concat(item["name"], payload["m", "text"])),
    "a joined list": ITEMS.each(concat(item["name"], MANY.join(""))).nth(0),
}


@functools.cache
def document(count):
    lists = {"a": [{"name": "x", "flag": "yes"}] * count, "b": [*["y"] * count, "-", "z"]}
    return json.dumps({**lists, "m": {"list": ["1", "2"], "text": TEXT}}).encode()


READERS = pytest.mark.parametrize("kind", [evaluate.Reader, native.Reader], ids=["reference", "native"])


@READERS
@pytest.mark.parametrize("what", SHARED)
def test_a_part_outside_the_items_is_computed_once(kind, what):
    value, expected = SHARED[what]

    def read(count):
        reader = kind([value.data()])
        assert reader.load(document(count))
        assert reader.get(0, count + 1 if what == "an argument" else None) == expected * count
        assert reader.misfits() == [{}]

    assert grows_linearly(read, 1_200)


@READERS
@pytest.mark.parametrize("what", EXCESSIVE)
def test_a_field_does_not_repeat_more_than_the_limit(kind, what):
    reader = kind([EXCESSIVE[what].data(), payload["m", "text"].data()])
    assert reader.load(document(COUNT))
    assert reader.get(0) is None
    assert reader.get(1) == TEXT
    assert reader.misfits() == [{"excess": 1}, {}]


@READERS
def test_values_of_another_type_are_counted_once_for_all_items(kind):
    value = ITEMS.each(concat(item["name"], payload["m", "list", EACH].integer().text().join("")))
    mixed = json.dumps({"a": [{"name": "x"}, {"name": "y"}], "m": {"list": ["1", "q", "2"]}}).encode()
    reader = kind([value.data()])
    assert reader.load(mixed)
    assert reader.get(0) == ("x12", "y12")
    assert reader.misfits() == [{"text": 1}]


def test_the_summary_says_why_such_an_event_has_no_value():
    info = FieldInfo("a.b", FieldType.STRING, "A list", is_list=True)
    assert list(describe_misfits({"a.b": {"excess": 2, "number": 1}}, [info], None)) == [
        "a.b: 2 events without a value, because `each` would repeat more than 1 MiB of parts outside its items",
        "a.b: 1 number without a value, because the field is a list of string: declare it with .text() or .integer() for numbers",
    ]
