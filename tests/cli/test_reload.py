"""Rules and configuration that change during `lanner run`."""

import json
import os
import select
import signal
from pathlib import Path

import pytest

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

RULE = "- rule: {name}\n  desc: d\n  condition: {condition}\n  output: '{name} %words.text'\n  priority: NOTICE\n  source: {source}\n"
RELOAD_FAILED = "Falco internal: hot restart failure"


@pytest.fixture
def file(tmp_path):
    """A rules file: `file(name)` replaces it as a whole, with a rule of that name on every event."""
    path = tmp_path / "rules.yaml"

    def write(name, condition="evt.num > 0", source="ticks"):
        other = tmp_path / "other"
        other.write_text(RULE.format(name=name, condition=condition, source=source))
        other.rename(path)
        return path

    write("First")
    return write


def told(process, words):
    """Read the process's output until these words appear, and return it."""
    lines = []
    for line in iter(process.stderr.readline, b""):
        lines.append(line.decode())
        if words in lines[-1]:
            return lines
    pytest.fail(f"{words!r} was not said: {lines}")
    return None


def end(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out.decode().splitlines(), err.decode()


def test_no_event_is_lost_or_seen_twice_while_rules_are_loaded_every_100_ms(start, plugin, file):
    path = file("Begin")
    process = start("run", plugin("Ticks"), "-r", path, "--open", "3000")
    lines, names, loaded = [], [], 0
    while len(lines) < 3000:
        lines.append(process.stdout.readline().decode().rstrip())
        if len(lines) % 100 == 0:
            loaded += 1
            file(f"Number {loaded}")
    more, _ = end(process)
    names = {line.partition("Notice ")[2].rpartition(" ")[0] for line in lines}
    assert [int(line.rpartition(" ")[2]) for line in lines] == list(range(3000))
    assert more == []
    assert len(names) > 5


def test_sighup_loads_again(start, plugin, file):
    process = start(
        "run", plugin("Ticks"), "-r", file("First"), "-o", "watch_config_files=false", "-o", "log_level=info", "--open", "1000000"
    )
    assert b"First" in process.stdout.readline()
    file("Second")
    process.send_signal(signal.SIGHUP)
    for line in iter(process.stdout.readline, b""):
        if b"Second" in line:
            break
    _, err = end(process)
    assert "reload failed" not in err


@pytest.mark.parametrize("layout", ["text", "json"])
def test_wrong_rules_change_nothing_and_raise_an_alert(start, plugin, file, layout):
    process = start("run", plugin("Ticks"), "-r", file("First"), "--format", layout, "--open", "1000000")
    assert b"First" in process.stdout.readline()
    file("Second", condition="evt.nun = 1")
    for line in iter(process.stdout.readline, b""):
        assert b"Second 0" not in line
        if RELOAD_FAILED.encode() in line:
            break
    assert b"Did you mean evt.num?" in line
    if layout == "json":
        alert = json.loads(line)
        assert (alert["rule"], alert["priority"], alert["source"], alert["output_fields"]) == (RELOAD_FAILED, "Critical", "internal", {})
        assert alert["output"].startswith(f"{RELOAD_FAILED}: the rules have 1 error: ")
    else:
        assert b": Critical " + RELOAD_FAILED.encode() + b": the rules have 1 error: " in line
    assert b"First" in process.stdout.readline()
    file("Third")
    for line in iter(process.stdout.readline, b""):
        if b"Third" in line:
            break
    _, err = end(process)
    assert "error: reload failed, keeping the current configuration: the rules have 1 error\n" in err
    assert err.count("evt.nun") == 2, err  # a finding names the field and shows its line


def test_outputs_change_with_the_configuration_and_no_alert_is_lost(start, plugin, file, tmp_path):
    rules, config = file("Any"), tmp_path / "falco.yaml"

    def configure(name):
        config.write_text(
            f"plugins: [{{name: ticks, library_path: '{plugin('Ticks')}', open_params: '2000'}}]\nrules_files: [{rules}]\n"
            f"file_output: {{enabled: true, filename: '{tmp_path}/{name}', keep_alive: true}}\nlog_level: info\n"
        )

    configure("a.log")
    process = start("run", "-c", config)
    told(process, "watching")
    configure("b.log")
    told(process, "reloaded: 1 rule")
    written = tmp_path / "b.log"
    while not (written.exists() and b" 1999\n" in written.read_bytes()):
        assert process.poll() is None
        select.select([], [], [], 0.02)
    end(process)
    numbers = [int(line.rpartition(" ")[2]) for name in ("a.log", "b.log") for line in (tmp_path / name).read_text().splitlines()]
    assert numbers == list(range(2000))


def test_what_takes_a_restart_is_said(start, plugin, file, tmp_path):
    config, rules = tmp_path / "falco.yaml", file("Any")
    text = f"plugins: [{{name: ticks, library_path: '{plugin('Ticks')}', open_params: '5'}}]\nrules_files: [{rules}]\nstdout_output: {{enabled: true}}\n"
    config.write_text(text)
    process = start("run", "-c", config)
    told(process, "watching")
    config.write_text(text.replace("'5'", "'6'") + "webserver: {listen_port: 1}\nlanner: {state_directory: /elsewhere}\n")
    said = told(process, "a change of $.lanner.state_directory takes effect at the next start")
    assert any("a change of $.webserver takes effect at the next start" in line for line in said)
    assert any("its open_params takes effect at the next start" in line for line in said)
    end(process)


def reload_often(start, plugin, file, times):
    """Have rules loaded this number of times; the resident memory (KiB) and descriptors after a tenth of them, and at the end."""
    process = start("run", plugin("Ticks"), "-r", file("Any"), "-o", "watch_config_files=false", "--open", "1")
    told(process, "watching")
    seen = []
    for number in range(times):
        process.send_signal(signal.SIGHUP)
        told(process, "reloaded: 1 rule")
        if number + 1 in {times // 10, times}:
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory = int(status.partition("VmRSS:")[2].split()[0])
            seen.append((memory, len(list(Path(f"/proc/{process.pid}/fd").iterdir()))))
    end(process)
    return seen


def check_growth(seen):
    (memory, descriptors), (memory_after, descriptors_after) = seen
    assert descriptors_after <= descriptors
    # Python's own tables grow by a MiB or two at a time, and seldom
    assert memory_after < memory + 4096


def test_reloads_leave_nothing_behind(start, plugin, file):
    check_growth(reload_often(start, plugin, file, 60))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_reloads_leave_nothing_behind(start, plugin, file):
    check_growth(reload_often(start, plugin, file, 10_000))


@pytest.mark.parametrize("change", ["truncated", "deleted", "pipe", "device", "disabled", "another source"])
def test_a_reload_that_leaves_no_rule_has_failed_and_the_rules_stay(start, plugin, file, change):
    path = file("First")
    process = start("run", plugin("Ticks"), "-r", path, "-o", "watch_config_files=false", "--open", "1000000")
    assert b"First" in process.stdout.readline()
    if change == "truncated":
        path.write_text("")
    elif change == "disabled":
        path.write_text(path.read_text() + "  enabled: false\n")
    elif change == "another source":
        file("Second", source="other")
    else:
        path.unlink()
        if change == "pipe":
            os.mkfifo(path)
        elif change == "device":
            path.symlink_to("/dev/zero")
    process.send_signal(signal.SIGHUP)
    lines = iter(process.stdout.readline, b"")
    assert any(RELOAD_FAILED.encode() in line for line in lines)
    assert b"First" in next(line for line in lines if RELOAD_FAILED.encode() not in line)
    process.kill()
