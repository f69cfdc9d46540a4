"""Plugins built once in a session, and the C host that runs them."""

from pathlib import Path

import pytest

from .. import forked
from .bundles import build_for_all_apis

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "data" / "plugins"


def lanner(*arguments, cwd=None):
    """Run the command; what it says, as text."""
    return forked.run_text(arguments, cwd=cwd)


def _target(plugin):
    """The plugin as the command names it, and its name in the names of files."""
    name, _, cls = plugin.partition(":")
    source = PLUGINS / f"{name}.py"
    return f"{source}{plugin[len(name) :]}" if source.exists() else plugin, f"lib{name}{cls}"


@pytest.fixture(scope="session")
def bound(made_once):
    """`bound(plugin, api)`: the .so for the API, built once. A plugin is a file of tests/data/plugins, `file:Class`, or built in."""

    def build(plugin, api="3"):
        target, name = _target(plugin)

        def make(path):
            done = lanner("build", target, "--api", api, "-o", path)
            assert done.returncode == 0, done.stderr
            assert "In falco.yaml" in done.stdout

        return made_once(f"bound/{name}-{api}.so", make)

    return build


@pytest.fixture(scope="session")
def bundled(made_once):
    """The same with a bundled Python. test_bundled.py compares it with the library that the command writes."""

    def build(plugin, api="3"):
        target, name = _target(plugin)

        def make(folder):
            folder.mkdir()
            build_for_all_apis(target, folder)

        return made_once(f"bundled/{name}", make) / f"{api}.so"

    return build


@pytest.fixture(scope="session", params=["bound", pytest.param("bundled", marks=pytest.mark.bundled)])
def built(request):
    """A host sees the same plugin in both kinds of libraries."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def seen(run_host):
    """`seen(so, *options)`: the one run of a host that found nothing wrong."""

    def run(so, *options):
        report = run_host(so, *options)
        assert report["violations"] == [], report
        return report["runs"][0]

    return run
