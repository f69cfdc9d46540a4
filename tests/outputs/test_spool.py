"""The spool: what was put there is there, in order and exactly, whatever ends the process; and a file that is none is set aside."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.spool import Spool

from .sinks import alert

LARGE = 1 << 30


@pytest.fixture
def spool(tmp_path):
    made = []

    def make(most=LARGE):
        made.append(Spool(str(tmp_path / "spool"), "http_output", most))
        return made[-1]

    yield make
    for each in made:
        each.close()


def lines(spool, after=0):
    return [alert.line for _, alert in spool.first(1000, after)]


def test_alerts_come_back_as_they_were_put(spool):
    odd = Alert("a\n\x1b\udc80é", "rule \udcff", "Critical", "kv", 2**64 - 1)
    place = spool()
    assert place.append([odd, alert("b")]) == 2
    assert [found for _, found in place.first(10)] == [odd, alert("b")]
    assert len(place) == 2


def test_what_was_delivered_is_gone_and_the_rest_stays_in_order(spool):
    place = spool()
    place.append([alert(str(number)) for number in range(5)])
    place.remove(place.first(2)[-1][0])
    assert (lines(place), len(place)) == (["2", "3", "4"], 3)
    place.append([alert("5")])
    assert lines(place, place.first(1)[0][0]) == ["3", "4", "5"]


def test_it_outlives_the_process(spool):
    first = spool()
    first.append([alert("a"), alert("b")])
    first.close()
    again = spool()
    assert (lines(again), len(again)) == (["a", "b"], 2)


def test_an_empty_one_leaves_no_file(spool, tmp_path):
    place = spool()
    place.append([alert("a")])
    place.remove(place.first(1)[0][0])
    place.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_there_is_no_room_for_is_left_to_the_caller(spool):
    place = spool(350)
    assert place.append([alert("x" * 50) for _ in range(5)]) == 2
    assert place.append([alert("x")]) == 0
    place.remove(place.first(1)[0][0])
    assert place.append([alert("x")]) == 1


def test_nobody_else_can_read_it(spool, tmp_path):
    os.umask(before := os.umask(0))
    place = spool()
    place.append([alert("a")])
    assert before is not None
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / "http_output.spool").stat().st_mode & 0o777 == 0o600


def test_one_process_has_it_at_a_time(spool):
    spool()
    with pytest.raises(OutputError, match="is another Lanner running with the same"):
        spool()


@pytest.mark.parametrize("content", [b"this is no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_spool_is_set_aside(spool, tmp_path, content):
    path = tmp_path / "spool" / "http_output.spool"
    path.parent.mkdir()
    path.write_bytes(content)
    place = spool()
    assert str(path) in place.set_aside
    assert Path(f"{path}.bad").read_bytes() == content
    place.append([alert("a")])
    assert lines(place) == ["a"]


def test_one_of_a_later_version_is_set_aside(spool, tmp_path):
    path = tmp_path / "spool" / "http_output.spool"
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 7")
    database.execute("CREATE TABLE t (a)")
    database.close()
    assert "its version is 7" in spool().set_aside


def test_a_directory_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot keep alerts in .* \(\$\.lanner\.spool\.path\): Not a directory"):
        Spool(str(tmp_path / "file" / "spool"), "http_output", LARGE)


WRITER = """
import sys
from lanner.outputs import Alert
from lanner.outputs.spool import Spool
spool = Spool(sys.argv[1], "http_output", 1 << 30)
number = int(sys.argv[2])
while True:
    spool.append([Alert(str(number + n), "r", "Notice", "s", 1) for n in range(3)])
    number += 3
    print(number, flush=True)
"""


def test_a_process_that_is_killed_in_the_middle_loses_nothing_that_was_on_disk(spool, tmp_path):
    begin = 0
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "spool", str(begin)], stdout=subprocess.PIPE) as process:
            for _ in range(3):
                told = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            told = int((process.stdout.read().split() or [told])[-1])
        place = Spool(str(tmp_path / "spool"), "http_output", LARGE)
        found = [int(each.line) for _, each in place.first(1_000_000)]
        assert found == list(range(len(found)))
        assert len(found) >= told
        begin = len(found)
        place.close()
