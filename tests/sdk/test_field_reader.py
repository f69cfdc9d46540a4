"""The common part of all hosts of a plugin class: create its state, and read fields from events."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest

import lanner
from lanner import INDEX, KEY, Event, field, payload
from lanner.sdk.hosting.field_reader import FieldReader, normalise
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.types import FieldInfo, FieldType


class Options(lanner.Config):
    """Options."""

    word: str = "hello"


class Doors(lanner.Plugin):
    """Doors."""

    id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
    contact = "github.com/you/doors"
    config: Options
    timestamp = payload["time"].time("s")
    fields = (
        field("doors.name", payload["name"], "Name"),
        field("doors.size", payload["size"].integer(), "Size"),
        field("doors.label", payload["labels", KEY], "A label"),
        field("doors.hinge", payload["hinges", INDEX], "A hinge"),
        field("doors.labels", payload["labels"].keys(), "Names of labels"),
    )

    def open(self, _params: str) -> Iterator[str]:
        yield "a"

    @field("doors.word", "The configured word")
    def word(self, event: Event) -> str:
        return self.config.word

    @field("doors.about", "The event")
    def about(self, event: Event) -> str:
        return f"{event.source} {event.number} {event.timestamp} {event.payload.decode()}"

    @field("doors.first", "First letter of the name")
    def first(self, event: Event) -> str | None:
        name: str = event.json["name"]
        return name[0] if name else None

    @field("doors.part", "A part of the name")
    def part(self, event: Event, key: str = "all", index: int = -1) -> str:
        return f"{key}/{index}"

    @field("doors.number", "A part by number")
    def number(self, event: Event, index: int) -> int:
        return index

    @field("doors.key", "A part by key")
    def key(self, event: Event, key: str) -> str:
        return key

    def event_to_string(self, event: Event) -> str:
        return event.json["name"].upper()


def reader_of(*requests: Any) -> FieldReader:
    return FieldReader(init_plugin(Doors), [request if isinstance(request, tuple) else (request, None) for request in requests])


def values_of(payload: bytes, *requests: Any) -> list[Any]:
    reader = reader_of(*requests)
    reader.load(payload)
    return [reader.get(slot) for slot in range(len(requests))]


def test_data_and_methods_answer_alike():
    document = b'{"name":"front","size":"3","labels":{"a":"x","b":"y"},"hinges":["top","low"]}'
    assert values_of(
        document,
        "doors.name",
        "doors.size",
        ("doors.label", "b"),
        ("doors.hinge", 1),
        ("doors.hinge", "0"),
        "doors.labels",
        "doors.first",
        "doors.word",
    ) == ["front", 3, "y", "low", "top", ("a", "b"), "f", "hello"]


def test_a_key_that_is_a_number_is_a_key():
    assert values_of(b'{"labels":{"5":"x"}}', ("doors.label", "5"), ("doors.label", 5)) == ["x", "x"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("doors.part", None), "all/-1"),
        (("doors.part", "a b"), "a b/-1"),
        (("doors.part", "7"), "all/7"),
        (("doors.part", 7), "all/7"),
        (("doors.part", "0"), "all/0"),
        (("doors.part", "07"), "07/-1"),
        (("doors.part", "-7"), "-7/-1"),
        (("doors.part", ""), "/-1"),
        (("doors.number", 3), 3),
        (("doors.number", "3"), 3),
        (("doors.key", "3"), "3"),
        (("doors.key", 3), "3"),
    ],
)
def test_an_argument_is_an_index_where_it_can_be_one(request_, expected):
    assert values_of(b"{}", request_) == [expected]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (("doors.name", "x"), "the field doors.name takes no argument"),
        (("doors.word", "x"), "the field doors.word takes no argument"),
        (("doors.label", None), r"the field doors.label needs an argument: doors.label\[...\]"),
        (("doors.key", None), "the field doors.key needs an argument"),
        (("doors.number", "x"), "the argument of the field doors.number is an index from 0, not 'x'"),
        (("doors.hinge", -1), "the argument of the field doors.hinge is an index from 0, not -1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_any_event(request_, says):
    with pytest.raises(ValueError, match=says):
        reader_of(request_)


def test_a_field_that_is_not_there_is_refused_before_any_event():
    with pytest.raises(KeyError, match=r"no\.such"):
        reader_of("no.such")


def test_the_event_tells_what_there_is_to_know():
    reader = reader_of("doors.about")
    reader.load(b"[1]", 55, 7)
    assert reader.get(0) == "doors 7 55 [1]"


def test_the_timestamp_is_the_payloads_else_the_sources():
    reader = reader_of()
    reader.load(b'{"time":5}', 77)
    assert reader.timestamp == 5_000_000_000
    for other in (b"{}", b'{"time":"x"}', b"broken"):
        reader.load(other, 77)
        assert reader.timestamp == 77
    reader.load(b"{}")
    assert reader.timestamp is None


def test_a_payload_that_is_no_json_has_no_values_read_from_json_and_is_reported():
    reader = reader_of("doors.name", "doors.first", "doors.word")
    assert reader.load(b'{"name":"a"}')
    assert not reader.load(b'{"name":"a"')
    assert [reader.get(slot) for slot in range(3)] == [None, None, "hello"]
    assert reader.errors == {}  # counted once for the event, not for each field
    assert reader.load(b'{"name":"b"}')
    assert reader.get(1) == "b"


def test_a_method_that_fails_gives_no_value_is_counted_and_logged_once_a_kind(caplog):
    reader = reader_of("doors.first")
    with caplog.at_level(logging.ERROR, "lanner.plugin.doors"):
        for document in (b"{}", b"{}", b'{"name":5}', b"{}"):
            reader.load(document)
            assert reader.get(0) is None
    assert reader.errors == {"doors.first": 4}
    assert [type(record.exc_info[1]) for record in caplog.records] == [KeyError, TypeError]
    assert "doors.first failed" in caplog.text


def test_the_plugins_own_words_for_an_event():
    reader = reader_of()
    reader.load(b'{"name":"front"}')
    assert reader.describe() == "FRONT"
    reader.load(b"{}")
    assert reader.describe() is None
    assert reader.errors == {"event_to_string": 1}


def test_by_default_the_words_for_an_event_are_its_payload():
    event = Event(b"a\xff")
    assert lanner.Plugin.event_to_string(init_plugin(Doors), event) == "a\ufffd"


def test_by_default_there_are_no_suggestions_and_no_progress():
    plugin = init_plugin(Doors)
    assert list(plugin.list_open_params()) == []
    assert plugin.progress() is None


class Level(StrEnum):
    HIGH = "high"


class Code(IntEnum):
    BAD = 3


V4, V6 = IPv4Address("10.0.0.1"), IPv6Address("fe80::1")
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NS = 1_767_323_045_678_901_000


@pytest.mark.parametrize(
    ("kind", "is_list", "value", "expected"),
    [
        (FieldType.STRING, False, "é", "é"),
        (FieldType.STRING, False, "", ""),
        (FieldType.STRING, False, "a\0b", "a"),
        (FieldType.STRING, False, "\udcff", "\udcff"),
        (FieldType.STRING, False, "\ud83d\ude00", "??"),
        (FieldType.STRING, False, Level.HIGH, "high"),
        (FieldType.STRING, True, ["a", "b"], ("a", "b")),
        (FieldType.STRING, True, (name for name in "ab"), ("a", "b")),
        (FieldType.STRING, True, [], None),
        (FieldType.STRING, True, None, None),
        (FieldType.UINT64, False, 0, 0),
        (FieldType.UINT64, False, 2**64 - 1, 2**64 - 1),
        (FieldType.UINT64, False, Code.BAD, 3),
        (FieldType.BOOL, False, False, False),
        (FieldType.BOOL, True, [True, False], (True, False)),
        (FieldType.IPADDR, False, V4, b"\x0a\x00\x00\x01"),
        (FieldType.IPADDR, False, V6, V6.packed),
        (FieldType.IPADDR, False, IPv4Interface("10.0.0.1/8"), b"\x0a\x00\x00\x01"),
        (FieldType.IPADDR, True, [V4, V6], (V4.packed, V6.packed)),
        (FieldType.IPNET, False, IPv4Network("10.0.0.0/8"), b"\x0a\x00\x00\x00"),
        (FieldType.IPNET, False, IPv6Network("fe80::/10"), IPv6Address("fe80::").packed),
        (FieldType.ABSTIME, False, NS + 1, NS + 1),
        (FieldType.ABSTIME, False, AT, NS),
        (FieldType.ABSTIME, False, AT.astimezone(timezone(timedelta(hours=5))), NS),
        (FieldType.RELTIME, False, timedelta(seconds=1, microseconds=2), 1_000_002_000),
        (FieldType.RELTIME, False, 5, 5),
    ],
)
def test_values_of_methods_become_field_values(kind, is_list, value, expected):
    got = normalise(value, FieldInfo("a.b", kind, "", is_list))
    assert got == expected
    assert isinstance(got, type(expected))


@pytest.mark.parametrize(
    ("kind", "is_list", "value"),
    [
        (FieldType.STRING, False, 5),
        (FieldType.STRING, False, b"a"),
        (FieldType.STRING, False, ["a"]),
        (FieldType.STRING, True, "ab"),
        (FieldType.STRING, True, ["a", None]),
        (FieldType.STRING, True, 5),
        (FieldType.UINT64, False, "5"),
        (FieldType.UINT64, False, 1.0),
        (FieldType.UINT64, False, True),
        (FieldType.UINT64, False, -1),
        (FieldType.UINT64, False, 2**64),
        (FieldType.BOOL, False, 1),
        (FieldType.IPADDR, False, "10.0.0.1"),
        (FieldType.ABSTIME, False, timedelta(1)),
        (FieldType.ABSTIME, False, datetime(1969, 1, 1, tzinfo=UTC)),
        (FieldType.RELTIME, False, AT),
        (FieldType.RELTIME, False, timedelta(seconds=-1)),
    ],
)
def test_what_is_no_value_of_the_declared_type_is_an_error(kind, is_list, value):
    with pytest.raises((TypeError, ValueError)):
        normalise(value, FieldInfo("a.b", kind, "", is_list))


def test_the_configuration_is_there_before_anything_else_runs():
    seen = []

    class Eager(Doors):
        """Checks its configuration while it is created."""

        def __init__(self) -> None:
            seen.append(self.config.word)

    init_plugin(Eager, '{"word": "bye"}')
    init_plugin(Eager, {"word": "again"})
    init_plugin(Eager)
    assert seen == ["bye", "again", "hello"]


def test_a_wrong_configuration_is_refused():
    with pytest.raises(lanner.ConfigError, match=r"unknown option `\$\.words`; did you mean `word`\?"):
        init_plugin(Doors, '{"words": 1}')


class Plain(lanner.Plugin):
    """Takes no configuration."""

    name, version, contact, extract_sources = "plain", "0.1.0", "github.com/you", ("syscall",)
    fields = (field("plain.a", payload["a"], "A"),)


@pytest.mark.parametrize("config", ["", "{}", " {} ", b"", b"{}", {}, "null"])
def test_a_plugin_without_options_takes_an_empty_configuration(config):
    assert isinstance(init_plugin(Plain, config), Plain)


@pytest.mark.parametrize("config", ['{"a": 1}', {"a": 1}, "nonsense"])
def test_a_plugin_without_options_refuses_any(config):
    with pytest.raises(lanner.ConfigError, match="the plugin plain takes no configuration"):
        init_plugin(Plain, config)


def test_a_plugin_that_cannot_be_made_says_why():
    class Broken(Plain):
        """Fails."""

        def __init__(self) -> None:
            raise OSError("no disk")

    with pytest.raises(lanner.LannerError, match=r"plugin plain: __init__: OSError: no disk"):
        init_plugin(Broken)


def test_events_are_made_of_bytes_or_text_and_a_time_in_nanoseconds():
    assert Event("é", 5).payload == b"\xc3\xa9"
    assert Event(bytearray(b"a")).payload == b"a"
    assert Event(b"a").timestamp is None


@pytest.mark.parametrize(("payload", "timestamp"), [(5, None), (None, None), (b"", 1.5), (b"", -1), (b"", 2**64 - 1), (b"", True)])
def test_other_events_cannot_be(payload, timestamp):
    with pytest.raises((TypeError, ValueError)):
        Event(payload, timestamp)


def test_the_json_of_an_event_is_decoded_once():
    event = Event(b'{"a": [1]}')
    assert event.json == {"a": [1]}
    assert event.json is event.json


def test_the_json_of_an_event_that_has_none_is_a_payload_error():
    with pytest.raises(lanner.PayloadError, match="the payload is not valid JSON"):
        _ = Event(b"{").json
