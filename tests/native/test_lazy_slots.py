"""`lanner.native.LazySlot`: an attribute that is computed once, from one slot of an object into another."""

import json
import sys

import pytest

import lanner
from lanner.native import LazySlot
from lanner.sdk.payload import jsondoc


def test_it_is_computed_once():
    event = lanner.Event(b'{"a": [1]}')
    assert event.json == {"a": [1]}
    assert event.json is event.json


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"null",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"n":1e999}',
        b"[" * 512 + b"]" * 512,
        b"[" * 300 + b"]" * 300 + b" " * 1024,
        b'{"n":' + b"9" * 5000 + b"}",
        json.dumps({"text": "x" * 5000}).encode(),
    ],
    ids=["object", "null", "bytes", "half", "large", "deep", "deep and long", "long number", "long"],
)
def test_short_and_long_payloads_have_the_values_of_the_decoder(payload):
    assert lanner.Event(payload).json == jsondoc.decode(payload)


@pytest.mark.parametrize("payload", [b"", b"{", b'{"a":1}x', b"nul", b"[" * 1025 + b"]" * 1025, b"\xff"])
def test_a_payload_that_is_not_json_has_the_reason_of_the_decoder(payload):
    with pytest.raises(lanner.PayloadError) as expected:
        jsondoc.decode(payload)
    event = lanner.Event(payload)
    for _ in range(2):
        with pytest.raises(lanner.PayloadError) as caught:
            _ = event.json
        assert str(caught.value) == str(expected.value)


def test_a_value_is_not_kept_alive_by_the_attribute():
    event = lanner.Event(b'{"a": {"b": 1}}')
    inner = event.json["a"]
    before = sys.getrefcount(inner)
    del event
    assert sys.getrefcount(inner) == before - 1


def test_it_cannot_be_set():
    event = lanner.Event(b"{}")
    with pytest.raises(AttributeError):
        event.json = {}


def test_the_class_gives_the_attribute_itself():
    assert isinstance(lanner.Event.json, LazySlot)
    assert "decoded from JSON, once" in lanner.Event.json.__doc__


def test_a_class_without_the_slots_cannot_have_it():
    with pytest.raises((TypeError, RuntimeError)) as caught:
        type("Bare", (), {"json": LazySlot(lambda: (len, 10, len), "payload", "_json", "")})
    assert "has no slot payload" in str(caught.value.__cause__ or caught.value)


def test_an_object_of_another_class_is_refused():
    class Other:
        pass

    with pytest.raises(TypeError, match="not one of Other"):
        lanner.Event.json.__get__(Other(), Other)


def test_a_slot_without_a_value_is_an_attribute_error():
    event = object.__new__(lanner.Event)
    with pytest.raises(AttributeError, match="payload"):
        _ = event.json


def test_another_error_than_an_exception_is_passed_on():
    class Holder:
        __slots__ = ("payload", "value")
        json = LazySlot(lambda: (_stop, 100, len), "payload", "value", "")

    holder = Holder()
    holder.payload = b"{}"
    with pytest.raises(KeyboardInterrupt):
        _ = holder.json


def _stop(_):
    raise KeyboardInterrupt
