"""Tables as text."""

from lanner.sdk.text.tables import columns, markdown, markdown_cell, put_beside, wrap


def test_columns_are_as_wide_as_their_widest_cell():
    assert columns([("NAME", "TYPE"), ("a", "string"), ("a.long.name", "")]) == ["NAME         TYPE", "a            string", "a.long.name"]
    assert columns([]) == []


def test_words_wrap_beside_a_left_column():
    assert put_beside("left", wrap(["one", "two", "three"], 9), 6) == ["left  one two ", "      three "]
    assert wrap(["longer-than-the-line"], 5) == ["", "longer-than-the-line "]  # as Falco does
    assert put_beside("longer", ["x"], 3) == ["longerx"]


def test_markdown_shows_cells_as_they_are():
    assert (
        markdown(("A", "B"), [("`a|b`", markdown_cell("a|b <c>\n&"))]) == "| A | B |\n| --- | --- |\n| `a|b` | a\\|b &lt;c><br/>&amp; |\n"
    )
