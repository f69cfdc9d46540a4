"""A run: the source gets a commit only when its alerts are settled, and rules and outputs change between two events."""

import threading

import pytest

from lanner.host.runner import Runner
from lanner.outputs import Alert, OutputClosedError, OutputError, SinkCounts
from lanner.sdk.errors import SourceError
from lanner.sdk.hosting.batches import Batch

from ..waiting import PATIENCE


class ScriptedSource:
    """Batches, one a call; a function in their place is called, then there is nothing."""

    description = ""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.position = 0
        self.commits_itself = True
        self.commits = []
        self.waits = []

    def next_batch(self, timeout, most=0):
        self.waits.append(timeout)
        if not self.steps:
            return Batch([], ended=True)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step()
            return Batch([])
        self.position += 1
        return Batch(step)

    def commit(self, position):
        assert not self.commits_itself
        if position not in self.commits[-1:]:
            self.commits.append(position)

    def close(self):
        pass


class AlertingPump:
    """An alert for every event, with `name` in front of its payload."""

    def __init__(self, name="", *, silent=()):
        self.name = name
        self.silent = silent
        self.native = None
        self.events = 0

    def feed(self, batch, clock):
        for payload in batch.payloads:
            self.events += 1
            if payload not in self.silent:
                self.emit(Alert(self.name + payload.decode(), "a rule", "Notice", "kv", clock()))

    def succeed(self, before):
        self.events = before.events


class HeldDelivery:
    """Takes alerts; they are settled when told so."""

    def __init__(self, failure=None):
        self.lines = []
        self.settled = 0
        self.closed = 0
        self.reopened = 0
        self.failure = failure

    @property
    def accepted(self):
        return len(self.lines)

    def write(self, alert):
        self.lines.append(alert.line)

    def flush(self):
        pass

    def reopen(self):
        self.reopened += 1

    def settle(self):
        self.settled = self.accepted

    def close(self):
        self.closed += 1
        if self.failure:
            raise self.failure
        self.settle()

    def counts(self):
        return {"held": SinkCounts()}


def run_of(source, delivery, pump=None, most=None):
    return Runner(source, pump or AlertingPump(), delivery, lambda: 7, most)


def test_events_whose_alerts_wait_are_not_committed():
    delivery = HeldDelivery()
    source = ScriptedSource([b"a"], [b"b", b"c"], delivery.settle, lambda: None)
    run_of(source, delivery).run()
    assert source.commits == [2]


def test_events_are_committed_as_far_as_their_alerts_have_settled():
    delivery = HeldDelivery()
    source = ScriptedSource([b"a"], [b"b"], lambda: setattr(delivery, "settled", 1))
    runner = run_of(source, delivery)
    runner.run()
    assert source.commits == [1]
    runner.close()
    assert source.commits == [1, 2]


def test_an_event_without_an_alert_is_committed_with_those_before_it():
    delivery = HeldDelivery()
    source = ScriptedSource([b"a"], [b"quiet"], lambda: None)
    runner = run_of(source, delivery, AlertingPump(silent=[b"quiet"]))
    runner.run()
    assert source.commits == []
    delivery.settle()
    runner.close()
    assert source.commits == [2]


def test_while_alerts_wait_the_source_is_not_waited_for_long():
    source = ScriptedSource([b"a"], lambda: None)
    run_of(source, HeldDelivery()).run()
    assert [wait > 1 for wait in source.waits] == [True, False, False]


def test_alerts_that_are_lost_at_the_end_are_said_and_not_committed():
    delivery = HeldDelivery(OutputError("1 alert is lost"))
    source = ScriptedSource([b"a"])
    runner = run_of(source, delivery)
    runner.run()
    with pytest.raises(OutputError, match="1 alert is lost"):
        runner.close()
    assert source.commits == [0]


def test_a_closed_reader_is_no_failure_at_the_end():
    runner = run_of(ScriptedSource(), HeldDelivery(OutputClosedError("gone")))
    runner.run()
    runner.close()


def test_a_batch_that_the_limit_cuts_is_not_committed():
    delivery = HeldDelivery()
    source = ScriptedSource([b"a"], [b"b", b"c", b"d"])
    runner = run_of(source, delivery, most=3)
    runner.run()
    runner.close()
    assert (delivery.lines, source.commits) == (["a", "b", "c"], [1])


def test_rules_change_between_two_events_and_none_is_lost():
    delivery = HeldDelivery()
    source = ScriptedSource([b"1"], lambda: runner.exchange(AlertingPump("new ")), [b"2"], [b"3"])
    runner = run_of(source, delivery, AlertingPump("old "))
    runner.run()
    assert delivery.lines == ["old 1", "new 2", "new 3"]
    assert runner.pump.events == 3


def test_outputs_change_with_the_rules_and_the_old_ones_are_closed_first():
    old, new = HeldDelivery(), HeldDelivery()

    def made():
        assert old.closed == 1
        return new

    source = ScriptedSource([b"1"], lambda: runner.exchange(AlertingPump(), made), [b"2"])
    runner = run_of(source, old)
    runner.run()
    runner.close()
    assert (old.lines, new.lines, new.closed, source.commits) == (["1"], ["2"], 1, [1, 2])


def test_an_old_output_that_cannot_deliver_holds_up_nothing(caplog):
    new = HeldDelivery()
    source = ScriptedSource([b"1"], lambda: runner.exchange(AlertingPump(), lambda: new), [b"2"])
    runner = run_of(source, HeldDelivery(OutputError("1 alert is lost")))
    runner.run()
    runner.close()
    assert (new.lines, source.commits) == (["2"], [0, 1, 2])
    assert [record.message for record in caplog.records] == ["1 alert is lost"]


def test_an_alert_of_no_event_goes_to_the_outputs_of_now():
    delivery = HeldDelivery()
    runner = run_of(ScriptedSource(), delivery)
    runner.emit(Alert("by itself", "r", "Critical", "internal", 1))
    runner.reopen()
    assert (delivery.lines, delivery.reopened) == (["by itself"], 1)


def test_where_nothing_happens_a_hint_is_given_once():
    hints = []
    source = ScriptedSource(lambda: None, lambda: None, [b"a"])
    run_of(source, HeldDelivery()).run(0.0, lambda: hints.append(1))
    assert hints == [1]


def test_a_failure_of_the_source_comes_through():
    runner = run_of(ScriptedSource([b"a"], SourceError("cut")), HeldDelivery())
    with pytest.raises(SourceError, match="cut"):
        runner.run()


def test_others_see_how_long_a_batch_takes():
    seen = []
    reached, go_on = threading.Event(), threading.Event()

    class Slow(AlertingPump):
        def feed(self, batch, clock):
            reached.set()
            go_on.wait(PATIENCE)

    runner = run_of(ScriptedSource([b"a"]), HeldDelivery(), Slow())
    assert runner.busy_for() == 0
    thread = threading.Thread(target=runner.run)
    thread.start()
    reached.wait(PATIENCE)
    seen.append(runner.busy_for())
    go_on.set()
    thread.join()
    assert seen[0] > 0
    assert runner.busy_for() == 0
