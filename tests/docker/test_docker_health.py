"""Lanner distinguishes a silent stream from a dead one."""

import pytest

from lanner.docker import watch

from .stand_in import answer, event
from .streaming import eventually, gap_of, lines, payloads, watching

pytestmark = pytest.mark.slow


def pings(engine):
    return sum("/_ping " in request for request in engine.requests)


@pytest.fixture
def impatient(monkeypatch):
    """A configuration by which an engine is asked after a second; what it lists has to come in a moment."""
    monkeypatch.setattr(watch, "_GRACE", 0.05)
    return {"pingInterval": 1}


def test_a_silent_engine_that_is_well_is_left_in_peace(remembering, impatient, caplog):
    with watching(remembering, **impatient) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        eventually(lambda: pings(remembering) == 2)
        remembering.publish(*lines(1))
        assert payloads(host, 1) == lines(1)
        assert host.source.counters == {}
    assert sum("/events" in request and "until" not in request for request in remembering.requests) == 1
    assert caplog.records == []


def test_where_nothing_has_happened_yet_too(remembering, impatient, caplog):
    with watching(remembering, **impatient) as host:
        eventually(lambda: pings(remembering) == 1)
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        assert host.source.counters == {}
    assert caplog.records == []


def test_events_that_the_engine_lists_and_does_not_send_come_from_a_new_stream(remembering, impatient, no_pause, caplog):
    with watching(remembering, **impatient) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.mute = True
        remembering.publish(*lines(1, 3))
        assert payloads(host, 3) == lines(1, 3)
        remembering.mute = False
        eventually(lambda: host.source.connections == {remembering.url: True})
        remembering.publish(*lines(4))
        assert payloads(host, 1) == lines(4)
        assert host.source.counters["connections lost"] == 1
        assert "gaps" not in host.source.counters
    assert "silent for 1 s, while the engine has events; reconnecting" in caplog.records[0].getMessage()


@pytest.mark.parametrize("pong", [None, b"", answer(b"no", "500 Internal Server Error", "text/plain")], ids=["none", "closed", "error"])
def test_an_engine_that_does_not_answer_is_taken_for_dead(remembering, impatient, no_pause, monkeypatch, caplog, pong):
    monkeypatch.setattr(watch, "_PING_TIMEOUT", 0.1)
    with watching(remembering, **impatient) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.pong = pong
        remembering.stream()
        remembering.stream()  # the next
        remembering.pong = answer(b"OK")
        remembering.publish(*lines(1))
        assert payloads(host, 1) == lines(1)
    assert "silent for 1 s, and the engine does not answer: " in caplog.records[0].getMessage()


def test_what_comes_while_the_engine_is_asked_ends_the_asking(remembering, impatient, monkeypatch, caplog):
    monkeypatch.setattr(watch, "_PING_TIMEOUT", 3600.0)
    remembering.pong = None
    with watching(remembering, **impatient) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        eventually(lambda: pings(remembering) == 1)
        remembering.publish(event())
        remembering.publish(*lines(1))
        assert payloads(host, 1) == lines(1)
    assert caplog.records == []


def test_close_ends_the_asking(remembering, impatient, monkeypatch):
    monkeypatch.setattr(watch, "_PING_TIMEOUT", 3600.0)
    remembering.pong = None
    with watching(remembering, **impatient):
        eventually(lambda: pings(remembering) == 1)
    remembering.wait_until_idle()


def test_a_gap_is_reported_where_a_dead_stream_has_missed_more_than_the_engine_keeps(remembering, impatient, no_pause):
    with watching(remembering, **impatient) as host:
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.mute = True
        remembering.publish(*lines(1, 1000))
        assert gap_of(host.next().payload)["reason"] == "engine restarted or out of reach"
        assert payloads(host, 256) == lines(745, 256)
        assert host.source.counters["gaps"] == 1
