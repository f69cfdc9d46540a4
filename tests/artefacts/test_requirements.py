"""Requirements that are found in rules."""

import json

import pytest

from .conftest import lanner

pytestmark = pytest.mark.slow

RULE = "- rule: R\n  desc: d\n  condition: {condition}\n  output: {output}\n  priority: INFO\n  source: small\n{more}"
STATED = "- required_engine_version: {engine}\n- required_plugin_versions:\n    - name: small\n      version: {plugin}\n"


def _rule(condition="small.text = x", output="o", more=""):
    return RULE.format(condition=condition, output=output, more=more)


def _package(small, rules):
    """The configuration of the rules' artefact, and what the command said."""
    (small / "rules.yaml").write_text(rules, "utf-8")
    done = lanner("package", "small.py", "--rules", "rules.yaml", cwd=small)
    assert done.returncode == 0, done.stderr
    layout = small / "dist" / "oci"

    def blob(descriptor):
        return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes())

    root = json.loads((layout / "index.json").read_bytes())["manifests"][1]
    return blob(blob(root)["config"]), done


@pytest.mark.parametrize(
    ("rules", "engine", "reason"),
    [
        (_rule(), "0.11.0", "rules on a plugin's fields: Falco 0.31"),
        (
            _rule() + _rule("x.y bcontains 68").replace("small", "other").replace("rule: R", "rule: S"),
            "0.12.0",
            "the operator `bcontains` in the rule S (rules.yaml:7): Falco 0.32",
        ),
        (_rule("small.text iglob a*"), "0.40.0", "the operator `iglob` in the rule R"),
        (
            _rule("not (small.text = a or small.text regex 'a.*')"),
            "0.43.0",
            "the operator `regex` in the rule R (rules.yaml:1): Falco 0.39",
        ),
        (_rule("tolower(small.text) = val(small.text)"), "0.40.0", "Falco 0.38"),
        (_rule("len(small.list) > 2"), "0.46.0", "the transformer `len()` in the rule R"),
        (_rule("small.text contains oneof (a, b)"), "0.62.0", "the modifier `oneof` in the rule R"),
        (_rule("join(',', small.list) = 'a,b'"), "0.62.0", "the transformer `join()`"),
        (_rule(output="'text %20basename(small.text)'"), "0.43.0", "the transformer `basename()` in the rule R"),
        (_rule("m") + "- macro: m\n  condition: small.text iglob a*\n", "0.40.0", "the operator `iglob` in the macro m (rules.yaml:7)"),
        (_rule(more="  capture: true\n  capture_duration: 5\n"), "0.57.0", "the key `capture"),
        (
            _rule() + "- rule: R\n  condition: and small.text != y\n  override: {condition: append}\n",
            "0.31.0",
            "the key `override` (rules.yaml:9)",
        ),
        (
            _rule(more="  exceptions:\n    - {name: e, fields: [small.text], comps: [iglob], values: [[a*]]}\n"),
            "0.40.0",
            "the operator `iglob` in the exception e of the rule R (rules.yaml:8)",
        ),
        ("- required_engine_version: 0.20.0\n" + _rule(), "0.31.0", "`required_engine_version` as three numbers (rules.yaml:1)"),
    ],
)
def test_the_engine_is_the_first_that_knows_what_they_use(small, rules, engine, reason):
    config, done = _package(small, rules)
    assert config["requirements"] == [{"name": "engine_version_semver", "version": engine}]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("require ")]
    assert f"engine {engine}: " in line
    assert reason in line


@pytest.mark.parametrize("engine", ["50", "0.50.0"])
def test_a_stated_engine_that_is_higher_counts(small, engine):
    config, done = _package(small, STATED.format(engine=engine, plugin="1.2.3") + _rule("small.text iglob a*"))
    assert config["requirements"] == [{"name": "engine_version_semver", "version": "0.50.0"}]
    assert "engine 0.50.0: stated (rules.yaml:1)" in done.stdout
    assert "required_" not in done.stderr


def test_a_stated_engine_that_is_too_low_is_reported(small):
    config, done = _package(small, STATED.format(engine=12, plugin="1.2.3") + _rule("small.text iglob a*"))
    assert config["requirements"][0]["version"] == "0.40.0"
    assert (
        "rules.yaml:1: `required_engine_version` is 0.12.0, but the operator `iglob` in the rule R (rules.yaml:5) needs 0.40.0"
        in done.stderr
    )


def test_what_is_not_stated_is_reported_as_it_is_to_be_written(small):
    _, done = _package(small, _rule())
    assert "add `- required_engine_version: 11`" in done.stderr
    assert "add `- required_plugin_versions: [{name: small, version: 1.2.3}]`" in done.stderr
    advice = "- required_engine_version: 11\n- required_plugin_versions: [{name: small, version: 1.2.3}]\n"
    _, done = _package(small, advice + _rule())
    assert "required_" not in done.stderr


@pytest.mark.parametrize(
    ("stated", "packaged", "says"),
    [
        ("1.0.0", "1.2.3", "the version of the plugin that is packaged with the rules"),
        ("1.2.3", "1.2.3", "stated (rules.yaml:3)"),
        ("1.5.0", "1.5.0", "the rules require small 1.5.0, and this is 1.2.3: Falco refuses them together"),
    ],
)
def test_of_the_plugins_version_the_higher_counts(small, stated, packaged, says):
    config, done = _package(small, STATED.format(engine=12, plugin=stated) + _rule())
    assert config["dependencies"] == [{"name": "small", "version": packaged}]
    assert says in done.stdout + done.stderr


def test_other_plugins_and_alternatives_stay_as_they_are_stated(small):
    versions = (
        "- required_plugin_versions:\n    - {name: zebra, version: 2.0.0}\n"
        "    - {name: large, version: 3.0.0, alternatives: [{name: small, version: 1.0.0}]}\n"
    )
    config, _ = _package(small, versions + _rule())
    assert config["dependencies"] == [
        {"name": "large", "version": "3.0.0", "alternatives": [{"name": "small", "version": "1.0.0"}]},
        {"name": "zebra", "version": "2.0.0"},
    ]


def test_several_files_are_one_artefact_with_the_needs_of_all(small):
    (small / "a.yaml").write_text("- macro: m\n  condition: small.text iglob a*\n")
    (small / "b.yaml").write_text(_rule("m"))
    done = lanner("package", "small.py", "--rules", "a.yaml", "--rules", "b.yaml", cwd=small)
    assert done.returncode == 0, done.stderr
    assert "engine 0.40.0: the operator `iglob` in the macro m (a.yaml:1)" in done.stdout
