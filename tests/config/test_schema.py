"""The printed JSON schemas mean what Falco's mean: the keys, types, choices, bounds and required keys of Falco 0.44.1 are recorded."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from lanner.config.json_schema import config_schema
from lanner.config.read import read_configuration
from lanner.rules.files.schema import json_schema
from lanner.sdk.errors import ConfigError

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "falco-schemas.json").read_text())
# Falco's schema names this key, and Falco never reads it: Lanner warns of it as of a misspelt rules_files
NEVER_READ = "$.rule_files"
# Values that Falco's loader rejects or replaces, but its schema accepts
LOADER = {
    "$.engine.kind#enum",
    "$.log_level#enum",
    "$.syscall_event_drops.actions[]#enum",
    "$.config_files[]<oneOf1>#additionalProperties",
}


def facts(schema, path="$"):
    """Return the demands of a schema without references, as `path#word` with its value."""
    found = {}
    for word, value in schema.items():
        match word:
            case "properties":
                for key, inner in value.items():
                    found |= facts(inner, f"{path}.{key}")
            case "items":
                found |= facts(value, f"{path}[]")
            case "anyOf" | "oneOf":
                for number, inner in enumerate(value):
                    found |= facts(inner, f"{path}<{word}{number}>")
            case "additionalProperties" if isinstance(value, dict):
                found |= facts(value, f"{path}.*")
            case "title" | "description" | "$schema":
                pass
            case _:
                found[f"{path}#{word}"] = sorted(value) if isinstance(value, list) else value
    return found


def test_all_that_falco_demands_of_falco_yaml_is_demanded():
    ours = facts(config_schema())
    expected = {fact: value for fact, value in RECORDED["config"].items() if not fact.startswith(NEVER_READ)}
    assert {fact: ours.get(fact) for fact in expected} == expected


def test_what_is_demanded_beyond_falco_is_what_its_loader_demands():
    """Sizes of numbers, words that Falco refuses, the old name of rules_files, and Lanner's own block."""
    beyond = facts(config_schema()).keys() - RECORDED["config"].keys()
    own = {fact for fact in beyond if fact.startswith(("$.lanner", "$.rules_file#", "$.rules_file["))}
    sizes = {fact for fact in beyond if fact.endswith(("#minimum", "#maximum"))}
    assert beyond - own - sizes == LOADER


def test_the_schema_of_rules_files_is_falcos():
    assert facts(json_schema()) == RECORDED["rules"]


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("capture: {max_file_size_mb: 1048576}", False),
        ("capture: {max_file_size_mb: 1048577}", True),
        ("syscall_event_drops: {max_burst: 5}", False),
        ("syscall_event_drops: {max_burst: 1.5}", True),
        ("syscall_event_drops: {max_burst: 1e3}", True),
        ("falco_libs: {snaplen: 9223372036854775807}", False),
        ("falco_libs: {snaplen: 9223372036854775808}", True),
    ],
)
def test_numbers_that_only_the_schema_refuses_are_warnings(tmp_path, line, warned):
    (tmp_path / "falco.yaml").write_text(f"{line}\n")
    warnings = read_configuration(str(tmp_path / "falco.yaml"), {}, []).warnings
    assert ["Falco's schema takes" in warning for warning in warnings] == [True] * warned


@pytest.mark.parametrize(
    ("engine", "refused"),
    [
        ("{kind: kmod, kmod: {buf_size_preset: 10}}", False),
        ("{kind: kmod, kmod: {buf_size_preset: 11}}", True),
        ("{kind: modern_ebpf, modern_ebpf: {buf_size_preset: 0}}", True),
        ("{kind: modern_ebpf, kmod: {buf_size_preset: 0}}", False),
        ("{kind: nodriver, kmod: {buf_size_preset: 0}}", False),
        ("{kmod: 1}", True),
    ],
)
def test_the_buffer_of_the_engine_in_use_has_a_size_of_falcos(tmp_path, engine, refused):
    (tmp_path / "falco.yaml").write_text(f"engine: {engine}\n")
    with pytest.raises(ConfigError) if refused else nullcontext():
        read_configuration(str(tmp_path / "falco.yaml"), {}, [])
