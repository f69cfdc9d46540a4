"""Errors about values name the file and line, or the option, that set the value."""

import pytest

from lanner.config.option_places import Origins, Segment
from lanner.config.read import read_configuration
from lanner.sdk.errors import ConfigError


@pytest.fixture
def refuse(tmp_path):
    """`refuse(files, *options)` is the error about files by name, of which the first includes the others."""

    def run(files, *options, strategy="override"):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        first, *others = files
        includes = [f"{{path: {tmp_path}/{name}, strategy: {strategy}}}" for name in others]
        if includes:
            with (tmp_path / first).open("a") as file:
                file.write(f"config_files: [{', '.join(includes)}]\n")
        with pytest.raises(ConfigError) as caught:
            read_configuration(str(tmp_path / first), {}, options)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return run


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("json_output: true\npriority: loud\n", 2),
        ("engine:\n  kind: nodriver\n  kmod:\n    buf_size_preset: [a]\nrule_matching: some\n", 5),
        ("rules:\n  - enable: {rule: a}\n  - enable: {rule: b}\n    disable: {rule: c}\n  - 7\n", 5),
        ("webserver:\n  enabled: true\n  listen_port: 70000\n", 3),
        ("\nhttp_output: {enabled: true}\n", 2),
        ("append_output:\n  - extra_output: a\n  - extra_fields:\n    - a: b\n    - a\n", 5),
    ],
)
def test_a_value_has_its_line(refuse, text, line):
    assert refuse({"a.yaml": text}).startswith(f"a.yaml:{line}: $.")


def test_a_value_of_an_included_file_has_that_files_line(refuse):
    assert refuse({"a.yaml": "priority: error\n", "b.yaml": "\npriority: loud\n"}).startswith("b.yaml:2: $.priority takes one of")


def test_an_item_of_a_list_that_two_files_make_has_its_own_files_line(refuse):
    files = {"a.yaml": "rules:\n  - enable: {rule: a}\n", "b.yaml": "rules:\n  - disable: {rule: b}\n  - 7\n"}
    assert refuse(files, strategy="append").startswith("b.yaml:3: $.rules[2] takes `enable:`")
    files = {"a.yaml": "rules:\n  - 7\n", "b.yaml": "rules:\n  - disable: {rule: b}\n"}
    assert refuse(files, strategy="append").startswith("a.yaml:2: $.rules[0] takes `enable:`")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["priority=loud"], "-o priority: $.priority takes one of"),
        (["priority=error", "priority=loud"], "-o priority: $.priority takes one of"),
        (["rules[]=7"], "-o rules[]: $.rules[1] takes `enable:`"),
        (["rules[0]=7"], "-o rules[0]: $.rules[0] takes `enable:`"),
        (["file_output.enabled=true"], "-o file_output.enabled: $.file_output.filename is empty"),
        (["config_files[]={path: [a]}"], "-o config_files[]: $.config_files[0].path takes a string"),
        (["rules[]={enable: {rule: [secret]}}"], "-o rules[]: $.rules[1].enable.rule takes a string"),
    ],
)
def test_a_value_of_an_option_has_the_option(refuse, options, message):
    assert refuse({"a.yaml": "rules:\n  - enable: {rule: a}\n"}, *options).startswith(message)


def test_an_option_does_not_hide_the_place_of_another_value(refuse):
    assert refuse({"a.yaml": "rules:\n  - 7\n"}, "rules[]={enable: {rule: a}}").startswith("a.yaml:2: $.rules[0]")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yaml": "rules: x\n", "b.yaml": "\nrules: [a]\n"}, "b.yaml:2: $.rules is a list to append"),
        ({"a.yaml": "", "b.yaml": "\n\nconfig_files: [a]\n"}, "b.yaml:3: an included file cannot include others"),
    ],
)
def test_errors_about_includes_have_lines(refuse, files, message):
    assert refuse(files, strategy="append").startswith(message)


def test_a_file_that_includes_itself_has_the_line(refuse, tmp_path):
    text = f"\nconfig_files:\n  - {tmp_path}/a.yaml\n"
    assert refuse({"a.yaml": text}).startswith("a.yaml:3: $.config_files[0] includes the file itself")


def test_a_sentence_may_have_its_value_in_parentheses(tmp_path):
    (tmp_path / "a.yaml").write_text("\nhttp_output:\n  ca_cert: x\n")
    origins = Origins({"http_output": [Segment(f"{tmp_path}/a.yaml")]})
    text = "cannot read the TLS authority x: no such file ($.http_output.ca_cert)"
    assert origins.place(text) == f"{tmp_path}/a.yaml:3: {text}"
    assert origins.place("no value at all") == "no value at all"
