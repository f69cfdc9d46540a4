"""`lanner run`, its store and its console, killed at any moment: every event is stored, and the next run says how many alerts are missing."""

import contextlib
import json
import random
import re
import signal
import subprocess
import threading

import pytest

from ..alerts.reading import ask
from ..console.conftest import Client
from ..docker.stand_in import RememberingEngine, event
from ..docker.streaming import eventually
from ..waiting import PATIENCE
from .conftest import ENVIRONMENT, LANNER

pytestmark = pytest.mark.slow
EVENTS = 200
"""New events for each run."""
RULE = "- {rule: R, desc: d, condition: docker.action = start, output: '%docker.actor.id', priority: NOTICE, source: docker}\n"
LINE = re.compile(r".* (\w+) \(http://console\.example/#alert=([0-9a-f]{8})-(\d+)\)\n")
KILLED = re.compile(r"the last run \(process (\d+)\) was killed: (?:up to ([\d,]+) of its last alerts|(its last alert)|(all its alerts))")


class Engine(RememberingEngine):
    """An engine that keeps all its events, however late the run reads them."""

    def __init__(self, url):
        super().__init__(url)
        self.memory = [*self.memory]
        self.number = 0

    def happen(self, count):
        self.publish(*(event(self.clock(), Actor={"ID": f"e{self.number + each}", "Attributes": {}}) for each in range(count)))
        self.number += count


class Run:
    """`lanner run` on that engine; `printed` are the names of events, keys and numbers of the alerts on standard output."""

    def __init__(self, engine, folder):
        command = ["run", "docker", "--host", engine.url, "-r", folder / "rules.yaml", "-c", folder / "falco.yaml"]
        config = json.dumps({"cursor": str(folder / "cursor"), "cursorInterval": 10})
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([LANNER, *map(str, command), "--config", config], env=ENVIRONMENT, **streams)
        self.printed, self.said = [], ""
        self._condition = threading.Condition()
        self._threads = [threading.Thread(target=read) for read in (self._read_alerts, self._read_messages)]
        for thread in self._threads:
            thread.start()

    def _read_alerts(self):
        for line in self.process.stdout:
            if found := LINE.fullmatch(line):  # not the one that the kill has cut
                with self._condition:
                    self.printed.append((found[1], found[2], int(found[3])))
                    self._condition.notify()

    def _read_messages(self):
        for line in self.process.stderr:
            with self._condition:
                self.said += line
                self._condition.notify()

    def wait(self, condition):
        with self._condition:
            assert self._condition.wait_for(lambda: condition() or self.process.poll() is not None, PATIENCE), self.said
        assert condition(), self.said

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()


class Console:
    """`lanner console` on the store, and a client of it."""

    def __init__(self, store, stack):
        self.process = subprocess.Popen(
            [LANNER, "console", store, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            text=True,
        )
        stack.callback(self.kill)
        address, _, self.token = self.process.stdout.readline().strip().partition("#token=")
        self.port = int(address.rstrip("/").rpartition(":")[2])
        self.client = Client(self)
        assert self.client.login()[0] == 204

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[pytest.mark.soak, pytest.mark.timeout(1500)])])
def test_killed_at_any_moment_no_delivered_alert_is_missing_unsaid(tmp_path, kills):
    (tmp_path / "rules.yaml").write_text(RULE)
    store = tmp_path / "store"
    config = {
        "append_output": [{"extra_output": "(%lanner.link)"}],
        "stdout_output": {"enabled": True},
        "lanner": {"store_output": {"enabled": True, "path": str(store)}, "console": {"address": "http://console.example"}},
    }
    (tmp_path / "falco.yaml").write_text(json.dumps(config))
    chance = random.Random(20)
    engine = Engine(f"unix://{tmp_path}/engine.sock")
    runs, console = [], None
    with contextlib.ExitStack() as stack:
        stack.callback(engine.stop)
        stack.callback(lambda: [each.end(signal.SIGKILL) for each in runs if each.process.poll() is None])
        for kill in range(kills + 1):
            run = Run(engine, tmp_path)
            runs.append(run)
            run.wait(lambda run=run: "watching" in run.said)
            if console is None:
                console = Console(store, stack)
            for _ in range(10):
                engine.happen(EVENTS // 10)
            if kill == kills:
                break
            # from the moment after its start to the one after its last alert
            wanted = chance.choice((0, chance.randint(1, EVENTS), EVENTS))
            run.wait(lambda run=run, wanted=wanted: len(run.printed) >= wanted)
            run.end(signal.SIGKILL)
            if kill % 3 == 2:
                console.kill()
                console = Console(store, stack)
            check_console(console.client, run)
        names = {f"e{number}" for number in range(engine.number)}
        eventually(lambda: names <= stored_names(store))
        check_console(console.client, run, before=runs[-2])
        run.end(signal.SIGINT)
        assert run.process.returncode == 0, run.said
    assert ask(store, "PRAGMA integrity_check") == [("ok",)]
    lost = [check(run, after, store) for run, after in zip(runs, [*runs[1:], None], strict=True)]
    printed = sum(len(run.printed) for run in runs)
    print(f"{kills} kills, {printed:,} alerts printed, {sum(lost)} not stored by their run: {lost}")  # noqa: T201 - the figures of the long form


def stored_names(store):
    return {json.loads(line)["output_fields"]["docker.actor.id"] for (line,) in ask(store, "SELECT line FROM alerts")}


def check_console(client, run, before=None):
    """The console answers; it says that the run was killed, or, of a run in progress, that the one before was."""
    status, found = client.get("/api/status")
    assert status == 200
    assert found["is_running"] == (before is not None)
    pid = (before or run).process.pid
    assert [KILLED.match(each["what"])[1] for each in found["problems"] if KILLED.match(each["what"])] == [str(pid)]
    assert client.get("/api/alerts?limit=10")[0] == 200


def check(run, after, store):
    """Check that the store lacks only last alerts of the run, at most as many as the next run has said. Return how many are not."""
    (key,) = {each[1] for each in run.printed} or {""}
    stored = [
        number for (number,) in ask(store, "SELECT sequence FROM alerts JOIN runs ON runs.id = run WHERE key = ? ORDER BY alerts.id", key)
    ]
    assert stored == [*range(1, len(stored) + 1)]
    missing = [number for _, _, number in run.printed if number > len(stored)]
    said = KILLED.search(after.said) if after else None
    if after is None:
        assert not missing
    else:
        assert said, after.said
        assert int(said[1]) == run.process.pid
        most = int(said[2].replace(",", "")) if said[2] else 1 if said[3] else 0
        assert len(missing) <= most, (missing, said[0])
    return len(missing)
