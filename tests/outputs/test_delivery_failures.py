"""Failures of sinks: which alerts are sent again, which are dropped, and that no bug in a sink ends the run."""

import logging
import sys
import threading

import pytest

from lanner.outputs import FileOutput, OutputClosedError, OutputError
from lanner.outputs.delivery import QueuedDelivery
from lanner.outputs.worker import Backoff, Worker

from ..waiting import PATIENCE, until
from .delivering import QUICK, delivering, look, upto, write
from .standins import StandInSink, Switch, make_alert, small_file_system

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_thread_is_left")]


@pytest.fixture
def small_disk(tmp_path):
    with small_file_system(tmp_path):
        yield tmp_path


@pytest.mark.parametrize(("limit", "kept"), [({"capacity": 10}, 10), ({"most_bytes": 10_000}, 8)], ids=["alerts", "bytes"])
def test_where_the_queue_is_full_the_newest_are_dropped_and_counted(limit, kept, caplog):
    gate = threading.Event()
    sink = StandInSink("full_output", lambda _: gate.wait(PATIENCE))
    with caplog.at_level(logging.WARNING, "lanner.outputs"), delivering(sink, **limit) as delivery:
        write(delivery, 200, size=1000)
        counts = delivery.counts()["full_output"]
        assert (counts.pending, counts.dropped) == (kept, 200 - kept)
        look(delivery)
        assert f"full_output: {200 - kept} alerts dropped" in caplog.text
        gate.set()
        assert delivery.wait_settled(200, PATIENCE)
        write(delivery, 1, first=201)
        assert delivery.wait_settled(201, PATIENCE)
        assert sink.numbers == [*upto(kept), 201]
    assert caplog.text.count("alerts dropped") == 1


def test_a_server_that_was_away_gets_everything_in_order_and_it_is_said_once(caplog):
    switch = Switch(up=False)
    away, other = StandInSink("away_output", switch), StandInSink("other_output")
    with caplog.at_level(logging.INFO, "lanner.outputs"), delivering(away, other) as delivery:
        write(delivery, 50)
        away.wait(lambda: len(away.calls) > 5)
        write(delivery, 50, first=51)
        other.wait(lambda: other.numbers == upto(100))
        assert delivery.settled == 0
        switch.up = True
        assert delivery.wait_settled(100, PATIENCE)
        assert away.numbers == upto(100)
        counts = delivery.counts()["away_output"]
        assert counts.retried >= 5
        assert counts.failures >= 5
        assert (counts.dropped, counts.last_error) == (0, "connection refused")
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "away_output: connection refused; Lanner retries until it works",
        "away_output: works again",
    ]


def test_a_failure_that_is_usual_is_said_when_it_is_usual_no_more(caplog):
    switch = Switch(up=False, error="too slow", is_usual=True)
    sink = StandInSink(behave=switch)
    with caplog.at_level(logging.INFO, "lanner.outputs"), delivering(sink) as delivery:
        write(delivery, 1)
        sink.wait(lambda: len(sink.calls) > 3)
        switch.up = True
        assert delivery.wait_settled(1, PATIENCE)
        assert caplog.text == ""
        switch.up = False
        write(delivery, 1, first=2)
        sink.wait(lambda: len(sink.calls) > 6)
        switch.attributes = {}
        until(lambda: "too slow; Lanner retries until it works" in caplog.text)
        switch.up = True
        assert delivery.wait_settled(2, PATIENCE)
        until(lambda: "works again" in caplog.text)


def test_what_had_arrived_before_a_failure_is_not_sent_again():
    behave = iter([OutputError("cut off", delivered=3), OutputError("cut off", delivered=1), None])

    def fail(_):
        if error := next(behave):
            raise error

    sink = StandInSink(behave=fail)
    with delivering(sink) as delivery:
        for number in upto(8):
            delivery.write(make_alert(number))
        delivery.flush()
        assert delivery.wait_settled(8, PATIENCE)
    assert sink.numbers == upto(8)
    assert sink.calls == [8, 5, 4]


def test_an_alert_that_its_receiver_refuses_is_dropped_and_the_others_arrive(caplog):
    def refuse(alerts):
        for place, alert in enumerate(alerts):
            if alert.timestamp % 10 == 0:
                raise OutputError("413 too large", delivered=place, permanent=True)

    sink = StandInSink("picky_output", refuse)
    with delivering(sink) as delivery:
        write(delivery, 100)
        assert delivery.wait_settled(100, PATIENCE)
        assert sink.numbers == [number for number in upto(100) if number % 10]
        assert delivery.counts()["picky_output"].dropped == 10
        look(delivery)
        assert "10 alerts dropped" in caplog.text
    assert "413 too large" in caplog.text


def test_a_receiver_may_ask_for_time():
    error = OutputError("503")
    error.retry_after = 60
    sink = StandInSink(behave=Switch(up=False, error="503"))

    def busy(_):
        raise error

    sink.behave = busy
    delivery = QueuedDelivery([sink], backoff=QUICK)
    write(delivery, 1)
    sink.wait(lambda: sink.calls)
    until(lambda: delivery.counts()[sink.name].failures == 1)
    write(delivery, 1, first=2)
    sink.behave = lambda _: None  # asked again, it would take them
    assert not delivery.wait_settled(1, 0.2)
    delivery.close(PATIENCE)
    assert sink.numbers == [1, 2]  # at the end it is asked once more all the same


@pytest.mark.parametrize("failures", range(1, 40))
def test_waits_grow_up_to_a_bound_and_differ_by_chance(failures):
    waits = [Backoff(0.1, 30.0).delay(failures) for _ in range(50)]
    full = min(30.0, 0.1 * 2 ** (failures - 1))
    assert all(full / 2 <= wait <= full for wait in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError("gone wrong")], ids=["defect", "system"])
def test_errors_that_a_sink_should_not_raise_end_nothing(error, caplog):
    behave = iter([error])

    def fail(_):
        for each in behave:
            raise each

    sink = StandInSink(behave=fail)
    with delivering(sink) as delivery:
        write(delivery, 1)
        assert delivery.wait_settled(1, PATIENCE)
        write(delivery, 1, first=2)
        assert delivery.wait_settled(2, PATIENCE)
        assert delivery.counts()[sink.name].failures == 1
    assert 2 in sink.numbers
    assert str(error) in caplog.text


def test_a_defect_in_an_output_costs_no_more_than_the_alert_that_it_is_about():
    def fail(alerts):
        if any(alert.timestamp == 13 for alert in alerts):
            raise ValueError("a defect")

    sink = StandInSink(behave=fail)
    delivery = QueuedDelivery([sink], backoff=QUICK)
    write(delivery, 40)
    assert delivery.wait_settled(40, PATIENCE)
    assert delivery.counts()[sink.name].dropped == 1
    with pytest.raises(OutputError, match="stand_in_output: an alert is lost: ValueError: a defect"):
        delivery.close(PATIENCE)
    assert sink.numbers == [number for number in upto(40) if number != 13]


BUGS = [ValueError("a defect"), SystemExit(0), KeyboardInterrupt(), MemoryError(), RecursionError(), AttributeError("None has no x")]


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("always", [True, False], ids=["always", "once"])
@pytest.mark.parametrize("call", ["send", "reopen", "close"])
def test_a_bug_in_any_call_of_an_output_ends_neither_the_others_nor_the_run(call, always, error):
    bad, good = StandInSink("bad_output"), StandInSink("good_output")
    proper, raised, over = getattr(bad, call), [], threading.Event()

    def fail(*given):
        if always or not raised:
            raised.append(error)
            raise error
        proper(*given)

    setattr(bad, call, fail)
    delivery = QueuedDelivery([bad, good], closed=over.set, backoff=QUICK)
    write(delivery, 20)
    assert delivery.wait_settled(20, PATIENCE)
    delivery.reopen()
    write(delivery, 20, first=21)
    assert delivery.wait_settled(40, PATIENCE)
    if call == "close" or (call == "send" and always):
        with pytest.raises(OutputError, match=r"^bad_output: "):
            delivery.close(PATIENCE)
    else:
        delivery.close(PATIENCE)
    assert raised
    assert (good.numbers, good.reopened, good.closed) == (upto(40), 1, 1)
    assert not over.is_set()
    if call != "send" or not always:
        assert bad.numbers == upto(40)


def test_a_bug_when_an_output_is_interrupted_keeps_no_other_from_its_end():
    stuck, bad, good = threading.Event(), StandInSink("bad_output"), StandInSink("good_output")
    bad.behave = lambda _: stuck.wait()

    def fail():
        raise ValueError("a defect")

    bad.interrupt = fail
    delivery = QueuedDelivery([bad, good], backoff=QUICK)
    write(delivery, 5)
    bad.wait(lambda: bad.calls)
    good.wait(lambda: good.numbers == upto(5))
    with pytest.raises(OutputError, match=r"^bad_output: 5 alerts could not be delivered and are lost"):
        delivery.close(timeout=0.2)
    assert (good.numbers, good.closed) == (upto(5), 1)
    stuck.set()


def test_a_bug_of_the_worker_itself_is_said_and_ends_nothing(monkeypatch, caplog):
    sink, over = StandInSink(), threading.Event()
    step, errors = Worker._step, iter([ValueError("a defect")] * 3)

    def fail(worker):
        for error in errors:
            raise error
        step(worker)

    monkeypatch.setattr(Worker, "_step", fail)
    delivery = QueuedDelivery([sink], closed=over.set, backoff=QUICK)
    write(delivery, 5)
    assert delivery.wait_settled(5, PATIENCE)
    with pytest.raises(OutputError, match="stand_in_output: a bug in Lanner: ValueError: a defect"):
        delivery.close(PATIENCE)
    assert sink.numbers == upto(5)
    assert "Lanner retries" in caplog.text
    assert not over.is_set()


def test_a_full_disk_holds_the_file_up_and_nothing_else(small_disk):
    path = small_disk / "alerts"
    blob = small_disk / "blob"
    file, other = FileOutput(path), StandInSink("other_output")
    blob.write_bytes(b"x" * ((1 << 20) - 40_000))
    with delivering(file, other) as delivery:
        write(delivery, 300, size=1000)
        other.wait(lambda: len(other.alerts) == 300)
        until(lambda: delivery.counts()["file_output"].retried > 2)
        assert delivery.settled < 300
        assert "free space" in delivery.counts()["file_output"].last_error
        blob.unlink()
        assert delivery.wait_settled(300, PATIENCE)
    assert [line.split()[1] for line in path.read_text().splitlines()] == [str(number) for number in upto(300)]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_device_that_is_always_full_costs_its_own_alerts_alone():
    other = StandInSink("other_output")
    delivery = QueuedDelivery([FileOutput("/dev/full"), other], backoff=QUICK)
    write(delivery, 10)
    other.wait(lambda: other.numbers == upto(10))
    until(lambda: delivery.counts()["file_output"].failures)
    with pytest.raises(OutputError, match=r"^file_output: 10 alerts .* /dev/full: No space left on device"):
        delivery.close(timeout=0.2)
    assert other.numbers == upto(10)


def test_errors_of_broken_pipes_are_not_taken_for_failures():
    over = threading.Event()

    def gone(_):
        raise OutputClosedError("the reader has closed")

    sink = StandInSink(behave=gone)
    with delivering(sink, closed=over.set) as delivery:
        write(delivery, 5)
        assert over.wait(PATIENCE)
        assert delivery.counts()[sink.name].failures == 0
        assert sink.calls == [5]
