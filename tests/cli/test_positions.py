"""A run stores the position of its source once the alerts are delivered, and the next one resumes there."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ..waiting import PATIENCE
from .conftest import ENVIRONMENT, LANNER

pytestmark = pytest.mark.slow

COUNTS = str(Path(__file__).parents[1] / "data" / "plugins" / "counts.py")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def command(state, rules):
    """`command(*options)`: the command line, with its state here."""

    def make(*options, to=None):
        return ["run", COUNTS, "-r", rules("counts", output="%counts.number"), "-o", f"lanner.state_directory={to or state}", *options]

    return make


def numbers(lines):
    return [int(line.rpartition("got ")[2]) for line in lines]


def stored(state):
    try:
        return json.loads((state / "counts.position").read_text())["position"]
    except FileNotFoundError:
        return 0


def eventually(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_next_run_resumes_where_the_last_one_ended(lanner, command, state):
    for last, expected in ((3, [1, 2, 3]), (5, [4, 5]), (5, [])):
        done = lanner(*command("--open", f"{last} ends"))
        assert (done.code, numbers(done.lines)) == (0, expected), done.err
        assert stored(state) == last


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_a_signal_ends_repeats_and_loses_nothing(start, command, state, number):
    for last in (3, 6):
        process = start(*command("--open", str(last)))
        assert numbers(process.stdout.readline().decode() for _ in range(3)) == list(range(last - 2, last + 1))
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (0, b"")
        assert stored(state) == last


def test_max_events_ends_at_the_position_of_that_very_event(lanner, command, state):
    found = []
    for _ in range(3):
        done = lanner(*command("--max-events", "3"))
        found += numbers(done.lines)
        assert stored(state) == len(found)
    assert found == list(range(1, 10))


def test_a_killed_run_loses_nothing_and_repeats_what_was_not_stored(command, state, tmp_path):
    alerts = tmp_path / "alerts"
    last = 0
    for _ in range(5):
        with alerts.open("wb") as out:
            process = subprocess.Popen(
                [LANNER, *map(str, command())], env=ENVIRONMENT, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
            )
        before = stored(state)
        eventually(lambda before=before: stored(state) > before)
        process.kill()
        process.wait()
        whole = alerts.read_bytes().rpartition(b"\n")[0].decode().splitlines()
        seen = numbers(whole)
        assert seen == list(range(before + 1, before + 1 + len(seen))), "in order, from the stored position on"
        assert before + 1 <= last + 1, "none is lost between two runs"
        assert stored(state) <= seen[-1], "what is stored was delivered"
        last = seen[-1]


def test_alerts_that_cannot_be_delivered_are_not_stored(start, command, state, listen):
    """An HTTP server that is down: nothing is stored, so that the next run raises the alerts again."""
    process = start(
        *command(
            "--open",
            "3",
            "-o",
            "stdout_output.enabled=false",
            "-o",
            "http_output.enabled=true",
            "-o",
            "http_output.url=http://127.0.0.1:9/",
        )
    )
    told = iter(process.stderr.readline, b"")
    assert any(b"127.0.0.1:9" in line for line in told)
    process.kill()
    process.communicate()
    assert stored(state) == 0


def test_from_start_ignores_the_stored_position(lanner, command, state):
    lanner(*command("--open", "3 ends"))
    done = lanner(*command("--open", "4 ends", "--from-start"))
    assert numbers(done.lines) == [1, 2, 3, 4]
    assert stored(state) == 4


def test_without_a_state_directory_each_run_is_the_first(lanner, command, state):
    for _ in range(2):
        assert numbers(lanner(*command("--open", "2 ends", to="none")).lines) == [1, 2]
    assert not state.exists()


def test_a_replay_neither_reads_nor_stores_a_position(lanner, command, state, tmp_path):
    recording = tmp_path / "events"
    assert lanner("record", COUNTS, "-o", recording, "--open", "3 ends").code == 0
    lanner(*command("--open", "2 ends"))
    assert numbers(lanner(*command("--replay", recording)).lines) == [1, 2, 3]
    assert stored(state) == 2
    done = lanner(*command("--replay", recording, "--from-start"))
    assert (done.code, "--from-start" in done.err) == (2, True)


def test_a_second_run_is_refused_as_long_as_the_first_one_runs(start, lanner, command):
    process = start(*command("--open", "1"))
    process.stdout.readline()
    done = lanner(*command("--open", "1"))
    assert (done.code, done.out) == (3, b"")
    assert "is in use by another run of the plugin: name another directory ($.lanner.state_directory" in done.err
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert lanner(*command("--open", "1 ends")).code == 0


def test_a_directory_that_cannot_be_written_is_an_error_with_its_fix(lanner, command, tmp_path):
    (tmp_path / "file").touch()
    done = lanner(*command("--open", "1 ends", to=tmp_path / "file"))
    assert (done.code, done.out) == (3, b"")
    assert f"cannot write the position {tmp_path}/file/counts.position" in done.err
    assert "or `none` to store no position" in done.err


def test_a_damaged_file_is_a_warning_and_kept(lanner, command, state):
    lanner(*command("--open", "2 ends"))
    (state / "counts.position").write_text("{")
    done = lanner(*command("--open", "2 ends"))
    assert (done.code, numbers(done.lines)) == (0, [1, 2])
    assert "cannot read the position" in done.err
    assert (state / "counts.position.bad").read_text() == "{"


def test_doctor_checks_the_directory(lanner, state, tmp_path):
    def examine(directory):
        done = lanner("doctor", COUNTS, "--json", env={"LANNER_STATE_DIRECTORY": str(directory)})
        (found,) = next(check["findings"] for check in json.loads(done.out)["checks"] if check["check"] == "position")
        return found["level"], found["text"]

    assert examine(state) == ("ok", f"the position of counts is stored in {state}")
    assert not state.exists()
    assert examine("none") == ("ok", "the position of counts is not stored (`none`)")
    (tmp_path / "file").touch()
    level, text = examine(tmp_path / "file" / "state")
    assert (level, text.partition(": ")[0]) == ("problem", f"the position of counts cannot be written to {tmp_path}/file/state")


def test_from_start_is_refused_for_a_plugin_without_positions(lanner, plugin, rules):
    done = lanner("run", plugin("Words"), "-r", rules("words"), "--from-start")
    assert done.code == 2
    assert "the plugin words does not resume at a stored position: leave out --from-start" in done.err
