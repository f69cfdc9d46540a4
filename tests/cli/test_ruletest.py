"""`lanner rules test`: tests beside the rules, their results, and errors in a test file."""

import json
import re
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.slow

SHELL = '{Type: container, Action: "exec_start: sh", Actor: {ID: a, Attributes: {image: "busy:1"}}}'
OUTPUT = "Shell in a container (command=sh container=<NA> image=busy:1 id=a service=<NA> project=<NA>)"


@pytest.fixture
def run(lanner, tmp_path):
    """`run(text, *options)` runs a test file of this text, as t.yaml in its directory."""

    def test(text, *options):
        (tmp_path / "t.yaml").write_text(dedent(text))
        return lanner("rules", "test", "t.yaml", *options, cwd=tmp_path)

    return test


def test_what_was_expected_came(run):
    done = run(f"""
        tests:
          - name: A shell
            events: [{SHELL}]
            alerts:
              - rule: Shell in a container
                output: {OUTPUT}
                fields: {{docker.from: "busy:1", docker.attributes.name: null}}
                priority: warning
          - name: A shell, by name and as JSON text
            events: ['{{"Type":"container","Action":"exec_start: sh"}}']
            alerts: [Shell in a container]
          - name: Nothing
            events: [{{Type: container, Action: start}}]
            alerts: []
    """)
    assert (done.code, done.err) == (0, "")
    assert done.lines[:4] == [
        "t.yaml",
        "  ok      A shell                            1 alert",
        "  ok      A shell, by name and as JSON text  1 alert",
        "  ok      Nothing                            0 alerts",
    ]
    assert "Rules that fired in no test:" not in done.lines
    assert re.fullmatch(r"[0-9]+ rules of the plugin's own fired in no test; --json names them", done.lines[5])
    assert done.lines[-1] == "3 tests, 0 failed"


def test_rules_of_the_word_plugin_are_only_counted(run, tmp_path):
    for name in ("loud", "silent"):
        rule = f"{{rule: {name}, desc: d, condition: docker.action = {name}, output: o, priority: WARNING, source: docker}}"
        (tmp_path / f"{name}.yaml").write_text(f"- {rule}\n")
    done = run(f"""
        rules: [plugin, loud.yaml, silent.yaml]
        tests: [{{name: A shell, events: [{SHELL}], alerts: [Shell in a container]}}]
    """)
    assert (done.code, done.err) == (0, "")
    assert done.lines[3:6] == ["Rules that fired in no test:", "  loud", "  silent"]
    assert re.fullmatch(r"[0-9]{2} rules of the plugin's own fired in no test; --json names them", done.lines[7])
    assert len(done.lines) == 10
    assert {"loud", "silent", "Container killed by signal 9"} < {
        *json.loads(run((tmp_path / "t.yaml").read_text(), "--json").out)["never_fired"]
    }


def test_an_alert_that_did_not_come_is_explained(run):
    done = run("tests: [{name: A kill, events: [{Type: container, Action: kill}], alerts: [Container killed by signal 9]}]")
    assert done.code == 1
    assert done.lines[1:7] == [
        "  FAILED  A kill  0 alerts",
        "",
        "Differences (- is an expected alert, + a raised alert, ! an alert whose content differs):",
        "",
        "t.yaml: A kill",
        "  - Container killed by signal 9: expected, but not raised",
    ]
    assert "      no     docker.signal = 9   -> no value   <-- the first part that is false" in done.lines
    assert done.lines[-1] == "1 test, 1 failed"


def test_an_unexpected_alert_is_explained(run):
    done = run(f"tests: [{{name: T, events: [{SHELL}], alerts: []}}]")
    assert done.code == 1
    assert f"  + Shell in a container: not expected, but event 1 raised it: {OUTPUT}" in done.lines
    assert '      yes      docker.exec.program in (shells)   -> "sh"' in done.lines


def test_an_alert_that_differs_is_shown_beside_what_was_expected(run):
    done = run(f"""
        tests:
          - name: T
            events: [{SHELL}]
            alerts: [{{rule: Shell in a container, output: other, priority: debug, fields: {{docker.from: 7, x.y: 1}}}}]
    """)
    assert done.code == 1
    head = "  ! Shell in a container (event 1): "
    for line in ("output", "    - other", f"    + {OUTPUT}", "priority", "    - Debug", "    + Warning", "field docker.from", "    - 7"):
        assert (line if line.startswith(" ") else head + line) in done.lines
    assert any(line.startswith(head + "its output has no field x.y; it has docker.attributes.name, ") for line in done.lines)


def test_the_order_and_the_number_of_alerts_count(run):
    events = "[{Type: container, Action: pause}, {Type: container, Action: oom}]"
    done = run(f"""
        tests:
          - {{name: right, events: {events}, alerts: [Container paused, Container out of memory]}}
          - {{name: order, events: {events}, alerts: [Container out of memory, Container paused]}}
          - {{name: fewer, events: {events}, alerts: [Container paused]}}
    """)
    assert [line.split()[0] for line in done.lines[1:4]] == ["ok", "FAILED", "FAILED"]


def test_a_rule_that_another_one_stands_before_is_told_so(run):
    event = "{Type: service, Action: remove, Actor: {Attributes: {name: shop_web}}}"
    done = run(f"tests: [{{name: T, events: [{event}], alerts: [Service removed]}}]")
    assert '          but "Stack removed" raises the alert, because it comes first: only the first match raises an alert' in done.lines
    done = run(f"tests: [{{name: T, events: [{event}], alerts: [Stack removed, Service removed], all_matches: true}}]")
    assert done.code == 0


def test_a_disabled_rule_fires_in_a_test_that_enables_it_alone(run):
    done = run("""
        tests:
          - name: enabled
            events: [{Type: container, Action: die, Actor: {Attributes: {exitCode: "1"}}}]
            enable: [Container ended with an error]
            alerts: [Container ended with an error]
          - name: not enabled
            events: [{Type: container, Action: die, Actor: {Attributes: {exitCode: "1"}}}]
            alerts: [Container ended with an error]
    """)
    assert [line.split()[0] for line in done.lines[1:3]] == ["ok", "FAILED"]
    assert "      the rule 'Container ended with an error' is disabled: only tests that enable it try it" in done.lines


def test_rules_recording_and_plugin_stand_beside_the_test_file(run, tmp_path, rules, plugin):
    (tmp_path / "mine.py").write_text(f"import sys\nsys.path.append({plugin('').rpartition('/')[0]!r})\nfrom plugins import Words\n")
    (tmp_path / "words.jsonl").write_text('{"ts":5,"payload":"Zm9v"}\n')
    rules("words", "words.text = foo")
    silent = rules("words", "words.text = never").read_text().replace("Something", "Silence")
    rules("words", "words.text = foo")
    (tmp_path / "silent.yaml").write_text(silent)
    done = run("""
        plugin: mine.py:Words
        rules: [words.yaml, silent.yaml]
        tests:
          - {name: recorded, recording: words.jsonl, alerts: [{rule: Something, output: got foo, fields: {evt.time: 5}}]}
          - {name: inline, events: [foo, bar], alerts: [Something]}
    """)
    assert (done.code, done.err) == (0, "")
    assert done.lines[-1] == "2 tests, 0 failed"
    assert done.lines[-4:-2] == ["Rules that fired in no test:", "  Silence"]


def test_the_plugins_own_recording_goes_by_the_name_example(run, replayed):
    done = run("tests: [{name: T, recording: example, alerts: []}]")
    assert done.lines[1] == f"  FAILED  T  {len(replayed.lines)} alerts"


def test_anchors_and_merge_keys_save_words(run):
    done = run("""
        definitions:
          container: &container {Type: container}
        tests: [{name: T, events: [{<<: *container, Action: oom}], alerts: [Container out of memory]}]
    """)
    assert done.code == 0


def test_json_and_junit(run, tmp_path):
    text = f"""
        tests:
          - {{name: good, events: [{SHELL}], alerts: [Shell in a container]}}
          - {{name: "bad \\e", events: [{SHELL}], alerts: []}}
    """
    done = run(text, "--json", "--junit", "r.xml")
    assert done.code == 1
    found = json.loads(done.out)
    good, bad = found["files"][0]["tests"]
    assert (found["passed"], good["passed"], bad["passed"]) == (False, True, False)
    assert good["alerts"][0] | {"fields": None} == {
        "rule": "Shell in a container",
        "priority": "Warning",
        "output": OUTPUT,
        "fields": None,
        "event": 1,
    }
    assert good["alerts"][0]["fields"]["docker.from"] == "busy:1"
    assert bad["differences"][0]["what"].startswith("+ Shell in a container")
    assert "Service removed" in found["never_fired"]
    suite = ET.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite.attrib == {"name": "t.yaml", "tests": "2", "failures": "1"}
    good, bad = suite.findall("testcase")
    assert (good.get("name"), bad.get("name"), good.find("failure")) == ("good", "bad \\x1b", None)
    assert "yes      docker.exec.program in (shells)" in bad.find("failure").text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "test: []",
            "t.yaml:1: unknown key `test`: did you mean 'tests'?; allowed are: tests, plugin, rules, config, definitions",
        ),
        ("rules: []", "t.yaml:1: missing key `tests`; allowed are: tests, plugin, rules, config, definitions"),
        ("tests: {}", "t.yaml:1: `tests`: a list is expected here, not a mapping"),
        ("tests: [1]", "t.yaml:1: a mapping is expected here, not a number"),
        ("", "t.yaml:1: a mapping is expected here, not nothing"),
        (
            "tests:\n- name: a\n  alert: []",
            "t.yaml:3: unknown key `alert`: did you mean 'alerts'?; allowed are: name, alerts, events",
        ),
        ("tests:\n- name: a\n  events: [x]", "t.yaml:2: missing key `alerts`; allowed are: name, alerts, events"),
        ("tests:\n- name: a\n  events:\n  - 1\n  alerts: []", "t.yaml:4: a string or a mapping is expected here, not a number"),
        ("tests:\n- name: a\n  events: [x]\n  alerts:\n  - 1", "t.yaml:5: a string or a mapping is expected here, not a number"),
        ("tests:\n- name: a\n  events: [x]\n  alerts:\n  - {rule: x, outputs: y}", "t.yaml:5: unknown key `outputs`"),
        ("tests:\n- name: a\n  alerts: []", "t.yaml:2: the test 'a' needs `events` or `recording`"),
        (
            "tests:\n- {name: a, alerts: [], events: [x], recording: y}",
            "t.yaml:2: the test 'a' may have only one of `events` or `recording`",
        ),
        ("tests:\n- name: a\n  alerts: []\n  events: []", "t.yaml:4: `events`: a list of length >= 1 is expected here"),
        (
            "tests:\n- name: a\n  events: [x]\n  alerts:\n  - Servce removed",
            "t.yaml:5: unknown rule 'Servce removed': did you mean 'Service",
        ),
        ("tests:\n- name: a\n  events: [x]\n  alerts: []\n  enable:\n  - zzzz", "t.yaml:6: unknown rule 'zzzz'"),
        (
            "tests:\n- name: a\n  events: [x]\n  alerts:\n  - rule: x\n    priority: high",
            "t.yaml:6: unknown priority 'high'; allowed are: Emerg",
        ),
        (
            "tests:\n- {name: a, alerts: [], recording: none.jsonl}",
            "t.yaml:2: test 'a': cannot read the recording none.jsonl: No such file",
        ),
        (
            "tests:\n- {name: a, alerts: [], events: [&x {a: *x}]}",
            "t.yaml:2: invalid YAML: the alias '*x' is inside the node that it names",
        ),
        ("tests:\n- {name: a, alerts: [], events: [{1: 2}]}", "t.yaml:2: a string is expected here, not a number"),
        ("tests: []", "t.yaml:1: no tests: `tests` is empty"),
        ("- rule: x", "t.yaml: this is a list, perhaps a rules file; a test file is a mapping with the key `tests`"),
        ("tests: [", "t.yaml:1: invalid YAML: end of sequence flow not found"),
        ("tests: []\n--- \ntests: []", "t.yaml:3: invalid YAML: a second document begins here"),
        ("a: " + "[" * 500 + "]" * 500, "t.yaml:1: invalid YAML: nodes are nested more than 64 levels deep"),
        ("\x00", "t.yaml:1: invalid YAML: unknown escape character"),
        ("plugin: dokcer\ntests: [{name: a, alerts: [], events: [x]}]", "no plugin named 'dokcer': did you mean 'docker'?"),
        ("rules: [none.yaml]\ntests: [{name: a, alerts: [], events: [x]}]", "none.yaml"),
        ("config: {flushInterval: x}\ntests: [{name: a, alerts: [], events: [x]}]", "Expected `int`, got `str`"),
    ],
)
def test_what_is_wrong_in_a_test_file_is_said_with_its_line(run, text, message):
    done = run(text)
    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("lanner: error: ")
    assert message in done.err
    assert "Traceback" not in done.err
    assert "defect" not in done.err


def test_a_file_that_is_not_there_or_cannot_be_written_is_said(lanner, run):
    assert "cannot read the test file /nonexistent.yaml: No such file or directory" in lanner("rules", "test", "/nonexistent.yaml").err
    done = run("tests: [{name: a, alerts: [], events: [x]}]", "--junit", "/nonexistent/x.xml")
    assert (done.code, done.err) == (1, "lanner: error: cannot write /nonexistent/x.xml (--junit): No such file or directory\n")
