"""A repository that `lanner new` creates passes its own checks at once, runs, and is built."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lanner.new.kinds import SOURCES, replay_command

pytestmark = pytest.mark.slow

COMMANDS = Path(sys.executable).parent
NAMES = {source: f"my-{source}" for source in SOURCES}


def run(folder, *command, **options):
    # what a `make` that runs these tests tells the ones below it, its options and that it prints directories, is not for these
    outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in outer} | {
        "PATH": f"{COMMANDS}:{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=290, **options)


@pytest.fixture(scope="module", params=SOURCES)
def source(request):
    return request.param


@pytest.fixture(scope="module")
def repository(source, tmp_path_factory):
    """The repository of a plugin with that source, as the command created it."""
    folder = tmp_path_factory.mktemp("new")
    done = run(folder, "lanner", "new", NAMES[source], "--source", source)
    assert done.returncode == 0, done.stderr
    assert f"created {NAMES[source]}/" in done.stdout
    assert f"    lanner build {NAMES[source]}\n" in done.stdout
    return folder / NAMES[source]


@pytest.fixture(scope="module")
def checks(repository):
    """The commands of `make check`, without the one that runs make for each of them."""
    told = run(repository, "make", "--dry-run", "check")
    assert told.returncode == 0, told.stderr
    return [line for line in told.stdout.splitlines() if "--keep-going" not in line]


@pytest.mark.parametrize("tool", ["ruff check", "ruff format", "mypy", "pyright", "pytest", "lanner rules check", "lanner rules test"])
def test_it_passes_its_own_checks(repository, checks, known_types, tool):
    if shutil.which(tool.partition(" ")[0], path=str(COMMANDS)) is None:
        pytest.skip(f"{tool.partition(' ')[0]} is not installed in {COMMANDS}")
    (command,) = (line for line in checks if line.startswith(tool))
    if tool == "mypy":
        known_types(repository)
    done = run(repository, "sh", "-c", command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_check_has_no_other_commands(checks):
    assert len(checks) == 7


def test_a_failed_check_does_not_hide_the_others_and_format_mends_the_layout(repository):
    if shutil.which("ruff", path=str(COMMANDS)) is None:
        pytest.skip(f"ruff is not installed in {COMMANDS}")
    tests = repository / "tests" / "test_project.py"
    before = tests.read_text()
    tests.write_text(before.replace("\n\n\ndef", "\n\ndef"))
    for tool in ("mypy", "pyright", "pytest"):  # each needs half a minute and is run by another test
        (repository / "tools" / tool).parent.mkdir(exist_ok=True)
        (repository / "tools" / tool).write_text(f"#!/bin/sh\necho {tool} ran\n")
        (repository / "tools" / tool).chmod(0o755)
    command = 'PATH="$PWD/tools:$PATH" make check'
    failed = run(repository, "sh", "-c", command)
    assert failed.returncode != 0
    assert "Run `make format` to format these files" in failed.stderr
    assert {"mypy ran", "pyright ran", "pytest ran"} <= set(failed.stdout.splitlines())
    assert "0 failed" in failed.stdout
    assert run(repository, "make", "format").returncode == 0
    assert tests.read_text() == before
    assert run(repository, "sh", "-c", command).returncode == 0
    shutil.rmtree(repository / "tools")


def test_its_recording_raises_alerts(repository, source):
    module = NAMES[source].replace("-", "_")
    command = replay_command(source).replace("@NAME@", f"src/lanner_{module}/plugin.py").replace("@MODULE@", module)
    done = run(repository, *shlex.split(command))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), done.stderr


def test_it_is_built(repository, source):
    done = run(repository, "make", "build")
    assert done.returncode == 0, done.stderr
    assert (repository / f"lib{NAMES[source]}.so").stat().st_size > 1000
    inspected = run(repository, "lanner", "inspect", f"lib{NAMES[source]}.so")
    assert f"{NAMES[source]} 0.1.0" in inspected.stdout


def test_the_table_of_fields_is_that_of_the_package_command(repository):
    before = (repository / "README.md").read_text()
    assert "| `my_" in before
    module = next((repository / "src").glob("lanner_my_*"))
    done = run(repository, "lanner", "package", module / "plugin.py", "-o", "dist", "--readme", "README.md")
    assert done.returncode == 0, done.stderr
    assert (repository / "README.md").read_text() == before


def test_an_invalid_name_is_wrong_usage(tmp_path):
    done = run(tmp_path, "lanner", "new", "My Plugin")
    assert done.returncode == 2
    assert "lanner: error: invalid plugin name 'My Plugin': " in done.stderr
    assert list(tmp_path.iterdir()) == []
