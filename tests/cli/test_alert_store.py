"""`lanner run` with `lanner.store_output`: every alert is stored with all its parts, from any kind of run."""

import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..alerts.reading import ask, lines
from ..outputs.standins import small_file_system
from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

ALL_MEMBERS = ("-o", "json_output=true", "-o", "json_include_message_property=true")
BARE = [option for name in ("output", "tags", "output_fields", "message") for option in ("-o", f"json_include_{name}_property=false")]


def storing(path, *options):
    return "-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={path}", *options


@pytest.fixture(scope="module")
def whole(lanner, example):
    """The lines of the recorded alerts, as JSON with all members."""
    return lanner("run", "docker", "--replay", example, *ALL_MEMBERS).lines


@pytest.mark.parametrize(
    "options",
    [(), ALL_MEMBERS, ("-o", "json_output=true", *BARE), ("--jobs", "2"), ("--executor", "python")],
    ids=["text", "json", "bare json", "jobs", "python"],
)
def test_a_replay_stores_whole_alerts_for_each_printed_form(lanner, example, whole, tmp_path, options):
    plain = lanner("run", "docker", "--replay", example, *options)
    done = lanner("run", "docker", "--replay", example, *options, *storing(tmp_path / "store"))
    assert done.code == 0, done.err
    assert done.out == plain.out
    assert lines(tmp_path / "store") == whole
    assert [row[0] for row in ask(tmp_path / "store", "SELECT sequence FROM alerts ORDER BY id")] == [*range(1, len(whole) + 1)]


def test_events_and_rules_files_are_stored_with_the_run(lanner, example, tmp_path):
    lanner("run", "docker", "--replay", example, *storing(tmp_path / "store"))
    events = set(example.read_bytes().splitlines())
    assert {row[0] for row in ask(tmp_path / "store", "SELECT payload FROM events")} <= events
    ((key, plugin, about),) = ask(tmp_path / "store", "SELECT key, plugin, about FROM runs")
    about = json.loads(about)
    assert (len(key), plugin, about["target"], about["source"], about["replay"]) == (8, "docker", "docker", "docker", str(example))
    (rules,) = about["rules"]
    ((digest, content),) = ask(tmp_path / "store", "SELECT * FROM rules_files")
    assert digest == rules["sha256"] == hashlib.sha256(content).hexdigest()
    assert Path(rules["path"]).read_bytes() == content


def test_replays_into_the_same_store_follow_each_other(lanner, example, whole, tmp_path):
    for _ in range(2):
        lanner("run", "docker", "--replay", example, *storing(tmp_path / "store"))
    assert lines(tmp_path / "store") == whole * 2
    assert [row[0] for row in ask(tmp_path / "store", "SELECT first FROM runs ORDER BY id")] == [1, 1 + len(whole)]


def test_a_live_run_stores_its_alerts_and_each_load_of_rules(start, plugin, rules, tmp_path):
    path = rules("ticks")
    process = start("run", plugin("Ticks"), "-r", path, "--open", "1000000", *storing(tmp_path / "store"))
    printed = [process.stdout.readline() for _ in range(50)]
    path.write_text(path.read_text().replace("Something", "Otherwise"))
    process.send_signal(signal.SIGHUP)
    while b"reloaded: 1 rule" not in process.stderr.readline():
        pass
    while b"Otherwise" not in b"".join(row[0] for row in ask(tmp_path / "store", "SELECT line FROM alerts")):
        printed.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    printed += process.stdout.read().splitlines()
    assert process.wait(PATIENCE) == 0
    assert len(lines(tmp_path / "store")) == len(printed)
    numbers = [row[0] for row in ask(tmp_path / "store", "SELECT sequence FROM alerts ORDER BY id")]
    assert numbers == [*range(1, len(printed) + 1)]
    loads = ask(tmp_path / "store", "SELECT key, about FROM runs ORDER BY id")
    assert len({key for key, _ in loads}) == 1
    digests = [json.loads(about)["rules"][0]["sha256"] for _, about in loads]
    assert digests[0] != digests[-1]
    assert {row[0] for row in ask(tmp_path / "store", "SELECT sha256 FROM rules_files")} == {*digests}


def test_a_dry_run_creates_no_store_and_tells_what_a_run_would(lanner, tmp_path):
    done = lanner("run", "docker", "--dry-run", *storing(tmp_path / "store"))
    assert done.code == 0
    assert not (tmp_path / "store").exists()
    (tmp_path / "file").touch()
    for dry in ((), ("--dry-run",)):
        done = lanner("run", "docker", "--replay", "example", *dry, *storing(tmp_path / "file"))
        assert (done.code, done.out) == (1, b"")
        assert "choose a directory: a part of this path is a file" in done.err or "choose a directory: this is a file" in done.err


def test_a_store_in_use_is_an_error_that_names_the_process(lanner, tmp_path):
    code = "import sys; from lanner.alerts.writer import StoreWriter; StoreWriter(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        for dry in ((), ("--dry-run",)):
            done = lanner("run", "docker", "--replay", "example", *dry, *storing(tmp_path))
            assert done.code == 1
            assert f"is in use by process {holder.pid} (" in done.err
            assert f"{tmp_path}" in done.err
        holder.communicate()


def test_a_store_without_a_path_is_refused(lanner):
    done = lanner("run", "docker", "--replay", "example", "-o", "lanner.store_output.enabled=true")
    assert done.code == 1
    assert "$.lanner.store_output.path is empty: write the directory for the store" in done.err


def test_the_state_of_a_run_is_in_the_store_until_and_after_its_end(start, plugin, rules, tmp_path):
    process = start("run", plugin("Ticks"), "-r", rules("ticks"), "--open", "1000000", *storing(tmp_path))
    for _ in range(100):
        process.stdout.readline()
    states = []
    while not states or not states[-1]["events"]:
        if (tmp_path / "run.json").exists():
            states.append(json.loads((tmp_path / "run.json").read_bytes()))
    process.send_signal(signal.SIGINT)
    printed = 100 + len(process.stdout.read().splitlines())
    assert process.wait(PATIENCE) == 0
    last = json.loads((tmp_path / "run.json").read_bytes())
    assert (states[-1]["pid"], states[-1]["ended"], states[-1]["plugin"]) == (process.pid, None, "ticks")
    assert states[-1]["last_event"] <= states[-1]["written"] <= last["ended"]
    assert last["matches"][0]["count"] == last["events"] == last["raised"] == printed
    assert last["outputs"]["store_output"]["delivered"] == printed
    assert last["run"] == ask(tmp_path, "SELECT key FROM runs")[0][0]
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_the_next_run_tells_what_a_killed_run_has_not_stored(lanner, start, plugin, rules, tmp_path):
    process = start("run", plugin("Ticks"), "-r", rules("ticks"), "--open", "1000000", *storing(tmp_path))
    for _ in range(100):
        process.stdout.readline()
    while not (tmp_path / "run.json").exists():
        pass
    process.kill()
    process.wait()
    done = lanner("run", "docker", "--replay", "example", *storing(tmp_path))
    assert done.code == 0
    assert f"the last run (process {process.pid}) was killed: " in done.err
    assert "missing in the alert store" in done.err
    done = lanner("run", "docker", "--replay", "example", *storing(tmp_path))
    assert "was killed" not in done.err
    keys = ask(tmp_path, "SELECT key, sequence FROM alerts JOIN runs ON runs.id = run ORDER BY alerts.id")
    for run in {key for key, _ in keys}:
        numbers = [sequence for key, sequence in keys if key == run]
        assert numbers == [*range(1, len(numbers) + 1)]


def test_a_reload_moves_to_another_store_and_enables_it(start, plugin, rules, tmp_path):
    config = tmp_path / "falco.yaml"
    block = "stdout_output: {{enabled: true}}\nlanner: {{store_output: {{enabled: {}, path: {}}}}}\n"
    config.write_text(block.format("false", tmp_path / "first"))
    process = start("run", plugin("Ticks"), "-c", config, "-r", rules("ticks"), "--open", "1000000")
    process.stdout.readline()
    for name in ("first", "second"):
        config.write_text(block.format("true", tmp_path / name))
        process.send_signal(signal.SIGHUP)
        while not (tmp_path / name).exists() or not lines(tmp_path / name):
            process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(PATIENCE) == 0, process.stderr.read()
    first, second = (ask(tmp_path / name, "SELECT sequence FROM alerts ORDER BY id") for name in ("first", "second"))
    assert [row[0] for row in (*first, *second)] == [*range(1, len(first) + len(second) + 1)]
    assert all(json.loads((tmp_path / name / "run.json").read_bytes())["ended"] for name in ("first", "second"))


def test_a_full_disk_costs_only_the_history(start, plugin, rules, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_file_system(disk, "2m"):
        long = "-o", "append_output[].extra_output=" + "x" * 5000
        process = start("run", plugin("Ticks"), "-r", rules("ticks"), "--open", "1000000", *storing(disk / "store", *long))
        while b"the disk is full: free some space" not in process.stderr.readline():
            pass
        printed = [process.stdout.readline() for _ in range(1000)]
        process.send_signal(signal.SIGINT)
        printed += process.stdout.read().splitlines()
        err = process.stderr.read().decode()
        assert process.wait(PATIENCE) == 1
        stored = len(lines(disk / "store"))
    lost = re.search(r"store_output: ([0-9,]+) alerts? could not be delivered and (?:is|are) lost: .*the disk is full", err)
    assert lost, err
    assert int(lost[1].replace(",", "")) + stored == len(printed)


@pytest.mark.parametrize("stored", [False, True])
def test_a_python_without_sqlite3_runs_without_a_store(tmp_path, stored):
    code = "import sys; sys.modules['sqlite3'] = None; from lanner.cli.main import main; main()"
    options = storing(tmp_path / "store") if stored else ()
    command = [sys.executable, "-c", code, "run", "docker", "--replay", "example", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == stored, done.stderr
    assert ("$.lanner.store_output needs Python's sqlite3, which this Python lacks" in done.stderr) == stored


def test_a_store_on_a_read_only_file_system_is_refused(lanner, tmp_path):
    with small_file_system(tmp_path):
        if subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=False).returncode:
            pytest.skip("needs the right to mount a file system")
        for dry in ((), ("--dry-run",)):
            for path in (tmp_path, tmp_path / "store"):
                done = lanner("run", "docker", "--replay", "example", *dry, *storing(path))
                assert done.code == 1
                assert "Read-only file system; choose a directory on a file system that can be written" in done.err


def test_a_run_whose_plugin_does_not_end_has_recorded_its_end(lanner, start, plugin, rules, tmp_path):
    process = start("run", plugin("Stuck"), "-r", rules("stuck"), "--open", "chunks", *storing(tmp_path))
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(PATIENCE) == 1
    assert json.loads((tmp_path / "run.json").read_bytes())["ended"]
    assert "was killed" not in lanner("run", "docker", "--replay", "example", *storing(tmp_path)).err
