"""Sinks that are none: they do what a test tells them to, so that what real ones do rarely can be had at will."""

import threading

from lanner.outputs import Alert, OutputError


def alert(line, rule="a rule", priority="Warning"):
    return Alert(line, rule, priority, "kv", 1)


class StandInSink:
    """Takes alerts, or fails with `failure` (an error, or a function that makes one of the alerts). `hold()` has it wait in `send`."""

    def __init__(self, name="stand_in"):
        self.name = name
        self.lines = []
        self.calls = []
        self.failure = None
        self.reopened = self.closed = 0
        self._free = threading.Event()
        self._free.set()
        self._interrupted = False
        self.changed = threading.Condition()

    def hold(self):
        self._free.clear()

    def release(self):
        self._free.set()

    def send(self, alerts):
        with self.changed:
            self.calls.append([alert.line for alert in alerts])
            self.changed.notify_all()
        self._free.wait(20)
        if self._interrupted:
            raise OutputError(f"{self.name} was interrupted")
        failure = self.failure(alerts) if callable(self.failure) else self.failure
        with self.changed:
            taken = alerts if failure is None else alerts[: getattr(failure, "delivered", 0)]
            self.lines += [alert.line for alert in taken]
            self.changed.notify_all()
        if failure is not None:
            raise failure

    def reopen(self):
        with self.changed:
            self.reopened += 1
            self.changed.notify_all()

    def interrupt(self):
        self._interrupted = True
        self._free.set()

    def close(self):
        self.closed += 1

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), 10), (self.lines[-3:], len(self.calls))
