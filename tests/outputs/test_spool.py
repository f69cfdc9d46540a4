"""Alerts on disk while an output is down: in order, at least once, bounded, after any failure of the process or the file."""

import logging
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.base import SpoolError, SpoolInUseError
from lanner.outputs.delivery import QueuedDelivery, SpoolSettings
from lanner.outputs.spool import Spool
from lanner.outputs.worker import Backoff

from ..waiting import PATIENCE
from .delivering import delivering, upto, write
from .standins import StandInSink, Switch, make_alert, small_file_system

pytestmark = pytest.mark.slow

PLENTY = 1 << 30


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool" / "an_output.sqlite"


def spooling(path, sink, most_bytes=PLENTY, **options):
    return delivering(sink, spool=SpoolSettings(path.parent, most_bytes), **options)


def fill(path):
    """Leave no room on the file system."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)


def numbers(alerts):
    return [alert.timestamp for alert in alerts]


def test_first_in_first_out_and_what_is_removed_is_gone(path):
    with closing(Spool(path, PLENTY)) as spool:
        assert spool.append([make_alert(number) for number in upto(5)]) == 5
        assert numbers(spool.first(3)) == [1, 2, 3]
        spool.remove(2)
        assert spool.append([make_alert(6)]) == 1
        assert (spool.waiting, numbers(spool.first(10))) == (4, [3, 4, 5, 6])
    with closing(Spool(path, PLENTY)) as spool:
        assert (spool.waiting, numbers(spool.first(10))) == (4, [3, 4, 5, 6])
        spool.remove(4)
        assert (spool.waiting, spool.first(10)) == (0, [])


@pytest.mark.parametrize(
    "alert",
    [
        Alert("plain", "rule", "Critical", "docker", 1_700_000_000_123_456_789),
        Alert("bytes \udcff\udc80 of invalid UTF-8", "r\udce4gel", "Notice", "kv", 0),
        Alert("é€\U0001f600\0\n\r\x1b[31m", "ルール", "Debug", "syscall", 2**64 - 1),
        Alert("a lone \ud800 surrogate", "", "", "", -5),
        Alert("x" * 2_000_000, "long", "Error", "kv", 1),
        Alert("", "", "", "", 0),
    ],
    ids=["plain", "bytes", "unicode", "surrogate", "long", "empty"],
)
def test_an_alert_comes_back_as_it_was(path, alert):
    with closing(Spool(path, PLENTY)) as spool:
        spool.append([alert])
    with closing(Spool(path, PLENTY)) as spool:
        assert spool.first(1) == [alert]


def test_files_are_their_users_alone(path):
    before = os.umask(0)
    try:
        with closing(Spool(path, PLENTY)) as spool:
            spool.append([make_alert(1)])
            directory = path.parent
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            files = sorted(directory.iterdir())
            assert [file.name for file in files] == ["an_output.sqlite", "an_output.sqlite-wal"]
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)


def test_there_is_a_bound_and_room_is_used_again_and_given_back(path):
    most = 2 << 20
    with closing(Spool(path, most)) as spool:
        alerts = [make_alert(number, 1000) for number in range(100)]
        while spool.append(alerts) == 100:
            pass
        full = spool.waiting
        assert 0.7 * most < full * 1000 < most
        assert path.stat().st_size <= most * 1.05
        assert spool.append(alerts) == 0
        spool.remove(len(spool.first(500)))
        assert 400 <= sum(spool.append(alerts[:50]) for _ in range(12)) <= 500
        while spool.waiting:
            spool.remove(len(spool.first(500)))
        assert path.stat().st_size < 100_000


def test_a_run_that_has_the_file_is_not_disturbed_and_its_end_is_waited_for(path):
    with closing(Spool(path, PLENTY)) as first:
        first.append([make_alert(1)])
        with pytest.raises(SpoolInUseError, match=r"is in use by another lanner: give each its own directory in lanner.spool.path"):
            Spool(path, PLENTY, wait=0.05)
        with pytest.raises(SpoolInUseError):
            Spool(path, PLENTY, wait=0.05)
        assert first.append([make_alert(2)]) == 1
    with closing(Spool(path, PLENTY, wait=0.05)) as second:
        assert numbers(second.first(10)) == [1, 2]


def test_another_process_is_kept_out_too(path):
    code = f"from lanner.outputs.spool import Spool; Spool({str(path)!r}, 1 << 20, wait=0.05)"
    with closing(Spool(path, PLENTY)):
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "SpoolInUseError" in found.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_delivery_whose_spool_is_in_use_lets_go_of_the_others(path):
    directory = path.parent
    with closing(Spool(directory / "two.sqlite", PLENTY)), pytest.raises(SpoolInUseError):
        QueuedDelivery([StandInSink("one"), StandInSink("two")], spool=SpoolSettings(directory, wait=0.05))
    Spool(directory / "one.sqlite", PLENTY, wait=0.05).close()


def damage_head(path):
    with path.open("r+b") as file:
        file.write(b"garbage " * 100)


def damage_middle(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def other_version(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


def other_database(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alerts (a)")


@pytest.mark.parametrize("damage", [damage_head, damage_middle, other_version, other_database])
def test_a_file_that_is_damaged_or_no_spool_is_set_aside_and_the_run_continues(path, damage, caplog):
    with closing(Spool(path, PLENTY)) as spool:
        spool.append([make_alert(number, 500) for number in range(100)])
    damage(path)
    sink = StandInSink("an_output", Switch(up=False))
    with spooling(path, sink) as delivery:
        write(delivery, 10)
        assert delivery.wait_settled(10, PATIENCE)
        sink.behave.up = True
        sink.wait(lambda: sink.numbers[-10:] == upto(10))
        assert delivery.counts()["an_output"].damaged == 1
    assert "is set aside as" in caplog.text
    assert path.with_name("an_output.sqlite.bad").exists()


@pytest.mark.parametrize("kind", ["directory is a file", "path is a directory", "path is a link"])
def test_a_spool_that_cannot_be_is_said_and_alerts_wait_in_memory(path, kind, caplog):
    directory = path.parent
    if kind == "directory is a file":
        directory.touch()
    else:
        directory.mkdir()
        path.mkdir() if kind == "path is a directory" else path.symlink_to("/dev/null")
    switch = Switch(up=False)
    sink = StandInSink("an_output", switch)
    with caplog.at_level(logging.WARNING), spooling(path, sink) as delivery:
        write(delivery, 10)
        sink.wait(lambda: len(sink.calls) > 3)
        assert (delivery.settled, delivery.counts()["an_output"].pending) == (0, 10)
        switch.up = True
        assert delivery.wait_settled(10, PATIENCE)
        assert sink.numbers == upto(10)
    assert "alerts wait in memory" in caplog.text


def test_append_says_what_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    with (
        closing(Spool(tmp_path / "file" / "x.sqlite", PLENTY)) as spool,
        pytest.raises(SpoolError, match=r"cannot use the spool .*/file/x"),
    ):
        spool.append([make_alert(1)])
    spool.close()
    with pytest.raises(SpoolError, match="is closed"):
        spool.append([make_alert(1)])


def test_while_an_output_is_down_its_alerts_are_on_disk_and_settled_then_delivered_in_order(path):
    switch = Switch(up=False)
    sink = StandInSink("an_output", switch)
    with spooling(path, sink) as delivery:
        write(delivery, 100)
        assert delivery.wait_settled(100, PATIENCE)
        write(delivery, 100, first=101)
        assert delivery.wait_settled(200, PATIENCE)
        counts = delivery.counts()["an_output"]
        assert (counts.spooled, counts.pending, counts.delivered) == (200, 0, 0)
        switch.up = True
        write(delivery, 100, first=201)
        sink.wait(lambda: len(sink.alerts) == 300)
        assert sink.numbers == upto(300)
    counts = delivery.counts()["an_output"]
    assert (counts.spooled, counts.pending, counts.delivered, counts.dropped) == (0, 0, 300, 0)


def test_new_alerts_go_behind_those_on_disk(path):
    with closing(Spool(path, PLENTY)) as spool:
        spool.append([make_alert(number) for number in upto(500)])
    sink = StandInSink("an_output", lambda _: time.sleep(0.001))
    with spooling(path, sink) as delivery:
        for number in range(501, 1001):
            write(delivery, 1, first=number)
        sink.wait(lambda: len(sink.alerts) == 1000)
    assert sink.numbers == upto(1000)


def test_left_overs_of_an_earlier_run_come_first_and_without_a_new_alert(path, caplog):
    sink = StandInSink("an_output", Switch(up=False))
    with spooling(path, sink) as delivery:
        write(delivery, 30)
    assert delivery.settled == 30
    assert "30 alerts kept in the spool for the next run" in caplog.text
    again = StandInSink("an_output")
    with spooling(path, again):
        again.wait(lambda: len(again.alerts) == 30)
    assert again.numbers == upto(30)


def test_at_the_end_what_a_stuck_output_has_not_taken_is_kept(path):
    gate = threading.Event()
    stuck = StandInSink("an_output", lambda _: gate.wait(PATIENCE))
    delivery = QueuedDelivery([stuck], spool=SpoolSettings(path.parent))
    write(delivery, 40)
    stuck.wait(lambda: stuck.calls)
    delivery.close(timeout=0.1)
    assert delivery.settled == 40
    with closing(Spool(path, PLENTY)) as spool:
        assert numbers(spool.first(100)) == upto(40)
    gate.set()


def test_an_output_that_is_slow_uses_the_disk_before_memory_is_full(path):
    sink = StandInSink("an_output", lambda _: time.sleep(0.02))
    with spooling(path, sink, capacity=1000) as delivery:
        for first in range(1, 6001, 50):
            write(delivery, 50, first=first)
            delivery.wait_settled(first - 400, PATIENCE)
        sink.wait(lambda: len(sink.alerts) == 6000)
    assert sink.numbers == upto(6000)
    assert delivery.counts()["an_output"].dropped == 0


def test_where_the_spool_is_full_alerts_wait_in_memory_and_then_the_newest_are_dropped(path, caplog):
    switch = Switch(up=False)
    sink = StandInSink("an_output", switch)
    with spooling(path, sink, most_bytes=200_000, capacity=50) as delivery:
        for first in range(1, 1001, 25):
            write(delivery, 25, first=first, size=1000)
            # not a burst that exceeds the memory: the part is going to the disk, or stays because the disk is full, before the next comes
            delivery.wait_settled(first, 0.06 if "the spool is full" in caplog.text else 30)
        counts = delivery.counts()["an_output"]
        kept = counts.spooled + counts.pending
        assert 100 < counts.spooled < 200
        assert (counts.pending, counts.dropped) == (50, 1000 - kept)
        switch.up = True
        sink.wait(lambda: len(sink.alerts) == kept)
    assert sink.numbers == upto(kept)
    assert "the spool is full; alerts wait in memory" in caplog.text


def test_a_full_disk_under_the_spool_costs_nothing_once_there_is_room(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("lanner.outputs.spooling._PAUSE", 0.05)
    switch = Switch(up=False)
    sink = StandInSink("an_output", switch)
    with small_file_system(tmp_path), caplog.at_level(logging.INFO, "lanner.outputs"):
        path = tmp_path / "an_output.sqlite"
        with spooling(path, sink) as delivery:
            write(delivery, 10)
            assert delivery.wait_settled(10, PATIENCE)
            blob = tmp_path / "blob"
            fill(blob)
            write(delivery, 500, first=11, size=500)
            sink.wait(lambda: "alerts wait in memory" in caplog.text)
            counts = delivery.counts()["an_output"]
            assert counts.spooled + counts.pending == 510
            assert delivery.settled < 510
            blob.unlink()
            assert delivery.wait_settled(510, PATIENCE)
            assert delivery.counts()["an_output"].spooled == 510
            switch.up = True
            sink.wait(lambda: len(sink.alerts) == 510)
    assert sink.numbers == upto(510)
    assert "the spool works again" in caplog.text


def deliver_on_a_full_disk(delivery, sink, blob):
    write(delivery, 300, size=500)
    assert delivery.wait_settled(300, PATIENCE)
    fill(blob)
    sink.behave.up = True
    sink.wait(lambda: len(sink.alerts) == 300)


def test_a_disk_that_is_full_when_alerts_are_delivered_sends_none_twice(tmp_path):
    sink = StandInSink("an_output", Switch(up=False))
    with small_file_system(tmp_path):
        with spooling(tmp_path / "an_output.sqlite", sink) as delivery:
            deliver_on_a_full_disk(delivery, sink, tmp_path / "blob")
        assert sink.numbers == upto(300)


def test_alerts_that_were_delivered_on_a_full_disk_are_removed_at_the_end_if_there_is_room_again(tmp_path):
    sink = StandInSink("an_output", Switch(up=False))
    with small_file_system(tmp_path):
        with spooling(tmp_path / "an_output.sqlite", sink) as delivery:
            deliver_on_a_full_disk(delivery, sink, tmp_path / "blob")
            while delivery.counts()["an_output"].spooled:
                time.sleep(0.01)
            (tmp_path / "blob").unlink()
        with closing(Spool(tmp_path / "an_output.sqlite", PLENTY)) as spool:
            assert spool.waiting == 0


@pytest.fixture
def broken(monkeypatch):
    """A switch for disks that neither read nor write."""
    monkeypatch.setattr("lanner.outputs.spooling._PAUSE", 0.05)
    switch = Switch(error="the disk is gone")

    def switched(do):
        def call(spool, argument):
            if not switch.up:
                raise SpoolError(switch.error)
            return do(spool, argument)

        return call

    for name in ("first", "append"):
        monkeypatch.setattr(Spool, name, switched(getattr(Spool, name)))
    return switch


def test_a_spool_that_cannot_be_read_holds_up_no_newer_alert(path, broken, caplog):
    sink = StandInSink("an_output", Switch(up=False))
    with spooling(path, sink) as delivery:
        write(delivery, 10)
        assert delivery.wait_settled(10, PATIENCE)
        broken.up = False
        while "stored until it can be read: 10 alerts. Newer alerts go first" not in caplog.text:
            time.sleep(0.01)
        sink.behave.up = True  # not before: what was read already would arrive
        write(delivery, 10, first=11)
        sink.wait(lambda: sink.numbers == list(range(11, 21)))
        assert delivery.wait_settled(20, PATIENCE)
        broken.up = True
        sink.wait(lambda: len(sink.alerts) == 20)
    assert sink.numbers == [*range(11, 21), *upto(10)]


def test_at_the_end_a_spool_that_cannot_be_read_holds_up_nothing(path, broken):
    sink = StandInSink("an_output", Switch(up=False))
    with spooling(path, sink, backoff=Backoff(1000, 1000)) as delivery:
        write(delivery, 10)
        assert delivery.wait_settled(10, PATIENCE)
        broken.up = False
        sink.behave.up = True
        write(delivery, 10, first=11)
    assert sink.numbers == list(range(11, 21))
    broken.up = True
    with closing(Spool(path, PLENTY)) as spool:
        assert spool.waiting == 10


CHILD = """
import os, sys
from lanner.outputs import Alert, FileOutput, OutputError
from lanner.outputs.delivery import QueuedDelivery, SpoolSettings
from lanner.outputs.worker import Backoff

class Flaky(FileOutput):
    name, calls = "an_output", 0
    def send(self, alerts):
        Flaky.calls += 1
        if Flaky.calls % 7 < 4:
            raise OutputError("down")
        super().send(alerts)

directory, first = sys.argv[1], int(sys.argv[2])
print("begun", flush=True)
delivery = QueuedDelivery([Flaky(directory + "/delivered")], spool=SpoolSettings(directory + "/spool"), backoff=Backoff(0.001, 0.004))
told = open(directory + "/settled", "w", buffering=1)
for number in range(first, first + 1_000_000):
    delivery.write(Alert(f"alert {number}", "a rule", "Warning", "kv", number))
    if number % 20 == 0:
        delivery.flush()
        delivery.wait_settled(number - first - 200, 60)
        told.write(f"{first - 1 + delivery.settled}\\n")
"""


def kill_often(directory, times, longest):
    """A source that resumes after the last settled alert, as a cursor does; returns how far that was."""
    chance, settled = random.Random(7), 0
    for _ in range(times):
        command = [sys.executable, "-c", CHILD, str(directory), str(settled + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"begun\n"
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(chance.uniform(0, longest))
            child.send_signal(signal.SIGKILL)
        lines = (directory / "settled").read_text().split() if (directory / "settled").exists() else []
        settled = int(lines[-1]) if lines else settled
    sink = StandInSink("an_output")
    with spooling(directory / "spool" / "an_output.sqlite", sink):
        pass  # its end delivers what is left
    left = numbers(sink.alerts)
    delivered = directory / "delivered"
    arrived = [int(line.split()[1]) for line in delivered.read_text().splitlines()] if delivered.exists() else []
    return settled, arrived + left


def check_at_least_once(settled, arrived):
    firsts = list(dict.fromkeys(arrived))
    assert firsts == sorted(firsts)
    assert firsts[:settled] == upto(settled)


def test_killed_at_any_moment_every_settled_alert_arrives_at_least_once_and_in_order(tmp_path):
    settled, longest = 0, 0.4
    while settled <= 100:  # on a busy machine a process may not come to it before it is killed
        (directory := tmp_path / str(longest)).mkdir()
        settled, arrived = kill_often(directory, 12, longest)
        longest *= 2
    check_at_least_once(settled, arrived)


@pytest.mark.soak
def test_killed_very_often_every_settled_alert_arrives(tmp_path):
    check_at_least_once(*kill_often(tmp_path, 200, 0.5))


def test_an_output_that_refuses_an_alert_from_the_spool_gets_the_next(path):
    switch = Switch(up=False)
    sink = StandInSink("an_output", switch)

    def behave(alerts):
        switch(alerts)
        for place, alert in enumerate(alerts):
            if alert.timestamp == 5:
                raise OutputError("refused", delivered=place, permanent=True)

    sink.behave = behave
    with spooling(path, sink) as delivery:
        write(delivery, 10)
        assert delivery.wait_settled(10, PATIENCE)
        switch.up = True
        sink.wait(lambda: len(sink.alerts) == 9)
    counts = delivery.counts()["an_output"]
    assert (counts.delivered, counts.dropped, counts.spooled) == (9, 1, 0)
