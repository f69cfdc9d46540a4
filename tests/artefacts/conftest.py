"""`lanner package`, run once in a session for several tests."""

import os
from pathlib import Path

import pytest

from .. import forked

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "data" / "plugins"


def lanner(*arguments, cwd=None, env=()):
    """Run the command; what it says, as text."""
    return forked.run_text(arguments, cwd=cwd, env=os.environ | dict(env))


def _packaged(made_once, form, *options):
    def make(folder):
        folder.mkdir()
        done = lanner("package", "docker", "-o", folder / "dist", "--source", "https://example.org/docker", *options)
        assert done.returncode == 0, done.stderr
        (folder / "printed").write_text(done.stdout + done.stderr)

    folder = made_once(f"packaged-{form}", make)
    return folder / "dist", (folder / "printed").read_text()


@pytest.fixture(scope="session")
def bound(made_once):
    """The directory that `lanner package docker` made, and all that it printed."""
    return _packaged(made_once, "bound")


@pytest.fixture(scope="session")
def bundled(made_once):
    """The same with --bundle."""
    return _packaged(made_once, "bundled", "--bundle")


@pytest.fixture
def small(tmp_path):
    """A plugin of one field in a separate file, and `small(rules)`: its requirements as packaged with these rules."""
    (tmp_path / "small.py").write_text(
        "import lanner\n\nclass Small(lanner.Plugin):\n    '''Small'''\n"
        "    id, name, version, event_source, contact = 999, 'small', '1.2.3', 'small', 'the tests'\n"
        "    def open(self, params):\n        yield '{}'\n"
        "    @lanner.field('small.text', 'A string')\n    def text(self, event) -> str:\n        return 'x'\n"
        "    @lanner.field('small.list', 'Texts')\n    def list(self, event) -> list[str]:\n        return ['x']\n",
        "utf-8",
    )
    return tmp_path
