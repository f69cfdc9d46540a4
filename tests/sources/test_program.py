"""`program` gives the lines of a program, starts it again when it ends, and leaves no process."""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

import lanner
from lanner import sources
from lanner.sources import programs

from ..waiting import PATIENCE, is_running
from .conftest import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(programs, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(programs, "_LONGEST_PAUSE", 0.05)


def shell(text, **options):
    return returned(["/bin/sh", "-c", text], **options)


def returned(command, **options):
    return lambda self, params: sources.program(command, **options)


def yielded(command, **options):
    def opening(self, params):
        yield from sources.program(command, **options)

    return opening


def to_its_end(source):
    while not source.next_batch(PATIENCE).ended:
        pass


@pytest.mark.parametrize("opening", [returned, yielded])
def test_each_line_is_an_event(reading, opening):
    run = reading(opening(["/bin/sh", "-c", "echo one; echo; printf 'two\\nthree'; exec sleep 60"]))
    assert run.read(2) == ["one", "two"]
    assert run.source.connections == {"sh": True}


def test_the_words_reach_the_program_without_a_shell(reading):
    words = ["$HOME", "a b", ";", "*", ""]
    run = reading(returned([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words], restart="never"))
    assert run.read(1) == [str(words)]


def test_directory_and_environment_are_those_asked_for(reading, tmp_path):
    run = reading(shell("pwd; echo $NAME", cwd=str(tmp_path), env={"NAME": "value"}, restart="never"))
    assert run.read(2) == [str(tmp_path), "value"]


def test_it_is_started_again_after_growing_pauses(reading, caplog, monkeypatch):
    pauses = []
    monkeypatch.setattr(programs.Backoff, "next", lambda self: pauses.append(self.pause) or 0.0)
    run = reading(shell("echo $$; exit 3"))
    found = run.read(3)
    assert len(set(found)) == 3
    assert run.source.counters["program restarts"] >= 2
    assert "the program /bin/sh ended with status 3; it is started again in 0.0 s" in caplog.text
    assert caplog.text.count("it is started again") == 1, "once a minute"


def test_an_unfinished_last_line_is_a_line(reading):
    run = reading(shell("printf 'a\\nb'", restart="never"))
    assert run.read(2) == ["a", "b"]
    assert run.source.next_batch(PATIENCE).ended


@pytest.mark.parametrize(
    ("restart", "status", "ends"),
    [("never", 0, None), ("never", 3, "the program /bin/sh ended with status 3"), ("on-failure", 0, None)],
)
def test_a_program_that_is_not_started_again_ends_the_source(reading, restart, status, ends):
    run = reading(shell(f"echo a; exit {status}", restart=restart))
    assert run.read(1) == ["a"]
    with contextlib.nullcontext() if ends is None else pytest.raises(lanner.SourceError, match=ends):
        to_its_end(run.source)


@pytest.mark.parametrize("opening", [returned, yielded])
def test_the_last_line_of_a_program_that_fails_comes_before_the_error(reading, opening):
    run = reading(opening(["/bin/sh", "-c", "printf last; exit 3"], restart="never"))
    assert run.read(1) == ["last"]
    with pytest.raises(lanner.SourceError, match="ended with status 3"):
        to_its_end(run.source)


def test_a_program_that_fails_is_started_again_on_failure(reading, tmp_path):
    run = reading(shell(f"echo a; [ -e {tmp_path}/once ] && exit 0; touch {tmp_path}/once; kill -9 $$", restart="on-failure"))
    assert run.read(2) == ["a", "a"]
    to_its_end(run.source)


def test_a_program_that_exits_with_success_is_not_ended_by_a_signal(reading):
    for _ in range(20):
        run = reading(shell("echo a", restart="never"))
        assert run.read(1) == ["a"]
        to_its_end(run.source)


@pytest.mark.parametrize("opening", [returned, yielded])
def test_a_program_that_cannot_be_started_is_an_error_at_the_start(reading, opening, tmp_path):
    (tmp_path / "no").touch()
    for command, said in (
        (["/no/such"], "no such file or directory"),
        ([str(tmp_path / "no")], "permission denied"),
        (["a\0"], "null byte"),
    ):
        with pytest.raises(lanner.SourceError, match=said):
            reading(opening(command)).source.next_batch(PATIENCE)


def test_its_standard_error_goes_to_the_log(reading, caplog):
    caplog.set_level(logging.INFO)
    run = reading(shell("printf 'hello \\033[31m\\n' >&2; echo a; exec sleep 60"))
    run.read(1)
    eventually(lambda: run.source.next_batch(0.01) and "hello" in caplog.text)
    (record,) = [record for record in caplog.records if "hello" in record.getMessage()]
    assert record.name == "lanner.plugin.lines"
    assert "\033" not in record.getMessage()


def test_the_last_error_of_a_program_needs_no_newline(reading, caplog):
    caplog.set_level(logging.INFO)
    run = reading(shell("printf 'fatal: no' >&2"))
    eventually(lambda: run.source.next_batch(0.01) and caplog.text.count("sh: fatal: no\n") > 1)
    assert "nofatal" not in caplog.text


def test_an_error_that_is_too_long_is_counted(reading):
    run = reading(shell("head -c 20000 /dev/zero | tr '\\0' x >&2; echo >&2; echo a; exec sleep 60"))
    run.read(1)
    eventually(lambda: run.source.next_batch(0.01) and run.source.counters.get("messages dropped") == 1)


def test_a_program_that_writes_errors_without_end_does_not_hide_its_lines(reading, caplog):
    caplog.set_level(logging.INFO)
    run = reading(shell("yes error >&2 & while :; do echo line; done"))
    assert run.read(1000) == ["line"] * 1000
    eventually(lambda: run.source.next_batch(0.01) and run.source.counters.get("messages dropped", 0) > 0)
    assert len(caplog.records) <= 120


def test_a_line_that_is_too_long_is_dropped_and_counted(reading):
    run = reading(returned([sys.executable, "-uc", "print('x' * 100_000); print('a'); import time; time.sleep(60)"], max_line=1024))
    assert run.read(1) == ["a"]
    assert run.source.counters == {"lines too long": 1}


# children, and the end


@pytest.mark.parametrize("opening", [returned, yielded])
@pytest.mark.parametrize("text", ["exec sleep 60", "sleep 60 & sleep 60", "trap '' TERM; sleep 60 & wait; sleep 60", "kill -STOP $$"])
def test_closing_leaves_no_process(reading, opening, text):
    run = reading(opening(["/bin/sh", "-c", f"echo $$; {text}"]))
    group = int(run.read(1)[0])
    begin = time.monotonic()
    run.source.close()
    assert time.monotonic() - begin < 20  # 0.1 s on an idle machine
    assert not is_running(group)
    eventually(lambda: processes_of(group) == [])
    assert run.source.connections == {}


def processes_of(group):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, _, of = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append(int(process.name))
    return found


def test_a_source_that_nothing_reads_is_ended_as_well(reading):
    """A built library closes the program in the thread that reads it."""
    made = []

    def opening(self, params):
        made.append(sources.program(["/bin/sh", "-c", "echo $$; exec sleep 60"]))
        return made[0]

    run = reading(opening)
    pid = int(run.read(1)[0])
    made[0].close()
    assert not is_running(pid)


def test_a_child_that_keeps_the_output_open_does_not_hide_the_end_of_the_program(reading):
    run = reading(shell("sleep 60 & echo $$"))
    first, second = map(int, run.read(2))
    assert first != second
    eventually(lambda: processes_of(first) == [])


def test_a_child_in_another_session_does_not_hide_it_either(reading):
    run = reading(shell("setsid sleep 60 & echo $$ $!"))
    first, second = run.read(2)
    assert first.split()[0] != second.split()[0]
    run.close()
    for each in (first, second):
        with contextlib.suppress(ProcessLookupError):  # it was ended before it had a session
            os.kill(int(each.split()[1]), signal.SIGKILL)


def test_a_program_that_is_killed_is_started_again_and_loses_no_whole_line(reading):
    run = reading(shell("echo $$; exec sleep 60"))
    for _ in range(3):
        os.kill(int(run.read(1)[0]), signal.SIGKILL)
    run.read(1)


def test_closing_ends_the_pause_before_the_next_start(reading, monkeypatch):
    monkeypatch.setattr(programs, "_FIRST_PAUSE", 3600.0)
    run = reading(shell("echo a"))
    run.read(1)
    waiting = threading.Thread(target=run.source.next_batch, args=[PATIENCE])
    waiting.start()
    run.close()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()


@pytest.mark.parametrize("command", ["ls -l", [], ["ls", 5]])
def test_a_command_that_is_no_list_of_texts_is_refused(command):
    with pytest.raises(lanner.UsageError, match="program: the command must be a list of strings"):
        sources.program(command)


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="max_line is 10"):
        sources.program(["ls"], max_line=10)
    with pytest.raises(ValueError, match="restart is 'no'; it must be 'always', 'on-failure' or 'never'"):
        sources.program(["ls"], restart="no")
