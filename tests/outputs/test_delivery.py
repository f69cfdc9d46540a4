"""A queue and a thread for each sink: no sink holds up the run or another sink, and every alert is counted."""

import logging
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from lanner.outputs import Alert, FileOutput, OutputError, StdoutOutput
from lanner.outputs.delivery import QueuedDelivery, SpoolSettings

from ..waiting import PATIENCE, until
from .delivering import QUICK, delivering, look, upto, write
from .standins import StandInSink, Switch, make_alert

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_thread_is_left")]


@pytest.fixture
def run_python():
    def run(code):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout

    return run


def test_every_sink_gets_every_alert_in_order():
    one, two = StandInSink("one"), StandInSink("two")
    with delivering(one, two) as delivery:
        write(delivery, 1000)
        assert delivery.wait_settled(1000, PATIENCE)
        assert (delivery.accepted, delivery.settled) == (1000, 1000)
        assert one.numbers == two.numbers == upto(1000)
        assert [counts.delivered for counts in delivery.counts().values()] == [1000, 1000]
    assert (one.closed, two.closed) == (1, 1)


def test_many_alerts_go_in_one_call_and_one_goes_at_once():
    go_on = threading.Event()
    sink = StandInSink(behave=lambda alerts: alerts[0].timestamp == 1 or go_on.wait(PATIENCE))
    with delivering(sink) as delivery:
        write(delivery, 1)
        sink.wait(lambda: sink.numbers == [1])
        write(delivery, 5000, first=2)
        go_on.set()
        assert delivery.wait_settled(5001, PATIENCE)
        assert len(sink.calls) < 1000


def test_what_is_written_goes_out_without_a_flush():
    sink = StandInSink()
    delivery = QueuedDelivery([sink], timeout=0.05)
    delivery.write(make_alert(1))
    assert delivery.wait_settled(1, PATIENCE)
    delivery.close(PATIENCE)


def test_threads_may_write_at_the_same_time():
    one, two = StandInSink("one"), StandInSink("two")
    with delivering(one, two) as delivery:
        threads = [threading.Thread(target=write, args=(delivery, 2000, first)) for first in (1, 10_001, 20_001)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert delivery.wait_settled(6000, PATIENCE)
    assert one.numbers == two.numbers
    assert sorted(one.numbers) == [first + number for first in (1, 10_001, 20_001) for number in range(2000)]


def test_without_a_sink_all_is_settled():
    with delivering() as delivery:
        write(delivery, 3)
        assert (delivery.accepted, delivery.settled, delivery.counts()) == (3, 3, {})


def test_a_sink_that_does_not_come_back_holds_up_no_other_and_is_spoken_of(caplog, monkeypatch):
    go_on = threading.Event()
    stuck, free = StandInSink("stuck_output", lambda _: go_on.wait(PATIENCE)), StandInSink("free_output")
    with caplog.at_level(logging.WARNING, "lanner.outputs"), delivering(stuck, free) as delivery:
        monkeypatch.setattr(delivery._workers[0]._sender, "_timeout", 0.0)
        write(delivery, 10)
        free.wait(lambda: free.numbers == upto(10))
        stuck.wait(lambda: stuck.calls)
        assert delivery.settled == 0
        assert delivery.counts()["stuck_output"].pending == 10
        look(delivery)
        look(delivery)
        assert "stuck_output: output timeout" in caplog.text
        assert delivery.counts()["stuck_output"].timeouts == 1
        go_on.set()
        assert delivery.wait_settled(10, PATIENCE)
        assert stuck.numbers == upto(10)
        assert delivery.counts()["stuck_output"].timeouts == 1
        assert delivery.counts()["free_output"].timeouts == 0


def test_settled_is_what_the_slowest_has_come_to():
    gate = threading.Semaphore(0)
    slow, quick = StandInSink("slow", lambda _: gate.acquire(timeout=PATIENCE)), StandInSink("quick")
    with delivering(slow, quick) as delivery:
        write(delivery, 1)
        slow.wait(lambda: len(slow.calls) == 1)
        write(delivery, 9, first=2)
        quick.wait(lambda: len(quick.alerts) == 10)
        assert not delivery.wait_settled(1, 0)
        gate.release()
        assert delivery.wait_settled(1, PATIENCE)
        assert delivery.settled == 1
        gate.release(100)
        assert delivery.wait_settled(10, PATIENCE)


def test_a_slow_sink_is_handed_less_so_that_little_is_under_way():
    sink = StandInSink(behave=lambda alerts: time.sleep(0.02 * len(alerts)))
    with delivering(sink) as delivery:
        write(delivery, 60)
        assert delivery.wait_settled(60, PATIENCE)
    assert sink.calls[0] == 16
    assert max(sink.calls[1:]) < 16


def test_a_sink_that_takes_many_in_one_exchange_is_handed_as_many_however_long_it_takes():
    sink = StandInSink(behave=lambda _: time.sleep(0.3))
    sink.batch_size = 50
    with delivering(sink) as delivery:
        write(delivery, 300)
        assert delivery.wait_settled(300, PATIENCE)
    assert len(sink.calls) < 10


def test_the_run_ends_when_the_reader_of_standard_output_closes_it():
    reader, writer = os.pipe()
    os.close(reader)
    over, other = threading.Event(), StandInSink("other_output")
    with delivering(StdoutOutput(writer), other, closed=over.set) as delivery:
        write(delivery, 10)
        assert over.wait(PATIENCE)
        write(delivery, 10, first=11)
        assert delivery.wait_settled(20, PATIENCE)
        assert other.numbers == upto(20)
        assert delivery.counts()["stdout_output"].pending == 0
    os.close(writer)


def test_outputs_are_opened_again_before_the_next_alert():
    sink = StandInSink()
    with delivering(sink) as delivery:
        write(delivery, 1)
        sink.wait(lambda: sink.numbers == [1])
        delivery.reopen()
        sink.wait(lambda: sink.reopened == 1)
        seen = []
        sink.behave = lambda _: seen.append(sink.reopened)
        delivery.reopen()
        write(delivery, 1, first=2)
        sink.wait(lambda: sink.numbers == [1, 2])
        assert seen == [2]


def test_a_file_that_cannot_be_opened_again_continues_where_it_was(tmp_path, caplog):
    path = tmp_path / "logs" / "alerts"
    path.parent.mkdir()
    with delivering(FileOutput(path)) as delivery:
        write(delivery, 1)
        assert delivery.wait_settled(1, PATIENCE)
        path.parent.rename(tmp_path / "moved")
        delivery.reopen()
        write(delivery, 1, first=2)
        assert delivery.wait_settled(2, PATIENCE)
    assert (tmp_path / "moved" / "alerts").read_text() == "alert 1\nalert 2\n"
    assert "it keeps the old file or connection" in caplog.text


def test_close_delivers_what_there_is_and_a_second_one_does_nothing():
    sink = StandInSink(behave=lambda _: time.sleep(0.01))
    delivery = QueuedDelivery([sink])
    write(delivery, 1000)
    delivery.close(PATIENCE)
    delivery.close(PATIENCE)
    assert sink.numbers == upto(1000)
    assert (delivery.settled, sink.closed) == (1000, 1)


def test_close_says_how_many_are_lost_and_they_are_not_settled():
    sink = StandInSink("down_output", Switch(up=False))
    delivery = QueuedDelivery([sink], backoff=QUICK)
    write(delivery, 7)
    until(lambda: delivery.counts()["down_output"].failures)
    with pytest.raises(OutputError, match="down_output: 7 alerts could not be delivered and are lost: connection refused"):
        delivery.close(timeout=0.2)
    counts = delivery.counts()["down_output"]
    assert (counts.dropped, counts.pending, delivery.settled) == (7, 0, 0)
    delivery.close()


def test_close_waits_for_no_sink_that_is_stuck():
    gate = threading.Event()
    stuck, other = StandInSink("stuck_output", lambda _: gate.wait(PATIENCE)), StandInSink("other_output")
    delivery = QueuedDelivery([stuck, other])
    write(delivery, 5)
    stuck.wait(lambda: stuck.calls)
    other.wait(lambda: other.numbers == upto(5))
    with pytest.raises(OutputError, match="stuck_output: 5 alerts"):
        delivery.close(timeout=0.1)
    assert other.numbers == upto(5)
    gate.set()


def test_close_interrupts_a_sink_that_can_be_interrupted(monkeypatch):
    monkeypatch.setattr("lanner.outputs.delivery._INTERRUPTED", PATIENCE)
    gate = threading.Event()

    def wait(_):
        gate.wait(PATIENCE)
        raise OutputError("interrupted")

    sink = StandInSink(behave=wait)
    sink.interrupt = gate.set
    delivery = QueuedDelivery([sink])
    write(delivery, 1)
    sink.wait(lambda: sink.calls)
    with pytest.raises(OutputError, match="1 alert could not be delivered and is lost: interrupted"):
        delivery.close(timeout=0.1)
    assert sink.closed == 1


def test_what_is_written_after_the_end_is_dropped_and_counted():
    sink = StandInSink()
    delivery = QueuedDelivery([sink])
    delivery.close()
    write(delivery, 3)
    assert (delivery.accepted, delivery.settled, delivery.counts()[sink.name].dropped) == (0, 0, 3)
    delivery.flush()
    delivery.reopen()


def test_outputs_are_swapped_without_a_loss(tmp_path):
    """A reload closes the old delivery. Then a new one takes over, with the same file and spool."""
    path, spool = tmp_path / "alerts", SpoolSettings(str(tmp_path / "spool"))
    number = 0
    for _ in range(20):
        delivery = QueuedDelivery([FileOutput(path)], spool=spool)
        write(delivery, 50, first=number + 1)
        number += 50
        delivery.close(PATIENCE)
        assert delivery.settled == 50
    assert path.read_text().splitlines() == [f"alert {each}" for each in upto(number)]


def test_a_process_ends_though_a_sink_is_stuck(run_python):
    code = """
        import threading
        from lanner.outputs import Alert, OutputError
        from lanner.outputs.delivery import QueuedDelivery
        class Stuck:
            name, batch_size, wants_records = "stuck_output", 1, False
            def send(self, alerts): threading.Event().wait()
            def interrupt(self): pass
            def close(self): pass
        delivery = QueuedDelivery([Stuck()])
        delivery.write(Alert("a line", "", "", "", 0))
        delivery.flush()
        try:
            delivery.close(timeout=0.1)
        except OutputError as error:
            print(error)
    """
    assert "stuck_output: 1 alert could" in run_python(code)


def test_writing_costs_no_more_memory_than_it_may(tmp_path):
    gate = threading.Event()
    sink = StandInSink(behave=lambda _: gate.wait(PATIENCE))
    with delivering(sink, most_bytes=1 << 20) as delivery:
        for number in range(20_000):
            delivery.write(Alert("é€\U0001f600" * 100, "a rule", "Warning", "kv", number))
        assert delivery.counts()[sink.name].pending < (1 << 20) / 1200
        gate.set()


class StandInStore(StandInSink):
    """A store: it gets records, and its failures do not count."""

    wants_records = True


def make_record(event):
    from lanner.alerts.alert_record import Record, RunLoad

    return Record("{}", event, len(event), 1, 1, RunLoad("0badcafe", 1, "kv", "{}", {}))


def test_only_a_store_gets_records_and_their_events_count_in_its_queue():
    store, other = StandInStore("store_output"), StandInSink()
    with delivering(store, other) as delivery:
        delivery.write(make_alert(1)._replace(record=make_record(b"event")))
        delivery.flush()
        assert delivery.wait_settled(1, PATIENCE)
    assert store.alerts[0].record.event == b"event"
    assert other.alerts[0].record is None
    store, other = StandInStore("store_output", Switch(up=False)), StandInSink()
    delivery = QueuedDelivery((store, other), backoff=QUICK, most_bytes=100_000)
    for number in range(1, 101):
        delivery.write(make_alert(number)._replace(record=make_record(b"x" * 10_000)))
    delivery.flush()
    other.wait(lambda: len(other.alerts) == 100)
    assert delivery.counts()["store_output"].dropped > 80
    with pytest.raises(OutputError, match="store_output: "):
        delivery.close(timeout=0.1)


def test_a_failing_store_holds_back_no_position():
    store, other = StandInStore("store_output", Switch(up=False)), StandInSink()
    delivery = QueuedDelivery((store, other), backoff=QUICK)
    for number in upto(3):
        delivery.write(make_alert(number)._replace(record=make_record(b"event")))
    delivery.flush()
    until(lambda: delivery.settled == 3)
    assert delivery.counts()["store_output"].pending == 3
    with pytest.raises(OutputError, match="store_output: 3 alerts could not be delivered"):
        delivery.close(timeout=0.1)


def test_a_store_has_no_spool(tmp_path):
    with delivering(StandInStore("store_output"), StandInSink(), spool=SpoolSettings(tmp_path)):
        assert [path.name for path in tmp_path.glob("*.sqlite")] == ["stand_in_output.sqlite"]
