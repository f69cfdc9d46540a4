"""JSON to and from Python's objects, beside msgspec."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.native import decode_json, encode_json

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)


@given(VALUES)
def test_encoded_as_msgspec_does(value):
    assert encode_json(value) == msgspec.json.encode(value)


@given(VALUES | st.floats(allow_nan=False, allow_infinity=False))
def test_decoded_is_what_was_encoded(value):
    assert decode_json(msgspec.json.encode(value)) == value


def test_a_tuple_is_a_list():
    assert encode_json((1, "a")) == b'[1,"a"]'


def test_of_equal_names_the_last_counts():
    assert decode_json(b'{"a":1,"a":2}') == {"a": 2}


@given(st.binary(max_size=60))
def test_no_bytes_do_harm(text):
    try:
        found = decode_json(text)
    except ValueError:
        return
    assert found == msgspec.json.decode(text) or (isinstance(found, float) and math.isinf(found))


@pytest.mark.parametrize("text", [b"", b"{", b"1 2", b'"\xff"', b'"\\ud800"', b"[" * 2000 + b"]" * 2000, b"1" * 30])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        decode_json(text)


@pytest.mark.parametrize("value", [1.5, b"a", {1: 2}, object()])
def test_other_values_are_refused(value):
    with pytest.raises(TypeError):
        encode_json(value)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(UnicodeEncodeError):
        encode_json("\ud800")


def test_a_value_within_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(RecursionError):
        encode_json(value)


def test_only_bytes_are_decoded():
    with pytest.raises(TypeError):
        decode_json("{}")
