"""A console over generated alerts, for work on the page without a store.

`python -m tests.console.stand_in --alerts 100000 --rate 100` serves the files of console/static and the whole API. The classes named
StandIn have the interface of the store's reader, and keep everything in memory.
"""

import argparse
import bisect
import functools
import json
import random
import re
import threading
import time
from collections import Counter
from types import SimpleNamespace
from typing import NamedTuple

from lanner.console.api import Api
from lanner.console.console import Console
from lanner.console.listening import parse_address
from lanner.sdk.errors import UsageError


class StandInAlert(NamedTuple):
    position: int
    key: str
    arrived: int
    timestamp: int
    rule: str
    priority: int
    source: str
    subject: str
    line: bytes


class StandInPage(NamedTuple):
    alerts: list
    position: int
    more: bool


class StandInBucket(NamedTuple):
    begin_ns: int
    length_ns: int
    priority: int
    count: int


class StandInTimeline(NamedTuple):
    buckets: list
    exact: bool


class StandInCounts(NamedTuple):
    values: list
    exact: bool


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
HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\u202egnp.exe\u202c and \u0007\u001b[31mred\u001b[0m",
    "[bold red]markup[/] &amp; \"quotes\" 'single' `tick` ${x} {{x}} %s \\",
    "a surrogate \ud800 and a byte \udcff",
    "x" * 1_000_000,
    "عربي 中文 emoji \U0001f6a8 zero\u200bwidth\u0000nul",
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
    "deciding": [[0], [1, 1], [2]],
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
    """Alerts of the last hour, and `rate` more each second."""

    def __init__(self, alerts, rate):
        self._random = random.Random(1)
        self._lock = threading.Lock()
        self._rate = rate
        self._started = time.time_ns()
        self._made = alerts
        self._alerts = []
        self._positions = []
        day = self._started // (86_400 * SECOND)
        self._day = day << 32
        step = 3600 * SECOND // max(1, alerts)
        for number in range(alerts):
            self._add(self._started - (alerts - number) * step)

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
        encoded = json.dumps(line, ensure_ascii=len(message) < 100).encode(
            "utf-8", "surrogateescape" if "\ud800" not in message else "replace"
        )
        self._alerts.append(
            StandInAlert(self._day | number, f"5ad0c0de-{number}", now, now - 2_000_000, name, priority, "docker", subject, encoded)
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
            if wanted(self._alerts[number]):
                found.append(self._alerts[number])
                position = self._positions[number]
                if len(found) == limit:
                    return StandInPage(found, position, number + 1 < len(self._alerts))
        return StandInPage(found, max(position, self.last()), False)

    def newest(self, wanted, limit, before=None):
        self._advance()
        end = len(self._alerts) if before is None else bisect.bisect_left(self._positions, before)
        found = []
        for number in range(end - 1, -1, -1):
            if wanted(self._alerts[number]):
                found.append(self._alerts[number])
                if len(found) == limit:
                    return StandInPage(found, self._positions[number], number > 0)
        return StandInPage(found, self._positions[0] if self._positions else 0, False)

    def find(self, key):
        run, _, number = key.partition("-")
        if run != "5ad0c0de" or not number.isdigit() or not 0 < int(number) <= len(self._alerts):
            return None
        alert = self._alerts[int(number) - 1]
        event = json.dumps({"Type": "container", "Action": "exec_start: sh", "Actor": {"Attributes": {"name": alert.subject}}}).encode()
        return SimpleNamespace(
            **alert._asdict(),
            event=event[: 16 * 1024],
            event_size=len(event),
            rules_file={"path": "/etc/lanner/rules.d/mine.yaml", "line": 14},
        )

    def around(self, detail, minutes=5, limit=200):
        span = minutes * 60 * SECOND
        return [each for each in self._alerts if abs(each.arrived - detail.arrived) <= span and each.subject == detail.subject][:limit]

    def timeline(self, wanted, begin, end):
        length = 60 * SECOND
        counts = Counter((each.arrived // length, each.priority) for each in self._alerts if begin <= each.arrived < end and wanted(each))
        return StandInTimeline(
            [StandInBucket(at * length, length, priority, count) for (at, priority), count in sorted(counts.items())], True
        )

    def top(self, wanted, field, begin, end, limit):
        get = {
            "rule": lambda each: each.rule,
            "priority": lambda each: PRIORITIES[each.priority],
            "source": lambda each: each.source,
            "subject": lambda each: each.subject,
            "tag": lambda each: "docker",
        }[field]
        return StandInCounts(
            Counter(get(each) for each in self._alerts if begin <= each.arrived < end and wanted(each)).most_common(limit), True
        )

    def rules_overview(self, begin, end):
        inside = [each for each in self._alerts if begin <= each.arrived < end]
        counts, last = Counter(each.rule for each in inside), {each.rule: each.arrived // 1_000_000 for each in inside}
        rows = [
            {
                "rule": name,
                "priority": priority,
                "count": counts[name],
                "last_ms": last.get(name),
                "path": "docker_rules.yaml",
                "is_loaded": True,
            }
            for name, priority, *_ in RULES
        ]
        rows += [
            {"rule": name, "priority": 2, "count": 0, "last_ms": None, "path": "docker_rules.yaml", "is_loaded": True} for name in SILENT
        ]
        change = {
            "at_ms": self._started // 1_000_000 - 1_200_000,
            "files": ["/etc/lanner/rules.d/mine.yaml"],
            "before": {"Shell in a container": 812.0, "Exec in a container": 1200.0},
            "after": {"Shell in a container": 20.5, "Exec in a container": 1190.0},
        }
        return {"rules": rows, "changes": [change]}

    def status(self):
        now = time.time_ns() // 1_000_000
        return {
            "run": {
                "run": "5ad0c0de",
                "plugin": "docker",
                "is_running": True,
                "updated_ms": now,
                "engines": {"unix:///var/run/docker.sock": True, "tcp://192.0.2.10:2376": False},
                "last_event_ms": now - 1500,
                "outputs": {"http": {"queued": 4231, "error": "connection refused"}, "stdout": {"queued": 0, "error": ""}},
                "reload_error": "mine.yaml:14:3: unknown field docker.nmae",
            },
            "is_running": True,
            "problems": [
                {
                    "what": "the engine is unreachable",
                    "where": "tcp://192.0.2.10:2376",
                    "advice": "check the network, then `lanner doctor docker`",
                },
                {"what": "alerts wait for the output", "where": "http_output", "advice": "connection refused: start its receiver"},
            ],
            "store": {
                "days": 1,
                "bytes": 312 * len(self._alerts),
                "oldest_ms": self._alerts[0].arrived // 1_000_000 if self._alerts else None,
                "newest_ms": now,
            },
        }


class StandInInquiry:
    """The same answers for every alert, but `unavailable` for each tenth."""

    def _answer(self, detail, found):
        if detail.position % 10 == 0:
            return {"unavailable": "the event has 40,000 bytes, of which the store keeps 16,384"}
        return found

    def why(self, detail):
        return self._answer(detail, WHY | {"rule": detail.rule})

    def exception(self, detail):
        return self._answer(detail, {"text": EXCEPTION, "checked": True})

    def test(self, detail):
        return self._answer(detail, {"text": TEST, "checked": True})


class StandInFilterError(UsageError):
    place = 0


def is_equal(name, value, alert):
    return getattr(alert, name).lower() == value


def has_word(word, alert):
    return word in alert.line.lower()


def priority_check(text, value, least):
    names = [each.lower() for each in PRIORITIES]
    if value not in names:
        error = StandInFilterError(f"unknown priority {value!r}: use one of {', '.join(names)}")
        error.place = text.lower().find(value)
        raise error
    level = names.index(value)
    return lambda alert: alert.priority <= level if least else alert.priority == level


def parse_filter(text, now):
    """Words, all of which an alert has in its rule, subject or line; `rule:"..."`, `priority>=...` and `-` as far as a page needs them."""
    checks = []
    for minus, key, quoted, word in re.findall(
        r'(-?)(?:(rule|subject|container|source|priority>=?|priority:):?)?(?:"([^"]*)"|(\S+))', text
    ):
        value = (quoted or word).lower()
        if key.startswith("priority"):
            check = priority_check(text, value, ">" in key)
        elif key:
            check = functools.partial(is_equal, {"container": "subject"}.get(key, key), value)
        else:
            check = functools.partial(has_word, value.encode("utf-8", "replace"))
        checks.append((lambda each, check=check: not check(each)) if minus else check)
    return lambda each: all(check(each) for check in checks)


def start(alerts=1000, rate=0, listen="127.0.0.1:0", **options):
    """A console over a stand-in store."""
    store = StandInStore(alerts, rate)
    return Console(Api(lambda: store, parse_filter, StandInInquiry()), parse_address(listen), **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--listen", default="127.0.0.1:0")
    given = parser.parse_args()
    console = start(given.alerts, given.rate, given.listen)
    print(console.link, flush=True)  # noqa: T201
    threading.Event().wait()


if __name__ == "__main__":
    main()
