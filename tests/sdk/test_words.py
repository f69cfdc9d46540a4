"""The table of words is their only declaration: evaluators, methods and documentation agree with it."""

import re
from pathlib import Path

import pytest

from lanner import EACH, payload
from lanner.native import Reader, _native
from lanner.sdk import evaluate
from lanner.sdk.words import FORMS, WORDS

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
