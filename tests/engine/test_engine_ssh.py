"""A real engine behind a real sshd, reached by the real `docker system dial-stdio`."""

import json
import os
import time

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.testing.dockerd import IMAGE

from ..docker.ssh_server import SshServer, why_not, write_program
from ..waiting import PATIENCE

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(why_not()), reason=f"no SSH server: {why_not()}")]


@pytest.fixture
def server(engine, tmp_path, monkeypatch):
    with SshServer(tmp_path) as server:
        monkeypatch.setenv("PATH", f"{server.programs}:{os.environ['PATH']}")
        (docker, *options) = engine.command()
        write_program(server.remote / "docker", f'#!/bin/sh\necho "$@" >>{tmp_path}/dials\nexec {docker} {" ".join(options)} "$@"\n')
        yield server


def events_of(host, name):
    while True:
        event = json.loads(host.next(timeout=PATIENCE).payload)
        if event["Actor"]["Attributes"].get("name") == name:
            yield event


def test_events_and_descriptions_come(engine, server, tmp_path):
    with lanner.testing.host(Docker, {"host": server.url, "inspect": True, "pingInterval": 1}, f"since={time.time_ns() / 1e9:.9f}") as host:
        engine.docker("create", "--name", "web", "--network", "none", "--privileged", IMAGE, "true")
        found = events_of(host, "web")
        create = next(event for event in found if event["Action"] == "create")
        assert create["lanner"]["inspect"]["privileged"] == "true"
        engine.docker("rm", "web")
        assert next(event for event in found if event["Action"] == "destroy")
        assert "connections lost" not in host.source.counters
        assert "gaps" not in host.source.counters
    assert set((tmp_path / "dials").read_text().splitlines()) == {"system dial-stdio"}


def test_the_path_of_the_socket_is_in_the_address(engine, server):
    write_program(server.remote / "docker", f'#!/bin/sh\nexec {engine.command()[0]} "$@"\n')
    with lanner.testing.host(
        Docker, {"inspect": False, "host": f"{server.url}{engine.socket}"}, f"since={time.time_ns() / 1e9:.9f}"
    ) as host:
        engine.docker("create", "--name", "web", "--network", "none", IMAGE, "true")
        assert next(events_of(host, "web"))["Action"] == "create"


def test_events_of_a_restart_of_the_link_are_not_lost(engine, server):
    with lanner.testing.host(Docker, {"inspect": False, "host": server.url}, f"since={time.time_ns() / 1e9:.9f}") as host:
        engine.docker("create", "--name", "one", "--network", "none", IMAGE, "true")
        assert next(events_of(host, "one"))["Action"] == "create"
        for pid, _ in server.started():
            os.kill(pid, 9)
        engine.docker("create", "--name", "two", "--network", "none", IMAGE, "true")
        assert next(events_of(host, "two"))["Action"] == "create"
        assert "gaps" not in host.source.counters
