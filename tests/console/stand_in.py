"""A console over alerts in memory, for tests of the page that add alerts one by one.

`python -m tests.console.stand_in --alerts 100000 --rate 100` serves the files of console/static and the whole API. The classes named
StandIn have the interface of the store's reader. tests/console/generated.py has a real store.
"""

import argparse
import bisect
import contextlib
import json
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.console.hostile import HOSTILE

from lanner.alerts.lock import lock_store
from lanner.alerts.stored import Bucket, Counts, Detail, Page, RuleCount, Run, StoredAlert, Timeline
from lanner.console.api import Api
from lanner.console.console_server import Console
from lanner.console.listening import parse_address

StandInAlert = StoredAlert
RUN = "5ad0c0de"
PRIORITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")
RULES = [
    ("Shell in a container", 5, 400, "a shell was started in web-{n} (image=nginx:1.27 command=sh -c 'cat /etc/passwd')"),
    ("Privileged container", 2, 10, "a privileged container was started: worker-{n} (image=registry.example.com/worker:7)"),
    ("Image pulled from a registry that is not on the list", 4, 60, "an image was pulled from docker.io/library/redis:{n}"),
    ("Volume destroyed", 6, 200, "the volume data-{n} was destroyed"),
    ("Container from an image that is not on the list", 3, 30, "a container was made from docker.io/evil/miner:{n}"),
    ("Secret read", 1, 3, "the secret db-password-{n} was read"),
    ("Engine configuration reloaded", 0, 1, "the engine reloaded its configuration ({n})"),
    ("Exec in a container", 7, 600, "an exec ran in web-{n}: /bin/true"),
]
SILENT = ["Container runtime escaped", "Docker socket mounted"]
SECOND = 1_000_000_000
WHY = {
    "rule": "Shell in a container",
    "place": "/etc/lanner/rules.d/mine.yaml:14:3",
    "event": 1,
    "event_text": "exec_start web-1",
    "matches": True,
    "taken_by": None,
    "condition": {
        "kind": "all",
        "holds": True,
        "parts": [
            {
                "kind": "test",
                "holds": True,
                "text": "docker.type = container",
                "macros": ["container_event"],
                "values": {"docker.type": "container"},
            },
            {
                "kind": "one",
                "holds": True,
                "parts": [
                    {"kind": "test", "holds": False, "text": "docker.action = exec_create", "values": {"docker.action": "exec_start"}},
                    {
                        "kind": "test",
                        "holds": True,
                        "text": "docker.action startswith exec_start",
                        "values": {"docker.action": "exec_start: sh"},
                    },
                ],
            },
            {
                "kind": "not",
                "holds": True,
                "exception": "known_health_checks",
                "parts": [
                    {
                        "kind": "test",
                        "holds": False,
                        "text": "docker.exec.command in (known_health_checks)",
                        "values": {"docker.exec.command": "sh -c 'cat /etc/passwd'"},
                    }
                ],
            },
        ],
    },
    "lists": {"known_health_checks": ["curl -f http://localhost/", "pg_isready"]},
    "unfit": [],
    "deciding": [[0], [1, 1], [2, 0]],
}
EXCEPTION = """\
- rule: Shell in a container
  exceptions:
    - name: web_1_shell
      fields: [docker.attributes.name, docker.exec.command]
      comps: [=, =]
      values:
        - [web-1, "sh -c 'cat /etc/passwd'"]
  override:
    exceptions: append
"""
TEST = """\
tests:
  - name: Shell in a container fires
    events:
      - {"Type": "container", "Action": "exec_start: sh -c 'cat /etc/passwd'", "Actor": {"ID": "4f0c", "Attributes": {"name": "web-1"}}}
    alerts: [Shell in a container]
"""


class StandInStore:
    """Alerts of the last hour, and `rate` more each second. `rules` are the names of the loaded rules with their priorities."""

    def __init__(self, alerts, rate, rules=()):
        self._random = random.Random(1)
        self.problems = {}
        self._lock = threading.Lock()
        self._rate = rate
        self._rules = [*(rules or [(name, priority) for name, priority, *_ in RULES]), *((name, 2) for name in SILENT)]
        self._started = time.time_ns()
        self._made = alerts
        self._alerts = []
        self._positions = []
        day = self._started // (86_400 * SECOND)
        self._day = day << 32
        # what a run holds while it writes: its lock
        self.path = Path(tempfile.mkdtemp())
        self._running = lock_store(self.path, 0)
        step = 3600 * SECOND // max(1, alerts)
        for number in range(alerts):
            self._add(self._started - (alerts - number) * step)

    def close(self):
        self._running.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def _add(self, now):
        number = len(self._alerts) + 1
        name, priority, _, text = self._random.choices(RULES, weights=[each[2] for each in RULES])[0]
        subject = f"web-{self._random.randrange(40)}"
        message = text.format(n=self._random.randrange(1000))
        if number % 997 == 0:
            message = HOSTILE[number // 997 % len(HOSTILE)]
            subject = message[:60]
        line = {
            "hostname": "host",
            "output": f"12:00:00.000000000: {PRIORITIES[priority]} {message}",
            "message": message,
            "output_fields": {"docker.attributes.name": subject, "docker.type": "container", "evt.time": now},
            "priority": PRIORITIES[priority],
            "rule": name,
            "source": "docker",
            "tags": ["docker", "container"],
            "time": "2026-11-29T12:00:00.000000000Z",
        }
        encoded = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")
        subject = subject.encode("utf-8", "replace").decode()
        self._alerts.append(
            StandInAlert(self._day | number, f"{RUN}-{number}", now, now - 2_000_000, name, priority, "docker", subject, encoded)
        )
        self._positions.append(self._day | number)

    def _advance(self):
        with self._lock:
            now = time.time_ns()
            due = int((now - self._started) / SECOND * self._rate)
            for _ in range(due - (len(self._alerts) - self._made)):
                self._add(now)

    def last(self):
        self._advance()
        return self._positions[-1] if self._positions else 0

    def after(self, position, wanted, limit):
        self._advance()
        found = []
        first = bisect.bisect_right(self._positions, position)
        for number in range(first, len(self._alerts)):
            if wanted.matches(self._alerts[number]):
                found.append(self._alerts[number])
                position = self._positions[number]
                if len(found) == limit:
                    return Page(found, position, number + 1 < len(self._alerts))
        return Page(found, max(position, self.last()), False)

    def read_newest(self, wanted, limit, before=None):
        self._advance()
        end = len(self._alerts) if before is None else bisect.bisect_left(self._positions, before)
        found = []
        for number in range(end - 1, -1, -1):
            if wanted.matches(self._alerts[number]):
                found.append(self._alerts[number])
                if len(found) == limit:
                    return Page(found, self._positions[number], number > 0)
        return Page(found, self._positions[0] if self._positions else 0, False)

    def find(self, key):
        run, _, number = key.partition("-")
        if run != RUN or not number.isdigit() or not 0 < int(number) <= len(self._alerts):
            return None
        alert = self._alerts[int(number) - 1]
        event = json.dumps({"Type": "container", "Action": "exec_start: sh", "Actor": {"Attributes": {"name": alert.subject}}}).encode()
        return Detail(alert, event, len(event), self.runs()[0])

    def explain_missing(self, key):
        return f"no alert {key} here: no alert of its run {key[:8]} is there. Retention has removed them, or another store has them"

    def around(self, detail, minutes=5, limit=200):
        span, alert = minutes * 60 * SECOND, detail.alert
        return [each for each in self._alerts if abs(each.arrived - alert.arrived) <= span and each.subject == alert.subject][:limit]

    def timeline(self, wanted, begin, end):
        length = 60 * SECOND
        inside = [each for each in self._alerts if begin <= each.arrived < end and wanted.matches(each)]
        counts = Counter((each.arrived // length, each.priority) for each in inside)
        return Timeline([Bucket(at * length, length, priority, count) for (at, priority), count in sorted(counts.items())], True)

    def top(self, wanted, field, begin, end, limit):
        get = {
            "rule": lambda each: each.rule,
            "priority": lambda each: PRIORITIES[each.priority],
            "source": lambda each: each.source,
            "subject": lambda each: each.subject,
            "tag": lambda each: "docker",
        }[field]
        inside = [each for each in self._alerts if begin <= each.arrived < end and wanted.matches(each)]
        return Counts(Counter(map(get, inside)).most_common(limit), True)

    def rules(self, begin, end):
        inside = [each for each in self._alerts if begin <= each.arrived < end]
        counts, last = Counter(each.rule for each in inside), {each.rule: each for each in inside}
        return [RuleCount(name, last[name].priority, count, last[name].position) for name, count in counts.most_common()]

    def runs(self):
        names = ("docker_rules.yaml", "mine.yaml")
        loads = [(self._started - 1200 * SECOND, names), (self._started - 3600 * SECOND, names[:1])]
        return [
            Run(RUN, at, "docker", {"plugins": [], "source": "docker", "rules": [{"path": name, "sha256": name} for name in files]})
            for at, files in loads
        ]

    def run_of(self, alert):
        return self.runs()[0]

    def rules_file(self, sha256):
        if sha256 == "mine.yaml":
            return b""
        about = {"desc": "x", "condition": "docker.type exists", "output": "x", "source": "docker"}
        return json.dumps([about | {"rule": name, "priority": PRIORITIES[priority]} for name, priority in self._rules]).encode()

    def days(self):
        return {self._day >> 32: self.path}

    def state(self):
        now = time.time_ns()
        return {
            "run": RUN,
            "plugin": "docker",
            "written": now,
            "ended": None,
            "last_event": now - SECOND,
            "connected": {"unix:///var/run/docker.sock": True, "tcp://192.0.2.10:2376": False},
            "outputs": {
                "http_output": {"delivered": 9, "pending": 31, "spooled": 4200, "failures": 12, "last_error": "connection refused"},
                "stdout_output": {"delivered": 40, "last_error": ""},
            },
            "counters": {"reconnects": 1},
        }


class StandInInquiry:
    """The same answers for every alert, but `unavailable` for each tenth."""

    def ask(self, kind, detail, store):
        return getattr(self, kind)(detail)

    def _answer(self, detail, found):
        if detail.alert.position % 10 == 0:
            return {"unavailable": "the event has 40,000 bytes, of which the store keeps 16,384"}
        return found

    def why(self, detail):
        return self._answer(detail, WHY | {"rule": detail.alert.rule})

    def exception(self, detail):
        return self._answer(detail, {"text": EXCEPTION, "checked": True, "tried": 3, "notes": []})

    def test(self, detail):
        return self._answer(detail, {"text": TEST, "checked": True})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--listen", default="127.0.0.1:0")
    given = parser.parse_args()
    with contextlib.closing(StandInStore(given.alerts, given.rate)) as store:
        console = Console(Api(lambda: store, StandInInquiry()), parse_address(given.listen))
        print(console.link, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
