"""`make run`: when a replay replaces an engine, with which options, and the message if Python is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

TOOLS = Path(__file__).parents[2] / "tools"
_CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}


@pytest.fixture
def run_docker(tmp_path):
    """`run_docker(*arguments)`: the tool with a `lanner` that can open nothing but recordings, and says what it was asked."""
    lanner = tmp_path / ".venv" / "bin" / "lanner"
    lanner.parent.mkdir(parents=True)
    lanner.write_text(
        '#!/bin/bash\nprintf "%s|" "$@"; echo\n[[ $* = *--replay* ]] || { echo "lanner: error: no Docker engine at x" >&2; exit 3; }\n'
    )
    lanner.chmod(0o755)
    tool = tmp_path / "tools" / "run-docker"
    tool.parent.mkdir()
    shutil.copy(TOOLS / "run-docker", tool)

    def run(*arguments, **env):
        return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, env=_CLEAN | env, timeout=PATIENCE)

    return run


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="an engine may be here")
def test_the_replay_that_stands_in_has_the_same_options(run_docker):
    done = run_docker("-r", "my rules.yaml", "--format", "json")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "run|docker|-r|my rules.yaml|--format|json|",
        "run|docker|-r|my rules.yaml|--format|json|--replay|example|",
    ]
    first, command, last = done.stderr.splitlines()
    assert first.startswith("No Docker engine answers at /var/run/docker.sock, so this is a replay")
    assert command == "    lanner run docker -r my rules.yaml --format json --replay example"
    assert last.startswith("That was a recording.")


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="an engine may be here")
def test_another_fault_is_not_hidden_by_a_replay(run_docker, tmp_path):
    lanner = tmp_path / ".venv" / "bin" / "lanner"
    lanner.write_text('#!/bin/bash\necho "$@"\necho "lanner: error: the cursor is locked" >&2\nexit 3\n')
    done = run_docker()
    assert (done.returncode, done.stdout, done.stderr) == (3, "run docker\n", "lanner: error: the cursor is locked\n")


@pytest.mark.parametrize(
    "arguments",
    [["--host", "tcp://127.0.0.1:1"], ["--host=tcp://127.0.0.1:1"], ["--config", "{}"], ["-c", "falco.yaml"], ["--open", "since=1m"]],
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


def test_nor_is_the_current_context_of_docker(run_docker, tmp_path):
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    assert run_docker(DOCKER_CONFIG=str(tmp_path)).returncode == 3


def test_a_python_that_is_not_there_is_said_and_nothing_is_installed():
    done = subprocess.run(
        [TOOLS / "setup", "run"], capture_output=True, text=True, check=False, env=os.environ | {"PYTHON": "/nonexistent"}, timeout=PATIENCE
    )
    assert done.returncode == 1
    assert done.stderr == "setup: no such Python: /nonexistent (from PYTHON). Name an installed one, or unset PYTHON\n"


@pytest.fixture
def checkout(tmp_path):
    """A checkout with `tools/setup` and an environment that has a package of the user, and stand-ins for pip and the build backend."""
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOLS / "setup", tmp_path / "tools/setup")
    (tmp_path / "src/lanner/native").mkdir(parents=True)
    for name in ("pyproject.toml", "CMakeLists.txt", "src/lanner/_version.py"):
        (tmp_path / name).touch()
    (tmp_path / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    (packages,) = tmp_path.glob(".venv/lib/python*/site-packages")
    for name in ("pip", "users"):
        (packages / name).mkdir()
        (packages / name / "__main__.py").touch()
        (packages / name / "__init__.py").touch()
    (packages / "scikit_build_core").mkdir()
    (packages / "scikit_build_core/build.py").write_text("def get_requires_for_build_editable():\n    return []\n")
    return tmp_path, packages, base


@pytest.mark.parametrize("entry", ["{root}/.venv/bin", "{root}/.venv/bin/", ".venv/bin"])
def test_an_environment_first_on_the_path_is_kept(checkout, entry):
    root, packages, base = checkout
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHON"}}
    env["PATH"] = f"{entry.format(root=root)}:{base.parent}:{env['PATH']}"
    for _ in range(2):
        done = subprocess.run(["tools/setup", "run"], cwd=root, capture_output=True, text=True, check=False, env=env, timeout=120)
        assert (done.returncode, "making .venv" in done.stderr) == (0, False), done.stderr
    assert (packages / "users").is_dir()


def test_another_name_of_the_same_python_keeps_the_environment(checkout):
    root, packages, base = checkout
    for python in (base, root / ".venv/bin/python"):
        env = os.environ | {"PYTHON": str(python)}
        done = subprocess.run(["tools/setup", "run"], cwd=root, capture_output=True, text=True, check=False, env=env, timeout=120)
        assert (done.returncode, "making .venv" in done.stderr) == (0, False), done.stderr
    assert (packages / "users").is_dir()


def test_an_environment_whose_python_is_gone_is_made_again(checkout):
    root, packages, base = checkout
    for link in (root / ".venv/bin").glob("python*"):
        link.unlink()
    env = os.environ | {"PYTHON": str(base), "PIP_NO_INDEX": "1"}
    done = subprocess.run(["tools/setup", "run"], cwd=root, capture_output=True, text=True, check=False, env=env, timeout=120)
    assert "setup: making .venv with Python" in done.stderr
    assert not (packages / "users").exists()
