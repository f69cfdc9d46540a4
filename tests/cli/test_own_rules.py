"""The word `plugin` for the plugin's own rules, in rules_files and in -r."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "src/lanner/docker/docker_rules.yaml"
OVERRIDE = "- rule: Container exported\n  enabled: false\n  override: {enabled: replace}\n"


@pytest.fixture
def override(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(OVERRIDE)
    return file


def test_rules_show_prints_the_shipped_file(lanner):
    done = lanner("rules", "show", "docker")
    assert (done.code, done.out) == (0, SHIPPED.read_bytes()), done.err


def test_an_override_of_a_shipped_rule_comes_after_the_word(lanner, override):
    done = lanner("run", "docker", "-r", "plugin", "-r", override, "--dry-run")
    assert done.code == 0, done.err
    assert lanner("rules", "check", "plugin", override).code == 0
    assert lanner("run", "docker", "-r", override, "--dry-run").code != 0


def test_the_word_in_rules_files(lanner, override, tmp_path):
    file = tmp_path / "falco.yaml"
    file.write_text(f"rules_files: [plugin, {override}]\nstdout_output: {{enabled: true}}\n")
    done = lanner("run", "docker", "-c", file, "--dry-run")
    assert done.code == 0, done.err
    assert lanner("run", "docker", "-c", file, "-L").code == 0


def test_the_packaged_configuration_keeps_the_shipped_rules(lanner):
    done = lanner("run", "docker", "-c", ROOT / "packaging/systemd/falco.yaml", "--dry-run")
    assert done.code == 0, done.err
    assert "rules (plugin) would run" in done.err
