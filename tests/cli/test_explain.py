"""`lanner rules explain`: why a rule fired on a recorded event, or which part said no."""

import json

import pytest


def explain(lanner, *arguments, **options):
    return lanner("rules", "explain", *arguments, **options)


def test_why_a_rule_fired(lanner):
    done = explain(lanner, "Shell in a container", "--replay", "example")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].endswith(") matches event 35:")
    assert done.lines[3:8] == [
        "yes  all of",
        "yes    macro container_exec: all of",
        'yes      docker.type = container   -> "container"',
        'yes      docker.action.name in (exec_start, exec)   -> "exec_start"',
        "yes    macro shell_command: one of",
    ]
    assert any(line.startswith("shells: (sh, bash, ") for line in done.lines)
    assert len(done.lines) < 25


def test_every_part_is_shown_on_request(lanner):
    short = explain(lanner, "Shell in a container", "--replay", "example")
    full = explain(lanner, "Shell in a container", "--replay", "example", "--full")
    assert short.lines[-1] == f"(only the parts that decided; --full shows all {len(full.lines)} lines)"
    assert 'no             docker.exec.command glob "* pwsh"   -> "sh "' in full.lines
    assert set(short.lines[:8]) < set(full.lines)


def test_why_a_rule_did_not_fire_on_an_event(lanner):
    done = explain(lanner, "Container killed by signal 9", "--replay", "example", "--event", "9")
    assert done.code == 0
    assert done.lines[0].endswith(") does not match event 9:")
    assert [line for line in done.lines if "<--" in line] == [
        'no       docker.action.name = kill   -> "destroy"   <-- the first part that is false'
    ]
    assert done.lines[-1] == "no     docker.signal = 9   -> no value"


def test_of_events_without_a_match_the_one_that_came_furthest(lanner):
    done = explain(lanner, "Network with the outside created", "--replay", "example", "--json")
    found = json.loads(done.out)
    assert found["matches"] is False
    assert [part["holds"] for part in found["condition"]["parts"]] == [True, True, False]
    assert found["condition"]["parts"][2]["holds"] is False


def test_a_rule_that_matches_but_is_not_the_first_is_told_which_one_was(lanner):
    done = explain(lanner, "Service removed", "--replay", "example")
    assert done.lines[0].endswith(") matches event 128:")
    assert '"Stack removed" raises the alert' in done.lines[2]


def test_a_disabled_rule_is_explained_all_the_same(lanner):
    done = explain(lanner, "Command in a container", "--replay", "example")
    assert done.code == 0
    assert "'Command in a container' is disabled" in done.err


def test_rules_and_plugin_of_ones_own(lanner, plugin, rules, tmp_path):
    words = tmp_path / "words.jsonl"
    words.write_text('{"ts":5,"payload":"Zm9v"}\n{"ts":6,"payload":"YmFy"}\n')
    done = explain(lanner, "Something", "--plugin", plugin("Words"), "-r", rules("words", "words.text = bar"), "--replay", words)
    assert done.code == 0
    assert done.lines[0].endswith(" matches event 2:")
    assert done.lines[-1] == 'yes  words.text = bar   -> "bar"'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Servce removed", "--replay", "example"], "no rule 'Servce removed': did you mean 'Service removed'?"),
        (["Service removed", "--replay", "/nonexistent/x"], "cannot read the recording /nonexistent/x: No such file or directory"),
        (["Service removed", "--replay", "example", "--event", "999"], "the recording example has no event 999"),
        (["Service removed", "--replay", "/dev/null"], "the recording /dev/null has no event"),
        (["R", "--replay", "example", "-r", "/nonexistent.yaml"], "/nonexistent.yaml"),
        (["Service removed", "--replay", "example", "--plugin", "dokcer"], "did you mean 'docker'?"),
        (["Service removed", "--replay", "example", "--config", "flushInterval: x"], "Expected `int`, got `str`"),
    ],
)
def test_what_is_wrong_is_said(lanner, arguments, message):
    done = explain(lanner, *arguments)
    assert (done.code, done.out) == (2 if "dokcer" in arguments else 1, b"")
    assert done.err.startswith("lanner: error: ")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_rule_of_another_source_asks_for_its_plugin(lanner, rules):
    done = lanner("rules", "explain", "Something", "-r", rules("words"), "--replay", "example")
    assert done.code == 1
    assert "the rule 'Something' is not about events of docker: name its plugin (--plugin" in done.err


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("CONTAINER EXPORTED", "Container exported"),
        ("Contianer expotred", "Container exported"),
        ("exported", "Container exported"),
        ("crash", "Container crashed"),
    ],
)
def test_a_misspelt_rule_is_answered_with_the_nearest(lanner, example, name, near):
    done = lanner("rules", "explain", name, "--replay", example)
    assert (done.code, done.err) == (1, f"lanner: error: no rule {name!r}: did you mean {near!r}?\n")
