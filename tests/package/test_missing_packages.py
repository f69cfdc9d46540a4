"""A build on a machine that lacks packages: it names them, and downloads nothing that was not asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake on this machine")]


def configure(folder: Path, *definitions: str, **environment: str) -> tuple[int, str]:
    """Configure the native part, and return the exit status and all that CMake printed. A download leaves the file `cloned`."""
    tools = folder / "tools"
    tools.mkdir()
    git = tools / "git"
    git.write_text(f'#!/bin/sh\ncase "$*" in *clone*) touch {folder}/cloned; exit 1;; esac\necho git version 2.39.5\n')
    git.chmod(0o755)
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", folder / "build", *definitions],
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_missing_libraries_are_named_together_and_not_downloaded(tmp_path: Path) -> None:
    code, said = configure(tmp_path, "-DCMAKE_IGNORE_PATH=/usr/include", "-DCMAKE_DISABLE_FIND_PACKAGE_simdjson=ON")
    assert code != 0
    assert "Missing: library simdjson, library re2, " in said
    assert "apt-get install libsimdjson-dev libre2-dev " in said
    assert "dnf install simdjson-devel re2-devel " in said
    assert "LANNER_FETCH=ON" in said
    assert "Call Stack" not in said
    assert not (tmp_path / "cloned").exists()


def test_a_missing_compiler_is_named(tmp_path: Path) -> None:
    code, said = configure(tmp_path, CC="/nonexistent", CXX="/nonexistent")
    assert code != 0
    assert "Missing: a working C compiler, a working C++ compiler" in said
    assert "apt-get install g++\n" in said
    assert "Call Stack" not in said


@pytest.mark.parametrize("option", ["LANNER_FETCH", "LANNER_PORTABLE"])
def test_sources_are_downloaded_when_asked_for(tmp_path: Path, option: str) -> None:
    _, said = configure(tmp_path, "-DCMAKE_DISABLE_FIND_PACKAGE_simdjson=ON", f"-D{option}=ON")
    assert "Downloading simdjson from https://" in said
    assert (tmp_path / "cloned").exists()
