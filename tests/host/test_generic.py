"""The fields that every event has, as values."""

import time

import pytest

from lanner.host.generic import EventContext, generic_reader, raw_description, replace_unprintable
from lanner.rules.language.catalog import GENERIC_FIELDS

FIRST = 1_700_000_000_000_000_001
SECOND = 1_700_000_061_000_000_016


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    context = EventContext(source="kv", plugin="kvplugin", hostname="host")
    context.advance(1, FIRST, b"{}")
    context.advance(2, SECOND, b'{"a": 1}')
    yield context
    monkeypatch.undo()
    time.tzset()


def test_every_generic_field_has_its_value(context):
    assert {field.name: generic_reader(field.name, context)() for field in GENERIC_FIELDS} == {
        "evt.num": 2,
        "evt.time": "23:14:21.000000016",
        "evt.time.s": "23:14:21",
        "evt.time.iso8601": "2023-11-14T22:14:21.000000016+0000",
        "evt.datetime": "2023-11-14 23:14:21.000000016",
        "evt.datetime.s": "2023-11-14 23:14:21",
        "evt.rawtime": SECOND,
        "evt.rawtime.s": 1_700_000_061,
        "evt.rawtime.ns": 16,
        "evt.reltime": 61_000_000_015,
        "evt.reltime.s": 61,
        "evt.reltime.ns": 15,
        "evt.pluginname": "kvplugin",
        "evt.plugininfo": 'datalen=8 data={"a": 1}',
        "evt.source": "kv",
        "evt.is_async": False,
        "evt.asynctype": None,
        "evt.hostname": "host",
    }


def test_a_reader_follows_the_current_event(context):
    number = generic_reader("evt.num", context)
    context.advance(3, SECOND + 1, b"")
    assert number() == 3


def test_an_event_older_than_the_first_wraps_as_falcos_unsigned_numbers_do(context):
    context.advance(3, FIRST - 1, b"")
    assert generic_reader("evt.reltime", context)() == 2**64 - 1


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("in words", "in words"),
        ("cut\0here", "cut"),
        ("", "datalen=8 data=<binary>"),
        ("\0", "datalen=8 data=<binary>"),
        (None, "datalen=8 data=<binary>"),
    ],
)
def test_the_plugins_words_come_before_the_payload(words, shown):
    context = EventContext(source="kv", plugin="kv", hostname="", describe=lambda: words)
    context.advance(1, FIRST, b"\xc3\xa9\n12345")
    assert generic_reader("evt.plugininfo", context)() == shown


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"", "datalen=0 data="),
        (b" ~", "datalen=2 data= ~"),
        (b"x" * 50, f"datalen=50 data={'x' * 50}"),
        (b"x" * 51, f"datalen=51 data={'x' * 50}..."),
        (b"x" * 50 + b"\n", f"datalen=51 data={'x' * 50}..."),
        (b"a\n", "datalen=2 data=<binary>"),
        (b"\x7f", "datalen=1 data=<binary>"),
    ],
)
def test_a_payload_without_words_is_shown_as_far_as_it_can_be_printed(payload, shown):
    assert raw_description(payload) == shown


def test_an_unknown_field_has_no_reader(context):
    with pytest.raises(KeyError):
        generic_reader("evt.type", context)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"plain \xc3\xa9 \xe2\x80\xa8", "plain \u00e9 \u2028"),
        (b"a\tb\x7f\x1b[1m", "a\ufffdb\ufffd\ufffd[1m"),
        (b"\xc2\x85\xef\xb7\x90\xef\xbf\xbf\xf0\x9f\xbf\xbf", "\ufffd" * 4),
        (b"\xff \xe2\x82 \xf0\x9f\x98( \xed\xa0\x80 \xc0\xaf", "\ufffd \ufffd \ufffd( " + "\ufffd" * 3 + " " + "\ufffd" * 2),
    ],
)
def test_outputs_show_unprintable_characters_as_falco_does(text, shown):
    assert replace_unprintable(text.decode("utf-8", "surrogateescape")) == shown
