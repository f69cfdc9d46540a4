"""Real runs that are ended and killed: nothing is lost, and only the documented events come twice."""

import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from ..waiting import PATIENCE
from .api_server import serving, unused_port

# seven starts of the command, which take seconds each on a busy machine
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PLUGINS = Path(__file__).parents[1] / "data" / "plugins"
LANNER = Path(sys.executable).parent / "lanner"
EVENTS = 120
ENDS = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGKILL]


RUNNING = []


@pytest.fixture(autouse=True)
def no_run_is_left():
    """A test that fails leaves no process to the others."""
    yield
    while RUNNING:
        with RUNNING.pop() as process:
            process.kill()


class Runs:
    """Runs of a plugin, one after the other, with a file of alerts for each."""

    def __init__(self, folder, plugin, config):
        self.folder, self.plugin, self.config = folder, plugin, config
        self.outputs = []
        self.process = None
        rule = {
            "rule": "Seen",
            "desc": "Each event",
            "condition": f"{plugin}.id > 0",
            "output": f"got %{plugin}.id",
            "priority": "INFO",
            "source": plugin,
        }
        (folder / "rules.yaml").write_text(json.dumps([rule]))

    def start(self):
        path = self.folder / f"alerts{len(self.outputs)}"
        self.outputs.append(path)
        command = [LANNER, "run", PLUGINS / f"{self.plugin}.py", "-r", self.folder / "rules.yaml", "--config", json.dumps(self.config)]
        environment = {**os.environ, "LANNER_STATE_DIRECTORY": str(self.folder / "state")}
        with path.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment)
        RUNNING.append(self.process)

    def end(self, number):
        self.process.send_signal(number)
        assert self.process.wait(PATIENCE) == (-signal.SIGKILL if number == signal.SIGKILL else 0)

    def seen(self, place=-1):
        """The numbers in the whole lines of a run's alerts."""
        whole = self.outputs[place].read_bytes().rpartition(b"\n")[0].decode().splitlines()
        return [int(line.rpartition("got ")[2]) for line in whole]


def eventually(holds):
    deadline = time.monotonic() + 200
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_poller_loses_nothing(tmp_path):
    available = [10]

    def answer(request):
        since, after = int(request.query.get("since") or 0), int(request.query.get("after") or 0)
        found = [{"id": number, "at": (number + 2) // 3} for number in range(1, available[0] + 1) if (number + 2) // 3 >= since][after:]
        link = {"Link": f'</log?since={since}&after={after + 7}>; rel="next"'} if len(found) > 7 else {}
        if random.random() < 0.2:
            return random.choice([(500, {}, b""), (429, {"Retry-After": "0"}, b""), (200, {}, b"[{"), (502, {}, b"<html>")])
        return 200, link, json.dumps(found[:7]).encode()

    with serving(answer) as api:
        runs = Runs(tmp_path, "polls", {"url": f"{api.url}/log?since={{cursor}}"})
        last = 0
        for number in ENDS:
            available[0] += 7  # the run before may have seen all others
            runs.start()
            eventually(lambda last=last: len(runs.seen()) >= 1 and runs.seen()[-1] > last)
            available[0] += 5
            runs.end(number)
            last = max(last, *runs.seen())
        available[0] = EVENTS
        runs.start()
        eventually(lambda: runs.seen()[-1:] == [EVENTS])
        runs.end(signal.SIGTERM)
    outputs = [runs.seen(place) for place in range(len(runs.outputs))]
    for before, found in zip([[0], *outputs], outputs, strict=False):
        assert found == list(range(found[0], found[0] + len(found))), "in order, each once in a run"
        assert found[0] <= before[-1] + 1, "none is lost between two runs"
    for place, number in enumerate(ENDS):
        if number != signal.SIGKILL:
            assert outputs[place + 1][0] == outputs[place][-1] + 1, "a run that was ended repeats nothing"


def post(port, number):
    """The status of the answer; None without one."""
    body = json.dumps({"id": number}).encode()
    signature = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json", "X-Hub-Signature-256": signature})
            response = connection.getresponse()
            # between two runs a server of another test may listen there
            return response.status if response.read().startswith((b"processed", b"accepted", b"too many")) else None
        except (OSError, http.client.HTTPException):
            return None


def test_a_webhook_loses_nothing_that_it_has_acknowledged(tmp_path):
    """Senders repeat what was not answered 200. Nothing is lost, and nothing comes more often than it was sent."""
    port = unused_port()
    runs = Runs(tmp_path, "hooks", {"address": f"127.0.0.1:{port}"})
    attempts, acknowledged = Counter(), Counter()
    left = iter(range(1, 10**6))
    is_over = threading.Event()

    def send():
        while not is_over.is_set():
            number = next(left)
            while True:
                attempts[number] += 1
                status = post(port, number)
                if status == 200:
                    acknowledged[number] += 1
                    break
                assert status in {None, 202, 503}, status
                if status is None:  # between two runs
                    time.sleep(0.01)

    senders = [threading.Thread(target=send, daemon=True) for _ in range(4)]
    runs.start()
    for sender in senders:
        sender.start()
    for number in ENDS:
        eventually(lambda: len(runs.seen()) >= 10)
        runs.end(number)
        runs.start()
    eventually(lambda: len(runs.seen()) >= 10)
    is_over.set()
    for sender in senders:
        sender.join(PATIENCE)
        assert not sender.is_alive()
    runs.end(signal.SIGTERM)
    found = Counter(number for place in range(len(runs.outputs)) for number in runs.seen(place))
    assert found.keys() == acknowledged.keys()
    assert all(found[number] <= attempts[number] for number in found)
    assert sum(found.values()) - len(found) <= 4 * len(ENDS), "at most one for each sender and end"
