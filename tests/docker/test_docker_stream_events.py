"""Events from the stream of one engine: whole, however chunks and reads cut them, up to the end that was asked for."""

import pytest

import lanner
import lanner.testing
from lanner.docker import Docker

from .stand_in import LAST_CHUNK, NOW, STREAM, answer, chunk, event
from .streaming import watching_stream

pytestmark = pytest.mark.slow


# what comes out


def test_events_come_as_they_are_with_fields_and_time(engine):
    with watching_stream(engine) as (host, connection):
        connection.send(chunk(event(NOW + 7) + event(NOW + 8, Action="exec_create: id")))
        first, second = host.next(), host.next()
        assert [first.payload, second.payload] == [event(NOW + 7).rstrip(), event(NOW + 8, Action="exec_create: id").rstrip()]
        assert host.extract(second, "docker.exec.command") == "id"
        assert host.extract(first, "docker.time") == NOW + 7


@pytest.mark.parametrize("body", [b"content-length", b"until-close"])
def test_a_stream_need_not_come_in_chunks(engine, body):
    lines = event(1) + event(2)
    length = b"Content-Length: %d\r\n" % len(lines) if body == b"content-length" else b""
    engine.events = b"HTTP/1.0 200 OK\r\n" + length + b"\r\n" + lines
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.url}) as host:
        assert [host.next().payload, host.next().payload] == lines.splitlines()


def test_a_line_may_be_split_anywhere_over_chunks_and_reads(engine):
    line = event(Action="ünïcode")
    with watching_stream(engine) as (host, connection):
        for number, place in enumerate(range(1, len(line))):
            line = event(NOW + number, Action="ünïcode")
            connection.send(chunk(line[:place]))
            connection.wait_until_read()
            connection.send(chunk(line[place:]))
            assert host.next().payload == line.rstrip()


def test_a_chunk_may_be_split_anywhere_over_reads(engine):
    with watching_stream(engine) as (host, connection):
        for place in range(1, len(chunk(event()))):
            line = event(NOW + place)
            connection.send(chunk(line)[:place])
            connection.wait_until_read()
            connection.send(chunk(line)[place:])
            assert host.next().payload == line.rstrip()


def test_a_stream_may_come_byte_by_byte(engine):
    lines = event(NOW) + event(NOW + 1)
    with watching_stream(engine) as (host, connection):
        for byte in chunk(lines):
            connection.send(bytes([byte]))
            connection.wait_until_read()
        assert [host.next().payload, host.next().payload] == lines.splitlines()


def test_a_line_may_be_huge(engine):
    huge = event(Action="exec_create: " + "x" * 10_000_000)
    engine.events = STREAM + chunk(huge[:5_000_000]) + chunk(huge[5_000_000:] + event())
    with watching_stream(engine) as (host, _):
        assert host.next().payload == huge.rstrip()
        assert host.next().payload == event().rstrip()
        assert host.source.counters == {}


def test_a_broken_line_is_an_event_without_values_and_harms_no_other(engine):
    with watching_stream(engine) as (host, connection):
        connection.send(chunk(b'{"Type":"container","Acti\n\n\xff\n' + event()))
        broken = [host.next(), host.next()]
        assert [found.payload for found in broken] == [b'{"Type":"container","Acti', b"\xff"]
        assert [host.extract(found, "docker.action") for found in broken] == [None, None]
        assert host.extract(host.next(), "docker.action") == "start"


@pytest.mark.parametrize("end", [LAST_CHUNK, b""], ids=["last chunk", "closed"])
def test_the_end_of_the_time_asked_for_is_the_end_of_the_events(engine, end):
    with watching_stream(engine, "since=10m&until=1s") as (host, connection):
        connection.send(chunk(event()) + end)
        connection.close()
        assert [found.payload for found in host.events()] == [event().rstrip()]
    assert len(engine.requests) == 2


def test_the_time_asked_for_is_that_of_the_engines_clock(engine):
    engine.events = STREAM.replace(b"\r\n\r\n", b"\r\nDate: Sat, 02 Oct 2100 07:06:40 GMT\r\n\r\n") + chunk(event()) + LAST_CHUNK
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.url}, "until=4126143998") as host:
        assert [found.payload for found in host.events()] == [event().rstrip()]


@pytest.mark.parametrize("end", [LAST_CHUNK, b""], ids=["last chunk", "closed"])
def test_a_stream_that_ends_before_the_time_asked_for_is_not_the_end(engine, end, no_pause):
    with watching_stream(engine, "since=1795426000&until=4000000000") as (host, connection):
        engine.listing = answer(event())
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(end)
        if not end:
            connection.close()
        assert host.next().payload == event(NOW + 1).rstrip()
    assert engine.requests[3] == "GET /v1.41/events?since=1795426343.000000000&until=4000000000.000000000 HTTP/1.1"
