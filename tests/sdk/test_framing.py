"""Lines do not depend on the boundaries of chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.sdk.hosting import framing
from lanner.sdk.hosting.framing import new_framer

DATA = b'{"a":1}\n\n{"b":"\xc3\xa9"}\r\nx\n\n\ntail'
LINES = [b'{"a":1}', b'{"b":"\xc3\xa9"}\r', b"x", b"tail"]


def framed(*chunks: bytes) -> list[bytes]:
    framer = new_framer()
    return [line for chunk in chunks for line in framer.feed(chunk)] + list(framer.end())


@pytest.mark.parametrize("place", range(len(DATA) + 1))
def test_one_cut_at_every_place(place):
    assert framed(DATA[:place], DATA[place:]) == LINES


def test_a_byte_at_a_time():
    assert framed(*(DATA[place : place + 1] for place in range(len(DATA)))) == LINES


@given(st.lists(st.binary(max_size=12) | st.just(b"\n")))
def test_any_cuts_of_any_bytes(chunks):
    assert framed(*chunks) == [line for line in b"".join(chunks).split(b"\n") if line]


def test_a_line_is_there_as_soon_as_its_newline_is():
    framer = new_framer()
    assert framer.feed(b"a\nb") == [b"a"]
    assert framer.feed(b"c") == []
    assert framer.feed(b"\n") == [b"bc"]
    assert framer.end() == []


def test_the_end_begins_again():
    framer = new_framer()
    framer.feed(b"a")
    assert framer.end() == [b"a"]
    assert framer.feed(b"b\n") == [b"b"]


@pytest.fixture
def short_lines(monkeypatch):
    monkeypatch.setattr(framing, "MAX_LINE", 10)


@pytest.mark.usefixtures("short_lines")
def test_an_endless_line_is_dropped_and_counted_and_the_next_line_is_whole():
    framer = new_framer()
    assert framer.feed(b"good\n" + b"x" * 8) == [b"good"]
    assert framer.feed(b"x" * 8) == []
    assert framer.feed(b"x" * 8) == []
    assert framer.too_long == 1
    assert framer.feed(b"x\nnext\n") == [b"next"]
    assert framer.too_long == 1


@pytest.mark.usefixtures("short_lines")
def test_an_endless_line_leaves_no_tail():
    framer = new_framer()
    framer.feed(b"x" * 11)
    assert framer.end() == []
    assert framer.feed(b"a\n") == [b"a"]


@pytest.mark.usefixtures("short_lines")
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_too_long_is_dropped_also_where_one_chunk_has_all_of_it(size):
    data = b"good\n" + b"x" * 11 + b"\nnext\n"
    framer = new_framer()
    chunks = [data[place : place + size] for place in range(0, len(data), size)]
    assert [line for chunk in chunks for line in framer.feed(chunk)] == [b"good", b"next"]
    assert framer.too_long == 1
