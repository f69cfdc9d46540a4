"""Lanner's output of strings from outside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.sdk.text.printable import printable, printable_json, printable_line

ANY = st.text(alphabet=st.characters())  # surrogates among them


@given(ANY)
def test_a_line_is_printable_and_can_be_encoded(text: str) -> None:
    line = printable_line(text)
    assert line.isprintable()
    line.encode()


@given(ANY)
def test_a_text_keeps_its_line_feeds_alone(text: str) -> None:
    shown = printable(text)
    assert shown.count("\n") == text.count("\n")
    assert all(line.isprintable() for line in shown.split("\n"))


@given(ANY)
def test_json_keeps_its_value(text: str) -> None:
    shown = printable_json({"key": text}, indent=2)
    assert json.loads(shown) == {"key": json.loads(json.dumps(text))}
    assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain é 漢 \\n", "plain é 漢 \\n"),
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J\x7f\x00", "\\x9b2J\\x7f\\x00"),
        ("right\u202eleft\u2028", "right\\u202eleft\\u2028"),
        (b"/tmp/\xff.yaml".decode("utf-8", "surrogateescape"), "/tmp/\\xff.yaml"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_is_escaped(text: str, line: str) -> None:
    assert printable_line(text) == line


def test_a_printable_text_is_left_alone() -> None:
    text = "an ordinary line"
    assert printable_line(text) is text
    assert printable(text) is text
