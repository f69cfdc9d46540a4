"""The Python of the page for Go authors is a plugin, its rule raises alerts, and its commands work; a stand-in plays the docker command."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "from-go.md").read_text("utf-8")
COMMANDS = Path(sys.executable).parent
DIE = {
    "Type": "container",
    "Action": "die",
    "Actor": {"ID": "0123456789abcdef", "Attributes": {"exitCode": "7", "image": "busy:1", "name": "one"}},
    "timeNano": 1700000000000000007,
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("from-go")
    (folder / "trial.py").write_text("\n".join(blocks("python")), "utf-8")
    (folder / "trial_rules.yaml").write_text("".join(blocks("yaml")), "utf-8")
    (event,) = blocks("json")
    (folder / "events.jsonl").write_text(event, "utf-8")
    standin = folder / "bin" / "docker"
    standin.parent.mkdir()
    standin.write_text(f"#!/bin/sh\n# a stand-in for docker events\necho '{json.dumps(DIE)}'\n", "utf-8")
    standin.chmod(0o755)
    return folder


@pytest.mark.parametrize("command", [line for block in blocks("sh") for line in block.splitlines()])
def test_each_command_does_what_the_text_says(folder, command):
    path = f"{folder / 'bin'}:{COMMANDS}:{os.environ['PATH']}"
    done = subprocess.run(command, shell=True, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if "run" in command:
        assert done.stdout.endswith("Warning ended with 7 (container=one image=busy:1 id=0123456789ab)\n")
    if "check" in command:
        assert done.stdout == "1 file, 1 rule: no findings\n"
    if "fields" in command:
        assert "trial.short" in done.stdout
    if "build" in command:
        assert (folder / "libtrial.so").stat().st_size > 1000
        assert f"rules_files: [{folder}/trial_rules.yaml]\n" in done.stdout
        assert "has no rules yet" not in done.stdout


def test_the_recording_of_the_checkout_has_as_many_alerts_as_the_text_says(folder):
    command = [COMMANDS / "lanner", "run", "trial.py", "-r", "trial_rules.yaml", "--replay", ROOT / "src/lanner/docker/example.jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "151 events, 5 alerts" in done.stderr


def test_what_was_built_gives_the_same_events_and_fields(folder, run_host, monkeypatch):
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    subprocess.run([COMMANDS / "lanner", "build", "trial.py", "-o", "libtrial.so"], cwd=folder, check=True, capture_output=True)
    report = run_host(folder / "libtrial.so", "--fields", "trial.type,trial.action,trial.exitcode,trial.attributes[image],trial.short")
    assert report["violations"] == []
    (event,) = report["runs"][0]["events"]
    assert event["ts"] == DIE["timeNano"]
    assert event["fields"] == {
        "trial.type": "container",
        "trial.action": "die",
        "trial.exitcode": 7,
        "trial.attributes[image]": "busy:1",
        "trial.short": "0123456789ab",
    }


def test_the_plugin_passes_a_strict_type_checker(folder, known_types):
    known_types(folder)
    checked = [sys.executable, "-m", "mypy", "--strict", "trial.py"]
    done = subprocess.run(checked, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_plugin_passes_pyright(folder):
    pyright = COMMANDS / "pyright"
    if not pyright.exists():
        pytest.skip(f"{pyright} is not installed")
    done = subprocess.run([pyright, "--pythonpath", sys.executable, "trial.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_ctrl_c_ends_the_plugin_without_a_word(folder, monkeypatch):
    standin = folder / "waiting" / "docker"
    standin.parent.mkdir()
    standin.write_text(f"#!/bin/sh\necho '{json.dumps(DIE)}'\nexec sleep 1000\n", "utf-8")
    standin.chmod(0o755)
    monkeypatch.setenv("PATH", f"{standin.parent}:{os.environ['PATH']}")
    command = [COMMANDS / "lanner", "run", "trial.py", "-r", "trial_rules.yaml"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            assert "ended with 7" in process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert [line for line in err.splitlines() if "warning" in line.lower() or "error" in line] == []
