"""Every character of a condition has its place in the file, in all of YAML's styles."""

import pytest

from lanner.rules.files.load import load_text
from lanner.rules.files.placed_text import Text, TextBuilder, index_in_file, join

STYLES = {
    "plain": "- macro: m\n  condition: é.a = 1 and  zz   and k\n",
    "plain over lines": "- macro: m\n  condition: a\n    and zz\n    and k\n",
    "plain with an anchor and a tag": "- macro: m\n  condition: &zz1 !!str a and zz and k\n",
    "double quotes": '- macro: m\n  condition: "x.y = \\"a\\\\b\\u00e9\\x41\\n\\" and zz and k"\n',
    "double quotes over lines": '- macro: m\n  condition: "x.y = \\"q\\" \\\n     and zz\n\n  and k"\n',
    "single quotes": "- macro: m\n  condition: 'x.y = ''a'' and zz and k'\n",
    "single quotes over lines": "- macro: m\n  condition: 'x.y = ''a''\n    and zz and\n    k'\n",
    "literal": "- macro: m\n  condition: |\n    a and\n      zz\n\n    and k\n",
    "folded": "- macro: m\n  condition: >-\n    a and\n      zz\n    and\n\n    k\n# comment\n",
    "folded with an indentation indicator": "- macro: m\n  condition: >2+ # comment\n     a and\n    zz and k\n",
    "flow": "[{macro: m, condition: a and zz and k}]\n",
    "with other line ends": "- macro: m\r\n  condition: >-\r\n    a and\r\n      zz\r\n    and k\r\n",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
@pytest.mark.parametrize("word", ["and", "zz", "k"])
def test_a_word_is_found_in_any_style(text, word):
    scalar = load_text(text, "f.yaml").items[0][0].condition
    offset = scalar.value.rindex(word)
    index = index_in_file(scalar, offset)
    assert text[index : index + len(word)] == word
    spot = Text.of(scalar).spot(offset, len(word))
    assert text[spot.begin : spot.end] == word


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
def test_the_end_is_behind_the_last_character(text):
    scalar = load_text(text, "f.yaml").items[0][0].condition
    assert text[index_in_file(scalar, len(scalar.value.rstrip())) - 1] == "k"


def scalars(*values):
    items = load_text("".join(f"- macro: m\n  condition: {value}\n" for value in values), "f.yaml").items
    return [item[0].condition for item in items]


def test_joined_texts_keep_the_places_of_both():
    first, second = scalars("aaa", "bbb")
    text = join(Text.of(first), Text.of(second))
    assert text.text == "aaa bbb"
    assert text.spot(1, 2).begin == first.begin + 1
    assert text.spot(4, 3).begin == second.begin


def test_what_stands_nowhere_is_placed_before_it():
    (scalar,) = scalars("aaa bbb")
    builder = TextBuilder()
    builder.add("((")
    builder.add_text(Text.of(scalar), 4, 7)
    builder.add("))")
    text = builder.build()
    assert text.text == "((bbb))"
    assert [text.spot(offset).begin - scalar.begin for offset in (0, 2, 4, 5)] == [4, 4, 6, 7]
    assert Text("abc").spot(1) is None


def test_what_is_written_in_for_a_word_has_the_place_of_that_word():
    (scalar,) = scalars("x in (l)")
    builder = TextBuilder()
    builder.add_text(Text.of(scalar), 0, 6)
    builder.add_as("a, b, c", scalar, 6, 1)
    builder.add_text(Text.of(scalar), 7)
    text = builder.build()
    assert text.text == "x in (a, b, c)"
    assert {text.spot(offset).begin - scalar.begin for offset in range(6, 13)} == {6}
    assert text.spot(13).begin - scalar.begin == 7


def test_taking_characters_off_the_end_takes_their_places_too():
    (scalar,) = scalars("a, bb")
    builder = TextBuilder()
    builder.add_text(Text.of(scalar), 0, 3)
    builder.strip(" ")
    assert builder.take_off(",")
    assert not builder.take_off(",")
    builder.add_text(Text.of(scalar), 3)
    text = builder.build()
    assert (text.text, text.spot(1, 2).begin - scalar.begin) == ("abb", 3)
