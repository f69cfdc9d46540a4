"""The frequency of reconnects after a lost connection, and the messages about it."""

import logging
from itertools import pairwise

import pytest

from lanner.docker import watch

from .stand_in import NOW, SECOND
from .streaming import eventually, lines, payloads, watching

pytestmark = pytest.mark.slow


def told(caplog, level):
    return [record.getMessage() for record in caplog.records if record.levelno == level and record.name == "lanner.plugin.docker"]


def test_an_engine_that_gives_one_event_a_connection_is_asked_ever_less_often(remembering, monkeypatch, caplog):
    pauses = []
    monkeypatch.setattr(watch, "wait", lambda flags, seconds: pauses.append(seconds))
    caplog.set_level(logging.INFO)
    with watching(remembering) as host:
        for number in range(12):
            remembering.stream()
            remembering.publish(*lines(number))
            assert payloads(host, 1) == lines(number)
            remembering.cut()
        remembering.stream()
    assert pauses[0] == pytest.approx(0.1)
    assert all(later >= min(earlier * 1.5, 7.9) for earlier, later in pairwise(pauses))
    assert pauses[-1] >= 7.9
    closed = [record for record in caplog.records if "the engine closed the stream" in record.getMessage()]
    assert {record.levelno for record in closed[:5]} == {logging.INFO}
    assert closed[-1].levelno == logging.WARNING
    assert "reconnecting with pauses of up to 10 s" in closed[-1].getMessage()


def test_a_stream_that_is_cut_now_and_then_is_no_warning_where_nothing_is_lost(remembering, no_pause, caplog):
    """An engine behind a proxy that ends idle streams."""
    caplog.set_level(logging.INFO)
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        for number in range(1, 8):
            remembering.cut()
            remembering.miss(*lines(number))
            remembering.stream()
            assert payloads(host, 1) == lines(number)
        assert host.source.counters["connections lost"] == 7
        assert "gaps" not in host.source.counters
    assert told(caplog, logging.WARNING) == []
    assert told(caplog, logging.INFO)[:2] == [
        f"{remembering.url}: the engine closed the stream; reconnecting",
        f"connected again to Docker Engine 20.10.24 (API 1.41) at {remembering.url}",
    ]


def test_a_gap_is_a_warning(remembering, no_pause, caplog):
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.restart()
        remembering.stream()
        assert b'"gap"' in host.next().payload
        eventually(lambda: "connected again" in caplog.text)
    assert told(caplog, logging.WARNING)[-1].endswith(f"at {remembering.url}; events may be missing")


def test_an_outage_is_a_warning_and_its_end_information_once_each(remembering, no_pause, caplog):
    caplog.set_level(logging.INFO)
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        known, remembering.version = remembering.version, b"garbage"
        asked = len(remembering.exchanges)
        remembering.cut()
        eventually(lambda: len(remembering.exchanges) > asked + 3)
        remembering.version = known
        remembering.stream()
        eventually(lambda: "connected again" in caplog.text)
    (said,) = told(caplog, logging.WARNING)
    assert said.startswith(f"{remembering.url}: the engine closed the stream, and then: {remembering.url} is not a Docker engine")
    assert told(caplog, logging.INFO)[-1] == f"connected again to Docker Engine 20.10.24 (API 1.41) at {remembering.url}"


def test_a_stream_that_withholds_events_is_a_warning(remembering, no_pause, caplog):
    with watching(remembering, pingInterval=1) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.clock = lambda: NOW + 3 * SECOND
        remembering.miss(*lines(SECOND // 2))
        assert payloads(host, 1) == lines(SECOND // 2)
        eventually(lambda: told(caplog, logging.WARNING))
    assert told(caplog, logging.WARNING)[0] == f"{remembering.url}: silent for 1 s, while the engine has events; reconnecting"
