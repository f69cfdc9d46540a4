"""Ends of a stream: reconnects, pauses, close, and what is left behind."""

import logging
import socket
import threading
from itertools import pairwise

import pytest

from lanner.docker import client, watch

from ..waiting import PATIENCE, check_descriptors, count_descriptors
from .stand_in import LAST_CHUNK, NOW, SECOND, STREAM, answer, chunk, event, version
from .streaming import failure, gap_of, source_of, watching_stream

pytestmark = pytest.mark.slow


# what happens where a connection ends


def _nothing(connection):
    connection.close()


def _end(connection):
    connection.send(LAST_CHUNK)


def _within_a_chunk(connection):
    connection.send(b"ff\r\n{")
    connection.close()


def _within_a_size(connection):
    connection.send(b"f")
    connection.close()


def _no_chunk(connection):
    connection.send(b"what\r\n")


def _reset(connection):
    connection.reset()


@pytest.mark.parametrize("lose", [_nothing, _end, _within_a_chunk, _within_a_size, _no_chunk, _reset])
def test_a_lost_connection_is_made_again_and_asks_for_what_follows(tcp_engine, no_pause, caplog, lose):
    caplog.set_level(logging.INFO)
    with watching_stream(tcp_engine) as (host, connection):
        connection.send(chunk(event(NOW + 5) + event(NOW + 999_999_999)))
        assert [host.next().payload, host.next().payload] == [event(NOW + 5).rstrip(), event(NOW + 999_999_999).rstrip()]
        tcp_engine.version = version("1.30")
        tcp_engine.listing = answer(event(NOW + 5))
        tcp_engine.events = STREAM + chunk(event(NOW + SECOND))
        lose(connection)
        assert host.next().payload == event(NOW + SECOND).rstrip()
        assert connection.ended.wait(PATIENCE)
    assert tcp_engine.requests == [
        "GET /version HTTP/1.1",
        "GET /v1.41/events HTTP/1.1",
        "GET /version HTTP/1.1",
        "GET /v1.30/events?since=1795426343.999999999 HTTP/1.1",
        "GET /v1.30/events?since=1795426343.999999999&until=1795426345.999999999 HTTP/1.1",
    ]
    told = [record for record in caplog.records if record.levelno >= logging.INFO]
    assert [record.levelno for record in told] == [logging.WARNING if lose is _no_chunk else logging.INFO, logging.INFO]  # nothing was lost
    said = [record.getMessage() for record in told]
    assert len(said) == 2
    assert said[0].startswith(f"{tcp_engine.url}: ")
    assert said[0].endswith("; reconnecting")
    assert said[1] == f"connected again to Docker Engine 20.10.24 (API 1.30) at {tcp_engine.url}"


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        (event(NOW + 7), NOW + 7),
        (event(NOW + 9) + event(NOW + 7), NOW + 7),
        (event(NOW + 7) + event(NOW + 8)[:-2], NOW + 7),
        (event(NOW + 7) + b"{broken\n", NOW + 7),
        (event(NOW + 7, Action='exec_create: {"timeNano":1995426345000000000}'), NOW + 7),
        (event(NOW + 7, Actor={"ID": "4f2d", "Attributes": {"timeNano": "1995426345000000000"}}), NOW + 7),
        (event(NOW + 7, Action="x").replace(b'"timeNano":', b'"timeNano" : ').replace(b" : ", b": "), NOW + 7),
        (event(NOW + 7) + event(NOW + 8, Action="x" * 1_000_000), NOW + 8),
        (event(NOW + 7) + event(NOW + 8, Action="x" * 1_000_000)[:-2], NOW + 7),
        (b"".join(event(NOW + number) for number in range(5000)), NOW + 4999),
    ],
    ids=["one", "order", "tail", "broken", "in a string", "attribute", "blank", "huge", "huge tail", "many"],
)
@pytest.mark.parametrize("params", ["", "since=1795426000&until=4000000000"])
def test_the_new_connection_asks_from_two_seconds_before_the_last_whole_event(engine, no_pause, sent, last, params):
    whole = sent[: sent.rfind(b"\n") + 1].splitlines()
    expected = [*whole, event(NOW + 9_999).rstrip()]

    def say(connection):
        connection.send(chunk(sent))
        connection.close()

    with watching_stream(engine, params) as (host, connection):
        engine.listing = answer(whole[0] + b"\n")
        engine.events = STREAM + chunk(sent[: sent.rfind(b"\n") + 1].replace(b"{broken\n", b"") + event(NOW + 9_999))
        speaker = threading.Thread(target=say, args=[connection])
        speaker.start()
        assert [host.next().payload for _ in expected] == expected
        speaker.join()
    until = "&until=4000000000.000000000" if params else ""
    since = last - 2 * SECOND
    assert engine.requests[3] == f"GET /v1.41/events?since={since // SECOND}.{since % SECOND:09}{until} HTTP/1.1"


def test_no_event_from_before_the_time_asked_for_is_asked_for_later(engine, no_pause):
    with watching_stream(engine, "since=1795426344.5") as (host, connection):
        engine.listing = answer(event())
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(chunk(event()))
        connection.close()
        assert [host.next().payload, host.next().payload] == [event().rstrip(), event(NOW + 1).rstrip()]
    assert engine.requests[3] == "GET /v1.41/events?since=1795426344.500000000 HTTP/1.1"


def test_while_nothing_was_seen_the_time_of_the_first_connection_is_asked_from(engine, no_pause):
    """The end is a time of the engine's clock, which has whole seconds."""
    engine.events = STREAM.replace(b"\r\n\r\n", b"\r\nDate: Sat, 02 Oct 2100 07:06:40 GMT\r\n\r\n")
    source = source_of(engine)
    engine.events = STREAM + chunk(event())
    engine.stop()
    engine.start()
    assert gap_of(source.next_batch(10).payloads[0])["reason"] == "engine restarted or out of reach"
    source.close()
    asked = engine.requests[3]
    assert 4126144000 <= float(asked.split()[1].partition("since=")[2]) <= 4126144030


def test_an_answer_that_ends_is_asked_for_again_where_the_connection_stays_open(engine, no_pause):
    with watching_stream(engine) as (host, connection):
        engine.listing = answer(event(NOW))
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(chunk(event(NOW)) + LAST_CHUNK)
        assert [host.next().payload, host.next().payload] == [event(NOW).rstrip(), event(NOW + 1).rstrip()]


def test_an_unfinished_line_is_dropped_with_its_connection(engine, no_pause):
    with watching_stream(engine) as (host, connection):
        connection.send(chunk(event() + event(NOW + 1)[:50]))
        assert host.next().payload == event().rstrip()
        engine.listing = answer(event())
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.close()
        assert host.next().payload == event(NOW + 1).rstrip()
        assert host.source.counters == {"dropped tails": 1, "connections lost": 1}


@pytest.mark.parametrize("away", ["stopped", "silent", "garbage", "no version", "refusing", "no events"])
def test_an_engine_that_was_away_is_found_again(engine, no_pause, away):
    with watching_stream(engine) as (host, connection):
        known = engine.version
        if away == "stopped":
            engine.stop()
        else:
            connection.close()
        engine.version = {
            "silent": b"",
            "garbage": b"garbage",
            "no version": version("1." + "1" * 5000),
            "refusing": answer({"message": "starting"}, "503 Service Unavailable"),
        }.get(away, known)
        engine.events = answer({"message": "starting"}, "503 Service Unavailable")
        while len(engine.exchanges) < 5 and away != "stopped":  # it is tried
            assert host.source.next_batch(0.01).payloads == []
        engine.version, engine.events = known, STREAM + chunk(event())
        if away == "stopped":
            engine.start()
        assert gap_of(host.next().payload)["reason"] == "engine restarted or out of reach"
        assert host.next().payload == event().rstrip()


def test_while_the_engine_is_unreachable_the_pauses_grow_up_to_a_limit(engine, monkeypatch):
    pauses, wanted, tried, go_on = [], 16, threading.Event(), threading.Event()

    def wait(flags, seconds):
        pauses.append(seconds)
        if len(pauses) == wanted:
            tried.set()
            go_on.wait(PATIENCE)

    monkeypatch.setattr(watch, "wait", wait)
    with watching_stream(engine) as (host, connection):
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()
        known, engine.version = engine.version, b""
        connection.close()
        assert tried.wait(PATIENCE)
        found = pauses[1:]  # the first is that after a loss
        assert pauses[0] == pytest.approx(0.1)
        assert all(later >= min(earlier * 1.5, 7.9) for earlier, later in pairwise(found))
        assert 7.9 <= found[-1] <= max(found) <= 12.1

        # it has held for long enough: the next loss is a first one
        monkeypatch.setattr(watch, "_STEADY", 0.0)
        pauses.clear()
        tried.clear()
        wanted = 1
        engine.version, engine.events = known, STREAM + chunk(event(NOW + 1))
        go_on.set()
        again = engine.stream()
        while host.next().payload != event(NOW + 1).rstrip():
            pass  # the gap event is before it
        again.close()
        assert tried.wait(PATIENCE)
        assert pauses[0] == pytest.approx(0.1)


@pytest.mark.parametrize("state", ["connected", "away"])
def test_close_ends_a_wait_at_once(engine, monkeypatch, state):
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 3600.0)
    source = source_of(engine)
    connection = engine.stream()
    if state == "away":
        connection.close()
    else:
        connection.send(chunk(event()[:20]))
        connection.wait_until_read()
    assert not source.next_batch(0).ended
    reading = threading.Event()
    seen = []

    def read():
        reading.set()
        seen.append(source.next_batch(3600))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert reading.wait(PATIENCE)
    source.close()
    reader.join(PATIENCE)
    assert [(batch.payloads, batch.ended) for batch in seen] == [([], True)]
    assert source.next_batch(3600).ended


def test_a_timeout_without_events_is_an_empty_batch(engine):
    source = source_of(engine)
    for _ in range(3):
        batch = source.next_batch(0.001)
        assert (batch.payloads, batch.ended) == ([], False)


# what is left behind


def _open_and_close(engine):
    with watching_stream(engine) as (host, connection):
        connection.send(chunk(event()))
        host.next()


def _fail_at_version(engine):
    engine.version = b"garbage"
    failure(engine)


def _fail_at_events(engine):
    engine.version, engine.events = version(), answer({"message": "no"}, "500 Internal Server Error")
    failure(engine)


def _reconnect(engine):
    engine.version, engine.events = version(), STREAM
    with watching_stream(engine) as (host, first):
        connection = first
        for number in range(10):
            engine.version = b"garbage"
            connection.close()
            tried = len(engine.exchanges)
            while len(engine.exchanges) < tried + 2:
                assert host.source.next_batch(0.01).payloads == []
            engine.version, engine.events = version(), STREAM + chunk(event(NOW + number))
            assert gap_of(host.next().payload)
            assert host.next().payload == event(NOW + number).rstrip()
            connection = engine.stream()


@pytest.mark.parametrize("use", [_open_and_close, _fail_at_version, _fail_at_events, _reconnect])
def test_no_descriptor_is_left_open(engine, no_pause, use):
    before = count_descriptors()
    for _ in range(10):
        use(engine)
    engine.wait_until_idle()
    check_descriptors(before)


def test_the_engine_is_asked_by_get_alone(engine, no_pause):
    """The fixture checks every request of every test at its end; this tests what one life of a source needs."""
    with watching_stream(engine, 'filters={"type":["container"]}') as (host, connection):
        engine.listing = answer(event())
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(chunk(event()))
        connection.close()
        assert [host.next().payload, host.next().payload] == [event().rstrip(), event(NOW + 1).rstrip()]
    assert [request.split()[0] for request in engine.requests] == ["GET"] * 5


def test_close_ends_also_a_wait_for_an_engine_that_does_not_answer(engine, no_pause, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 3600.0)
    source = source_of(engine)
    engine.stop()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(engine.url.removeprefix("unix://"))
        silent.listen()
        reader = threading.Thread(target=lambda: [source.next_batch(1) for _ in range(2)], daemon=True)
        reader.start()
        asking, _ = silent.accept()
        source.close()
        reader.join(PATIENCE)
        assert not reader.is_alive()
        asking.close()
