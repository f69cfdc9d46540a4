"""Destinations of the log records of a .so: to the host's log, by plugin, or to standard error with time, level and plugin."""

import re

import pytest

pytestmark = pytest.mark.slow

MESSAGES = {"root debug of", "library of", "opened by", "thread of"}
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}: \[(\w+)\] ([\w.]+): (.*)")


@pytest.mark.parametrize("order", [("talks", "says"), ("says", "talks")])
def test_each_plugin_of_a_process_logs_to_its_own_host_state_by_its_own_name(built, run_host, order):
    first, second = (built(plugin, "3.3") for plugin in order)
    report = run_host(first, "--open", "x", beside=[second])
    assert report["violations"] == []
    for plugin in order:
        told = [log for log in report["logs"] if log["message"].endswith(plugin)]
        assert {log["message"] for log in told} == {f"{message} {plugin}" for message in MESSAGES}
        assert {(log["owner"], log["component"]) for log in told} == {(plugin, plugin)}


def test_the_host_gets_records_of_every_level_and_filters_them_itself(built, run_host):
    report = run_host(built("talks", "3.3"), "--open", "x")
    assert {log["severity"] for log in report["logs"]} >= {3, 4, 6, 7}
    assert report["stderr"] == ""


@pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])
def test_without_a_hosts_log_standard_error_has_time_level_and_plugin(built, run_host, api):
    report = run_host(built("talks", api), "--open", "x")
    assert (report["violations"], report["logs"]) == ([], [])
    found = [LINE.fullmatch(line) for line in report["stderr"].splitlines()]
    assert all(found), report["stderr"]
    told = [each.groups() for each in found if each]
    assert ("warning", "talks", "opened by talks") in told
    assert ("info", "talks", "library of talks") in told
    assert ("error", "talks", "thread of talks") in told
    assert not any("debug" in message for _, _, message in told)


def test_a_plugin_with_a_hosts_log_beside_one_without(built, run_host):
    report = run_host(built("talks", "3.3"), "--open", "x", beside=[built("says", "3")])
    assert {log["owner"] for log in report["logs"]} == {"talks"}
    assert not any(log["message"].endswith("says") for log in report["logs"])
    assert "[warning] says: opened by says" in report["stderr"]
    assert "talks" not in report["stderr"]


def test_each_life_of_a_state_logs_once(bound, run_host):
    report = run_host(bound("talks", "3.3"), "--open", "x", "--cycles", "3", "--reload")
    assert [log["message"] for log in report["logs"]].count("opened by talks") == 3


def test_the_api_with_a_hosts_log_is_asked_for(bound, run_host):
    assert run_host(bound("talks", "3.3"), "--info")["info"]["api"] == "3.3.0"
    assert run_host(bound("talks", "3"), "--info")["info"]["api"] == "3.0.0"
