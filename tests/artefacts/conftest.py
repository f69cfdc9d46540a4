"""`lanner package`, run once in a session for what several tests look at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "data" / "plugins"
LANNER = Path(sys.executable).parent / "lanner"
_CLEAN = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}


def lanner(*arguments, cwd=None, env=()):
    """Run the command; what it says, as text."""
    return subprocess.run([LANNER, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, env=_CLEAN | dict(env))


def _packager(tmp_path_factory, *options):
    def package():
        folder = tmp_path_factory.mktemp("dist")
        done = lanner("package", "docker", "-o", folder, "--source", "https://example.org/docker", *options)
        assert done.returncode == 0, done.stderr
        return folder, done

    return package


@pytest.fixture(scope="session")
def bound(tmp_path_factory):
    """The directory that `lanner package docker` made, and what it said."""
    return _packager(tmp_path_factory)()


@pytest.fixture(scope="session")
def bundled(tmp_path_factory):
    """The same with --bundle."""
    return _packager(tmp_path_factory, "--bundle")()


@pytest.fixture
def small(tmp_path):
    """A plugin of one field in a file of its own, and `small(rules)`: its requirements as packaged with these rules."""
    (tmp_path / "small.py").write_text(
        "import lanner\n\nclass Small(lanner.Plugin):\n    '''Small'''\n"
        "    id, name, version, event_source, contact = 999, 'small', '1.2.3', 'small', 'nobody'\n"
        "    def open(self, params):\n        yield '{}'\n"
        "    @lanner.field('small.text', 'A text')\n    def text(self, event) -> str:\n        return 'x'\n"
        "    @lanner.field('small.list', 'Texts')\n    def list(self, event) -> list[str]:\n        return ['x']\n",
        "utf-8",
    )
    return tmp_path
