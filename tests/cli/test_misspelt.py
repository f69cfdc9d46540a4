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
    ("rules_files: [plugn, plugin]", "warning: falco.yaml:2: $.rules_files: plugn does not exist; it is ignored: did you mean 'plugin'?"),
    ("rules_files: [plugn]", "error: falco.yaml:2: $.rules_files: none of plugn exists: did you mean 'plugin'?"),
    (
        "rules_files: [door_rules.yaml]",
        "error: falco.yaml:2: $.rules_files: none of door_rules.yaml exists: did you mean 'doors_rules.yaml'?",
    ),
    ("rules_files: [./door_rules.yaml]", "none of ./door_rules.yaml exists: did you mean './doors_rules.yaml'?"),
    ("config_files: [include.yaml]", "$.config_files: include.yaml does not exist; it is ignored: did you mean 'included.yaml'?"),
    ("load_plugins: [dokcer]", "$.load_plugins[0] is 'dokcer', but no plugin of that name is in $.plugins: did you mean 'docker'?"),
    (
        "rules_files: [doors_rules.yaml]\nrules: [{disable: {rule: A dor opened}}]",
        "warning: falco.yaml:3: $.rules[0] concerns no rule of source docker: did you mean 'A door opened'?",
    ),
    (
        "rules_files: [doors_rules.yaml]\nrules: [{disable: {tag: dors}}]",
        "warning: falco.yaml:3: $.rules[0] concerns no rule of source docker: did you mean 'doors'?",
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
    assert "warning: falco.yaml:1: $.append_output[0].extra_output: `%docker.idd` is the field docker.id with the text `d` after it" in said
    assert "warning: falco.yaml:1: $.append_output[1].extra_fields.x: `%evt.times` is the field evt.time with the text `s` after it" in said


def test_warnings_about_values_name_the_file_and_line(lanner, folder):
    (folder / "falco.yaml").write_text("config_files: [more.yaml]\nrules_files: [doors_rules.yaml]\noutputs_queue:\n  capacity: many\n")
    (folder / "more.yaml").write_text("priority: info\nwebserver:\n  enabled: false\n  listn_port: 1\noutput_timeout: soon\n")
    run = ["run", "docker", "-c", "falco.yaml", "--dry-run"]
    said = lanner(*run, cwd=folder).err
    assert "warning: falco.yaml:4: $.outputs_queue.capacity takes a whole number, not 'many'" in said
    assert "warning: more.yaml:4: $.webserver.listn_port is not a key of falco.yaml: did you mean listen_port?" in said
    assert "warning: more.yaml:5: $.output_timeout takes a whole number, not 'soon'" in said
    said = lanner(*run, "-o", "output_timeout=late", "-o", "webserver.enabled=false", "-o", "rules[]={disable: {tag: x}}", cwd=folder).err
    assert "warning: -o output_timeout: $.output_timeout takes a whole number, not 'late'" in said
    assert "warning: more.yaml:4: $.webserver.listn_port" in said
    assert "warning: -o rules[]: $.rules[0] concerns no rule" in said


def test_values_of_merged_lists_have_the_place_of_their_file(lanner, folder):
    (folder / "falco.yaml").write_text("config_files: [{path: more.yaml, strategy: append}]\nrules: [{disable: {tag: x}}]\n")
    (folder / "more.yaml").write_text("rules: [{disable: {tag: y}}]\n")
    said = lanner("run", "docker", "-c", "falco.yaml", "--dry-run", cwd=folder).err
    assert "warning: falco.yaml:2: $.rules[0] concerns no rule" in said
    assert "warning: more.yaml:1: $.rules[1] concerns no rule" in said
