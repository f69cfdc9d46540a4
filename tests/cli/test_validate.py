"""`lanner run PLUGIN -V`, `-L` and `-l`: Falco's reports and descriptions, only on standard output."""

import json

import pytest

GOOD = """\
- list: shells
  items: [sh, bash]
- macro: container
  condition: docker.type = container
- rule: shell
  desc: A shell
  condition: container and docker.action in (shells)
  output: a %docker.action
  priority: INFO
  source: docker
  tags: [b, a]
"""
BAD = "- rule: r\n  desc: d\n  condition: docker.nope = 1\n  output: o\n  priority: INFO\n  source: docker\n"


@pytest.fixture
def files(tmp_path):
    for name, text in {"good.yaml": GOOD, "bad.yaml": BAD, "odd.yaml": GOOD + "- macro: unused\n  condition: container\n"}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_file(lanner, files):
    done = lanner("run", "docker", "-V", files / "good.yaml")
    assert (done.code, done.out.decode(), done.err) == (0, f"{files}/good.yaml: Ok\n", "")


def test_warnings_go_to_standard_error(lanner, files):
    done = lanner("run", "docker", "--validate", files / "odd.yaml")
    assert (done.code, done.out.decode()) == (0, f"{files}/odd.yaml: Ok, with warnings\n")
    assert "LOAD_UNUSED_MACRO (Unused macro)" in done.err


def test_several_files_with_an_error(lanner, files):
    done = lanner("run", "docker", "-V", "bad.yaml", "-V", "good.yaml", cwd=files)
    assert done.code == 1
    # what the first file left behind is compiled with the second, as in Falco
    assert done.lines[:3] == ["bad.yaml: Invalid", "1 Errors:", "In rules content: (bad.yaml:0:0)"]
    assert "good.yaml: Invalid" in done.lines


def test_json(lanner, files):
    done = lanner("run", "docker", "-V", files / "good.yaml", "-V", files / "bad.yaml", "--format", "json")
    good, bad = json.loads(done.out)["falco_load_results"]
    assert done.code == 1
    assert good == {
        "name": f"{files}/good.yaml",
        "successful": True,
        "schema_valid": True,
        "schema_warnings": [],
        "errors": [],
        "warnings": [],
    }
    (error,) = bad["errors"]
    assert (error["code"], error["message"]) == (
        "LOAD_ERR_COMPILE_CONDITION",
        "filter_check called with nonexistent field docker.nope",
    )


def test_a_plugin_that_is_not_there(lanner, tmp_path):
    (tmp_path / "r.yaml").write_text("- required_plugin_versions: [{name: nope, version: 1.0.0}]\n")
    done = lanner("run", "docker", "-V", tmp_path / "r.yaml")
    assert (done.code, done.out) == (1, b"")
    assert "Plugin requirement not satisfied, must load one of: nope (>= 1.0.0)" in done.err


@pytest.mark.parametrize("option", ["-V", "-r"])
def test_files_that_cannot_be_read(lanner, tmp_path, option):
    directory = [(".", "Is a directory")] if option == "-V" else []
    for path, reason in (("nope", "No such file or directory"), *directory):
        done = lanner("run", "docker", option, path, *(["-L"] if option == "-r" else []), cwd=tmp_path)
        assert (done.code, done.out) == (1, b"")
        assert f"the rules file {path}" in done.err
        assert reason in done.err


def test_describing_rules(lanner, files):
    done = lanner("run", "docker", "-r", files / "good.yaml", "-L")
    assert done.code == 0
    assert [line.split(maxsplit=1) for line in done.lines if line] == [
        ["Rule", "Description"],
        ["----", "-----------"],
        ["shell", "A shell "],
    ]


def test_describing_one_rule_as_json(lanner, files):
    done = lanner("run", "docker", "-r", files / "good.yaml", "-l", "shell", "--format", "json")
    (rule,) = json.loads(done.out)["rules"]
    assert rule["details"]["condition_compiled"] == "(docker.type = container and docker.action in (sh, bash))"
    assert rule["details"]["plugins"] == ["docker"]


def test_rules_that_cannot_be_described(lanner, files):
    done = lanner("run", "docker", "-r", files / "good.yaml", "-l", "nope")
    assert (done.code, done.out) == (1, b"")
    assert 'Rule "nope" is not loaded' in done.err
    done = lanner("run", "docker", "-r", files / "bad.yaml", "-L")
    assert (done.code, done.out) == (1, b"")
    assert "LOAD_ERR_COMPILE_CONDITION" in done.err


@pytest.mark.parametrize("option", [("-L",), ("-l", "shell"), ("-L", "--format", "json")], ids=" ".join)
def test_a_condition_that_falco_cannot_describe(lanner, files, option):
    (files / "join.yaml").write_text(GOOD.replace("condition: container and", "condition: join(',', ('a', 'b')) = 'a,b' and container and"))
    done = lanner("run", "docker", "-r", files / "join.yaml", *option)
    assert (done.code, done.out) == (1, b"")
    assert done.err.endswith("lanner: error: can't find field info in binary check expression\n")
