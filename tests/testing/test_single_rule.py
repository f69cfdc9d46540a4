"""`rule(...)`: a condition and an output in a test, and one rule of a file."""

import pytest

import lanner
from lanner.rules import RulesError
from lanner.testing import Rules, rule


class Doors(lanner.Plugin):
    """Doors."""

    name, version, contact, extract_sources = "doors", "0.1.0", "github.com/you/doors", ("doors",)
    fields = (lanner.field("doors.name", lanner.payload["name"], "Name"), lanner.field("doors.state", lanner.payload["state"], "State"))


OPEN = {"name": "front", "state": "open"}
SHUT = {"name": "front", "state": "shut"}


def test_a_condition_matches_or_not_and_has_an_output():
    front = rule("doors.name = front and doors.state = open", "%doors.name is open", plugin=Doors)
    assert front.matches(OPEN)
    assert front.matches('{"name": "front", "state": "open"}')
    assert not front.matches(SHUT)
    assert front.output(OPEN) == "front is open"
    assert front.output(SHUT) is None
    assert (front.fields(OPEN) or {})["doors.name"] == "front"
    assert front.fields(SHUT) is None
    assert 'doors.state = open   -> "shut"' in front.why(SHUT)


def test_a_condition_may_use_lists_and_macros():
    outer = rule(
        "is_open and doors.name in (outer)", plugin=Doors, lists={"outer": ["front", "back"]}, macros={"is_open": "doors.state = open"}
    )
    assert outer.matches(OPEN)
    assert not outer.matches(OPEN | {"name": "kitchen"})


def test_one_rule_of_a_file_is_tried_alone(tmp_path):
    file = tmp_path / "doors.yaml"
    file.write_text(
        "".join(
            f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: {name}\n  priority: INFO\n  source: doors\n  enabled: {enabled}\n"
            for name, condition, enabled in (("All", "doors.name exists", "true"), ("Open", "doors.state = open", "false"))
        )
    )
    rules = Rules(file, plugin=Doors)
    assert rules.rule("Open").matches(OPEN)
    assert not rules.rule("Open").matches(SHUT)
    assert rules.rule("All").output(SHUT) == "All"
    with pytest.raises(lanner.LannerError, match="no rule 'Opne': did you mean 'Open'"):
        rules.rule("Opne")


@pytest.mark.parametrize(
    ("condition", "says"), [("doors.nme = a", r"nonexistent field doors\.nme"), ("doors.name =", "."), ("a and b", "a")]
)
def test_an_invalid_condition_is_an_error(condition, says):
    with pytest.raises(RulesError, match=says):
        rule(condition, plugin=Doors)
