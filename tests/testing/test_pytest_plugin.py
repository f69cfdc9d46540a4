"""Rules in a user's pytest: the fixture, the assertions, and what a failure shows."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

from lanner import LannerError
from lanner.testing import Rules

RULES = """
- rule: Started
  desc: d
  condition: docker.action.name = start and docker.from startswith busy
  output: started %docker.from
  priority: NOTICE
  source: docker
- rule: Ended
  desc: d
  condition: docker.action.name = die
  output: ended
  priority: NOTICE
  source: docker
  enabled: false
"""
START = {"Type": "container", "Action": "start", "Actor": {"Attributes": {"image": "busy:1"}}}
ENVIRONMENT = os.environ | {"PYTEST_ADDOPTS": "", "COLUMNS": "200"}


@pytest.fixture
def pytest_run(tmp_path):
    """`pytest_run(text)` is what pytest prints of a test file of this text, in a directory below that of its rules."""

    def run(text):
        (tmp_path / "suite").mkdir()
        (tmp_path / "my_rules.yaml").write_text(RULES)
        (tmp_path / "suite" / "conftest.py").write_text('pytest_plugins = ["lanner.testing.pytest_plugin"]')
        (tmp_path / "suite" / "test_it.py").write_text(f"START = {START}\n{dedent(text)}")
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "suite"]
        return subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_fixture_finds_rules_beside_the_test(pytest_run):
    done = pytest_run("""
        def test_fires(falco_rules):
            result = falco_rules("../my_rules.yaml").replay([START])
            assert [alert.output for alert in result.fired("Started")] == ["started busy:1"]

        def test_disabled(falco_rules):
            result = falco_rules("../my_rules.yaml", enable=["Ended"]).replay(['{"Action":"die"}'])
            result.assert_fired("Ended", times=1)
            result.assert_silent("Started")

        def test_shipped(falco_rules):
            assert falco_rules().replay("example").fired("Stack removed")
    """)
    assert (done.returncode, done.stdout.splitlines()[-1].split(" in ")[0]) == (0, "3 passed")


def test_a_failure_shows_what_said_no_or_why_it_fired(pytest_run):
    done = pytest_run("""
        def test_not_fired(falco_rules):
            assert falco_rules("../my_rules.yaml").replay([{"Action": "start"}]).fired("Started")

        def test_fired(falco_rules):
            assert not falco_rules("../my_rules.yaml").replay([START]).fired("Started")

        def test_other(falco_rules):
            assert falco_rules("../my_rules.yaml").replay([START]).fired("Started")
            falco_rules("../my_rules.yaml").replay([]).assert_fired("Started")
    """)
    assert done.returncode == 1
    not_fired, fired, other = done.stdout.split("\n____")[1:]
    assert "- Falco rules -" in not_fired
    assert "no     docker.from startswith busy   -> no value   <-- the first part that is false" in not_fired
    assert 'yes    docker.from startswith busy   -> "busy:1"' in fired
    assert "Falco rules" not in other


def test_a_failure_of_a_single_rule_shows_what_said_no(pytest_run):
    done = pytest_run("""
        from lanner.testing import rule

        def test_rule():
            assert rule("docker.type = container").matches({"Type": "image"})
    """)
    assert done.returncode == 1
    assert 'docker.type = container   -> "image"' in done.stdout


def test_nothing_of_lanner_is_imported_for_tests_that_do_not_ask(pytest_run):
    done = pytest_run("""
        import sys

        def test_modules():
            heavy = {name for name in sys.modules if name.startswith(("lanner.", "msgspec", "yaml", "re2"))}
            assert heavy <= {"lanner._lazy", "lanner._version", "lanner.testing", "lanner.testing.pytest_plugin"}
    """)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "my_rules.yaml"
    path.write_text(RULES)
    return Rules(path)


def test_assert_fired_says_why_not(rules):
    result = rules.replay([{"Action": "die"}, START | {"Actor": {"Attributes": {"image": "redis"}}}])
    with pytest.raises(AssertionError) as caught:
        result.assert_fired("Started")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the rule 'Started' did not fire"
    assert lines[1].endswith(" does not match event 2:")
    assert lines[-1] == 'no     docker.from startswith busy   -> "redis"   <-- the first part that is false'


def test_assert_fired_counts(rules):
    result = rules.replay([START, START])
    assert [alert.event for alert in result.assert_fired("Started", times=2)] == [1, 2]
    with pytest.raises(AssertionError, match=r"fired 2 times, not 3\nthe rule 'Started' fired on each of 2 events"):
        result.assert_fired("Started", times=3)
    with pytest.raises(AssertionError, match="did not fire\nthere was no event"):
        rules.replay([]).assert_fired("Started")
    with pytest.raises(AssertionError, match=r"fired 2 times, not 1\n.* matches event 2:"):
        result.assert_fired("Started", times=1)


def test_assert_silent_says_why_it_fired(rules):
    with pytest.raises(AssertionError, match=r"the rule 'Started' fired on event 1\n.* matches event 1:"):
        rules.replay([START]).assert_silent()
    rules.replay([START]).assert_silent("Ended")


def test_a_disabled_rule_or_one_that_is_not_there_is_no_silence(rules):
    with pytest.raises(AssertionError, match="the rule 'Ended' is disabled: only tests that enable it try it"):
        rules.replay([{"Action": "die"}]).assert_fired("Ended")
    with pytest.raises(LannerError, match="no rule 'Strated': did you mean 'Started'"):
        rules.replay([START]).assert_silent("Strated")
    with pytest.raises(LannerError, match="no rule 'Endet'"):
        rules.replay([START], enable=["Endet"])
