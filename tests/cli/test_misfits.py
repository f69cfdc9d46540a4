"""A value of another type than its field is never silent: the summary, `rules explain` and `rules check` say it."""

import json

import pytest

PLUGIN = '''
"""Pushes."""

import lanner
from lanner import field, payload


class Pushes(lanner.Plugin):
    """Pushes to a repository."""

    id, name, version, event_source, contact = 4249, "pushes", "0.1.0", "pushes", "the tests"
    timestamp = payload["at"].time("s")
    fields = (
        field("github.forced", payload["forced"], "Whether history was replaced"),
        field("github.kept", payload["forced"].boolean(), "The same as a boolean"),
        field("github.shown", payload["forced"].text(), "The same as a string"),
        field("github.label", payload["labels", lanner.KEY], "A label"),
        field("github.size", payload["size"], "Number of commits"),
        field("github.private", payload["private"], "Whether it is private: the text true", always_text=True),
    )

    def open(self, params):
        yield from ()
'''
RULE = "- rule: Forced\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n  source: pushes\n"


@pytest.fixture
def files(tmp_path):
    """Return the path of the plugin, and a function that writes a rule with a condition and returns its path."""
    plugin, rules = tmp_path / "pushes.py", tmp_path / "rules.yaml"
    plugin.write_text(PLUGIN)

    def write(condition):
        rules.write_text(RULE.format(condition))
        return str(rules)

    return str(plugin), write


EVENTS = b"".join(b'{"forced":%s,"at":%d}\n' % (forced, at) for at, forced in enumerate((b"true", b"false", b"null", b"[1]")))


def test_the_summary_counts_them(lanner, files):
    plugin, rules = files
    done = lanner("run", plugin, "-r", rules("github.forced = true"), "--replay", "-", stdin=EVENTS)
    assert (
        "github.forced: 2 booleans and 1 array without a value, because the field is a string: "
        "declare it with .text() or .boolean() for booleans, with .raw() or EACH for arrays"
    ) in done.err
    done = lanner("run", plugin, "-r", rules("github.kept = true"), "--replay", "-", stdin=EVENTS.splitlines()[0])
    assert len(done.lines) == 1
    assert "without a value" not in done.err


def test_explain_says_which_field_of_the_event_has_another_type(lanner, files, tmp_path):
    plugin, rules = files
    recording = tmp_path / "recording"
    recording.write_bytes(EVENTS)
    arguments = ("rules", "explain", "Forced", "--plugin", plugin, "-r", rules("github.forced = true"), "--replay", str(recording))
    done = lanner(*arguments, "--event", "1")
    assert done.lines[-1] == (
        "github.forced: 1 boolean without a value, because the field is a string: declare it with .text() or .boolean() for booleans"
    )
    assert json.loads(lanner(*arguments, "--event", "4", "--json").out)["unfit"] == [
        "github.forced: 1 array without a value, because the field is a string: declare it with .raw() or EACH for arrays"
    ]
    assert "without a value" not in "".join(lanner(*arguments, "--event", "3").lines)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("github.forced = true", 'github.forced is the text at payload["forced"], and has no value if the payload has true there.'),
        (
            "not github.forced in (x, false)",
            'github.forced is the text at payload["forced"], and has no value if the payload has false there.',
        ),
        ("github.size != 5", 'github.size is the text at payload["size"], and has no value if the payload has a number there.'),
    ],
)
def test_check_warns_of_comparisons_that_the_declaration_makes_senseless(lanner, files, condition, message):
    plugin, rules = files
    done = lanner("rules", "check", "--plugin", plugin, rules(condition))
    assert f"warning: {message} (in rule 'Forced') [LINT_IMPOSSIBLE_VALUE]" in "\n".join(done.lines)
    assert "declare the field with .text() or ." in "\n".join(done.lines)


@pytest.mark.parametrize(
    "condition", ["github.kept = true", "github.shown = true", "github.label[x] = true", "github.forced = yes", "github.private = true"]
)
def test_check_accepts_comparisons_that_may_hold(lanner, files, condition):
    plugin, rules = files
    assert "IMPOSSIBLE" not in "".join(lanner("rules", "check", "--plugin", plugin, rules(condition)).lines)
