"""Plugins built once in a session, and the C host that runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "data" / "plugins"
LANNER = Path(sys.executable).parent / "lanner"


def lanner(*arguments, cwd=None):
    """Run the command; what it says, as text."""
    return subprocess.run([LANNER, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)


def _builder(tmp_path_factory, *options):
    made = {}

    def build(plugin, api="3"):
        if (plugin, api) not in made:
            path = tmp_path_factory.mktemp("so") / f"lib{plugin}-{api}.so"
            source = PLUGINS / f"{plugin}.py"
            done = lanner("build", source if source.exists() else plugin, "--api", api, "-o", path, *options)
            assert done.returncode == 0, done.stderr
            made[plugin, api] = path
        return made[plugin, api]

    return build


@pytest.fixture(scope="session")
def bound(tmp_path_factory):
    """`bound(plugin, api)`: the path of the plugin's .so for the API; a plugin is a file of tests/data/plugins, or built in."""
    return _builder(tmp_path_factory)


@pytest.fixture(scope="session")
def bundled(tmp_path_factory):
    """The same with a Python of its own."""
    return _builder(tmp_path_factory, "--bundle")


@pytest.fixture(scope="session", params=["bound", "bundled"])
def built(request):
    """Both: what a host sees is the same."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def seen(run_host):
    """`seen(so, *options)`: the one run of a host that found nothing wrong."""

    def run(so, *options):
        report = run_host(so, *options)
        assert report["violations"] == [], report
        return report["runs"][0]

    return run
