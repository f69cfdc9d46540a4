"""The word `plugin` for the plugin's own rules, in rules_files and in -r."""

import json
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from lanner.host.own_rules import rules_files

pytestmark = pytest.mark.slow

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


def test_the_packaged_configuration_keeps_the_shipped_rules(lanner, tmp_path):
    done = lanner(
        "run", "docker", "-c", ROOT / "packaging/systemd/falco.yaml", "--dry-run", "-o", f"file_output.filename={tmp_path}/alerts"
    )
    assert done.code == 0, done.err
    assert "rules (plugin) would run" in done.err


@pytest.mark.parametrize(
    "text",
    [
        OVERRIDE,
        "- rule: Container exported\n  append: true\n  condition: and docker.id != x\n",
        "- rule: Container exported\n  enabled: true\n",
        "- macro: container_exec\n  append: true\n  condition: or docker.id = x\n",
    ],
    ids=["override", "append", "enabled", "macro"],
)
@pytest.mark.parametrize("command", ["run docker --dry-run -r", "rules check"])
def test_a_change_of_a_shipped_item_without_the_word_is_answered_with_it(lanner, tmp_path, command, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    done = lanner(*command.split(), file)
    assert done.code == 1
    assert "name these first by the word `plugin`, as in `-r plugin -r FILE`" in done.err + done.out.decode()
    file.write_text(text.replace("Container exported", "Mine").replace("container_exec", "mine"))
    done = lanner(*command.split(), file)
    assert "`plugin`" not in done.err + done.out.decode()


@pytest.mark.parametrize("command", ["run", "rules explain"])
def test_the_help_of_r_tells_the_word(lanner, command):
    assert "the word `plugin`" in " ".join(lanner(*command.split(), "--help").out.decode().split())


def test_a_reload_keeps_the_shipped_rules(start, override):
    process = start("run", "docker", "-r", "plugin", "-r", override, "--host", "tcp://127.0.0.1:1", "--config", "waitForEngine: true")
    lines = iter(process.stderr.readline, b"")
    before = next(line for line in lines if b"rules (plugin, " in line)
    override.write_text(OVERRIDE + OVERRIDE.replace("exported", "crashed"))
    after = next(line for line in lines if b"reloaded: " in line)
    count = int(before.partition(b" rules (plugin")[0].split()[-1])
    assert int(after.partition(b"reloaded: ")[2].split()[0]) == count - 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)


def test_every_command_that_takes_rules_files_takes_the_word(lanner, override, tmp_path):
    configuration = tmp_path / "falco.yaml"
    configuration.write_text(f"rules_files: [plugin, {override}]\nstdout_output: {{enabled: true}}\n")
    done = lanner("run", "docker", "-c", configuration, "--support")
    assert done.code == 0, done.err
    assert [each["name"] for each in json.loads(done.out)["rules_files"]] == [str(SHIPPED), str(override)]
    tests = tmp_path / "mine_test.yaml"
    tests.write_text(
        "rules: [plugin, mine.yaml]\n"
        "tests:\n"
        "  - {name: switched off, events: [{Type: container, Action: export}], alerts: []}\n"
        "  - {name: left on, events: [{Type: container, Action: oom}], alerts: [Container out of memory]}\n"
    )
    done = lanner("rules", "test", tests)
    assert done.code == 0, done.out


def test_the_word_means_the_rules_of_every_plugin(lanner, plugin):
    one, other = SimpleNamespace(name="one", rules="1.yaml"), SimpleNamespace(name="other", rules="2.yaml")
    assert rules_files(["a", "plugin", "b"], one, other) == ("a", "1.yaml", "2.yaml", "b")
    assert rules_files((), one, other) == rules_files(None, one, other) == ("1.yaml", "2.yaml")
    done = lanner("rules", "check", "plugin", "--plugin", "docker", "--plugin", plugin("Words"))
    assert done.code == 1
    assert "`plugin` means the plugin's own rules, and words ships none" in done.err


def test_a_failed_reload_is_answered_with_the_word(start, override):
    whole = "- rule: Mine\n  desc: d\n  condition: docker.id exists\n  output: '%docker.id'\n  priority: INFO\n  source: docker\n"
    override.write_text(whole)
    process = start("run", "docker", "-r", override, "--host", "tcp://127.0.0.1:1", "--config", "waitForEngine: true")
    next(line for line in iter(process.stderr.readline, b"") if b"1 rule (" in line)
    override.write_text(whole + OVERRIDE)
    alert = process.stdout.readline()
    assert b"Critical Falco internal: hot restart failure" in alert
    assert b"name these first by the word `plugin`, as in `-r plugin -r FILE`" in alert
    said = b""
    while b"reload failed" not in said:
        said += process.stderr.readline()
    assert said.count(b"name these first by the word `plugin`") == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
