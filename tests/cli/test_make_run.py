"""`make run`: when a replay replaces an engine, with which options, and the message if Python is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
_CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}


@pytest.fixture
def run_docker(tmp_path):
    """`run_docker(*arguments)`: the tool with a `lanner` that can open nothing but recordings, and says what it was asked."""
    lanner = tmp_path / ".venv" / "bin" / "lanner"
    lanner.parent.mkdir(parents=True)
    lanner.write_text('#!/bin/bash\nprintf "%s|" "$@"; echo\n[[ $* = *--replay* ]] || exit 3\n')
    lanner.chmod(0o755)
    tool = tmp_path / "tools" / "run-docker"
    tool.parent.mkdir()
    shutil.copy(TOOLS / "run-docker", tool)

    def run(*arguments, **env):
        return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, env=_CLEAN | env, timeout=30)

    return run


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="an engine may be here")
def test_the_replay_that_stands_in_has_the_same_options(run_docker):
    done = run_docker("-r", "my rules.yaml", "--format", "json")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "run|docker|-r|my rules.yaml|--format|json|",
        "run|docker|-r|my rules.yaml|--format|json|--replay|example|",
    ]
    assert done.stderr.splitlines()[-1].endswith("lanner doctor docker")


@pytest.mark.parametrize(
    "arguments", [["--host", "tcp://127.0.0.1:1"], ["--host=tcp://127.0.0.1:1"], ["--config", "{}"], ["-c", "falco.yaml"]]
)
def test_an_engine_that_was_named_is_not_replaced(run_docker, arguments):
    done = run_docker(*arguments)
    assert (done.returncode, len(done.stdout.splitlines())) == (3, 1)


def test_an_error_of_the_user_ends_it(run_docker, tmp_path):
    lanner = tmp_path / ".venv" / "bin" / "lanner"
    lanner.write_text("#!/bin/bash\necho asked\nexit 2\n")
    done = run_docker("--open", "since=abc")
    assert (done.returncode, done.stdout, done.stderr) == (2, "asked\n", "")


def test_nor_is_one_that_the_environment_names(run_docker):
    assert run_docker(DOCKER_HOST="tcp://127.0.0.1:1").returncode == 3
    assert run_docker(DOCKER_CONTEXT="far").returncode == 3


def test_a_python_that_is_not_there_is_said_and_nothing_is_installed():
    done = subprocess.run(
        [TOOLS / "setup", "run"], capture_output=True, text=True, check=False, env=os.environ | {"PYTHON": "/nonexistent"}, timeout=30
    )
    assert done.returncode == 1
    assert done.stderr == "setup: no such Python: /nonexistent (from PYTHON). Name an installed one, or unset PYTHON\n"
