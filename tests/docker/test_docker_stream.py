"""Requests for the stream of one engine, and the errors if none can be opened."""

import pytest

import lanner
import lanner.testing
from lanner.docker import Docker
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from .stand_in import STREAM, answer, chunk, event, version
from .streaming import failure, watching_stream

pytestmark = pytest.mark.slow


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
    with watching_stream(engine) as (host, _):
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
    with watching_stream(engine, params):
        pass
    assert engine.requests[1] == f"GET /v1.41/events{asked} HTTP/1.1"


def test_the_configuration_is_asked_of_the_engine(engine):
    with watching_stream(engine, since="1795426345", filters={"event": ["die", "oom"]}):
        pass
    filters = "%7B%22event%22%3A%5B%22die%22%2C%22oom%22%5D%7D"
    assert engine.requests[1] == f"GET /v1.41/events?since=1795426345.000000000&filters={filters} HTTP/1.1"


def test_the_engine_may_listen_on_tcp(tcp_engine):
    with watching_stream(tcp_engine) as (host, connection):
        connection.send(chunk(event()))
        assert host.next().payload == event().rstrip()


# the message for a missing engine


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"", "is not a Docker engine: it closed the connection without an answer. Is another service listening there?"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is not a Docker engine: the answer begins with b'SSH-2.0-OpenSSH_9.2"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "which is not HTTP. Is another service listening there?"),
        (b"HTTP/1.1 yes\r\n\r\n", "is not a Docker engine: the answer begins with 'HTTP/1.1 yes', which is not a status line"),
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
def test_what_is_no_engine_is_reported_apart(engine, said, says):
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
def test_a_refusal_of_the_engine_is_reported_in_its_own_words(engine, said, says):
    engine.events = said
    assert failure(engine, since="10m") == f"{engine.url}: the engine refuses GET /v1.41/events: {says}"


def test_filters_that_the_engine_refuses_are_the_users_fault(engine):
    engine.events = answer({"message": "invalid filter 'tpye'"}, "400 Bad Request")
    with pytest.raises(lanner.UsageError) as caught:
        failure(engine, filters={"tpye": ["container"]})
    assert str(caught.value) == (
        f"{engine.url}: the engine refuses GET /v1.41/events: 400 invalid filter 'tpye'. "
        "Check the `filters` of the open parameters or the configuration"
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
def test_an_engine_that_has_no_events_is_reported(engine, said, says):
    engine.events = said
    assert says in failure(engine)


def test_an_engine_that_is_not_there_is_reported_with_what_to_do(engine):
    engine.stop()
    assert failure(engine) == (
        f"no Docker engine at {engine.url} (from `$.host` of the configuration): no such file or directory. "
        "Start the engine (systemctl start docker), or name its socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"
    )


def test_a_refused_connection_is_reported_with_what_to_do(tcp_engine):
    tcp_engine.stop()
    assert failure(tcp_engine) == (
        f"no Docker engine at {tcp_engine.url} (from `$.host` of the configuration): connection refused. "
        "Check the address: --host tcp://host:2375, or DOCKER_HOST"
    )


@pytest.mark.parametrize("url", ["unix:///" + "x" * 200, "tcp://a..b:2375", "tcp://" + "x" * 70 + ":2375"])
def test_an_address_that_cannot_be_one_is_reported_as_an_engine_that_is_not_there(url):
    with pytest.raises(lanner.SourceError) as caught:
        open_source(init_plugin(Docker, {"inspect": False, "host": url}))
    assert str(caught.value).startswith(f"no Docker engine at {url} (from `$.host` of the configuration): ")
