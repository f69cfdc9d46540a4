"""Alerts to programs: on their standard input, nothing of an alert on a command line, and no program is waited for for good."""

import os
import threading
import time
from pathlib import Path

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.program import ProgramOutput


def alerts(*lines):
    return [Alert(line, "a rule", "Warning", "kv", 1) for line in lines]


@pytest.fixture
def program():
    made = []

    def make(command, **options):
        made.append(ProgramOutput(command, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def refused(sink, some):
    with pytest.raises(OutputError):
        sink.send(some)


def children():
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]


def lines_in(path, count):
    for _ in range(1000):
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return path.read_text(errors="surrogateescape").splitlines()
        time.sleep(0.01)
    pytest.fail(f"no {count} lines came: {path.read_bytes()!r}")
    return None


def test_one_program_takes_all_alerts(program, tmp_path):
    out = tmp_path / "out"
    sink = program(f"echo started >> {out}; exec cat >> {out}", keep_alive=True)
    sink.send(alerts("one", "two $(id) `id` ; id \udcff"))
    sink.send(alerts("three"))
    assert lines_in(out, 4) == ["started", "one", "two $(id) `id` ; id \udcff", "three"]
    sink.close()
    assert children() == []


def test_each_alert_is_a_start_of_its_own(program, tmp_path):
    out = tmp_path / "out"
    program(f"echo started >> {out}; cat >> {out}").send(alerts("one", "two"))
    assert out.read_text().splitlines() == ["started", "one", "started", "two"]
    assert children() == []


def test_a_program_that_has_ended_is_started_again(program, tmp_path):
    out = tmp_path / "out"
    sink = program(f"head -n 1 >> {out}", keep_alive=True)
    sink.send(alerts("one"))
    lines_in(out, 1)
    while children():
        time.sleep(0.01)
        sink._process.poll()
    sink.send(alerts("two"))
    assert lines_in(out, 2) == ["one", "two"]


def test_reopen_starts_another_one(program, tmp_path):
    out = tmp_path / "out"
    sink = program(f"echo started >> {out}; exec cat >> {out}", keep_alive=True)
    sink.send(alerts("one"))
    sink.reopen()
    sink.send(alerts("two"))
    assert lines_in(out, 4) == ["started", "one", "started", "two"]


def test_a_program_that_fails_is_said_with_how_many_it_took(program):
    with pytest.raises(OutputError, match=r"ended with status 3; what it says is on standard error") as caught:
        program('read line; [ "$line" != bad ] || exit 3').send(alerts("good", "bad", "good"))
    assert (caught.value.delivered, caught.value.permanent) == (1, False)


def test_a_program_that_does_not_end_is_killed_with_all_that_it_started(program):
    with pytest.raises(OutputError, match=r"did not end within 0\.1 s"):
        program("sleep 1000 & sleep 1000", timeout=0.1).send(alerts("one"))
    assert children() == []


def test_a_program_that_does_not_read_is_not_waited_for(program):
    sink = program("exec sleep 1000", keep_alive=True, timeout=0.1)
    with pytest.raises(OutputError, match="takes no more alerts: Connection timed out"):
        sink.send(alerts("x" * 1_000_000))
    assert children() == []


def test_a_large_alert_goes_through(program, tmp_path):
    out = tmp_path / "out"
    program(f"cat > {out}").send(alerts("x" * 1_000_000))
    assert out.stat().st_size == 1_000_001


def test_nothing_of_ours_is_open_in_the_program(program, tmp_path):
    out = tmp_path / "out"
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        program(f"ls -l /proc/self/fd > {out}").send(alerts("one"))
    assert "secret" not in out.read_text()


def test_a_wait_can_be_interrupted(program):
    sink = program("exec sleep 1000", timeout=1000)
    thread = threading.Thread(target=refused, args=(sink, alerts("one", "two")))
    thread.start()
    while not children():
        time.sleep(0.01)
    sink.interrupt()
    thread.join(10)
    assert not thread.is_alive()
