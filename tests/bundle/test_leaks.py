"""Memory does not grow with what a host does: init and destroy, open and close, extraction of each kind of field."""

import json
import subprocess
from pathlib import Path

import pytest

from lanner.host.plugin_loader import load_plugin

from .conftest import PLUGINS

pytestmark = pytest.mark.slow

EVENTS = [
    '{"text":"a:b:c","number":"123","at":1700000000123,"map":{"x":"y","k":"v","deep":{"er":"z"}},"list":["p","q"],"n":1}',
    '{"text":"b\\u00e9","bool":true,"numbers":[1,18446744073709551615],"texts":["one","two"],"ips":["10.0.0.1"],"six":true,"at":5}',
    '{"text":"' + "long" * 5000 + '","raise":"no","wrong":"text","at":6}',
    "not json",
]
NATIVE = ["text", "first", "number", "time", "before", "after", "keys", "map=x", "item:1", "deep"]
METHODS = ["str", "upper=text", "nth:1", "both=k", "bool", "abstime", "reltime", "ip", "net", "texts", "numbers", "ips", "known"]
FAILING = ["raises", "wrong", "ips", "exits"]
SMALLEST = 16
"""Bytes of the smallest thing that can be lost."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory, built):
    """`grown(plugin, params, what, times, *fields)`: bytes for each time that the second half of the times took, and what came of it."""
    program = tmp_path_factory.mktemp("leaks") / "leaks"
    subprocess.run(["cc", "-O1", "-Wall", "-Wextra", "-o", program, Path(__file__).with_name("leaks.c"), "-ldl"], check=True)

    def run(plugin, params, what, times, *fields):
        command = [program, built(plugin), params, what, str(times), *fields]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
        assert done.returncode == 0, done.stdout + done.stderr
        *kilobytes, values = map(int, done.stdout.split())
        assert len(kilobytes) == 10
        # what is collected now and then is there at one moment and not at the next
        return (min(kilobytes[7:]) - min(kilobytes[2:5])) * 1024 / (times / 2), values

    return run


def fields(*names):
    """The fields as the program takes them: by their place in the schema."""
    declared = [declaration.info.name for declaration in load_plugin(str(PLUGINS / "every.py")).__plugin__.fields]

    def place(name):
        bare = name.partition("=")[0].partition(":")[0]
        return str(declared.index(f"every.{bare}")) + name[len(bare) :]

    return [place(name) for name in names]


def by_size(small, large):
    """The times of the ordinary form and of the long one."""
    return pytest.mark.parametrize("times", [small, pytest.param(large, marks=[pytest.mark.soak, pytest.mark.timeout(3000)])])


@by_size(20_000, 100_000)
def test_init_and_destroy(grown, times):
    lost, _ = grown("every", "", "init", times)
    assert lost < 6 * SMALLEST


@pytest.mark.parametrize("plugin", ["every", "recorded"])
@by_size(4000, 10_000)
def test_open_and_close(grown, tmp_path, plugin, times):
    recording = tmp_path / "events"
    recording.write_text("\n".join(EVENTS), "utf-8")
    lost, events = grown(plugin, json.dumps(EVENTS) if plugin == "every" else str(recording), "open", times)
    assert events == times * len(EVENTS)
    assert lost < 2 * SMALLEST


@pytest.mark.parametrize("names", [NATIVE, METHODS, FAILING], ids=["native", "methods", "failing"])
@by_size(100_000, 10_000_000)
def test_extraction(grown, names, times):
    lost, values = grown("every", json.dumps(EVENTS), "extract", times, *fields(*names))
    assert values > times / 20
    assert lost < SMALLEST


def test_a_leak_of_one_small_object_each_time_is_seen(grown):
    leaks = [declaration.info.name for declaration in load_plugin(str(PLUGINS / "rude.py")).__plugin__.fields].index("rude.leaks")
    lost, _ = grown("rude", json.dumps(EVENTS), "extract", 100_000, str(leaks))
    assert lost > SMALLEST
