"""Alerts to programs: on their standard input, no part of an alert on a command line, and no unlimited wait for a program."""

import contextlib
import gc
import os
import sys
import threading
from pathlib import Path

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.program_output import ProgramOutput

from ..waiting import PATIENCE, check_descriptors, count_descriptors, until


def alerts(*lines):
    return [Alert(line, "a rule", "Warning", "kv", 1) for line in lines]


@pytest.fixture
def program(monkeypatch):
    monkeypatch.setattr("lanner.outputs.program_output._GRACE", PATIENCE)
    made = []

    def make(command, **options):
        made.append(ProgramOutput(command, **{"timeout": PATIENCE, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def refused(sink, some):
    with pytest.raises(OutputError):
        sink.send(some)


def own_children():
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                found.add(folder.name)
    return found


@pytest.fixture
def children():
    """`children()`: the children of this process since the test began. Other tests of the session may have left an engine."""
    before = own_children()
    return lambda: own_children() - before


def lines_in(path, count):
    until(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, lambda: path.read_bytes() if path.exists() else "")
    return path.read_text(errors="surrogateescape").splitlines()


def test_one_program_takes_all_alerts(program, tmp_path, children):
    out = tmp_path / "out"
    sink = program(f"echo started >> {out}; exec cat >> {out}", keep_alive=True)
    sink.send(alerts("one", "two $(id) `id` ; id \udcff"))
    sink.send(alerts("three"))
    assert lines_in(out, 4) == ["started", "one", "two $(id) `id` ; id \udcff", "three"]
    sink.close()
    assert not children()


def test_each_alert_starts_a_process(program, tmp_path, children):
    out = tmp_path / "out"
    program(f"echo started >> {out}; cat >> {out}").send(alerts("one", "two"))
    assert out.read_text().splitlines() == ["started", "one", "started", "two"]
    assert not children()


def test_a_program_that_has_ended_is_started_again(program, tmp_path, children):
    out = tmp_path / "out"
    sink = program(f"head -n 1 >> {out}", keep_alive=True)
    sink.send(alerts("one"))
    lines_in(out, 1)
    until(lambda: sink._process.poll() is not None)
    assert not children()
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
    with pytest.raises(OutputError, match=r"ended with status 3; its messages are on standard error") as caught:
        program('read line; [ "$line" != bad ] || exit 3').send(alerts("good", "bad", "good"))
    assert (caught.value.delivered, caught.value.permanent) == (1, False)


def test_a_program_that_does_not_end_is_killed_with_all_that_it_started(program, children):
    with pytest.raises(OutputError, match=r"did not end within 0\.1 s"):
        program("sleep 1000 & sleep 1000", timeout=0.1).send(alerts("one"))
    assert not children()


def test_a_program_that_does_not_read_is_not_waited_for(program, children):
    sink = program("exec sleep 1000", keep_alive=True, timeout=0.1)
    with pytest.raises(OutputError, match="takes no more alerts: Connection timed out"):
        sink.send(alerts("x" * 1_000_000))
    assert not children()


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


def test_a_wait_can_be_interrupted(program, children):
    sink = program("exec sleep 1000", timeout=1000)
    # a program that was killed has not taken its alert
    thread = threading.Thread(target=refused, args=(sink, alerts("one")))
    thread.start()
    until(children)
    sink.interrupt()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_program_that_reads_slowly_has_its_time_for_all_of_an_alert(program):
    slow = "import os, time\nwhile os.read(0, 4096): time.sleep(0.05)"
    with pytest.raises(OutputError, match=r"did not end within 0\.2 s"):
        program(f"exec {sys.executable} -c '{slow}'", timeout=0.2).send(alerts("x" * 10_000_000))
    with pytest.raises(OutputError, match="takes no more alerts: Connection timed out"):
        program(f"exec {sys.executable} -c '{slow}'", timeout=0.2, keep_alive=True).send(alerts("x" * 10_000_000))


def test_a_program_that_may_not_be_killed_is_left_behind(program, monkeypatch, caplog):
    def forbidden(_process, _signal):
        raise PermissionError

    monkeypatch.setattr("lanner.outputs.program_output._GRACE", 0.01)
    once, kept = program("exec sleep 1000", timeout=0.1), program("exec sleep 1000", timeout=0.1, keep_alive=True)
    kept.send(alerts("one"))
    left = kept._process
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", forbidden)
        with pytest.raises(OutputError, match=r"cannot be ended and is left running, and left 1 alert unread"):
            kept.close()
        monkeypatch.setattr(once, "_start", lambda: started.append(ProgramOutput._start(once)) or started[-1])
        started = []
        with pytest.raises(OutputError, match=r"did not end within 0\.1 s"):
            once.send(alerts("one"))
    assert "cannot be ended" in caplog.text
    for process in (left, *started):
        process.kill()
        process.wait()


def sent(sink, *lines):
    """Send them as a delivery does: retry from the first that has not arrived. Return the messages."""
    said = []
    while lines:
        try:
            sink.send(alerts(*lines))
        except OutputError as error:
            said.append(str(error))
            lines = lines[error.delivered :]
        else:
            break
    return said


def ended(sink):
    """Wait until the process has ended by itself."""
    os.waitid(os.P_PID, sink._process.pid, os.WEXITED | os.WNOWAIT)


def test_what_a_program_left_unread_goes_to_the_next_one_first(program, tmp_path):
    out = tmp_path / "out"
    sink = program(f'read -r line; echo "$line" >> {out}; exit 1', keep_alive=True)
    sink.send(alerts("one", "two"))
    ended(sink)
    with pytest.raises(OutputError, match=r"ended with status 1, and left 1 alert unread; another one is started") as caught:
        sink.send(alerts("three"))
    assert caught.value.delivered == 0
    assert sent(sink, "three") == [
        f"{sink._shown} takes no more alerts; it ended with status 1, and left 1 alert unread; another one is started"
    ]
    sink.reopen()
    assert lines_in(out, 3) == ["one", "two", "three"]


def test_a_program_that_ends_in_the_midst_of_many_gets_each_once(program, tmp_path):
    out, lines = tmp_path / "out", [f"{number} ".ljust(1000, "x") for number in range(1000)]
    sink = program(
        f'n=0; while [ $n -lt 300 ] && read -r line; do n=$((n + 1)); echo "$line"; done >> {out}; [ $n -lt 300 ]', keep_alive=True
    )
    for place in range(0, 1000, 250):
        for said in sent(sink, *lines[place : place + 250]):
            assert "ended with status 1, and left " in said
    sink.close()
    assert out.read_text().splitlines() == lines


def test_a_program_that_is_stuck_is_replaced_and_no_line_is_cut(program, tmp_path, monkeypatch):
    out, stuck, lines = tmp_path / "out", tmp_path / "stuck", [f"{number} ".ljust(5000, "x") for number in range(100)]
    sink = program(f"[ -e {stuck} ] && exec cat > {out}; touch {stuck}; head -c 8192 > /dev/null; sleep 1000", keep_alive=True)
    sink.send(alerts(lines[0]))
    until(stuck.exists)
    with monkeypatch.context() as patch:
        patch.setattr(sink, "_timeout", 0.2)
        with pytest.raises(OutputError) as caught:
            sink.send(alerts(*lines[1:]))
    said = str(caught.value)
    assert sent(sink, *lines[1 + caught.value.delivered :]) == []
    assert "takes no more alerts: Connection timed out; it was ended by SIGTERM, and left " in said
    sink.close()
    got = out.read_text().splitlines()
    assert got == lines[len(lines) - len(got) :]
    assert len(got) >= len(lines) - 2  # the program may lose what it had read and not written


def test_a_program_can_save_what_it_has_read_when_it_is_ended(program, tmp_path):
    out, reading = tmp_path / "out", tmp_path / "reading"
    save = f'read -r line; trap "echo $line >> {out}; exit" TERM; echo >> {reading}; sleep 1000 & wait'
    sink = program(save, keep_alive=True, timeout=0.1)
    sink.send(alerts("one"))
    lines_in(reading, 1)
    refused(sink, alerts("x" * 1_000_000))
    assert out.read_text() == "one\n"


def test_a_program_that_does_not_start_costs_no_alert(program, tmp_path):
    sink = program(f"sleep 0.1; exec {tmp_path}/notify", keep_alive=True)
    sink.send(alerts("one"))
    ended(sink)
    for _ in range(3):  # nor does the one after it, which is not believed before it has read something
        with pytest.raises(OutputError, match=r"ended with status 127, and left [12] alerts? unread; another one is started"):
            sink.send(alerts("two"))
    (tmp_path / "notify").write_text(f"#!/bin/sh\nexec cat > {tmp_path}/out\n")
    (tmp_path / "notify").chmod(0o755)
    sink.send(alerts("two"))
    sink.close()
    assert (tmp_path / "out").read_text() == "one\ntwo\n"


def test_the_end_of_a_program_can_be_interrupted(program, tmp_path, children):
    read = tmp_path / "read"
    sink = program(f"trap '' TERM; cat > /dev/null; echo >> {read}; sleep 1000", keep_alive=True, timeout=1000)
    sink.send(alerts("one"))
    thread = threading.Thread(target=failing, args=(sink.close,))
    thread.start()
    lines_in(read, 1)
    sink.interrupt()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not children()


def failing(do):
    with pytest.raises(OutputError):
        do()


def test_failures_keep_no_descriptors(program):
    before = count_descriptors()
    gc.disable()
    try:
        for _ in range(10):
            program("exit 0").send(alerts("x" * 1_000_000))
            refused(program("exit 0", keep_alive=True), alerts("x" * 1_000_000))
        check_descriptors(before + 25)  # of the outputs that the test keeps, one each
    finally:
        gc.enable()
