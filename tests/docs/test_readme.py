"""The README's plugin is the example, has twelve lines, and raises the alert that the README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = Path(sys.executable).parent


def block(language):
    (text,) = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return text


def test_the_first_thing_on_the_page_is_the_two_commands():
    assert [line.split("#")[0].strip() for line in README.splitlines() if line][1:3] == ["make run", "make test"]


def test_the_plugin_is_the_example():
    example = (ROOT / "examples" / "doors.py").read_text("utf-8")
    assert example.split('"""', 2)[2].strip() == block("python").strip()
    assert (ROOT / "examples" / "doors_rules.yaml").read_text("utf-8") == block("yaml")


def test_the_plugin_has_twelve_lines():
    assert len([line for line in block("python").splitlines() if line.strip()]) == 12


def test_the_command_prints_the_alert():
    environment = os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "TZ": "UTC"}
    done = subprocess.run(block("sh"), shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == block("text")


def test_the_plugin_builds_for_falco(tmp_path):
    command = [COMMANDS / "lanner", "build", ROOT / "examples" / "doors.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "libdoors.so").is_file()
