"""The page about testing plugins: its tests pass, are typed, and its commands print alerts with the fields of both plugins."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("testing-plugins")]

PAGE = (Path(__file__).parents[2] / "docs" / "testing-plugins.md").read_text("utf-8")
COMMANDS = Path(sys.executable).parent
NAMES = {
    "python": ["counter.py", "test_counter.py", "owner.py", "test_owner.py", "poller.py", "test_poller.py", "test_one_rule.py"],
    "json": ["events.jsonl", "log.json"],
    "yaml": ["falco.yaml", "owner_rules.yaml"],
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    for language, names in NAMES.items():
        for name, text in zip(names, blocks(language), strict=True):
            (folder / name).write_text(text, "utf-8")
    return folder


def run(folder, *command):
    environment = os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "PYTEST_ADDOPTS": "", "TZ": "UTC"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_tests_of_the_page_pass(folder):
    done = run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.stdout.splitlines()[-1].startswith("7 passed"), done.stdout + done.stderr


def test_its_code_passes_a_strict_type_checker(folder, known_types):
    known_types(folder)
    done = run(folder, sys.executable, "-m", "mypy", "--strict", *NAMES["python"])
    assert done.returncode == 0, done.stdout


def test_its_code_passes_pyright(folder):
    pyright = COMMANDS / "pyright"
    if not pyright.exists():
        pytest.skip(f"{pyright} is not installed")
    done = run(folder, pyright, "--pythonpath", sys.executable, *NAMES["python"])
    assert done.returncode == 0, done.stdout


def test_its_commands_work(folder):
    check, replay = (run(folder, "sh", "-c", line) for block in blocks("sh") for line in block.splitlines())
    assert (check.returncode, check.stdout) == (0, "1 file, 1 rule: no findings\n"), check.stderr
    assert replay.returncode == 0, replay.stderr
    assert replay.stdout == "21:26:39.000000000: Notice container started (team=shop mail=shop@example.com)\n"
