"""The table of words is their only declaration: evaluators, methods and documentation agree with it."""

import re
from pathlib import Path

import pytest

from lanner import EACH, INDEX, KEY, DefinitionError, concat, field, gate, item, logfmt, pattern, payload, text
from lanner.native import Reader, _native
from lanner.sdk.payload import evaluate
from lanner.sdk.payload.words import FORMS, WORDS
from lanner.sdk.types import Argument

a, items = payload["a"], payload["items", EACH]
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
OPERANDS = {
    None: (),
    "separator": (":",),
    "unit": ("ns",),
    "time form": ("rfc3339",),
    "name": ("x",),
    "texts": ("x", "y"),
    "optional texts": ("x", "y"),
    "index": (1,),
}
LISTS = {"nth", "join", "without", "every", "any"}


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.name)
def test_a_word_is_a_method_that_both_evaluators_know(row):
    operand = payload["a", EACH] if row.name in LISTS else payload["a"]
    operands = OPERANDS[row.operand]
    value = getattr(operand, row.name)(*operands)
    assert (value.type, value.is_list) == (row.gives, row.shape == "list")
    assert value.data() == [row.name, operand.data(), *operands]
    for kind in (Reader, evaluate.Reader):
        reader = kind([value.data()])
        assert reader.load(b'{"b": 1}')
        assert reader.get(0) is (False if row.name in {"exists", "present"} else None)


READABLE = {
    "boolean": '"true"',
    "integer": '"12"',
    "time": '"2026-01-02T03:04:05Z"',
    "duration": "12",
    "address": '"10.0.0.1"',
    "network": '"10.0.0.0/8"',
    "query": '"/a?x=1"',
    "keys": '{"x": 1}',
}
"""Strings of JSON from which these words read a value; the others read "x:y"."""


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.name)
def test_both_evaluators_compute_a_word_alike(row):
    place = READABLE.get(row.name, '"x:y"')
    document = f'{{"a": [{place}, {place}]}}' if row.name in LISTS else f'{{"a": {place}}}'
    value = getattr(payload["a", EACH] if row.name in LISTS else payload["a"], row.name)(*OPERANDS[row.operand])
    readers = Reader([value.data()]), evaluate.Reader([value.data()])
    assert all(reader.load(document.encode()) for reader in readers)
    native, reference = (reader.get(0) for reader in readers)
    assert native == reference
    assert reference is not None


def test_the_native_words_are_those_of_the_table():
    assert [*_native.WORDS] == [row.name for row in WORDS]


def test_the_form_of_a_word_is_how_it_is_called():
    for row in WORDS:
        assert re.fullmatch(rf"a\.{row.name}\((\".+\"|0)?\)", row.form), row.form
        assert eval(row.form, {"a": payload["a", EACH] if row.name in LISTS else payload}).row is row


def test_the_documentation_has_the_same_table():
    rows = [(f"`{form}`".replace("|", "\\|"), means) for form, means in (*FORMS, *((row.form, row.means) for row in WORDS))]
    table = "\n".join(f"| {form} | {means} |" for form, means in rows)
    assert f"| Expression | Meaning |\n|---|---|\n{table}\n\n" in PAGE.read_text("utf-8")


WRONG = [
    (lambda: a.integer().lower(), "`lower` needs a string, not a uint64"),
    (lambda: a.address().text(), "`text` needs a string, integer or boolean, not a ipaddr"),
    (lambda: a.before(":").raw(), "`raw` needs a place in the payload"),
    (lambda: a.join(","), "`join` needs a list, such as"),
    (lambda: a.nth(0), "`nth` needs a list, such as"),
    (lambda: items.nth(-1), "`nth` needs a number from 0, or INDEX, not -1"),
    (lambda: items.nth(KEY), "`nth` needs a number from 0, or INDEX"),
    (lambda: items.split(","), "`split` needs a string, not a list of string"),
    (items.listed, "`listed` needs one value, not a list of string"),
    (items.any, "`any` without strings needs a list of booleans"),
    (lambda: items.boolean().any("x"), "`any` with strings needs a list of strings, not a list of bool"),
    (items.without, "`without` needs strings to compare with, not none"),
    (lambda: items.without(5), "`without` needs strings to compare with, not 5"),
    (lambda: a.where("kind", "User"), "`where` selects items: write it after EACH"),
    (lambda: items.where(KEY), "`where` needs the name of a member, not"),
    (lambda: a.each(item["x"]), "`each` needs items: write EACH"),
    (lambda: items.each("x"), "`each` needs a value"),
    (lambda: a.when(INDEX, "x"), "takes no strings"),
    (lambda: a.when("x"), "`when` needs a value as its condition"),
    (lambda: a.when(a), "or a boolean, such as b.exists()"),
    (lambda: a.unless(items, "x"), "`unless` compares a string, but its condition is a list of string"),
    (lambda: a.query(INDEX), "`query` needs the name of a parameter, or KEY"),
    (lambda: a.time("iso"), "unknown time unit or form 'iso': write one of ns, us, ms, s, rfc3339,"),
    (lambda: a.duration("rfc3339"), "unknown time unit 'rfc3339'"),
    (lambda: a | items, "`a | b` needs two values of the same type, not string and list of string"),
    (concat, "`concat` needs at least one value"),
    (lambda: concat(a.integer()), "`concat` needs strings, not uint64: numbers become strings with text()"),
    (lambda: text(5), "`text` needs a string without NUL, not 5"),
    (lambda: payload[EACH, INDEX, INDEX | EACH], "a path has room for one argument"),
    (lambda: field("x.y", item["name"], "d"), 'field "x.y" reads `item` outside `each`'),
    (lambda: field("x.y", concat(payload[KEY], items.nth(INDEX)), "d"), 'field "x.y" uses KEY and INDEX'),
    (lambda: gate(a.exists(), a), "`gate` needs fields as data"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_word_on_a_value_of_another_type_is_an_error_with_advice(make, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        (payload["l", INDEX | EACH], Argument(index=True)),
        (payload["l", INDEX, EACH], Argument(index=True, required=True)),
        (items.nth(INDEX), Argument(index=True, required=True)),
        (items.nth(INDEX) | a, Argument(index=True)),
        ((payload[KEY] | a).lower(), Argument(key=True)),
        (a.query(KEY), Argument(key=True, required=True)),
        (text("x").when(KEY), Argument(key=True, required=True)),
        (text("x").unless(INDEX), Argument(index=True)),
        (concat(a, payload[KEY]), Argument(key=True, required=True)),
        (a, None),
    ],
)
def test_the_argument_of_a_field_is_optional_if_it_may_have_a_value_without_one(value, argument):
    assert field("x.y", value, "d").info.argument == argument


@pytest.mark.parametrize(
    ("use", "advice"),
    [
        (lambda a: a or payload["b"], r"`a \| b` instead of `a or b`"),
        (lambda a: a and payload["b"], r"instead of `if`, `and` and `not`"),
        (lambda a: not a, r"neither true nor false"),
        (lambda a: "x" in a, r'a\.any\("x"\)'),
        (list, r'payload\["items", EACH'),
        (lambda a: [*a], r"cannot be iterated"),
        (dict.fromkeys, r"cannot be iterated"),
        (len, r"transformer `len`"),
        (lambda a: a + "/", r"write concat\("),
        (lambda a: "/" + a, r"write concat\("),
        (lambda a: "x" | a, r"lanner\.text\("),
        (lambda a: f"{a}/", r"write concat\("),
        (lambda a: a > 5, r"compared by rules"),
        (lambda a: a <= "x", r"compared by rules"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        payload["a"],
        payload["a", EACH, "b"],
        item["a"],
        payload["a"].integer(),
        payload["a"] | payload["b"],
        logfmt["a"],
        pattern("(?P<a>.)")["a"],
    ],
)
def test_operations_of_python_that_have_no_meaning_for_a_value_name_the_word_that_has(use, advice, value):
    with pytest.raises(DefinitionError, match=advice):
        use(value)
