"""A console over alerts that a test adds one by one."""

import json
import time

from tests.console.stand_in import PRIORITIES, StandInAlert, StandInInquiry, StandInStore

from lanner.console.api import Api
from lanner.console.console_server import Console
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
        super().__init__(0, 0, [(name, priority) for name, priority, _ in RULES])

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
            encoded = json.dumps(line).encode()
            alert = StandInAlert(self._day | number, f"5ad0c0de-{number}", now, now - 2_000_000, rule, priority, "docker", subject, encoded)
            self._alerts.append(alert)
            self._positions.append(alert.position)
        return alert

    def _advance(self):
        pass

    def find(self, key):
        found = super().find(key)
        if found:
            event = {"Type": "container", "Action": "exec_start: sh", "timeNano": 1795000000123456789, "Actor": {"ID": "f" * 64}}
            data = json.dumps(event).encode()
            found = found._replace(event=data, event_size=len(data))
        return found


class SiteInquiry(StandInInquiry):
    """Explains each alert as that of a shell. `deciding` are the paths of the tests that decided."""

    def __init__(self):
        self.deciding = [[0], [1, 1], [2, 0]]

    def _answer(self, detail, found):
        return found

    def why(self, detail):
        shells = [f'docker.exec.command startswith "{name} "' for name in ("bash", "sh", "zsh", "dash", "ash")]
        command = {"docker.exec.command": "sh -c ls -l /"}
        return {
            "rule": detail.alert.rule,
            "place": "docker_rules.yaml:120",
            "matches": True,
            "taken_by": None,
            "lists": {"trusted_images": ["registry/base", "registry/tools"]},
            "unfit": [],
            "deciding": self.deciding,
            "notes": ["options of docker that the store does not contain have placeholders: token"],
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


class Site:
    """A running console. `address` ends with /; `alerts` are all stored ones."""

    def __init__(self):
        self.store = SiteStore()
        self.inquiry = SiteInquiry()

    def __enter__(self):
        self.console = Console(Api(lambda: self.store, self.inquiry), parse_address("127.0.0.1:0"))
        return self

    def __exit__(self, *_):
        self.console.close()
        self.store.close()

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
