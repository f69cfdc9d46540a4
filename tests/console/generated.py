"""A console over a real store with generated alerts.

`python -m tests.console.generated --alerts 100000 --rate 100` writes a store to a temporary directory: the alerts of the Docker plugin's
own recording, with other names, and hostile ones among them. It serves console/static and the whole API. With `--store DIR` it only writes
the store, which remains.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from tests.console.hostile import HOSTILE

from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.alert_store import AlertStore
from lanner.alerts.machine_mark import machine_mark
from lanner.alerts.store_format import STATE_FILE
from lanner.alerts.writer import StoreWriter
from lanner.console.api import Api
from lanner.console.console_server import Console
from lanner.console.listening import parse_address
from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.inquiry.questions import Inquiry
from lanner.sdk.authoring.plugin import plugin_info

from ..waiting import PATIENCE

RUN = "5ad0c0de"
SECOND = 10**9
CHANGED = b"""\
- rule: Command in a container
  enabled: true
  override:
    enabled: replace
"""


class Raised(NamedTuple):
    """An alert, as the store gets it."""

    rule: str
    priority: str
    source: str
    timestamp: int
    record: Record


class GeneratedStore:
    """A store in `directory` with alerts of the hour before `end`, and `rate` more each second. Alert number 7, 107, ... is hostile."""

    def __init__(self, directory, alerts, rate=0, end=None):
        self.directory, self._rate = Path(directory), rate
        self._random = random.Random(1)
        self._templates = templates()
        self._writer = StoreWriter(self.directory)
        self._number = 0
        self._ending = threading.Event()
        now = time.time_ns() if end is None else end
        own = Path(plugin_info(load_plugin("docker")).rules).read_bytes()
        self._loads = [
            self._load(now - 3600 * SECOND, {"docker_rules.yaml": own}),
            self._load(now - 1200 * SECOND, {"docker_rules.yaml": own, "mine.yaml": CHANGED}),
        ]
        self._writer.note(self._loads[0])
        step = 3600 * SECOND // max(1, alerts)
        moments = [now - (alerts - number) * step for number in range(alerts)]
        changed = sum(moment < self._loads[1].started for moment in moments)
        self._write(moments[:changed], self._loads[0])
        self._writer.note(self._loads[1])
        self._write(moments[changed:], self._loads[1])
        self._write_state()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def close(self):
        self._ending.set()
        self._thread.join(PATIENCE)
        self._writer.close()

    def _load(self, started, files):
        paths = {f"/etc/lanner/rules.d/{name}": content for name, content in files.items()}
        about = {
            "plugin": "docker",
            "target": "docker",
            "plugins": [{"name": "docker", "version": "0.5.0", "target": "docker"}],
            "source": "docker",
            "hostname": "host",
            "settings": {"rule_matching": "first", "static_fields": {}},
            "rules": [{"path": path, "sha256": hashlib.sha256(content).hexdigest()} for path, content in paths.items()],
            "machine": machine_mark(RUN),
        }
        return RunLoad(
            RUN, started, "docker", json.dumps(about), {hashlib.sha256(content).hexdigest(): content for content in paths.values()}
        )

    def _write(self, moments, load):
        for begin in range(0, len(moments), 256):
            self._writer.write([self._raise(moment, load) for moment in moments[begin : begin + 256]])

    def _raise(self, moment, load):
        self._number += 1
        is_hostile = self._number % 100 == 7
        alert, event, old = self._random.choice([each for each in self._templates if each[2]] if is_hostile else self._templates)
        new = HOSTILE[self._number // 100 % len(HOSTILE)] if is_hostile else f"web-{self._random.randrange(40)}"
        named = {name: new if value == old else value for name, value in alert.fields.items()}
        message = alert.output.replace(old, new) if old else alert.output
        line = {
            "hostname": "host",
            "message": message,
            "output": f"12:00:00.000000000: {alert.priority} {message}",
            "output_fields": named,
            "priority": alert.priority,
            "rule": alert.rule,
            "source": "docker",
            "tags": list(alert.tags),
            "time": "2026-11-29T12:00:00.000000000Z",
        }
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode()
        if old:
            event = event.replace(json.dumps(old).encode(), json.dumps(new).encode())
        record = Record(text, event[: 16 << 10], len(event), self._number, moment, load)
        return Raised(alert.rule, alert.priority, "docker", moment - 2_000_000, record)

    def _go_on(self):
        begin, made = time.monotonic(), 0
        while not self._ending.wait(0.05):
            due = int((time.monotonic() - begin) * self._rate)
            while made < due:
                number = min(256, due - made)
                self._write([time.time_ns()] * number, self._loads[1])
                made += number
            if int(begin * 20) % 40 == int(time.monotonic() * 20) % 40:
                self._write_state()

    def _write_state(self):
        now = time.time_ns()
        state = {
            "run": RUN,
            "plugin": "docker",
            "plugin_version": "0.5.0",
            "event_source": "docker",
            "hostname": "host",
            "started": self._loads[0].started,
            "loaded": self._loads[1].started,
            "written": now,
            "ended": None,
            "last_event": now - SECOND,
            "events": 123_456,
            "connected": {"unix:///var/run/docker.sock": True, "tcp://192.0.2.10:2376": False},
            "outputs": {
                "http_output": {
                    "delivered": 90,
                    "dropped": 0,
                    "pending": 31,
                    "spooled": 4200,
                    "failures": 12,
                    "last_error": "connection refused",
                },
                "stdout_output": {"delivered": 121, "dropped": 0, "pending": 0, "spooled": 0, "failures": 0, "last_error": ""},
            },
            "counters": {"gaps": 1},
            "reloads": 1,
            "reloads_failed": 1,
            "reload_error": "mine.yaml:14:3: unknown field docker.nmae: did you mean docker.name?",
            "not_ready": [],
            "unhealthy": [],
        }
        path = self.directory / f"{STATE_FILE}.new"
        path.write_text(json.dumps(state))
        path.replace(self.directory / STATE_FILE)


def templates():
    """The alerts of the Docker plugin's own recording, with their events and the name that they are about."""
    rules = LoadedRules(load_plugin("docker"))
    trial = rules.trial()
    found = []
    for event, timestamp in rules.read_recording(rules.info.example):
        for alert in trial.feed(event, timestamp):
            name = alert.fields.get("docker.attributes.name") or ""
            found.append((dataclasses.replace(alert), event, name))
    return found


@contextlib.contextmanager
def serving(directory, listen="127.0.0.1:0", **options):
    """A console over the store in a directory."""
    inquiry = Inquiry()
    console = Console(Api(lambda: AlertStore(directory), inquiry), parse_address(listen), **options)
    try:
        yield console
    finally:
        console.close()
        inquiry.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--store", default="")
    given = parser.parse_args()
    if given.store:
        with contextlib.closing(GeneratedStore(given.store, given.alerts, given.rate)):
            print("writing", flush=True)  # noqa: T201
            threading.Event().wait()
    directory = tempfile.mkdtemp()
    try:
        store = GeneratedStore(directory, given.alerts, given.rate)
        with contextlib.closing(store), serving(directory, given.listen) as console:
            print(console.link, flush=True)  # noqa: T201
            threading.Event().wait()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
