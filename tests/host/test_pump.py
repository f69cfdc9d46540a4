"""Batches of events in, lines of alerts out: what is counted, and which time an event has."""

import itertools

import pytest

import lanner
from lanner.host.pump import Pump, host_name
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules_text
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin

SECOND = 1_000_000_000


class Doors(lanner.Plugin):
    """Doors."""

    id, name, version, event_source = 4246, "doors", "0.1.0", "doors"
    contact = "the tests"
    timestamp = lanner.payload["at"].time("s")
    fields = (lanner.field("doors.name", lanner.payload["name"], "The name"),)

    def open(self, _params):
        return iter(())

    def event_to_string(self, event):
        return f"door of {event.json['name']}"

    @lanner.field("doors.size", "The size")
    def size(self, event: lanner.Event) -> int:
        return int(event.json["size"])


def rule(name, condition, output="%evt.rawtime"):
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: '{output}'\n  priority: NOTICE\n  source: doors\n"


@pytest.fixture
def pump():
    """`pump(rules, first=True)` is a pump and the list that its alerts go to, without time and priority."""

    def make(text, *, first=True):
        catalog = Catalog([declaration.info for declaration in plugin_info(Doors).fields], "doors")
        lines = []
        compiled = compile_rules(load_rules_text(text, catalog), catalog)
        return Pump(init_plugin(Doors), compiled, AlertWriter(hostname="host"), lambda alert: lines.append(alert.line), first=first), lines

    return make


def texts(lines):
    return [line.partition(": Notice ")[2] for line in lines]


def test_events_alerts_and_damaged_payloads_are_counted(pump):
    feeding, lines = pump(rule("Front", "doors.name = front") + rule("Never", "doors.name = never"))
    feeding.feed(Batch([b'{"name":"front"}', b"{", b'{"name":"back"}']))
    feeding.feed(Batch([b'{"name":"front"}']))
    counts = feeding.counts()
    assert feeding.events == 4
    assert (counts.events, counts.alerts, counts.not_json, counts.failures) == (4, {"Front": 2}, 1, {})
    assert len(lines) == 2


def test_payloads_with_invalid_utf8_are_read_and_counted(pump):
    feeding, lines = pump(rule("Front", "doors.name startswith front", "%doors.name"))
    feeding.feed(Batch([b'{"name":"front\xff"}', b'{"name":"front","b":"\xff"}', rb'{"name":"front\ud800"}', b'{"name":"front"}', b"\xff"]))
    assert texts(lines) == ["front\udcff", "front", r"front\ud800", "front"]
    counts = feeding.counts()
    assert (counts.events, counts.not_json, counts.invalid_utf8) == (5, 1, 3)


def test_nothing_has_happened_before_the_first_event(pump):
    feeding, lines = pump(rule("Front", "doors.name = front"))
    feeding.feed(Batch([]))
    assert (feeding.events, feeding.timestamp, feeding.counts().alerts, lines) == (0, 0, {}, [])


def test_the_time_is_the_payloads_then_the_sources_then_the_clocks(pump):
    feeding, lines = pump(rule("Any", "evt.num > 0"))
    payloads = [b'{"at":1}', b"{}", b'{"at":3}', b"{", b"{}"]
    feeding.feed(Batch(payloads, [50, 2, None, 4, None]), itertools.count(70).__next__)
    assert texts(lines) == [str(SECOND), "2", str(3 * SECOND), "4", "70"]
    assert feeding.timestamp == 70
    feeding.feed(Batch([b"{}"]), lambda: feeding.timestamp)
    assert texts(lines)[-1] == "70"


def test_the_clock_is_the_systems_where_none_is_given(pump):
    feeding, lines = pump(rule("Any", "evt.num > 0"))
    feeding.feed(Batch([b"{}"]))
    assert int(texts(lines)[0]) > 1_700_000_000 * SECOND


def test_numbers_continue_over_batches(pump):
    feeding, lines = pump(rule("Any", "evt.num > 0", "%evt.num %evt.pluginname %evt.source %evt.hostname"))
    for _ in range(2):
        feeding.feed(Batch([b"{}", b"{}"]))
    assert texts(lines) == [f"{number} doors doors host" for number in (1, 2, 3, 4)]


def test_the_first_rule_that_matches_counts_or_every_one(pump):
    rules = rule("Front", "doors.name = front", "one") + rule("Any", "doors.name exists", "two")
    for first, expected in ((True, ["one", "two"]), (False, ["one", "two", "two"])):
        feeding, lines = pump(rules, first=first)
        feeding.feed(Batch([b'{"name":"front"}', b'{"name":"back"}']))
        assert texts(lines) == expected
        assert sum(feeding.counts().alerts.values()) == len(expected)


def test_a_field_that_fails_is_counted_and_the_event_continues(pump, caplog):
    feeding, lines = pump(rule("Any", "doors.name exists", "%doors.name %doors.size %evt.plugininfo"))
    feeding.feed(Batch([b'{"name":"a","size":"x"}', b'{"name":"b"}', b'{"name":"c","size":3}']))
    assert texts(lines) == ["a <NA> door of a", "b <NA> door of b", "c 3 door of c"]
    assert feeding.counts().failures == {"doors.size": 2}
    assert len(caplog.records) == 2  # a kind of failure each


def test_words_of_the_plugin_that_fail_are_counted_and_the_payload_is_shown(pump, caplog):
    feeding, lines = pump(rule("Any", "evt.num > 0", "%evt.plugininfo"))
    feeding.feed(Batch([b"{}"]))
    assert texts(lines) == ["datalen=2 data={}"]
    assert feeding.counts().failures == {"event_to_string": 1}
    assert len(caplog.records) == 1


def test_the_plugins_words_are_as_they_are_in_conditions_and_printable_in_outputs(pump):
    condition = 'evt.plugininfo = "door of \x7f"'
    feeding, lines = pump(rule("Any", condition, "%evt.plugininfo %toupper(evt.plugininfo)"))
    feeding.feed(Batch([b'{"name":"\x7f","size":1}']))
    assert texts(lines) == ["door of \ufffd DOOR OF \ufffd"]


def test_events_before_a_failure_of_the_output_are_counted(pump):
    feeding, lines = pump(rule("Any", "evt.num > 0"))

    def fail_at_the_second(line):
        lines.append(line)
        if len(lines) == 2:
            raise OSError("full")

    feeding.emit = fail_at_the_second
    with pytest.raises(OSError, match="full"):
        feeding.feed(Batch([b"{}"] * 5))
    assert feeding.events == 2


def test_the_hosts_name_can_be_set(monkeypatch):
    monkeypatch.setenv("FALCO_HOSTNAME", "front-door")
    assert host_name() == "front-door"
    monkeypatch.delenv("FALCO_HOSTNAME")
    assert host_name()
