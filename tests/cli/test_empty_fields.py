"""A replay tells which fields had no value, if rules of the user need them: a misspelt place in a payload looks like this."""

import pytest

PLUGIN = """
import lanner

class Doors(lanner.Plugin):
    '''Doors'''
    id, name, version, event_source, contact = 999, "doors", "0.1.0", "doors", "the tests"
    rules = "own.yaml"
    fields = (
        lanner.field("door.name", lanner.payload["name"], "Name"),
        lanner.field("door.color", lanner.payload["colour"], "Color"),
        lanner.field("door.label", lanner.payload["labels", lanner.KEY], "Label"),
    )
    def open(self, params):
        yield from ()

    @lanner.field("door.size", "Size")
    def size(self, event) -> int | None:
        return event.json.get("size")
"""
RULE = "- {{rule: {}, desc: d, condition: '{}', output: 'x {}', priority: WARNING, source: doors}}\n"
EVENTS = b'{"name": "front", "labels": {"a": "b"}}\n{"name": "back"}\n'


@pytest.fixture
def replay(lanner, tmp_path):
    """`replay(*rules)` replays two events with rules of the form (name, condition, output), and returns the note of the run."""
    (tmp_path / "doors.py").write_text(PLUGIN)
    (tmp_path / "own.yaml").write_text(RULE.format("Own", "door.color = red", ""))
    (tmp_path / "events.jsonl").write_bytes(EVENTS)

    def run(*rules, options=("-r", "mine.yaml"), recording="events.jsonl", stdin=b""):
        (tmp_path / "mine.yaml").write_text("".join(RULE.format(*rule) for rule in rules))
        done = lanner("run", "doors.py", *options, "--replay", recording, cwd=tmp_path, stdin=stdin)
        assert done.code == 0, done.err
        lines = done.err.splitlines()
        begin = next((place for place, line in enumerate(lines) if " of the rules had no value in " in line), len(lines))
        return [line.strip() for line in lines[begin:]]

    return run


def test_a_rule_that_could_not_match_is_named(replay):
    assert replay(("Red", "door.name = front and door.color = red", ""), ("Wide", "door.size > 5", "")) == [
        "lanner: 2 fields of the rules had no value in any of the 2 events:",
        "door.color: the rule 'Red' cannot match",
        "door.size: the rule 'Wide' cannot match",
    ]


def test_so_is_an_output_without_a_value(replay):
    assert replay(("All", "door.name exists", "%door.color %door.name"), ("Blue", "door.color = blue", "")) == [
        "lanner: 1 field of the rules had no value in any of the 2 events:",
        "door.color: the rule 'Blue' cannot match, the output of the rule 'All' has <NA>",
    ]


def test_an_argument_counts(replay):
    assert replay(("A", "door.label[a] = x", ""), ("C", "door.label[c] = x", "")) == [
        "lanner: 1 field of the rules had no value in any of the 2 events:",
        "door.label[c]: the rule 'C' cannot match",
    ]


@pytest.mark.parametrize(
    "condition", ["door.name = other", "door.name = other or door.color = red", "door.name = other and not door.color = red"]
)
def test_a_rule_that_does_not_need_the_field_is_not_named(replay, condition):
    assert replay(("R", condition, "")) == []


def test_the_rules_of_the_plugin_are_named_only_on_request(replay):
    rule = ("Mine", "door.color = blue", "")
    note = "lanner: 1 field of the rules had no value in any of the 2 events:"
    assert replay(options=()) == []
    assert replay(rule, options=("-r", "plugin", "-r", "mine.yaml")) == [note, "door.color: the rule 'Mine' cannot match"]
    assert replay(options=("-v",))[:2] == [note, "door.color: the rule 'Own' cannot match"]


def test_what_cannot_be_read_again_is_left_out(replay):
    assert replay(("Red", "door.color = red", ""), recording="-", stdin=EVENTS) == []


def test_a_limit_of_events_counts(replay):
    rule = ("A", "door.label[a] = b and door.name = x", "")
    assert replay(rule) == []
    assert replay(("Red", "door.color = red", ""), options=("-r", "mine.yaml", "--max-events", "1"))[0].endswith(
        "had no value in the event:"
    )
