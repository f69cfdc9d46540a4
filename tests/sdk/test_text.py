"""Text and bytes: what Lanner keeps of bytes that are not UTF-8, and of halves of characters."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import lanner
from lanner.sdk.text.encoding import from_bytes, from_lossless, to_bytes, to_bytes_leniently, to_lossless, without_halves
from lanner.sdk.text.printable import escape_bytes, escape_controls, one_column_each

ANY = st.text(alphabet=st.characters())  # surrogates among them


@given(st.binary())
@example(b"\xff\xed\xa0\x80\xc3")
def test_bytes_are_kept(data):
    assert to_bytes(from_bytes(data)) == data


@given(ANY)
@example("half \ud800, byte \udc80")
def test_any_text_can_be_written(text):
    assert to_bytes_leniently(text) == to_bytes(without_halves(text))
    assert len(without_halves(text)) == len(text) or max(text) >= "\udc80"  # escapes that make a character together become one
    assert from_lossless(to_lossless(text)) == text
    escape_bytes(text).encode()


def test_halves_become_question_marks_and_bytes_stay():
    assert to_bytes_leniently("a\ud800\udfff\udc80\udcff\u00e9") == b"a??\x80\xff\xc3\xa9"
    assert without_halves("a\ud800\udcff") == "a?\udcff"
    with pytest.raises(UnicodeEncodeError):
        to_bytes("\ud800")


def test_escapes():
    assert escape_bytes("caf\u00e9\x1b\udcff\ud800") == "caf\u00e9\x1b\\xff\\ud800"
    assert escape_controls("\n\x1b\x9b\udcff\u00e9") == "\\n\\u001b\\u009b\\xff\u00e9"
    assert one_column_each("a\t\x1b\udcff\u00e9") == "a \ufffd\ufffd\u00e9"


@given(ANY)
def test_marks_stay_below_their_characters(text):
    assert len(one_column_each(text)) == len(text)
    assert one_column_each(text).isprintable()


def test_one_module_names_the_error_handlers_for_bytes_that_are_not_utf_8():
    root = Path(lanner.__file__).parent
    users = [path for path in root.rglob("*.py") if '"utf-8", "surrogate' in path.read_text("utf-8")]
    assert users == [root / "sdk" / "text" / "encoding.py"]
