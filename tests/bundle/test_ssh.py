"""The Docker plugin's .so with an engine over SSH: the child process is the host's, and gets nothing of it."""

import json
import os
import threading

import pytest

from ..docker.ssh_server import SshServer, why_not, write_dial
from ..docker.stand_in import RememberingEngine
from ..docker.streaming import eventually, lines
from ..waiting import is_running

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=f"no SSH server: {why_not()}")]


@pytest.fixture
def engine(tmp_path):
    running = RememberingEngine(f"unix://{tmp_path}/docker.sock")
    yield running
    running.stop()


def test_events_come_and_ssh_ends_with_the_host(built, run_host, engine, tmp_path, monkeypatch):
    library = built("docker")  # which takes longer than anybody waits for a stream
    with SshServer(tmp_path) as server:
        monkeypatch.setenv("PATH", f"{server.programs}:{os.environ['PATH']}")
        write_dial(server.remote, engine.url.removeprefix("unix://"))

        def happen():
            engine.stream()
            engine.publish(*lines(0, 5))

        happening = threading.Thread(target=happen)
        happening.start()
        report = run_host(library, "--init", json.dumps({"host": server.url, "inspect": False}), "--events", "5")
        happening.join()
        assert report["violations"] == [], report
        (seen,) = report["runs"]
        assert [event["payload"].encode() + b"\n" for event in seen["events"]] == lines(0, 5)
        eventually(lambda: not any(is_running(pid) for pid, _ in server.started()))
