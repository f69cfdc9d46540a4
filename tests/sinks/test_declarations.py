"""Declarations of sinks: each key of each output counts at a reload, each enabled output is made, examined and documented."""

from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from lanner.cli.runs.run_outputs import make_sinks, outputs_of
from lanner.config.falco import Falco
from lanner.config.read import read_configuration
from lanner.config.sink_blocks import configured_sinks
from lanner.doctor.output_checks import look_at_outputs
from lanner.sdk.errors import ConfigError
from lanner.sinks.declaration import Declaration
from lanner.sinks.registry import SINKS

FALCO_OUTPUTS = {"stdout_output", "file_output", "program_output", "syslog_output", "http_output"}
ROOT = Path(__file__).parents[2]
SOURCES = [path for path in (ROOT / "src/lanner/sinks").glob("*.py") if path.stem not in {"__init__", "registry"}]


def read(*options):
    return read_configuration(None, {}, ("stdout_output.enabled=false", *options)).falco


def keys(cls, path):
    """Return the paths of all keys in a block of falco.yaml, each with its default."""
    for field in msgspec.structs.fields(cls):
        kind, default = get_type_hints(cls)[field.name], field.default
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from keys(kind, f"{path}.{field.name}")
        else:
            yield f"{path}.{field.name}", default if default is not msgspec.NODEFAULT else field.default_factory()


def blocks():
    hints = get_type_hints(Falco)
    return {name: hints[name] for name in (*sorted(FALCO_OUTPUTS), "outputs_queue", "lanner")}


def changed(key, default):
    """Return the option that gives a key another value than its default."""
    if isinstance(default, bool):
        return f"{key}={str(not default).lower()}"
    if isinstance(default, dict):
        return f"{key}.x=y"
    if key == "lanner.console.address":
        return f"{key}=http://127.0.0.1:8766"
    if key == "lanner.log_format":
        return f"{key}=json"
    return f"{key}={default + 7 if isinstance(default, int | float) else 'other'}"


@pytest.mark.parametrize(
    ("key", "default"),
    [pair for name, cls in blocks().items() for pair in keys(cls, name)] + [("output_timeout", 2000), ("json_output", False)],
)
def test_a_reload_that_changes_a_key_of_an_output_makes_the_outputs_again(key, default):
    before = [f"{sink.path}.{name}=given" for sink in SINKS for name in sink.required]
    assert outputs_of(read(*before, changed(key, default))) != outputs_of(read(*before))
    assert outputs_of(read(*before)) == outputs_of(read(*before))


def test_all_outputs_of_falco_are_declared():
    assert {sink.name for sink in SINKS} >= FALCO_OUTPUTS


def options_for(sink, tmp_path):
    """Return options with which the sink can be made: the keys that it needs, each with a usable value."""
    values = {"filename": tmp_path / "alerts", "url": "http://127.0.0.1:1/", "program": "cat", "path": tmp_path / "store"}
    return [f"{sink.path}.enabled=true", *(f"{sink.path}.{key}={values[key]}" for key in sink.required)]


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_an_enabled_output_is_made_and_examined(sink, tmp_path):
    falco = read(*options_for(sink, tmp_path))
    (made,) = make_sinks(falco)
    made.close()
    assert made.name == sink.name
    assert [each.declaration for each in configured_sinks(falco) if each.is_enabled] == [sink]
    found = list(look_at_outputs(falco))
    assert found
    assert not any("no output is enabled" in each.text for each in found)


@pytest.mark.parametrize(
    ("sink", "key"), [(sink, key) for sink in SINKS for key in sink.required], ids=lambda value: getattr(value, "name", value)
)
def test_an_enabled_output_without_a_required_key_is_refused(sink, key):
    with pytest.raises(ConfigError, match=rf"\$\.{sink.path}\.{key} is empty: write {sink.required[key][:10]}"):
        read(f"{sink.path}.enabled=true")


def test_each_declaration_in_the_directory_is_in_the_list():
    found = [
        each for path in SOURCES for each in vars(import_module(f"lanner.sinks.{path.stem}")).values() if isinstance(each, Declaration)
    ]
    assert {each.name for each in found} == {sink.name for sink in SINKS}


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_each_path_that_an_output_writes_is_declared(sink, tmp_path):
    (enabled,) = [each for each in configured_sinks(read(*options_for(sink, tmp_path))) if each.is_enabled]
    paths = [(f"$.{sink.path}.{key}", getattr(enabled.block, key)) for key in sink.required]
    assert [(key, path) for key, path in enabled.list_written() if isinstance(path, str)] == [
        (key, path) for key, path in paths if path.startswith(str(tmp_path))
    ]


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_docs_name_each_output(sink):
    assert f"{sink.name}:" in (ROOT / "docs/outputs.md").read_text()
    assert f"## `{sink.path}`" in (ROOT / "docs/configuration.md").read_text()
