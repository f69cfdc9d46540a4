"""Helpers of tests of deliveries: alerts, and a sink with a configurable behaviour."""

import subprocess
import threading
from contextlib import contextmanager

import pytest

from lanner.outputs import Alert, OutputError

from ..waiting import PATIENCE


def make_alert(number, size=0):
    return Alert(f"alert {number}".ljust(size), "a rule", "Warning", "kv", number)


class StandInSink:
    """A sink that keeps what it gets; `behave`, called with the alerts of a call before they are kept, may raise or wait."""

    batch_size = 1
    wants_records = False

    def __init__(self, name="stand_in_output", behave=lambda alerts: None):
        self.name, self.behave = name, behave
        self.alerts, self.calls = [], []
        self.reopened = self.closed = 0
        self._more = threading.Condition()

    def send(self, alerts):
        with self._more:
            self.calls.append(len(alerts))
            self._more.notify_all()
        try:
            self.behave(alerts)
        except OutputError as error:
            self._keep(alerts[: error.delivered])
            raise
        self._keep(alerts)

    def _keep(self, alerts):
        with self._more:
            self.alerts += alerts
            self._more.notify_all()

    def reopen(self):
        with self._more:
            self.reopened += 1
            self._more.notify_all()

    def interrupt(self):
        """Do nothing: some sinks cannot be interrupted."""

    def close(self):
        self.closed += 1

    @property
    def numbers(self):
        return [alert.timestamp for alert in self.alerts]

    def wait(self, condition):
        with self._more:
            assert self._more.wait_for(condition, PATIENCE), (len(self.alerts), self.calls[-5:])


class Switch:
    """The behaviour of a server that is down, or up."""

    def __init__(self, up=True, error="connection refused", **attributes):
        self.up, self.error, self.attributes = up, error, attributes

    def __call__(self, alerts):
        if not self.up:
            raise OutputError(self.error, **self.attributes)


@contextmanager
def small_file_system(path, size="1m"):
    """A tmpfs of that size at the path; skips the test where that cannot be."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
