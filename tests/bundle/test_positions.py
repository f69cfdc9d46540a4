"""A built plugin stores the position of its source once the host has taken the events, and the next host resumes there."""

import json
import subprocess
import time

import pytest

from lanner.abi.versions import APIS

from ..conformance import host
from ..waiting import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture
def count(run_host, tmp_path):
    """`count(so, params, *options)`: the numbers that a host reads, by run, with its state in a directory here."""

    def run(so, params, *options, env=()):
        report = run_host(
            so, "--open", params, *options, "--keep", "all", env={"LANNER_STATE_DIRECTORY": str(tmp_path / "state"), **dict(env)}
        )
        assert report["violations"] == [], report
        return [[int(event["payload"]) for event in each["events"]] for each in report["runs"]]

    return run


def stored(tmp_path):
    try:
        return json.loads((tmp_path / "state" / "counts.position").read_text())["position"]
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize("api", APIS)
def test_the_next_host_resumes_where_the_last_one_ended(bound, count, tmp_path, api):
    for last, expected in ((3, [1, 2, 3]), (5, [4, 5])):
        assert count(bound("counts", api), f"{last} ends") == [expected]
        assert stored(tmp_path) == last


def test_a_bundled_library_resumes_too(bundled, count, tmp_path):
    for last, expected in ((3, [1, 2, 3]), (5, [4, 5])):
        assert count(bundled("counts"), f"{last} ends") == [expected]


def test_a_host_that_opens_it_again_resumes(bound, count):
    """The host reloads the library, as Falco does."""
    assert count(bound("counts"), "3 ends", "--cycles", "3") == [[1, 2, 3], [], []]
    assert count(bound("counts"), "5 ends", "--cycles", "2", "--reload") == [[4, 5], []]


def test_events_that_the_host_did_not_come_back_for_are_repeated(bound, count, tmp_path):
    assert count(bound("counts"), "3", "--events", "3") == [[1, 2, 3]]
    assert stored(tmp_path) < 3
    again = count(bound("counts"), "4 ends")[0]
    assert again == list(range(again[0], 5))
    assert again[0] <= 3


def test_without_a_state_directory_each_host_is_the_first(bound, count, tmp_path):
    for _ in range(2):
        assert count(bound("counts"), "2 ends", env={"LANNER_STATE_DIRECTORY": "none"}) == [[1, 2]]
    assert not (tmp_path / "state").exists()


def test_a_second_host_gets_the_reason(bound, run_host, tmp_path):
    environment = {"LANNER_STATE_DIRECTORY": str(tmp_path)}
    opened = run_host(bound("counts"), "--open", "1 ends", "--threads", "2", env=environment)["runs"]
    errors = [run["open"]["error"] for run in opened if run["open"]["rc"] != "success"]
    assert len(errors) <= 1
    (tmp_path / "file").touch()
    report = run_host(bound("counts"), "--open", "1 ends", env={"LANNER_STATE_DIRECTORY": str(tmp_path / "file")})
    assert "cannot write the position" in report["runs"][0]["open"]["error"]


def test_a_killed_host_loses_nothing(bound, count, tmp_path, monkeypatch):
    library = bound("counts")
    monkeypatch.setenv("LANNER_STATE_DIRECTORY", str(tmp_path / "state"))
    before = 0
    for _ in range(3):
        process = subprocess.Popen([host.host(), "--keep", "none", library], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while stored(tmp_path) <= before and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        assert stored(tmp_path) > before
        before = stored(tmp_path)
    assert count(library, f"{before + 2} ends") == [[before + 1, before + 2]]
