"""Waits: an answer of a known end has one deadline however its bytes come, and the head of a stream may come with the first event."""

import contextlib
import logging
import threading
import time

import pytest

from lanner.docker import client, listing, watch
from lanner.docker.client import find_engine, get
from lanner.docker.endpoint import parse_endpoint
from lanner.docker.engine_errors import EngineError, EngineTimeoutError

from ..waiting import PATIENCE
from .stand_in import LAST_CHUNK, NOW, SECOND, STREAM, RememberingEngine, StandInEngine, answer, chunk, event, version
from .streaming import eventually, lines, payloads, watching

pytestmark = pytest.mark.slow

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Dripping(StandInEngine):
    """Begins the responses to `target` with `begun`, and continues with `drip` until the client closes."""

    target, begun, drip, pause = "/_ping", CHUNKED, b"x", 0.01

    def respond(self, exchange, target):
        if self.target not in target:
            super().respond(exchange, target)
            return
        exchange.send(self.begun)
        while True:
            exchange.send(self.drip)
            if self.pause:
                time.sleep(self.pause)  # the pace is what is tried


@pytest.fixture
def dripping(stand_in, tmp_path):
    return stand_in(f"unix://{tmp_path}/docker.sock", Dripping)


@pytest.mark.parametrize(
    ("begun", "drip", "pause"),
    [
        (b"", b"H", 0.01),
        (b"HTTP/1.1 200 OK\r\n", b"x", 0.01),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", 0.01),
        (CHUNKED, b"1\r\nx\r\n", 0.01),
        (CHUNKED, b"1;" + b"x" * 4000 + b"\r\nx\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x", 0.01),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.01),
    ],
    ids=["status line", "a header", "headers", "chunks", "chunk extensions", "length", "no length"],
)
def test_an_answer_has_one_deadline_while_bytes_flow(dripping, begun, drip, pause):
    dripping.begun, dripping.drip, dripping.pause = begun, drip, pause
    started = time.monotonic()
    with pytest.raises(EngineError):
        get(parse_endpoint(dripping.url, "a test"), "/_ping", timeout=0.5)
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("drip", [b"x: y\r\n", b"x", b" \r\n"])
def test_a_trailer_is_not_waited_for(dripping, drip):
    dripping.begun, dripping.drip, dripping.pause = CHUNKED + chunk(b"OK") + b"0\r\n", drip, 0
    head, text = get(parse_endpoint(dripping.url, "a test"), "/_ping", timeout=PATIENCE)
    assert (head.status, text) == (200, b"OK")


def test_a_stream_ends_with_its_last_chunk_even_if_bytes_follow(remembering, no_pause):
    with watching(remembering) as host:
        stream = remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        stream.send(b"0\r\nx: y\r\n")
        remembering.stream()
        remembering.publish(*lines(1))
        assert payloads(host, 1) == lines(1)


def test_a_listing_has_one_deadline_while_bytes_flow(stand_in, tmp_path, no_pause, monkeypatch):
    monkeypatch.setattr(listing, "TIMEOUT", 0.5)
    engine = stand_in(f"unix://{tmp_path}/docker.sock", Dripping)
    engine.target, engine.begun, engine.drip, engine.pause = "until=", CHUNKED, chunk(event(NOW)), 0
    with watching(engine) as host:
        engine.stream().send(chunk(event(NOW)))
        assert payloads(host, 1) == lines(0)
        engine.exchanges[-1].close()
        engine.stream().send(chunk(event(NOW + 1)))
        assert payloads(host, 1) == lines(1)
        assert "gaps" not in host.source.counters


class Late(RememberingEngine):
    """An engine that sends the head of a stream only when there is an event, as podman 5.2 does; `head` is what it sends then."""

    head = STREAM

    def respond(self, exchange, target):
        if "/events" not in target or "until=" in target:
            super().respond(exchange, target)
        else:
            self._streams.put(exchange)
            self.listen(exchange)

    def begin(self, *found):
        """The stream's head, with its first events."""
        exchange = self.stream()
        self.memory += found
        exchange.send(self.head + chunk(b"".join(found)))
        return exchange


@pytest.fixture
def late(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "HEAD_PATIENCE", 0.1)
    return stand_in(f"unix://{tmp_path}/docker.sock", Late)


def test_an_engine_that_begins_a_stream_with_the_first_event_is_watched(late, no_pause, caplog):
    with watching(late) as host:  # the start does not wait for an event
        assert list(host.source.connections.values()) == [True]
        stream = late.begin(*lines(0, 2))
        assert payloads(host, 2) == lines(0, 2)
        stream.close()
        stream = late.begin(*lines(2))
        assert payloads(host, 1) == lines(2)
        stream.send(chunk(event(NOW + 3)))
        assert payloads(host, 1) == lines(3)
        assert "gaps" not in host.source.counters
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_such_a_stream_is_left_alone_while_the_engine_answers(late, no_pause):
    with watching(late, pingInterval=1) as host:
        eventually(lambda: late.requests.count("GET /_ping HTTP/1.1") >= 2)
        late.begin(*lines(0))
        assert payloads(host, 1) == lines(0)
        assert "connections lost" not in host.source.counters


def test_such_an_engine_need_not_list_what_is_not_there(late, no_pause, monkeypatch):
    """Like the stream, a listing may not begin without an event."""
    monkeypatch.setattr(listing, "TIMEOUT", 0.1)
    late.events = None
    respond = late.respond

    def silent(exchange, target):
        if "until=" in target:
            late.listen(exchange)
        else:
            respond(exchange, target)

    monkeypatch.setattr(late, "respond", silent)
    with watching(late, pingInterval=1) as host:
        eventually(lambda: late.requests.count("GET /_ping HTTP/1.1") >= 2)
        late.begin(*lines(0))
        assert payloads(host, 1) == lines(0)
        assert "connections lost" not in host.source.counters


def test_such_a_stream_is_given_up_where_the_engine_does_not_answer(late, no_pause, monkeypatch, caplog):
    monkeypatch.setattr(watch, "_PING_TIMEOUT", 0.1)
    late.pong = None
    with watching(late, pingInterval=1) as host:
        eventually(lambda: host.source.counters.get("connections lost"))
    assert "the engine does not answer: " in caplog.text


def test_events_that_such_a_stream_does_not_bring_are_found(late, no_pause):
    late.clock = lambda: NOW + 3 * SECOND
    with watching(late, f"since={NOW // SECOND - 10}", pingInterval=1) as host:
        late.stream()
        late.miss(*lines(0))
        assert b'"gap"' in host.next().payload
        assert payloads(host, 1) == lines(0)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n" + b'{"message":"denied"}',
            "the engine refuses GET /v1.41/events: 403 denied",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "which is not HTTP"),
    ],
)
def test_a_late_refusal_is_reported(late, no_pause, caplog, head, says):
    late.head = head
    with watching(late) as host:
        late.begin()
        eventually(lambda: host.source.counters.get("connections lost"))
    assert says in caplog.text


def test_a_stream_that_ends_before_its_head_is_one_that_is_lost(late, no_pause):
    with watching(late) as host:
        late.stream().close()
        late.begin(*lines(0))
        assert b'"gap"' in host.next().payload
        assert payloads(host, 1) == lines(0)


def test_close_ends_the_wait_for_a_head_at_once(late, monkeypatch):
    monkeypatch.setattr(client, "HEAD_PATIENCE", 3600.0)
    opened = threading.Event()

    def run():
        with contextlib.suppress(Exception), watching(late):
            opened.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stream = late.stream()
    assert not opened.wait(0.1)
    stream.send(STREAM + LAST_CHUNK)
    assert opened.wait(PATIENCE)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_clock_is_that_of_the_first_answer_until_the_head_has_come(late):
    answers = answer({"ApiVersion": "1.41"}).replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nDate: Sat, 02 Oct 2100 07:06:40 GMT\r\n")
    late.version = answers
    engine = find_engine(parse_endpoint(late.url, "a test"))
    assert time.time_ns() + engine.ahead == pytest.approx(4126144001 * SECOND, abs=10 * SECOND)
    late.version = version()
    assert find_engine(parse_endpoint(late.url, "a test")).ahead == 0


def test_an_engine_that_does_not_answer_at_all_is_reported_at_the_start(late, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    late.version = None
    with pytest.raises(EngineTimeoutError, match=r"did not answer GET /version: no answer within 0.1 s"):
        find_engine(parse_endpoint(late.url, "a test"))
