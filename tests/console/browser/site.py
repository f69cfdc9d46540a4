"""A console over alerts that a test adds one by one."""

import datetime as dt
import json
import re
import time

from tests.console.stand_in import PRIORITIES, StandInAlert, StandInInquiry, StandInStore, parse_filter

from lanner.console.api import Api
from lanner.console.console import Console
from lanner.console.listening import parse_address

RULES = [
    ("Image tagged", 6, 14),
    ("Image pushed", 4, 8),
    ("Shell in a container", 5, 5),
    ("Credentials read in a container", 3, 2),
    ("Escape to the host tried in a container", 2, 1),
    ("Miner or malware by name", 2, 3),
    ("Container killed by signal 9", 5, 3),
    ("Volume destroyed", 4, 1),
]
PRIORITY = {name: priority for name, priority, _ in RULES}
SECOND = 1_000_000_000


class SiteStore(StandInStore):
    """Alerts that `add` makes."""

    def __init__(self):
        super().__init__(0, 0)

    def add(self, rule="Image tagged", subject="shop-web-1", text="", at=None, event=None, **fields):
        """Store an alert that arrives now, or `at` nanoseconds. Returns it."""
        now = time.time_ns() if at is None else at
        priority = PRIORITY.get(rule, 5)
        message = text or f"{rule} (name={subject} command=sh -c ls -l /)"
        fields = {"docker.attributes.name": subject, "docker.exec.command": "sh -c ls -l /", "evt.rawtime": 1795000000123456789} | fields
        line = {
            "message": message,
            "output": f"12:00:00.000000000: {PRIORITIES[priority]} {message}",
            "output_fields": fields,
            "priority": PRIORITIES[priority],
            "rule": rule,
            "source": "docker",
            "tags": ["container", "mitre_execution"],
        }
        with self._lock:
            number = len(self._alerts) + 1
            encoded = json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass")
            alert = StandInAlert(self._day | number, f"5ad0c0de-{number}", now, now - 2_000_000, rule, priority, "docker", subject, encoded)
            self._alerts.append(alert)
            self._positions.append(alert.position)
        return alert

    def _advance(self):
        pass

    def rules_overview(self, begin, end):
        found = super().rules_overview(begin, end)
        inside = [alert for alert in self._alerts if begin <= alert.arrived < end]
        rows = [
            {
                "rule": name,
                "priority": priority,
                "count": count,
                "last_ms": end // 1_000_000,
                "path": "docker_rules.yaml",
                "is_loaded": True,
            }
            for name, priority, _ in RULES
            if (count := sum(alert.rule == name for alert in inside))
        ]
        return found | {"rules": rows + [rule for rule in found["rules"] if not rule["count"]]}

    def find(self, key):
        found = super().find(key)
        if found:
            event = {"Type": "container", "Action": "exec_start: sh", "timeNano": 1795000000123456789, "Actor": {"ID": "f" * 64}}
            found.event = json.dumps(event).encode()
            found.event_size = len(found.event)
        return found


class SiteInquiry(StandInInquiry):
    """Explains each alert as that of a shell."""

    def _answer(self, detail, found):
        return found

    def why(self, detail):
        shells = [f'docker.exec.command startswith "{name} "' for name in ("bash", "sh", "zsh", "dash", "ash")]
        command = {"docker.exec.command": "sh -c ls -l /"}
        return {
            "rule": detail.rule,
            "place": "docker_rules.yaml:120",
            "matches": True,
            "taken_by": None,
            "lists": {"trusted_images": ["registry/base", "registry/tools"]},
            "unfit": [],
            "condition": {
                "kind": "all",
                "holds": True,
                "parts": [
                    {"kind": "test", "holds": True, "text": "docker.type = container", "values": {"docker.type": "container"}},
                    {
                        "kind": "one",
                        "holds": True,
                        "macros": ["shell_command"],
                        "parts": [{"kind": "test", "holds": '"sh ' in text, "text": text, "values": command} for text in shells],
                    },
                    {
                        "kind": "not",
                        "holds": True,
                        "exception": "trusted",
                        "parts": [{"kind": "test", "holds": False, "text": "docker.attributes.image in (trusted_images)", "values": {}}],
                    },
                ],
            },
        }


def filter_of(text, now):
    """The stand-in's filter, with ranges of time and fields."""
    ranges = [(key, ns(value)) for key, value in re.findall(r"(since|until):(\S+)", text)]
    fields = re.findall(r'(-?)((?:docker|evt)\.[\w.]+):"((?:[^"\\]|\\.)*)"', text)
    rest = re.sub(r'(since|until):\S+|-?(?:docker|evt)\.[\w.]+:"(?:[^"\\]|\\.)*"', "", text).strip()
    others = parse_filter(rest, now)

    def is_wanted(alert):
        if not all(alert.arrived >= at if key == "since" else alert.arrived < at for key, at in ranges):
            return False
        values = json.loads(alert.line.decode("utf-8", "replace"))["output_fields"] if fields else {}
        return all((str(values.get(key)) == value) == (not minus) for minus, key, value in fields) and others(alert)

    return is_wanted


def ns(iso):
    return int(dt.datetime.fromisoformat(iso).timestamp() * 1000) * 1_000_000


class Site:
    """A running console. `address` ends with /; `alerts` are all stored ones."""

    def __init__(self):
        self.store = SiteStore()
        self.inquiry = SiteInquiry()

    def __enter__(self):
        self.console = Console(Api(lambda: self.store, filter_of, self.inquiry), parse_address("127.0.0.1:0"))
        return self

    def __exit__(self, *_):
        self.console.close()

    @property
    def address(self):
        return self.console.address

    @property
    def token(self):
        return self.console.token

    @property
    def alerts(self):
        return self.store._alerts

    def add(self, *given, **named):
        return self.store.add(*given, **named)

    def fill(self, number):
        """Add alerts of the last hour."""
        names = [name for name, _, weight in RULES for _ in range(weight)]
        now = time.time_ns()
        for index in range(number):
            subject = f"shop-{('web', 'db', 'job')[index % 3]}-{index * 7 % 60}"
            self.add(names[index * 11 % len(names)], subject, at=now - (number - index) * 3500 * SECOND // number)
