"""Real runs and built libraries that follow a log file while it is rotated and they are killed: no line is lost."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from contextlib import closing

import pytest

from ..conformance import host
from ..waiting import PATIENCE, is_running
from .test_kills import ENDS, LANNER, PLUGINS, Runs, eventually, no_run_is_left  # noqa: F401 - a fixture for all tests here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Log:
    """A log file with numbered lines, and its rotations."""

    def __init__(self, folder):
        self.path = folder / "access.log"
        self.last = 0
        self.path.touch()

    def write(self, count):
        with self.path.open("a") as file:
            for number in range(self.last + 1, self.last + count + 1):
                file.write(json.dumps({"id": number}) + "\n")
        self.last += count

    def rotate(self, *, compress=False):
        for number in range(30, 0, -1):
            for ending in ("", ".gz"):
                old = self.path.with_name(f"access.log.{number}{ending}")
                if old.exists():
                    old.rename(self.path.with_name(f"access.log.{number + 1}{ending}"))
        self.path.rename(self.path.with_name("access.log.1"))
        if compress:
            subprocess.run(["gzip", self.path.with_name("access.log.1")], check=True)
        self.path.touch()


@pytest.fixture
def log(tmp_path):
    (tmp_path / "var").mkdir()
    return Log(tmp_path / "var")


def check(outputs, ends, last):
    """Each run begins after the last line of the one before, or earlier; and has each line once, in order."""
    before = 0
    for place, found in enumerate(outputs):
        assert found == list(range(found[0], found[0] + len(found))), "in order, each once in a run"
        assert found[0] <= before + 1, "none is lost between two runs"
        if place and ends[place - 1] != signal.SIGKILL:
            assert found[0] == before + 1, "a run that was ended repeats nothing"
        before = found[-1]
    assert before == last


@pytest.mark.parametrize("compress", [False, True])
def test_runs_that_are_killed_and_rotations_lose_no_line(tmp_path, log, compress):
    runs = Runs(tmp_path, "follows", {"path": str(log.path)})
    for number in ENDS:
        runs.start()
        log.write(20)
        eventually(lambda: runs.seen()[-1:] == [log.last])
        log.write(20)
        runs.end(number)
        log.write(20)
        log.rotate(compress=compress)
        log.write(20)
    runs.start()
    eventually(lambda: runs.seen()[-1:] == [log.last])
    runs.end(signal.SIGTERM)
    check([runs.seen(place) for place in range(len(runs.outputs))], ENDS, log.last)


def test_runs_that_are_killed_while_the_file_is_rotated_lose_no_line(tmp_path, log):
    runs = Runs(tmp_path, "follows", {"path": str(log.path)})
    is_over = threading.Event()

    def write():
        while not is_over.wait(0.01):
            log.write(5)
            if log.last % 200 == 0:
                log.rotate()

    runs.start()
    log.write(5)
    eventually(lambda: len(runs.seen()) > 1)
    writing = threading.Thread(target=write)
    writing.start()
    for number in ENDS:
        before = runs.seen()[-1]
        eventually(lambda before=before: runs.seen()[-1] >= before + 100)
        runs.end(number)
        runs.start()
        eventually(runs.seen)
    is_over.set()
    writing.join()
    eventually(lambda: runs.seen()[-1:] == [log.last])
    runs.end(signal.SIGTERM)
    check([runs.seen(place) for place in range(len(runs.outputs))], ENDS, log.last)


@pytest.fixture(scope="module")
def library(made_once):
    def make(path):
        done = subprocess.run([LANNER, "build", PLUGINS / "follows.py", "-o", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return made_once("sources/libfollows.so", make)


def test_hosts_of_a_library_that_end_and_are_killed_lose_no_line(library, tmp_path, log, monkeypatch):
    monkeypatch.setenv("LANNER_STATE_DIRECTORY", str(tmp_path / "state"))
    config = json.dumps({"path": str(log.path)})
    stored = tmp_path / "state" / "follows.position"
    last = 0
    for turn in range(6):
        log.write(30)
        if turn % 2:
            before = stored.read_text() if stored.exists() else ""
            process = subprocess.Popen(
                [host.host(), "--init", config, "--keep", "none", library], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            eventually(lambda before=before: stored.exists() and stored.read_text() != before)
            process.kill()
            process.wait()
            last = log.last  # all lines were there when it began
        else:
            report = host.run_host(library, "--init", config, "--events", "30", "--keep", "all")
            assert report["violations"] == [], report
            found = [json.loads(event["payload"])["id"] for event in report["runs"][0]["events"]]
            assert found == list(range(found[0], found[0] + len(found)))
            assert found[0] <= last + 1
            last = found[-1]
        log.write(10)
        log.rotate(compress=turn == 3)


def test_a_library_ends_its_program(library, tmp_path):
    config = json.dumps({"program": ["/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; echo '{{\"id\": 1}}'; exec sleep 600"]})
    report = host.run_host(library, "--init", config, "--events", "1", env={"LANNER_STATE_DIRECTORY": str(tmp_path)})
    assert report["violations"] == [], report
    assert report["runs"][0]["count"] == 1
    assert not is_running(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_ends_its_program_at_once(tmp_path, number):
    runs = Runs(tmp_path, "follows", {"program": ["/bin/sh", "-c", "echo '{\"id\": '$$'}'; trap '' TERM INT; sleep 600; sleep 600"]})
    runs.start()
    eventually(runs.seen)
    begin = time.monotonic()
    runs.end(number)
    assert time.monotonic() - begin < PATIENCE
    assert not is_running(runs.seen()[0])


def test_readyz_says_that_the_file_is_missing(tmp_path):
    log = tmp_path / "access.log"
    runs = Runs(tmp_path, "follows", {"path": str(log)})
    command = [LANNER, "run", PLUGINS / "follows.py", "-r", tmp_path / "rules.yaml", "--config", json.dumps(runs.config)]
    command += ["-o", "webserver.enabled=true", "-o", "webserver.listen_port=0"]
    environment = {**os.environ, "LANNER_STATE_DIRECTORY": str(tmp_path / "state")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        port = next(int(line.rpartition(b":")[2]) for line in iter(process.stderr.readline, b"") if b"listening on" in line)
        eventually(lambda: ready(port) == (503, {"status": "not ready", "reasons": [f"{log} is unreachable"]}))
        log.write_text('{"id": 1}\n')
        assert b"got 1" in process.stdout.readline()
        assert ready(port)[0] == 200
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def ready(port):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
