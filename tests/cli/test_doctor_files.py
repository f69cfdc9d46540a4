"""`lanner doctor` on Falco, sysdig, configurations and rules: findings, and what to do."""

import json

import pytest

from .doctoring import checked, only

pytestmark = pytest.mark.slow


# Falco and sysdig

FALCO = "Falco version: {} (x86_64)\nLibs version:  0.25.4\nPlugin API:    {}\nEngine:        0.62.0\n"


@pytest.mark.parametrize(
    ("says", "level", "text"),
    [
        (FALCO.format("0.44.1", "3.12.0"), "ok", "Falco 0.44.1 ({}) has plugin API 3.12.0: `lanner build docker` builds plugins for it"),
        (
            FALCO.format("0.34.1", "2.0.0"),
            "ok",
            "Falco 0.34.1 ({}) has plugin API 2.0.0: `lanner build docker --api 2` builds plugins for it",
        ),
        ("Falco version: 0.32.2", "ok", "Falco 0.32.2 ({}): `lanner build docker --api 1` builds plugins for it"),
        ("Falco version 0.31.0", "ok", "Falco 0.31.0 ({}): `lanner build docker --api 0.3` builds plugins for it"),
        ("Falco version: 0.30.0", "problem", "Falco 0.30.0 ({}), for which Lanner builds no plugins"),
        (FALCO.format("1.0.0", "4.0.0"), "problem", "Falco 1.0.0 ({}) has plugin API 4.0.0, for which Lanner builds no plugins"),
        ("nonsense", "warning", "{} --version prints no version of Falco: 'nonsense\\n'"),
    ],
)
def test_a_falco_that_is_here(examine, path, says, level, text):
    env = path(falco=f"/bin/cat <<'EOF'\n{says.rstrip()}\nEOF")
    found = only(examine(env=env)[1]["Falco"])
    assert found[:2] == (level, text.format(f"{env['PATH']}/falco"))


def test_a_falco_that_does_not_run(examine, path):
    env = path(falco="echo 'libelf.so.1: cannot open shared object file' >&2; exit 127")
    assert only(examine(env=env)[1]["Falco"])[:2] == (
        "warning",
        f"{env['PATH']}/falco --version fails (127): libelf.so.1: cannot open shared object file",
    )


def test_a_falco_that_cannot_be_run(examine, path, tmp_path):
    env = path(falco="")
    (tmp_path / "programs" / "falco").write_bytes(b"\x7fELF nonsense")
    assert "cannot be run: Exec format error" in only(examine(env=env)[1]["Falco"])[1]


@pytest.mark.parametrize(
    ("version", "text"), [("0.29.3", "`lanner build docker --api 0.3` builds plugins for it"), ("0.36.0", "does not report its plugin API")]
)
def test_a_sysdig_that_is_here(examine, path, version, text):
    level, found, _ = only(examine(env=path(sysdig=f"echo sysdig version {version}"))[1]["sysdig"])
    assert level == "ok"
    assert f"sysdig {version} " in found
    assert text in found


def test_a_configuration_that_is_right(examine, falco_yaml, tmp_path):
    file = falco_yaml(f"file_output: {{enabled: true, filename: {tmp_path}/alerts.log}}")
    code, found = examine("-c", file)
    assert code == 0
    assert found["configuration"][0] == ("ok", f"{file} is valid", "")
    assert found["outputs"] == [("ok", f"the file {tmp_path}/alerts.log", "")]
    assert only(found["disk"])[0] == "ok"


@pytest.mark.parametrize(
    ("text", "level", "part"),
    [
        ("json_output: [", "problem", "falco.yaml"),
        ("json_output: perhaps", "warning", "$.json_output"),
        ("file_output: {enabled: true}", "problem", "$.file_output.filename is empty"),
        ("jason_output: true", "warning", "jason_output"),
        ("capture: {enabled: true}", "warning", "without effect here: capture"),
        ("load_plugins: [cloudtrail]", "problem", "$.load_plugins[0]"),
        ("load_plugins: []", "problem", "loads no plugin"),
    ],
)
def test_a_configuration_that_is_wrong(examine, falco_yaml, text, level, part):
    code, found = examine("-c", falco_yaml(text))
    assert any(each[0] == level and part in each[1] for each in found["configuration"] + found["plugin"]), found
    assert code == (1 if level == "problem" else 0)
    assert "Falco" in found  # the other checks run all the same


def test_a_plugin_that_there_is_not(examine):
    code, found = examine("dokcer")
    assert code == 1
    _, text, fix = only(found["plugin"])
    assert "did you mean 'docker'?" in text
    assert fix == "Name a plugin that exists and can be imported"


@pytest.mark.parametrize(
    "text", ["load_plugins: [docker, json]", "plugins: [{name: k8saudit, library_path: libk8saudit.so}]\nload_plugins: [k8saudit]"]
)
def test_a_plugin_that_cannot_be_loaded_is_corrected_in_the_file(examine, tmp_path, text):
    file = tmp_path / "falco.yaml"
    file.write_text(text)
    _, found = examine("-c", file)
    assert only(found["plugin"])[2].startswith(f"Correct $.plugins or $.load_plugins in {file}")


def test_a_plugins_own_configuration(examine, falco_yaml):
    file = falco_yaml("stdout_output: {enabled: true}", "{flushInterval: soon}")
    code, found = examine("-c", file)
    assert code == 1
    _, text, fix = only(found["plugin"])
    assert "flushInterval" in text
    assert "`lanner plugin docker` shows its options" in fix


def test_rules_that_need_what_is_turned_off_are_named(examine):
    assert "rules cannot match" not in str(examine("docker")[1]["rules"])
    level, text, fix = only(examine("docker", "--config", "{inspect: false}")[1]["rules"])
    assert level == "warning"
    assert "9 rules cannot match" in text
    assert "Privileged container" in text
    assert "Root in a container writes to the host" not in text  # disabled
    assert fix == "Leave out `inspect: false` in the plugin's configuration"


def test_a_configuration_on_the_command_line(examine, tmp_path):
    assert examine("docker", "--config", "{inspect: true}")[0] == 0
    code, found = examine("docker", "--config", f"{{cursor: {tmp_path}/none/cursor}}")
    assert (code, only(found["cursor"])[0]) == (1, "problem")


def test_several_engines_and_a_cursor(falco_yaml, engine, lanner, path, tmp_path):
    gone, folder = f"unix://{tmp_path}/gone.sock", tmp_path / "state"
    file = falco_yaml("", f"{{hosts: [{{name: here, url: '{engine.url}'}}, '{gone}'], cursor: '{folder}/cursor'}}")

    def found():
        done = lanner("doctor", "-c", file, "--json", env=path())
        return checked(done.code, json.loads(done.out))

    code, before = found()
    assert code == 1
    level, _, fix = only(before["cursor"])
    assert (level, fix.partition(",")[0]) == ("problem", f"mkdir -p -m 700 {folder}")
    assert before[f"engine {engine.url}: answer"][0] == ("ok", "Docker Engine 20.10.24 (API 1.41)", "")
    assert only(before[f"engine {gone}: rights"])[0] == "problem"
    folder.mkdir()
    assert only(found()[1]["cursor"])[0] == "ok"


def test_rules_that_are_wrong(examine, tmp_path):
    rules = tmp_path / "mine.yaml"
    rules.write_text("- rule: Mine\n  desc: d\n  condition: docker.tpye = container\n  output: o\n  priority: NOTICE\n  source: docker\n")
    code, found = examine("-r", rules)
    assert code == 1
    level, text, fix = found["rules"][0]
    assert level == "problem"
    assert str(rules) in text
    assert fix


def test_rules_that_are_odd(examine, tmp_path):
    rules = tmp_path / "mine.yaml"
    rules.write_text(
        "- rule: Mine\n  desc: Something\n  condition: docker.type = container\n  output: o %docker.id\n  priority: NOTICE\n  source: docker\n"
    )
    code, found = examine("-r", rules)
    assert code == 0
    assert only(found["rules"]) == ("warning", "warnings about the rules: 1", f"See them: lanner rules check --plugin docker {rules}")


def test_rules_that_are_about_other_events(examine, tmp_path):
    rules = tmp_path / "mine.yaml"
    rules.write_text("- rule: Mine\n  desc: d\n  condition: kv.x = 1\n  output: o\n  priority: NOTICE\n  source: kv\n  tags: [t]\n")
    code, found = examine("-r", rules)
    assert code == 1
    assert ("problem", "None of the rules is about these events: there will be no alerts") in [each[:2] for each in found["rules"]]


def test_rules_that_are_not_there(examine, tmp_path, falco_yaml):
    assert examine("-r", tmp_path / "none.yaml")[0] == 1
    code, found = examine("-c", falco_yaml("rules_files: [/nonexistent/rules.yaml]"))
    assert code == 1
    assert "none of /nonexistent/rules.yaml exists" in only(found["rules"])[1]
