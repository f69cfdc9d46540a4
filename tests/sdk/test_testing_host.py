"""`lanner.testing.host`: the view of a plugin in users' tests."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

import lanner
from lanner import Event, field, payload


class Doors(lanner.Plugin):
    """Doors."""

    id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
    contact = "github.com/you/doors"
    fields = (field("doors.name", payload["name"], "Name"),)

    def open(self, params: str) -> Iterator[bytes | Event]:
        if params == "fail":
            raise OSError("no door")
        yield Event(b'{"name":"front"}', timestamp=5)
        yield b'{"name":"back"}'
        if params == "wait":
            threading.Event().wait(0.2)

    @field("doors.first", "First letter")
    def first(self, event: Event, index: int = 0) -> str:
        return event.json["name"][index]  # type: ignore[call-overload, index, return-value]


def test_events_come_one_by_one_up_to_the_end():
    with lanner.testing.host(Doors) as host:
        assert [host.extract(event, "doors.name") for event in host.events()] == ["front", "back"]
        with pytest.raises(EOFError):
            host.next()


def test_an_event_has_the_time_of_its_source_or_now():
    with lanner.testing.host(Doors) as host:
        first, second = host.events()
        assert first.timestamp == 5
        assert second.timestamp is not None
        assert second.timestamp > 1_700_000_000_000_000_000


def test_no_event_in_time_is_a_timeout():
    with lanner.testing.host(Doors, params="wait") as host:
        host.next()
        host.next()
        with pytest.raises(TimeoutError, match=r"no event within 0\.01 s"):
            host.next(timeout=0.01)


def test_a_source_that_fails_says_so():
    with lanner.testing.host(Doors, params="fail") as host, pytest.raises(lanner.SourceError, match="no door"):
        host.next()


def test_fields_are_read_off_any_payload_without_opening_the_source():
    with lanner.testing.host(Doors, params="fail") as host:
        assert host.extract(b'{"name":"x"}', "doors.name") == "x"
        assert host.extract('{"name":"é"}', "doors.name") == "é"
        assert host.extract(Event(b'{"name":"xyz"}'), "doors.first", 2) == "z"
        assert host.extract(b"broken", "doors.first") is None


def test_a_field_is_named_as_in_a_rule():
    with lanner.testing.host(Doors) as host:
        assert host.extract({"name": "xyz"}, "doors.first[1]") == "y"
        assert host.extract({"name": "xyz"}, "doors.first") == "x"
        with pytest.raises(ValueError, match="does not allow nor require an argument"):
            host.extract(b"{}", "doors.name[1]")
        with pytest.raises(ValueError, match="not composed only by digits"):
            host.extract(b"{}", "doors.first[a]")
        with pytest.raises(ValueError, match="unbalanced argument brackets"):
            host.extract(b"{}", "doors.first[1")
        with pytest.raises(ValueError, match=r"'doors.first\[1\]' has an argument already: leave out 2"):
            host.extract(b"{}", "doors.first[1]", 2)


class Values(lanner.Plugin):
    """Methods of each type, and the same as data."""

    name, version, contact, extract_sources = "values", "0.1.0", "github.com/you/values", ("doors",)
    fields = (field("values.keys", payload.keys(), "Names"), field("values.at", payload["at"].time("s"), "When"))

    @field("values.address", "Address")
    def address(self, event: Event) -> IPv4Address:
        return IPv4Address("10.0.0.1")

    @field("values.when", "When")
    def when(self, event: Event) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    @field("values.items", "Items")
    def items(self, event: Event, key: str = "") -> list[str]:
        return [key, "b"]

    @field("values.lazy", "Items")
    def lazy(self, event: Event) -> list[int]:
        return (number for number in (1, 2))  # type: ignore[return-value]

    @field("values.empty", "Items")
    def empty(self, event: Event) -> list[int]:
        return []


def test_a_value_is_the_object_that_the_method_returned():
    with lanner.testing.host(Values) as host:
        assert host.extract("{}", "values.address") == IPv4Address("10.0.0.1")
        assert host.extract("{}", "values.when") == datetime(2026, 1, 2, tzinfo=UTC)
        assert host.extract("{}", "values.items[a]") == ["a", "b"]
        assert host.extract("{}", "values.lazy") == [1, 2]
        assert host.extract("{}", "values.empty") == []
        assert host.extract({"a": 1, "b": 2}, "values.keys") == ["a", "b"]
        assert host.extract({"at": 5}, "values.at") == 5 * 10**9


def test_start_opens_the_source_at_once():
    with lanner.testing.host(Doors) as host:
        host.start()
        assert host.source.description is not None
        assert host.extract(host.next(), "doors.name") == "front"


def test_what_a_field_method_raises_is_raised_in_the_test():
    with lanner.testing.host(Doors) as host:
        with pytest.raises(KeyError) as caught:
            host.extract(b"{}", "doors.first")
        assert caught.value.__notes__ == ["in doors.first of the plugin"]


def test_a_field_that_is_not_there_is_an_error_that_names_those_that_are():
    with lanner.testing.host(Doors) as host:
        with pytest.raises(LookupError, match=r"the plugin has no field 'doors\.nome'; it has doors\.name, doors\.first"):
            host.extract(b"{}", "doors.nome")
        with pytest.raises(ValueError, match="takes no argument"):
            host.extract(b"{}", "doors.name", "x")


def test_an_event_as_text():
    with lanner.testing.host(Doors) as host:
        assert host.text(host.next()) == '{"name":"front"}'


def test_a_wrong_configuration_is_refused_at_once():
    with pytest.raises(lanner.ConfigError), lanner.testing.host(Doors, '{"a": 1}'):
        pass


def test_an_instance_instead_of_the_class_is_refused():
    with (
        pytest.raises(lanner.DefinitionError, match=r"instance of the plugin class Doors .* write Doors instead of Doors\(\)"),
        lanner.testing.host(Doors()),
    ):
        pass
    with pytest.raises(lanner.DefinitionError, match="'doors' cannot be used as a plugin class"), lanner.testing.host("doors"):
        pass
    with pytest.raises(lanner.DefinitionError, match=r"write Doors instead of Doors\(\)"):
        lanner.testing.Rules(plugin=Doors())


class Wrong(lanner.Plugin):
    """Field methods that return other types than they declare."""

    name, version, contact, extract_sources = "wrong", "0.1.0", "github.com/you/wrong", ("doors",)

    @field("wrong.number", "A number")
    def number(self, event: Event) -> int | None:
        return event.json  # type: ignore[no-any-return]

    @field("wrong.items", "Numbers")
    def items(self, event: Event) -> list[int]:
        return event.json  # type: ignore[no-any-return]

    @field("wrong.since", "A time")
    def since(self, event: Event) -> "lanner.Abstime | None":
        return event.json  # type: ignore[no-any-return]

    @field("wrong.at", "A time")
    def at(self, event: Event) -> lanner.Abstime:
        return event.json  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "payload", "text"),
    [
        ("number", '"7"', "Wrong.number is declared to return int | None, but returned a str"),
        ("number", "7.5", "Wrong.number is declared to return int | None, but returned a float"),
        ("items", "7", "Wrong.items is declared to return list[int], but returned an int"),
        ("items", '["7"]', "Wrong.items is declared to return list[int], but returned a list with a str"),
        ("since", '"7"', "Wrong.since is declared to return lanner.Abstime | None, but returned a str"),
        ("at", "true", "Wrong.at is declared to return lanner.Abstime, but returned a bool"),
    ],
)
def test_a_result_of_another_type_names_the_method_and_both_types(name, payload, text):
    with lanner.testing.host(Wrong) as host, pytest.raises(TypeError) as caught:
        host.extract(payload, f"wrong.{name}")
    assert str(caught.value) == text
