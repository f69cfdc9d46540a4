"""waitForEngine: a start waits for an unavailable engine, and fails at once for an error that a wait cannot fix."""

import logging

import pytest

import lanner
from lanner.docker import Docker
from lanner.sdk.hosting.plugin_init import init_plugin

from .stand_in import RememberingEngine, answer, event
from .streaming import eventually, gap_of, watching

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(tmp_path):
    made = RememberingEngine(f"unix://{tmp_path}/engine.sock")
    made.stop()
    yield made
    made.stop()


def open_error(**config):
    with pytest.raises(lanner.LannerError) as caught:
        Docker.open(init_plugin(Docker, {"waitForEngine": True, **config}), "")
    return str(caught.value)


def test_a_start_waits_and_the_gap_is_reported_before_the_engines_events(engine, no_pause, caplog):
    caplog.set_level(logging.INFO, "lanner.plugin.docker")
    with watching(engine, waitForEngine=True) as host:
        assert host.source.connections == {engine.url: False}
        engine.start()
        eventually(lambda: host.source.connections[engine.url])
        engine.publish(event())
        gap = gap_of(host.next().payload)
        assert gap["reason"] == "engine restarted or out of reach"
        assert gap["from"] <= gap["until"]
        assert host.next().payload + b"\n" == event()
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith(f"no Docker engine at {engine.url}")
    assert said[0].endswith("Lanner retries")
    assert said[1].startswith("connected to ")
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]


def test_the_engine_is_asked_for_what_it_told_since_the_start(engine, no_pause):
    with watching(engine, waitForEngine=True) as host:
        engine.start()
        eventually(lambda: host.source.connections[engine.url])
    assert any("/events?" in request and "since=" in request for request in engine.requests)


@pytest.mark.parametrize(
    "reply",
    [answer(b"no backend", "503 Service Unavailable", "text/plain"), answer(b'{"message": "starting"}', "500 Internal Server Error")],
)
def test_a_proxy_or_an_engine_that_is_not_ready_is_waited_for(engine, no_pause, reply):
    ready, engine.version = engine.version, reply
    engine.start()
    with watching(engine, waitForEngine=True) as host:
        engine.version = ready
        assert gap_of(host.next().payload)


def test_by_default_a_start_fails(engine):
    assert open_error(host=engine.url, waitForEngine=None).startswith("no Docker engine at")


def test_a_plugin_in_a_library_waits_by_default(engine, no_pause):
    plugin = init_plugin(Docker, {"host": engine.url}, embedded=True)
    Docker.open(plugin, "").close()
    with pytest.raises(lanner.SourceError):
        Docker.open(init_plugin(Docker, {"host": engine.url, "waitForEngine": False}, embedded=True), "")


def test_what_no_waiting_mends_fails_at_once(engine, tmp_path):
    assert "invalid engine address" in open_error(host="tcp:/nowhere")
    missing = open_error(host="tcp://127.0.0.1:1", tls={"ca": "/nowhere/ca.pem"})
    assert "/nowhere/ca.pem" in missing
    (tmp_path / "file").touch()
    assert "it is not a socket" in open_error(host=f"unix://{tmp_path}/file")
    engine.version = answer(b"<html>")
    engine.start()
    assert "is not a Docker engine" in open_error(host=engine.url)


@pytest.mark.parametrize(
    ("embedded", "config", "says"),
    [
        (True, {"host": "unix:///nowhere/e.sock"}, "name its socket: `host: unix:///path/to/docker.sock` in init_config, or DOCKER_HOST"),
        (False, {"host": "unix:///nowhere/e.sock"}, "name its socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"),
        (True, {"host": "tcp://127.0.0.1:1"}, "Check the address: `host: tcp://host:2375` in init_config, or DOCKER_HOST"),
        (True, {"hosts": ["tcp://127.0.0.1:1"]}, "Check the address: `tcp://host:2375` in `hosts` of init_config"),
        (False, {"hosts": ["tcp://127.0.0.1:1"]}, "Check the address: `tcp://host:2375` in `hosts` of the configuration"),
    ],
)
def test_advice_names_what_the_reader_can_write(embedded, config, says):
    with pytest.raises(lanner.LannerError) as caught:
        Docker.open(init_plugin(Docker, {**config, "waitForEngine": False}, embedded=embedded), "")
    assert says in str(caught.value)
    assert "--host" not in str(caught.value) or not embedded
