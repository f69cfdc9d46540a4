"""Errors about misspelt names of files, plugins and rules suggest the name that may be meant."""

import pytest

pytestmark = pytest.mark.slow

RULES = """
- rule: A door opened
  desc: d
  condition: docker.type = container
  output: "%docker.id"
  priority: NOTICE
  source: docker
  tags: [doors]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "doors_rules.yaml").write_text(RULES)
    (tmp_path / "doors.py").write_text("")
    (tmp_path / "included.yaml").write_text("json_output: true\n")
    return tmp_path


FILES = [
    ("rules_files: [plugn, plugin]", "warning: $.rules_files: plugn does not exist; it is ignored: did you mean 'plugin'?"),
    ("rules_files: [plugn]", "error: $.rules_files: none of plugn exists: did you mean 'plugin'?"),
    ("rules_files: [door_rules.yaml]", "error: $.rules_files: none of door_rules.yaml exists: did you mean 'doors_rules.yaml'?"),
    ("rules_files: [./door_rules.yaml]", "none of ./door_rules.yaml exists: did you mean './doors_rules.yaml'?"),
    ("config_files: [include.yaml]", "$.config_files: include.yaml does not exist; it is ignored: did you mean 'included.yaml'?"),
    ("load_plugins: [dokcer]", "$.load_plugins[0] is 'dokcer', but no plugin of that name is in $.plugins: did you mean 'docker'?"),
    (
        "rules_files: [doors_rules.yaml]\nrules: [{disable: {rule: A dor opened}}]",
        "warning: $.rules[0] concerns no rule of source docker: did you mean 'A door opened'?",
    ),
    (
        "rules_files: [doors_rules.yaml]\nrules: [{disable: {tag: dors}}]",
        "warning: $.rules[0] concerns no rule of source docker: did you mean 'doors'?",
    ),
]


@pytest.mark.parametrize(("text", "said"), FILES)
def test_names_in_falco_yaml(lanner, folder, text, said):
    (folder / "falco.yaml").write_text(f"plugins: [{{name: docker, library_path: libdocker.so}}]\n{text}\n")
    assert said in lanner("run", "-c", "falco.yaml", "--dry-run", cwd=folder).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "docker", "--dry-run", "-r", "plugn"], "Did you mean 'plugin'?"),
        (["run", "docker", "--dry-run", "-r", "door_rules.yaml"], "Did you mean 'doors_rules.yaml'?"),
        (["run", "docker", "-V", "door_rules.yaml"], "No such file or directory: did you mean 'doors_rules.yaml'?"),
        (["run", "docker", "--replay", "dors_rules.yaml"], "No such file or directory: did you mean 'doors_rules.yaml'?"),
        (["run", "-c", "includd.yaml"], "No such file or directory: did you mean 'included.yaml'?"),
        (["run", "dors.py"], "the plugin file dors.py does not exist: did you mean 'doors.py'?"),
    ],
)
def test_names_on_the_command_line(lanner, folder, arguments, said):
    assert said in lanner(*arguments, cwd=folder).err


def test_rules_check_names_the_file(lanner, folder):
    assert b"Did you mean 'doors_rules.yaml'?" in lanner("rules", "check", "door_rules.yaml", cwd=folder).out


def test_fields_of_append_output(lanner, folder):
    (folder / "falco.yaml").write_text('append_output: [{extra_output: "id %docker.idd"}, {extra_fields: [{x: "%evt.times"}]}]\n')
    said = lanner("run", "docker", "-c", "falco.yaml", "--dry-run", cwd=folder).err
    assert "warning: $.append_output[0].extra_output: `%docker.idd` is the field docker.id with the text `d` after it" in said
    assert "warning: $.append_output[1].extra_fields.x: `%evt.times` is the field evt.time with the text `s` after it" in said
