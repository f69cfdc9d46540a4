"""The page about testing rules: its commands print what it says, and its tests pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "testing-rules.md").read_text("utf-8")
COMMANDS = Path(sys.executable).parent


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    for name, text in zip(
        ("shop_rules.yaml", "shop_rules_test.yaml", "events.jsonl", "conftest.py", "test_shop.py"),
        blocks("yaml") + blocks("json") + blocks("python"),
        strict=True,
    ):
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(("command", "printed"), list(zip(blocks("sh"), blocks("text"), strict=True)))
def test_each_command_prints_what_the_page_says(folder, command, printed):
    environment = os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}"}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_the_tests_of_the_page_pass(folder):
    command = [sys.executable, "-m", "pytest", "-q", "test_shop.py"]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTEST_ADDOPTS": ""}, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("3 passed"), done.stdout + done.stderr
