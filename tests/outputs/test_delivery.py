"""Alerts to several outputs at once: in order, none held up by another, tried again, and counted where there is no room."""

import contextlib
import itertools
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lanner.outputs import FileOutput, OutputClosedError, OutputError
from lanner.outputs.delivery import Limits, QueuedDelivery

from .sinks import StandInSink, alert


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("lanner.outputs.worker._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("lanner.outputs.worker._LONGEST_PAUSE", 0.05)
    monkeypatch.setattr("lanner.outputs.worker._DISK_PAUSE", 0.02)
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("lanner-stand_in")]


@pytest.fixture
def deliver():
    """`deliver(*sinks, closed=..., **limits)` is a delivery that is closed in the end."""
    made = []

    def make(*sinks, closed=lambda: None, **limits):
        made.append(QueuedDelivery(sinks, Limits(**limits), closed))
        return made[-1]

    yield make
    for each in made:
        with contextlib.suppress(OutputError):  # of what a test has left undelivered
            each.close(0.1)


def write(delivery, *lines):
    for line in lines:
        delivery.write(alert(line))


def numbers(count, begin=0):
    return [str(number) for number in range(begin, begin + count)]


def wait_until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not come about within 10 s")


def test_alerts_arrive_in_order_at_every_output(deliver):
    sinks = StandInSink("stand_in_a"), StandInSink("stand_in_b")
    delivery = deliver(*sinks)
    write(delivery, *numbers(2000))
    delivery.flush()
    delivery.close()
    assert [sink.lines for sink in sinks] == [numbers(2000)] * 2
    assert [sink.closed for sink in sinks] == [1, 1]
    assert (delivery.accepted, delivery.settled) == (2000, 2000)


def test_one_that_hangs_holds_up_neither_the_run_nor_the_others(deliver):
    slow, quick = StandInSink("stand_in_slow"), StandInSink("stand_in_quick")
    slow.hold()
    delivery = deliver(slow, quick)
    write(delivery, *numbers(1000))
    quick.wait(lambda sink: sink.lines == numbers(1000))
    assert delivery.settled == 0
    slow.release()
    wait_until(lambda: delivery.settled == 1000)
    assert slow.lines == numbers(1000)


def test_what_fails_is_tried_again_from_where_it_failed(deliver, caplog):
    sink = StandInSink()
    failures = itertools.chain([OutputError("the server is down", delivered=1)] * 3, itertools.repeat(None))
    sink.failure = lambda _: next(failures)
    sink.hold()
    delivery = deliver(sink)
    write(delivery, *numbers(10))
    sink.release()
    sink.wait(lambda sink: sink.lines == numbers(10))
    wait_until(lambda: delivery.settled == 10)
    counts = delivery.counts()["stand_in"]
    assert (counts.delivered, counts.retried, counts.failures, counts.dropped) == (10, 3, 3, 0)
    assert counts.last_error == "the server is down"
    said = [record.message for record in caplog.records]
    assert said == ["the server is down; alerts wait in memory until it works again", "stand_in works again"]


def test_what_is_refused_for_good_is_dropped_alone(deliver):
    sink = StandInSink()

    def refuse(alerts):
        places = [place for place, each in enumerate(alerts) if each.line == "3"]
        return OutputError("400 Bad Request", delivered=places[0], permanent=True) if places else None

    sink.failure = refuse
    delivery = deliver(sink)
    write(delivery, *numbers(10))
    wait_until(lambda: delivery.settled == 10)
    assert sink.lines == [number for number in numbers(10) if number != "3"]
    assert delivery.counts()["stand_in"].dropped == 1


def test_a_full_queue_drops_the_newest_and_counts_them_as_settled_in_their_turn(deliver):
    sink = StandInSink()
    sink.hold()
    delivery = deliver(sink, capacity=3)
    write(delivery, *numbers(10))
    assert delivery.counts()["stand_in"].dropped == 7
    assert (delivery.accepted, delivery.settled) == (10, 0)
    sink.release()
    wait_until(lambda: delivery.settled == 10)
    assert sink.lines == ["0", "1", "2"]
    write(delivery, "later")
    sink.wait(lambda sink: sink.lines[-1] == "later")
    wait_until(lambda: delivery.settled == 11)


def test_the_queue_is_bounded_by_bytes_too_and_one_large_alert_fits(deliver):
    sink = StandInSink()
    sink.hold()
    delivery = deliver(sink, max_bytes=1000)
    write(delivery, "x" * 5000)
    sink.wait(lambda sink: sink.calls)
    write(delivery, "y" * 600)
    assert delivery.counts()["stand_in"].dropped == 1
    sink.release()
    wait_until(lambda: delivery.settled == 2)
    assert sink.lines == ["x" * 5000]


def test_when_nobody_reads_any_more_the_run_is_told_once_no_output_is_left(deliver):
    told = []
    gone, other = StandInSink("stand_in_gone"), StandInSink("stand_in_other")
    gone.failure = OutputClosedError("gone")
    delivery = deliver(gone, other, closed=lambda: told.append(1))
    write(delivery, "a", "b")
    other.wait(lambda sink: sink.lines == ["a", "b"])
    wait_until(lambda: delivery.settled == 2)
    assert told == []
    other.failure = OutputClosedError("gone")
    write(delivery, "c")
    wait_until(lambda: told == [1])


def test_what_does_not_arrive_by_the_end_is_said(deliver):
    sink = StandInSink()
    sink.failure = OutputError("the server is down")
    delivery = deliver(sink)
    write(delivery, *numbers(3))
    with pytest.raises(OutputError, match=r"^3 alerts are lost that stand_in did not take: the server is down\. A spool"):
        delivery.close(0.2)
    delivery.close()
    assert delivery.settled == 3


def test_one_that_hangs_for_good_is_interrupted_at_the_end(deliver):
    sink = StandInSink()
    sink.hold()
    delivery = deliver(sink)
    write(delivery, "a")
    sink.wait(lambda sink: sink.calls)
    with pytest.raises(OutputError, match="1 alerts are lost"):
        delivery.close(0.1)


def test_a_pipe_that_nobody_reads_is_interrupted_at_the_end(deliver):
    from lanner.outputs import StdoutOutput

    reader, writer = os.pipe()
    try:
        delivery = deliver(StdoutOutput(writer))
        write(delivery, "x" * 1_000_000)
        with pytest.raises(OutputError, match="1 alerts are lost that stdout_output did not take"):
            delivery.close(0.2)
    finally:
        os.close(reader)
        os.close(writer)


def test_each_output_opens_anew_before_its_next_alert(deliver):
    sink = StandInSink()
    delivery = deliver(sink)
    delivery.reopen()
    sink.wait(lambda sink: sink.reopened == 1)


def test_a_server_says_when_to_come_back(deliver):
    sink = StandInSink()
    begin, failures = time.monotonic(), iter([OutputError("429", retry_after=0.3)])
    sink.failure = lambda _: next(failures, None)
    delivery = deliver(sink)
    write(delivery, "a")
    sink.wait(lambda sink: sink.lines == ["a"])
    assert time.monotonic() - begin >= 0.3


def test_a_defect_in_an_output_ends_nothing(deliver, caplog):
    sink = StandInSink()
    failures = iter([ZeroDivisionError()])
    sink.failure = lambda _: next(failures, None)
    delivery = deliver(sink)
    write(delivery, "a")
    sink.wait(lambda sink: sink.lines == ["a"])
    assert "stand_in: a defect; trying again" in [record.message for record in caplog.records]


def test_alerts_from_several_threads_are_all_there_and_alike_everywhere(deliver):
    sinks = StandInSink("stand_in_a"), StandInSink("stand_in_b")
    delivery = deliver(*sinks)
    threads = [threading.Thread(target=write, args=(delivery, *numbers(500, begin))) for begin in (0, 500, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivery.close()
    assert sorted(map(int, sinks[0].lines)) == list(range(1500))
    assert sinks[0].lines == sinks[1].lines


def test_without_outputs_alerts_are_settled_at_once(deliver):
    delivery = deliver()
    write(delivery, "a")
    assert (delivery.accepted, delivery.settled) == (1, 1)
    assert delivery.counts() == {}


# With a spool


def test_alerts_wait_on_disk_while_an_output_is_down_and_arrive_in_order(deliver, tmp_path):
    sink = StandInSink()
    sink.failure = OutputError("down")
    delivery = deliver(sink, spool=str(tmp_path / "spool"))
    write(delivery, *numbers(1000))
    wait_until(lambda: delivery.settled == 1000)
    counts = delivery.counts()["stand_in"]
    assert (counts.spooled, counts.pending, counts.delivered) == (1000, 0, 0)
    sink.failure = None
    sink.wait(lambda sink: len(sink.lines) >= 1000)
    write(delivery, "last")
    sink.wait(lambda sink: sink.lines[-1] == "last")
    assert sink.lines == [*numbers(1000), "last"]


def test_what_is_on_disk_is_delivered_by_the_next_run_before_anything_new(deliver, tmp_path):
    spool = str(tmp_path / "spool")
    sink = StandInSink()
    sink.failure = OutputError("down")
    delivery = deliver(sink, spool=spool)
    write(delivery, *numbers(5))
    wait_until(lambda: delivery.settled == 5)
    delivery.close()
    later = StandInSink()
    delivery = deliver(later, spool=spool)
    write(delivery, "new")
    later.wait(lambda sink: len(sink.lines) == 6)
    assert later.lines == [*numbers(5), "new"]
    delivery.close()
    assert list(Path(spool).iterdir()) == []


def test_a_second_run_with_the_same_spool_is_refused(deliver, tmp_path):
    deliver(StandInSink("stand_in"), spool=str(tmp_path))
    with pytest.raises(OutputError, match="is another Lanner running with the same"):
        deliver(StandInSink("stand_in"), spool=str(tmp_path))


def test_a_full_spool_drops_the_newest(deliver, tmp_path, caplog):
    sink = StandInSink()
    sink.failure = OutputError("down")
    delivery = deliver(sink, spool=str(tmp_path), spool_bytes=1010)
    write(delivery, *numbers(20))
    wait_until(lambda: delivery.settled == 20)
    counts = delivery.counts()["stand_in"]
    assert (counts.spooled, counts.dropped) == (10, 10)
    sink.failure = None
    sink.wait(lambda sink: sink.lines == numbers(10))
    assert any("the spool is full" in record.message for record in caplog.records)


@pytest.fixture
def small(tmp_path):
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", place], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    with (place / "filler").open("wb", 0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            return


def test_a_full_disk_under_a_file_loses_nothing_and_tears_no_line(deliver, small):
    delivery = deliver(FileOutput(small / "alerts"))
    write(delivery, *numbers(10))
    wait_until(lambda: delivery.settled == 10)
    fill(small)
    write(delivery, *[f"{number} {'x' * 500}" for number in numbers(50, 10)])
    wait_until(lambda: delivery.counts()["file_output"].failures > 2)
    assert all(line.split()[0].isdigit() for line in (small / "alerts").read_text().splitlines())
    (small / "filler").unlink()
    wait_until(lambda: delivery.settled == 60)
    assert [line.split()[0] for line in (small / "alerts").read_text().splitlines()] == numbers(60)


def test_a_full_disk_under_the_spool_falls_back_to_memory(deliver, small):
    sink = StandInSink()
    sink.failure = OutputError("down")
    delivery = deliver(sink, spool=str(small / "spool"))
    write(delivery, "0")
    wait_until(lambda: delivery.settled == 1)
    fill(small)
    write(delivery, *[f"{number} {'x' * 500}" for number in numbers(100, 1)])
    wait_until(lambda: delivery.counts()["stand_in"].failures > 3)
    assert delivery.counts()["stand_in"].pending > 0
    sink.failure = None
    sink.wait(lambda sink: len(sink.lines) >= 101)
    assert [line.split()[0] for line in sink.lines] == numbers(101)
    (small / "filler").unlink()
