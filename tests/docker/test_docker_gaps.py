"""An event reports a gap in which events may have been lost, and only then."""

import json
import time
from datetime import UTC, datetime

import pytest

from lanner.docker import listing
from lanner.docker.gaps import Host

from .stand_in import NOW, SECOND, STREAM, answer, chunk, event, version
from .streaming import gap_of, is_gap, lines, payloads, watching

pytestmark = pytest.mark.slow


def in_words(when):
    return f"{datetime.fromtimestamp(when // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{when % 10**9:09}Z"


def test_a_restart_of_the_engine_is_reported_in_front_of_what_comes_after_it(remembering, no_pause):
    began = time.time_ns()
    with watching(remembering) as host:
        remembering.publish(*lines(0, 3))
        assert payloads(host, 3) == lines(0, 3)
        remembering.restart()
        remembering.publish(*lines(3, 3))
        gap = host.next()
        assert payloads(host, 3) == lines(3, 3)
        told = gap_of(gap.payload)
        assert (told["from"], told["reason"]) == (NOW + 2, "engine restarted or out of reach")
        assert told["until"] >= began
        assert host.source.counters == {"connections lost": 1, "gaps": 1}
        assert host.extract(gap, "docker.type") == "lanner"
        assert host.extract(gap, "docker.action") == "gap"
        assert host.extract(gap, "docker.actor.id") == host.extract(gap, "docker.host") == remembering.url
        assert host.extract(gap, "docker.gap.reason") == "engine restarted or out of reach"
        assert host.extract(gap, "docker.gap.from") == NOW + 2
        assert host.extract(gap, "docker.gap.until") == told["until"] == gap.timestamp
        assert host.extract(gap, "docker.gap.from.iso8601") == in_words(NOW + 2)
        assert host.extract(gap, "docker.gap.until.iso8601") == in_words(told["until"])


def test_each_restart_is_reported_once(remembering, no_pause):
    with watching(remembering) as host:
        for number in range(5):
            remembering.publish(*lines(number))
            seen = payloads(host, 1 if number == 0 else 2)
            assert [is_gap(line) for line in seen] == ([False] if number == 0 else [True, False])
            remembering.stream()
            remembering.restart()
        remembering.stream()
        remembering.publish(*lines(9))
        assert [is_gap(line) for line in payloads(host, 2)] == [True, False]


def test_a_gap_after_a_gap_begins_where_that_ended(remembering, no_pause):
    with watching(remembering) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        ends = [NOW]
        for _ in range(3):
            remembering.restart()
            gap = gap_of(host.next().payload)
            assert gap["from"] == ends[-1]
            ends.append(gap["until"])
    assert ends == sorted(ends)


@pytest.mark.parametrize(("missed", "told"), [(0, False), (1, False), (255, False), (256, True), (1000, True)])
def test_more_than_the_engine_keeps_is_a_gap_and_no_less(remembering, no_pause, missed, told):
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(*lines(0, 300))
        assert payloads(host, 300) == lines(0, 300)
        remembering.version = b""
        remembering.cut()
        remembering.publish(*lines(300, missed))
        remembering.version = version()
        remembering.stream()
        remembering.publish(event(NOW + 9999))
        seen = payloads(host, told + min(missed, 256) + 1)
        assert [is_gap(line) for line in seen[:2]] == ([True, False] if told else [False, False][: len(seen)])
        assert seen[told:] == [*lines(300, missed)[-256:], event(NOW + 9999)]


def test_where_nothing_was_seen_nothing_is_proven(remembering, no_pause):
    with watching(remembering) as host:
        remembering.stream()
        remembering.cut()
        gap = gap_of(host.next().payload)
        assert gap["from"] <= gap["until"]


@pytest.mark.parametrize(
    "listing", [answer({"message": "no"}, "500 Internal Server Error"), b"", b"garbage", STREAM + b"zz\r\n", answer(b"{}\n{broken\n")]
)
def test_a_list_that_cannot_be_had_proves_nothing(engine, no_pause, listing):
    engine.listing = listing
    with watching(engine) as host:
        connection = engine.stream()
        connection.send(chunk(event()))
        assert payloads(host, 1) == [event()]
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.close()
        assert gap_of(host.next().payload)["from"] == NOW
        seen = payloads(host, 1)
        while seen[-1] != event(NOW + 1):  # what the list had besides
            seen += payloads(host, 1)
        assert event() not in seen


def test_what_the_stream_begins_with_proves_as_well(engine, no_pause):
    """The engine may have forgotten more events when it lists them."""
    with watching(engine) as host:
        connection = engine.stream()
        connection.send(chunk(event()))
        assert payloads(host, 1) == [event()]
        engine.events = STREAM + chunk(event() + event(NOW + 1))
        connection.close()
        assert payloads(host, 1) == [event(NOW + 1)]


def test_what_only_the_list_has_is_not_lost(engine, no_pause):
    engine.listing = answer(event() + event(NOW - 1))
    with watching(engine) as host:
        connection = engine.stream()
        connection.send(chunk(event()))
        engine.events = STREAM + chunk(event(NOW + 2))
        connection.close()
        assert payloads(host, 3) == [event(), event(NOW - 1), event(NOW + 2)]
        assert "gaps" not in host.source.counters


def test_a_list_without_an_end_is_read_for_a_moment(engine, no_pause, monkeypatch):
    monkeypatch.setattr(listing, "_SILENCE", 0.05)
    engine.listing = STREAM + chunk(event())
    with watching(engine) as host:
        connection = engine.stream()
        connection.send(chunk(event()))
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.close()
        assert payloads(host, 2) == [event(), event(NOW + 1)]
        assert "gaps" not in host.source.counters


# the event itself


def test_the_event_is_one_of_the_engines_form():
    (line,) = Host('a"b\n\x1b', named=True).gap("queue full", 5 * SECOND, 7 * SECOND + 1).events
    assert b"\n" not in line
    assert b"\x1b" not in line
    assert json.loads(line) == {
        "Type": "lanner",
        "Action": "gap",
        "Actor": {"ID": 'a"b\n\x1b', "Attributes": {"reason": "queue full", "from": "5000000000", "until": "7000000001"}},
        "scope": "local",
        "time": 7,
        "timeNano": 7_000_000_001,
        "lanner": {
            "host": 'a"b\n\x1b',
            "gap": {
                "from": 5_000_000_000,
                "until": 7_000_000_001,
                "fromTime": "1970-01-01T00:00:05.000000000Z",
                "untilTime": "1970-01-01T00:00:07.000000001Z",
                "reason": "queue full",
            },
        },
    }


def test_an_address_that_is_no_text_does_no_harm():
    """DOCKER_HOST may hold any bytes."""
    (line,) = Host("unix:///a\udcff", named=True).gap("blocked", 1, 2).events
    assert json.loads(line)["lanner"]["host"] == "unix:///a?"
