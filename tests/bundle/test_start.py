"""Imports at the start of a plugin in a .so, for which the host waits. Modules that only some plugins need come with their first use."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanner.docker import Docker
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.options.plain_description import describe_plain

from ..docker.stand_in import NOW, STREAM, StandInEngine, chunk, event

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
DOCKER = 'state = State("lanner.docker.docker_plugin:Docker", "", "", b"", sys.argv[2], None, 3, sys.argv[3])\n'
RECORDS = """
taken = []
class Err:
    def write(self, text): taken.append(text)
    def flush(self): pass
sys.stderr = Err()
"""


def run(code, config="", *, start=START):
    import lanner.native._native as native

    options = describe_plain(plugin_info(Docker).config, lambda _: False)
    command = [sys.executable, "-S", "-I", "-c", f"{start}\n{code}", native.__spec__.origin, config, options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


NEEDED_BY_SOME = {
    *("msgspec", "typing", "typing_extensions", "re", "contextlib", "datetime", "decimal", "uuid", "inspect", "ast", "json", "weakref"),
    *(
        "logging",
        "traceback",
        "socket",
        "selectors",
        "signal",
        "ssl",
        "difflib",
        "lanner.docker.docker_config",
        "lanner.sdk.options.config",
    ),
}
"""Modules that a plugin with plain options on a unix socket runs without."""


@pytest.mark.parametrize("config", ["", '{"host": "unix:///nowhere", "inspect": false, "queueEvents": 10}'])
def test_the_docker_plugin_starts_without_what_only_some_plugins_need(config):
    modules = run(f"{DOCKER}print(list(sys.modules))", config)
    assert NEEDED_BY_SOME.isdisjoint(modules)
    assert "lanner.docker.stream" not in modules


def test_the_docker_plugin_imports_the_decoder_for_options_that_are_not_plain():
    modules = run(f"{DOCKER}print(list(sys.modules))", '{"filters": {"type": ["container"]}}')
    assert {"msgspec", "lanner.docker.docker_config"} <= set(modules)
    assert {"logging", "traceback", "typing_extensions", "inspect", "ast", "socket", "ssl", "difflib", "json"}.isdisjoint(modules)


IN_A_HOST = """
import sys
before = set(sys.modules)
import ctypes
from ctypes import POINTER, byref, c_char_p, c_int32, c_uint32, c_void_p
class Init(ctypes.Structure):
    _fields_ = [("config", c_char_p), ("owner", c_void_p), ("error", c_void_p), ("tables", c_void_p), ("log", c_void_p)]
library = ctypes.CDLL(sys.argv[1])
library.plugin_init.restype = library.plugin_open.restype = c_void_p
rc, count, events, seen = c_int32(99), c_uint32(0), POINTER(c_void_p)(), 0
state = c_void_p(library.plugin_init(byref(Init(sys.argv[2].encode(), None, None, None, None)), byref(rc)))
assert rc.value == 0
instance = c_void_p(library.plugin_open(state, b"", byref(rc)))
assert rc.value == 0
while seen < 1000:
    assert library.plugin_next_batch(state, instance, byref(count), byref(events)) in (0, -1)
    seen += count.value
modules = sorted(set(sys.modules) - before)
library.plugin_close(state, instance)
library.plugin_destroy(state)
print(modules)
"""


@pytest.mark.slow
@pytest.mark.native
@pytest.mark.parametrize("inspect", [False, True])
def test_a_built_docker_plugin_takes_events_without_what_only_some_plugins_need(built, tmp_path, inspect):
    engine = StandInEngine(f"unix://{tmp_path}/docker.sock")
    engine.events = STREAM + b"".join(chunk(event(NOW + number)) for number in range(1001))
    config = json.dumps({"host": engine.url, "cursor": f"{tmp_path}/cursor", "inspect": inspect})
    try:
        command = [sys.executable, "-S", "-I", "-c", IN_A_HOST, built("docker"), config]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    finally:
        engine.stop()
    assert done.returncode == 0, done.stderr
    modules = ast.literal_eval(done.stdout)
    assert {"lanner.docker.stream", "lanner.docker.cursor"} <= set(modules)
    assert NEEDED_BY_SOME.isdisjoint(modules)


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


@pytest.mark.parametrize(
    "config", ['{"host": 1, "queueEvents": 0}', '{"queuePolicy": "none"}', "{", '{"inspect": "yes"}', '{"pingInterval": true}']
)
def test_an_invalid_configuration_gives_the_same_error_with_and_without_a_description(config):
    code = "error = None\ntry:\n    {}\nexcept Exception as failure:\n    error = str(failure)\nprint(repr(error))"
    message = run(code.format(DOCKER.strip()), config)
    assert message == run(code.format(DOCKER.strip().replace("sys.argv[3]", "''")), config)
    assert message.startswith("plugin docker: ")


def test_typing_extensions_is_there_for_others():
    code = f"{DOCKER}import msgspec._utils, typing, typing_extensions\nprint(repr(typing_extensions.__name__))"
    assert run(code) == "typing_extensions"


def test_msgspec_takes_the_same_functions_from_typing():
    code = "import typing, typing_extensions as other\nprint(repr([other.Required is typing.Required, other.NotRequired is typing.NotRequired]))"
    assert run(code) == [True, True]


def test_the_garbage_collector_runs_after_the_start(bound, run_host):
    report = run_host(bound("collects"), "--events", "1", "--keep", "all")
    assert [event["payload"] for event in report["runs"][0]["events"]] == ["True"]
