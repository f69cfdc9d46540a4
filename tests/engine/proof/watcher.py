"""`lanner run docker` with a rule on every event, whose alerts hold the engine's own line."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

LANNER = str(Path(sys.executable).with_name("lanner"))
RULE = """
- rule: Any
  desc: All events
  condition: evt.num > 0
  output: "%evt.plugininfo"
  priority: NOTICE
  source: docker
"""


class Watcher:
    """The process; `lines` are the events of its alerts, `gaps` those of them that report gaps. Its standard output is read continuously."""

    def __init__(self, folder, host, *options, **config):
        rules = folder / "any.yaml"
        if not rules.exists():
            rules.write_text(RULE)
        self.rules = rules
        self._command = [LANNER, "run", "docker", "-r", str(rules), "--format", "json", *options]
        self._command += ["--config", json.dumps({"host": host, **config})]
        self.lines, self.gaps, self.told = [], [], []
        self._changed = threading.Condition()
        self._threads = []
        self.process = None

    def start(self):
        """Start it (again), and wait until it watches."""
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"FALCO_HOSTNAME": "host"}
        )
        watching = threading.Event()
        self._threads = [
            threading.Thread(target=self._read_alerts, args=(self.process.stdout,)),
            threading.Thread(target=self._read_messages, args=(self.process.stderr, watching)),
        ]
        for thread in self._threads:
            thread.start()
        assert watching.wait(60), self.told
        return self

    def end(self, number=signal.SIGTERM):
        """End it by a signal and read what it still says; its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        for thread in self._threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def wait_for(self, condition, timeout=120):
        """Wait until `condition(self)` holds."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), timeout), (len(self.lines), self.told[-5:])

    def _read_alerts(self, stream):
        for text in stream:
            try:
                line = json.loads(text)["output_fields"]["evt.plugininfo"].encode()
            except ValueError:  # cut off by kill -9
                continue
            with self._changed:
                (self.gaps if line.startswith(b'{"Type":"lanner"') else self.lines).append(line)
                self._changed.notify_all()

    def _read_messages(self, stream, watching):
        for line in stream:
            self.told.append(line.decode())
            if b"watching " in line:
                watching.set()
        watching.set()
