"""Imports at the start of a plugin in a .so, for which the host waits. Modules that only some plugins need come with their first use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SITE = next(path for path in sys.path if path.endswith("site-packages"))
PACKAGE = str(Path(__file__).parents[2] / "src")

START = f"""
import sys
sys.path[:0] = [{SITE!r}, {PACKAGE!r}]
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib._bootstrap import _load
loader = ExtensionFileLoader("lanner.native._native", sys.argv[1])
spec = ModuleSpec(loader.name, loader, origin=loader.path)
_load(spec)
from lanner.embedded.state import State
"""
DOCKER = 'state = State("lanner.docker.docker_plugin:Docker", "", "", b"", sys.argv[2], None, 3)\n'
RECORDS = """
taken = []
class Err:
    def write(self, text): taken.append(text)
    def flush(self): pass
sys.stderr = Err()
"""


def run(code, config="", *, start=START):
    import lanner.native._native as native

    command = [sys.executable, "-S", "-I", "-c", f"{start}\n{code}", native.__spec__.origin, config]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("config", ["", '{"host": "unix:///nowhere", "inspect": false, "queueEvents": 10}'])
def test_the_docker_plugin_starts_without_what_only_some_plugins_need(config):
    modules = run(f"{DOCKER}print(list(sys.modules))", config)
    assert "msgspec" in modules
    heavy = {"logging", "traceback", "typing_extensions", "inspect", "ast", "socket", "ssl", "difflib", "json", "lanner.docker.stream"}
    assert heavy.isdisjoint(modules)


def test_records_reach_the_host_once_something_imports_logging():
    code = f"{RECORDS}{DOCKER}import logging\nlogging.getLogger('lanner.plugin.docker').warning('late')\nprint(repr(taken))"
    (line,) = run(code)
    assert line.endswith("[warning] docker: late\n")


def test_records_reach_the_host_if_logging_was_imported_before():
    code = f"import logging\n{RECORDS}{DOCKER}logging.getLogger('lanner.plugin.docker').warning('early')\nprint(repr(taken))"
    (line,) = run(code)
    assert line.endswith("[warning] docker: early\n")


def test_a_plugin_that_is_gone_gets_no_records():
    code = f"{RECORDS}{DOCKER}del state\nimport logging\nprint(repr(len(logging.getLogger().handlers)))"
    assert run(code) == 0


def test_logging_is_an_ordinary_module_afterwards():
    code = (
        f"{DOCKER}import logging\n"
        "loader = logging.__spec__.loader\n"
        "print(repr([loader is logging.__loader__, type(loader).__name__, [type(each).__name__ for each in sys.meta_path]]))"
    )
    is_same, loader, finders = run(code)
    assert (is_same, loader) == (True, "SourceFileLoader")
    assert "_Watch" not in finders


def test_typing_extensions_is_there_for_others():
    code = f"{DOCKER}import msgspec._utils, typing, typing_extensions\nprint(repr(typing_extensions.__name__))"
    assert run(code) == "typing_extensions"


def test_msgspec_takes_the_same_functions_from_typing():
    code = "import typing, typing_extensions as other\nprint(repr([other.Required is typing.Required, other.NotRequired is typing.NotRequired]))"
    assert run(code) == [True, True]


def test_the_garbage_collector_runs_after_the_start(bound, run_host):
    report = run_host(bound("collects"), "--events", "1", "--keep", "all")
    assert [event["payload"] for event in report["runs"][0]["events"]] == ["True"]
