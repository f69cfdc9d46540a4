"""The line of an alert: Falco's layouts, its toggles, times and escapes."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.alert import AlertRule, AlertWriter
from lanner.rules.output.json_text import encode, quote, replace_loosely
from lanner.rules.output.template import parse_output
from lanner.sdk.types import Argument, FieldInfo, FieldType

RULE = AlertRule("A rule", "Informational", "kv", ("t2", "t1", "t2"))
TIMESTAMP = 1_700_000_000_000_000_015
KEYED = Argument(key=True, required=True)
CATALOG = Catalog([FieldInfo("kv.str", FieldType.STRING, "text"), FieldInfo("kv.map", FieldType.STRING, "by key", argument=KEYED)], "kv")


@pytest.fixture
def zone(monkeypatch):
    def choose(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    choose("UTC")
    yield choose
    monkeypatch.undo()
    time.tzset()


def quote_field(text):
    return encode(replace_loosely(text)).decode()


def lines(writer, output="s=%kv.str", value="a", rule=RULE):
    written = writer.compile(rule, parse_output(output, CATALOG, FieldTable()))
    return lambda timestamp: written.line(timestamp, [value] * len(written.operands))


def alert(writer, *arguments):
    return lines(writer, *arguments)(TIMESTAMP)


def test_a_text_alert_has_time_priority_and_message(zone):
    assert alert(AlertWriter()) == "22:13:20.000000015: Informational s=a"
    assert alert(AlertWriter(iso8601=True)) == "2023-11-14T22:13:20.000000015+0000: Informational s=a"


def test_the_time_of_day_is_local_and_all_else_is_utc(zone):
    zone("Asia/Kolkata")
    assert alert(AlertWriter()).startswith("03:43:20.000000015: ")
    assert alert(AlertWriter(iso8601=True)).startswith("2023-11-14T22:13:20.000000015+0000: ")
    assert json.loads(alert(AlertWriter("json")))["time"] == "2023-11-14T22:13:20.000000015Z"


def test_the_time_of_day_is_that_of_the_events_own_season(zone):
    zone("Europe/Berlin")
    line = lines(AlertWriter())
    assert line(1_700_000_000 * 10**9).startswith("23:13:20.")
    assert line(1_690_000_000 * 10**9).startswith("06:26:40.")


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [(0, "00:00:00.000000000"), (1, "00:00:00.000000001"), (10**9 - 1, "00:00:00.999999999"), (10**9, "00:00:01.000000000")],
)
def test_times_near_the_beginning_have_all_their_digits(zone, timestamp, text):
    assert lines(AlertWriter())(timestamp).startswith(f"{text}: ")


def test_a_json_alert_has_its_keys_in_order_and_no_blanks(zone):
    assert alert(AlertWriter("json", hostname="h")) == (
        '{"hostname":"h","output":"22:13:20.000000015: Informational s=a",'
        '"output_fields":{"evt.time":1700000000000000015,"kv.str":"a"},'
        '"priority":"Informational","rule":"A rule","source":"kv","tags":["t1","t2"],"time":"2023-11-14T22:13:20.000000015Z"}'
    )


@pytest.mark.parametrize(
    ("toggles", "members"),
    [
        ({}, {"output", "output_fields", "tags"}),
        ({"include_output": False}, {"output_fields", "tags"}),
        ({"include_output_fields": False}, {"output", "tags"}),
        ({"include_tags": False}, {"output", "output_fields"}),
        ({"include_message": True}, {"message", "output", "output_fields", "tags"}),
    ],
)
def test_members_of_a_json_alert_can_be_left_out(zone, toggles, members):
    found = json.loads(alert(AlertWriter("json", **toggles)))
    assert found.keys() == {"hostname", "priority", "rule", "source", "time"} | members
    assert list(found) == sorted(found)
    assert found.get("message", "s=a") == "s=a"


def test_the_alerts_own_time_is_among_the_fields_in_its_place(zone):
    found = json.loads(alert(AlertWriter("json", iso8601=True), "%kv.str %evt.time %evt.source"))
    assert list(found["output_fields"]) == ["evt.source", "evt.time", "evt.time.iso8601", "kv.str"]
    assert found["output_fields"]["evt.time"] == found["output_fields"]["evt.time.iso8601"] == TIMESTAMP


def test_times_beyond_2262_are_negative_in_fields_as_falco_writes_them(zone):
    found = json.loads(lines(AlertWriter("json"))(2**63))
    assert found["output_fields"]["evt.time"] == -(2**63)
    assert found["time"] == "2262-04-11T23:47:16.854775808Z"


def test_keys_stand_in_the_order_of_their_bytes(zone):
    found = alert(AlertWriter("json"), "%kv.map[\U0001f600]%kv.map[\uff5e]%kv.map[b]%kv.map[B]")
    assert list(json.loads(found)["output_fields"]) == ["evt.time", "kv.map[B]", "kv.map[b]", "kv.map[\uff5e]", "kv.map[\U0001f600]"]


def test_a_json_alert_is_one_line_for_any_values(zone):
    rule = AlertRule('A "rule"\n', "Critical", "kv", ("é\n",))
    found = alert(AlertWriter("json", hostname='"\n'), "%kv.str\n", '\n\0"\\\udcff', rule)
    assert "\n" not in found
    assert json.loads(found) == {
        "hostname": '"\n',
        "output": '22:13:20.000000015: Critical \n\0"\\\ufffd\n',
        "output_fields": {"evt.time": TIMESTAMP, "kv.str": '\n\0"\\\ufffd'},
        "priority": "Critical",
        "rule": 'A "rule"\n',
        "source": "kv",
        "tags": ["é\n"],
        "time": "2023-11-14T22:13:20.000000015Z",
    }


def test_keys_that_look_alike_in_json_are_one(zone):
    found = alert(AlertWriter("json"), "%kv.map[\udcfe]%kv.map[\udcff]")
    assert json.loads(found)["output_fields"] == {"evt.time": TIMESTAMP, "kv.map[\ufffd]": "a"}


def test_an_alert_may_have_thousands_of_fields(zone):
    found = alert(AlertWriter("json"), "".join(f"%kv.map[k{number}]" for number in range(3000)))
    assert len(json.loads(found)["output_fields"]) == 3001


def test_a_text_alert_leaves_values_as_they_are(zone):
    assert alert(AlertWriter(), "%kv.str", "\n\x1b\udcff").encode("utf-8", "surrogateescape").endswith(b"Informational \n\x1b\xff")


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\0\x01\x0b\x1f", r'"\u0000\u0001\u000b\u001f"'),
        ('"\\/', r'"\"\\/"'),
        ("\x7f\x80é\u2028\U0001f600", '"\x7f\x80é\u2028\U0001f600"'),
    ],
)
def test_both_libraries_escape_the_same_characters(text, quoted):
    assert quote(text) == quote_field(text) == quoted


@pytest.mark.parametrize(
    ("data", "message", "field"),
    [
        (b"\xc3A", "\ufffdA", "\u00c1"),
        (b'\xc3"', '\ufffd"', "\u00e2"),
        (b"a\xc3", "a\ufffd", "a\ufffd"),
        (b"\x80\x80", "\ufffd\ufffd", "\ufffd"),
        (b"\xe0\x80", "\ufffd\ufffd", "\ufffd\ufffd"),
        (b"\xed\xa0\x80x", "\ufffd\ufffd\ufffdx", "\ufffdx"),
        (b"\xf0\x90\x80", "\ufffd", "\ufffd\u0400"),
        (b"\xf7\xbf\xbf\xbf", "\ufffd\ufffd\ufffd\ufffd", "\U000fffff"),
        (b"\xff\xc3\xa9", "\ufffdé", "\ufffdé"),
    ],
)
def test_broken_utf8_becomes_what_each_library_makes_of_it(data, message, field):
    text = data.decode("utf-8", "surrogateescape")
    assert json.loads(quote(text)) == message
    assert json.loads(quote_field(text)) == field


@given(st.binary())
def test_the_json_is_valid_utf8_for_any_bytes(data):
    text = data.decode("utf-8", "surrogateescape")
    for quoted in (quote(text), quote_field(text)):
        assert isinstance(json.loads(quoted.encode()), str)
    try:
        expected = data.decode()
    except UnicodeDecodeError:
        expected = data.decode("utf-8", "replace")
    else:
        assert json.loads(quote_field(text)) == expected
    assert json.loads(quote(text)) == expected
