"""The stream of events of one engine, played by a stand-in: what is asked of it, what comes out, and what a user is told where it fails."""

import gc
import json
import logging
import socket
import threading
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

import lanner
import lanner.testing
from lanner.docker import Docker, client, watch
from lanner.sdk.hosting import init_plugin
from lanner.sdk.sources import open_source

from .stand_in import LAST_CHUNK, NOW, SECOND, STREAM, answer, chunk, event, version

pytestmark = pytest.mark.slow


def gap_of(payload):
    """What an event of Lanner's own says of a gap."""
    told = json.loads(payload)
    assert (told["Type"], told["Action"]) == ("lanner", "gap"), payload
    return told["lanner"]["gap"]


def source_of(engine, params="", **config):
    return open_source(init_plugin(Docker, {"inspect": False, "host": engine.url, **config}), params)


@contextmanager
def watching(engine, params="", **config):
    """The plugin as a test of a user would run it, and the stream that it has opened."""
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.url, **config}, params) as host:
        assert host.source
        yield host, engine.stream()


def failure(engine, **config):
    """What a user is told where the source cannot be opened."""
    with pytest.raises(lanner.SourceError) as caught:
        source_of(engine, **config)
    return str(caught.value)


# what is asked


PODMAN = version(
    "1.41",
    MinAPIVersion="1.24",
    Version="4.3.1",
    Components=[
        {"Name": "Podman Engine", "Version": "4.3.1", "Details": {"APIVersion": "4.3.1", "MinAPIVersion": "4.0.0"}},
        {"Name": "Conmon", "Version": "conmon version 2.1.6"},
    ],
)


@pytest.mark.parametrize(
    ("said", "api", "name"),
    [
        (version("1.41", MinAPIVersion="1.12"), "1.41", "Docker Engine 20.10.24"),
        (version("1.51", MinAPIVersion="1.24"), "1.51", "Docker Engine 20.10.24"),
        (version("1.52", MinAPIVersion="1.44", Version="29.0.0"), "1.51", "Docker Engine 29.0.0"),
        (version("1.9", MinAPIVersion="1.2"), "1.9", "Docker Engine 20.10.24"),
        (version("2.3", MinAPIVersion="1.44"), "1.51", "Docker Engine 20.10.24"),
        (version("1.60", MinAPIVersion="1.53"), "1.53", "Docker Engine 20.10.24"),
        (version("1.41"), "1.41", "Docker Engine 20.10.24"),
        (version("1.41", MinAPIVersion="old"), "1.41", "Docker Engine 20.10.24"),
        (version("1.41", Components=None), "1.41", "Docker Engine 20.10.24"),
        (version("1.41", Components=["Engine"]), "1.41", "Docker Engine 20.10.24"),
        (PODMAN, "1.41", "Podman 4.3.1"),
    ],
)
def test_the_newest_api_version_that_both_know_is_asked_for(engine, said, api, name):
    engine.version = said
    with watching(engine) as (host, _):
        assert host.source.description == f"{name} (API {api}) at {engine.url}"
    assert engine.requests == ["GET /version HTTP/1.1", f"GET /v{api}/events HTTP/1.1"]


@pytest.mark.parametrize(
    ("params", "asked"),
    [
        ("", ""),
        ("since=1795426345.000000007", "?since=1795426345.000000007"),
        ("since=1795426345&until=1795426346.5", "?since=1795426345.000000000&until=1795426346.500000000"),
        (
            '{"filters": {"type": ["container"], "label": ["a=b c", "ü&é"]}}',
            "?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22label%22%3A%5B%22a%3Db%20c%22%2C%22%5Cu00fc%26%5Cu00e9%22%5D%7D",
        ),
    ],
)
def test_the_parameters_are_asked_of_the_engine(engine, params, asked):
    with watching(engine, params):
        pass
    assert engine.requests[1] == f"GET /v1.41/events{asked} HTTP/1.1"


def test_the_configuration_is_asked_of_the_engine(engine):
    with watching(engine, since="1795426345", filters={"event": ["die", "oom"]}):
        pass
    filters = "%7B%22event%22%3A%5B%22die%22%2C%22oom%22%5D%7D"
    assert engine.requests[1] == f"GET /v1.41/events?since=1795426345.000000000&filters={filters} HTTP/1.1"


def test_the_engine_may_listen_on_tcp(tcp_engine):
    with watching(tcp_engine) as (host, connection):
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()


# what a user is told where there is no engine


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"", "is not a Docker engine: it closed the connection without an answer. Is another service listening there?"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is not a Docker engine: the answer begins with b'SSH-2.0-OpenSSH_9.2"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "which is not HTTP. Is another service listening there?"),
        (b"HTTP/1.1 yes\r\n\r\n", "is not a Docker engine: the answer begins with 'HTTP/1.1 yes', which is no status line"),
        (b"HTTP/1.1 200 OK\r\nConte", "is not a Docker engine: its answer broke off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "is not a Docker engine: the answer's head is longer than 65536 bytes"),
        (answer(b"<html>It works!</html>", kind="text/html"), "is not a Docker engine: GET /version gives no JSON object"),
        (answer(["a list"]), "is not a Docker engine: GET /version gives no JSON object"),
        (answer(b"[" * 100_000), "is not a Docker engine: GET /version gives no JSON object"),
        (answer(b" " * 3_000_000), "is not a Docker engine: GET /version gives no JSON object"),
        (answer(b""), "is not a Docker engine: GET /version gives no JSON object"),
        (answer({}), "is not a Docker engine: GET /version names no ApiVersion. Is another service listening there?"),
        (version(None), "names no ApiVersion"),
        (version("latest"), "names no ApiVersion"),
        (version("1"), "names no ApiVersion"),
        (version("1." + "1" * 5000), "names no ApiVersion"),
        (answer(b"<html>Not Found</html>", "404 Not Found", "text/html"), "404 Not Found. Is another service listening there?"),
        (answer({"message": "down for repair"}, "503 Service Unavailable"), "the engine refuses GET /version: 503 down for repair"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{", "is not a Docker engine: GET /version gives no JSON object"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n{}", "is not a Docker engine: "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "is not a Docker engine: invalid chunk size 'zz'"),
    ],
)
def test_what_is_no_engine_is_told_apart(engine, said, says):
    engine.version = said
    told = failure(engine)
    assert told.startswith(engine.url)
    assert says in told


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (answer({"message": "invalid filter 'nonsense'"}, "400 Bad Request"), "400 invalid filter 'nonsense'"),
        (answer({"message": "client version 1.41 is too old"}, "400 Bad Request"), "400 client version 1.41 is too old"),
        (answer({"message": "Kaputt: ü"}, "500 Internal Server Error"), "500 Kaputt: ü"),
    ],
)
def test_a_refusal_of_the_engine_is_told_in_its_own_words(engine, said, says):
    engine.events = said
    assert failure(engine, since="10m") == f"{engine.url}: the engine refuses GET /v1.41/events: {says}"


def test_filters_that_the_engine_refuses_are_the_users_fault(engine):
    engine.events = answer({"message": "invalid filter 'tpye'"}, "400 Bad Request")
    with pytest.raises(lanner.UsageError) as caught:
        failure(engine, filters={"tpye": ["container"]})
    assert str(caught.value) == (
        f"{engine.url}: the engine refuses GET /v1.41/events: 400 invalid filter 'tpye'. "
        "See to the `filters` of the open parameters or the configuration"
    )


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"", "it closed the connection without an answer"),
        (STREAM[:-10], "its answer broke off"),
        (answer(b"<html>Not Found</html>", "404 Not Found", "text/html"), "404 Not Found. Is another service listening there?"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwhat\r\n", "invalid chunk size 'what'"),
    ],
)
def test_an_engine_that_has_no_events_is_told(engine, said, says):
    engine.events = said
    assert says in failure(engine)


def test_an_engine_that_is_not_there_is_told_with_what_to_do(engine):
    engine.stop()
    assert failure(engine) == (
        f"no Docker engine at {engine.url} (from `$.host` of the configuration): no such file or directory. "
        "Start the engine (systemctl start docker), or name its socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"
    )


def test_a_refused_connection_is_told_with_what_to_do(tcp_engine):
    tcp_engine.stop()
    assert failure(tcp_engine) == (
        f"no Docker engine at {tcp_engine.url} (from `$.host` of the configuration): connection refused. "
        "Check the address: --host tcp://host:2375, or DOCKER_HOST"
    )


@pytest.mark.parametrize("url", ["unix:///" + "x" * 200, "unix:///a\0b", "tcp://a..b:2375", "tcp://" + "x" * 70 + ":2375"])
def test_an_address_that_cannot_be_one_is_told_as_an_engine_that_is_not_there(url):
    with pytest.raises(lanner.SourceError) as caught:
        open_source(init_plugin(Docker, {"inspect": False, "host": url}))
    assert str(caught.value).startswith(f"no Docker engine at {url} (from `$.host` of the configuration): ")


# what comes out


def test_events_come_as_they_are_with_fields_and_time(engine):
    with watching(engine) as (host, connection):
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
    with watching(engine) as (host, connection):
        for number, place in enumerate(range(1, len(line))):
            line = event(NOW + number, Action="ünïcode")
            connection.send(chunk(line[:place]))
            connection.wait_until_read()
            connection.send(chunk(line[place:]))
            assert host.next().payload == line.rstrip()


def test_a_chunk_may_be_split_anywhere_over_reads(engine):
    with watching(engine) as (host, connection):
        for place in range(1, len(chunk(event()))):
            line = event(NOW + place)
            connection.send(chunk(line)[:place])
            connection.wait_until_read()
            connection.send(chunk(line)[place:])
            assert host.next().payload == line.rstrip()


def test_a_stream_may_come_byte_by_byte(engine):
    lines = event(NOW) + event(NOW + 1)
    with watching(engine) as (host, connection):
        for byte in chunk(lines):
            connection.send(bytes([byte]))
            connection.wait_until_read()
        assert [host.next().payload, host.next().payload] == lines.splitlines()


def test_a_line_may_be_huge(engine):
    huge = event(Action="exec_create: " + "x" * 10_000_000)
    engine.events = STREAM + chunk(huge[:5_000_000]) + chunk(huge[5_000_000:] + event())
    with watching(engine) as (host, _):
        assert host.next().payload == huge.rstrip()
        assert host.next().payload == event().rstrip()
        assert host.source.counters == {}


def test_a_broken_line_is_an_event_without_values_and_harms_no_other(engine):
    with watching(engine) as (host, connection):
        connection.send(chunk(b'{"Type":"container","Acti\n\n\xff\n' + event()))
        broken = [host.next(), host.next()]
        assert [found.payload for found in broken] == [b'{"Type":"container","Acti', b"\xff"]
        assert [host.extract(found, "docker.action") for found in broken] == [None, None]
        assert host.extract(host.next(), "docker.action") == "start"


@pytest.mark.parametrize("end", [LAST_CHUNK, b""], ids=["last chunk", "closed"])
def test_the_end_of_the_time_asked_for_is_the_end_of_the_events(engine, end):
    with watching(engine, "since=10m&until=1s") as (host, connection):
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
    with watching(engine, "since=1795426000&until=4000000000") as (host, connection):
        engine.listing = answer(event())
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(end)
        if not end:
            connection.close()
        assert host.next().payload == event(NOW + 1).rstrip()
    assert engine.requests[3] == "GET /v1.41/events?since=1795426343.000000000&until=4000000000.000000000 HTTP/1.1"


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
    with watching(tcp_engine) as (host, connection):
        connection.send(chunk(event(NOW + 5) + event(NOW + 999_999_999)))
        assert [host.next().payload, host.next().payload] == [event(NOW + 5).rstrip(), event(NOW + 999_999_999).rstrip()]
        tcp_engine.version = version("1.30")
        tcp_engine.listing = answer(event(NOW + 5))
        tcp_engine.events = STREAM + chunk(event(NOW + SECOND))
        lose(connection)
        assert host.next().payload == event(NOW + SECOND).rstrip()
        assert connection.ended.wait(10)
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
    assert said[0].endswith("; connecting again")
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
    ids=["one", "order", "tail", "broken", "in a text", "attribute", "blank", "huge", "huge tail", "many"],
)
@pytest.mark.parametrize("params", ["", "since=1795426000&until=4000000000"])
def test_the_new_connection_asks_from_two_seconds_before_the_last_whole_event(engine, no_pause, sent, last, params):
    whole = sent[: sent.rfind(b"\n") + 1].splitlines()
    expected = [*whole, event(NOW + 9_999).rstrip()]

    def say(connection):
        connection.send(chunk(sent))
        connection.close()

    with watching(engine, params) as (host, connection):
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
    with watching(engine, "since=1795426344.5") as (host, connection):
        engine.listing = answer(event())
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(chunk(event()))
        connection.close()
        assert [host.next().payload, host.next().payload] == [event().rstrip(), event(NOW + 1).rstrip()]
    assert engine.requests[3] == "GET /v1.41/events?since=1795426344.500000000 HTTP/1.1"


def test_while_nothing_was_seen_the_time_of_the_first_connection_is_asked_from(engine, no_pause):
    """By the engine's clock, which is told to the second."""
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
    with watching(engine) as (host, connection):
        engine.listing = answer(event(NOW))
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.send(chunk(event(NOW)) + LAST_CHUNK)
        assert [host.next().payload, host.next().payload] == [event(NOW).rstrip(), event(NOW + 1).rstrip()]


def test_an_unfinished_line_is_dropped_with_its_connection(engine, no_pause):
    with watching(engine) as (host, connection):
        connection.send(chunk(event() + event(NOW + 1)[:50]))
        assert host.next().payload == event().rstrip()
        engine.listing = answer(event())
        engine.events = STREAM + chunk(event(NOW + 1))
        connection.close()
        assert host.next().payload == event(NOW + 1).rstrip()
        assert host.source.counters == {"dropped tails": 1, "connections lost": 1}


@pytest.mark.parametrize("away", ["stopped", "silent", "garbage", "no version", "refusing", "no events"])
def test_an_engine_that_was_away_is_found_again(engine, no_pause, away):
    with watching(engine) as (host, connection):
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


def test_while_the_engine_is_away_the_pauses_grow_up_to_a_limit(engine, monkeypatch):
    pauses, wanted, tried, go_on = [], 16, threading.Event(), threading.Event()

    def wait(flags, seconds):
        pauses.append(seconds)
        if len(pauses) == wanted:
            tried.set()
            go_on.wait(20)

    monkeypatch.setattr(watch, "wait", wait)
    with watching(engine) as (host, connection):
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()
        known, engine.version = engine.version, b""
        connection.close()
        assert tried.wait(20)
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
            pass  # what tells of the gap is before it
        again.close()
        assert tried.wait(20)
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
    assert reading.wait(10)
    source.close()
    reader.join(20)
    assert [(batch.payloads, batch.ended) for batch in seen] == [([], True)]
    assert source.next_batch(3600).ended


def test_a_timeout_without_events_is_an_empty_batch(engine):
    source = source_of(engine)
    for _ in range(3):
        batch = source.next_batch(0.001)
        assert (batch.payloads, batch.ended) == ([], False)


# what is left behind


def _descriptors():
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def _open_and_close(engine):
    with watching(engine) as (host, connection):
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
    with watching(engine) as (host, first):
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
    before = _descriptors()
    for _ in range(10):
        use(engine)
    engine.wait_until_idle()
    assert _descriptors() == before


def test_the_engine_is_asked_by_get_alone(engine, no_pause):
    """Every request of every test is looked at in the fixture's end; here is what one life of a source needs."""
    with watching(engine, 'filters={"type":["container"]}') as (host, connection):
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
        reader.join(20)
        assert not reader.is_alive()
        asking.close()
