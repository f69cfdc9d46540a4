"""The docker plugin in a host while its engine is unreachable."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_open_waits_for_the_engine_and_says_so_in_the_hosts_log(built, run_host):
    report = run_host(built("docker", "3.3"), "--init", '{"host": "unix:///nowhere/docker.sock"}', "--seconds", "0.3")
    assert report["violations"] == []
    (run,) = report["runs"]
    assert (run["open"], run["end"], run["count"]) == ({"rc": "success"}, "seconds", 0)
    (log,) = [log for log in report["logs"] if log["severity"] <= 4]
    assert (log["component"], log["severity"]) == ("docker", 4)
    assert "no Docker engine at unix:///nowhere/docker.sock" in log["message"]
    assert "`host: unix:///path/to/docker.sock` in init_config" in log["message"]


def test_open_fails_where_that_is_asked_for_or_the_configuration_is_wrong(bound, run_host):
    for config in ({"waitForEngine": False, "host": "unix:///nowhere/docker.sock"}, {"host": "tcp://[", "hosts": []}):
        report = run_host(bound("docker"), "--init", json.dumps(config))
        assert report["runs"][0]["open"]["rc"] == "failure"


def test_wrong_open_parameters_are_told_to_the_host(built, run_host):
    report = run_host(built("docker", "3.3"), "--open", "sinc=1")
    opened = report["runs"][0]["open"]
    assert opened["rc"] == "failure"
    assert "the open parameters have 'sinc', which is none of since, until, filters: did you mean 'since'?" in opened["error"]


def test_unknown_options_are_reported_in_the_hosts_log(bound, run_host):
    report = run_host(bound("docker", "3.3"), "--init", '{"inspct": true, "waitForEngine": false}')
    assert report["runs"][0]["init"] == {"rc": "success"}
    (log,) = [log for log in report["logs"] if log["severity"] == 4]
    assert log["message"] == "unknown option `$.inspct`, which has no effect; did you mean `inspect`?"
