"""`lanner.testing.host`: the view of a plugin in users' tests."""

import threading
from collections.abc import Iterator

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
        name: str = event.json["name"]
        return name[index]


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
