"""`lanner run --replay --report` and `lanner report diff`."""

import json
import re
import shutil
import tracemalloc
from itertools import accumulate

import pytest

from lanner.console.compared import ComparedAlert
from lanner.console.report_diff import Comparison
from lanner.console.report_file import read_report

from ..alerts.stores import alert, make_store

pytestmark = pytest.mark.slow

WITHOUT = """\
- rule: Image deleted
  enabled: false
  override:
    enabled: replace
"""


def storing(path):
    return "-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={path}", "-o", "stdout_output.enabled=false"


@pytest.fixture(scope="module")
def stores(tmp_path_factory, lanner):
    """Stores of the same two replays."""
    directory = tmp_path_factory.mktemp("stores")
    (directory / "off.yaml").write_text(WITHOUT)
    for name, rules in (("all", ["-r", "plugin"]), ("off", ["-r", "plugin", "-r", str(directory / "off.yaml")])):
        assert lanner("run", "docker", *rules, "--replay", "example", *storing(directory / name)).code == 0
    return directory


@pytest.fixture(scope="module")
def reports(tmp_path_factory, lanner):
    """Reports of the Docker plugin's recording, with its rules and without one of them."""
    directory = tmp_path_factory.mktemp("reports")
    (directory / "off.yaml").write_text(WITHOUT)
    for name, rules in (("all", ["-r", "plugin"]), ("off", ["-r", "plugin", "-r", str(directory / "off.yaml")])):
        done = lanner("run", "docker", *rules, "--replay", "example", "--report", str(directory / f"{name}.html"))
        assert done.code == 0, done.err
        assert "alerts to" in done.err
    return directory


def test_report_has_all_alerts_and_a_policy_for_its_own_parts(reports):
    report = read_report(str(reports / "all.html"))
    assert len(report.times) == len(report.messages) == 56
    assert all(kept["event_size"] > 0 for kept in report.kept.values())
    assert any(kept.get("why", {}).get("matches") for kept in report.kept.values())
    page = (reports / "all.html").read_text()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", re.sub(r'id="data">[^<]*', "", page).split("<script>")[0])
    assert "default-src 'none'; script-src 'sha256-" in page


def test_diff_counts_and_names_what_only_one_raised(lanner, reports):
    done = lanner("report", "diff", str(reports / "all.html"), str(reports / "off.html"))
    assert done.code == 0
    assert re.search(r" 3 +0 +-3  Image deleted", done.out.decode())
    assert "only in the first: Image deleted, 3 alerts" in done.out.decode()
    assert "only in the second" not in done.out.decode()
    found = json.loads(lanner("report", "diff", str(reports / "off.html"), str(reports / "all.html"), "--format", "json").out)
    assert [(rule["rule"], len(rule["only_second"])) for rule in found["rules"] if rule["only_second"]] == [("Image deleted", 3)]


def test_the_same_report_has_no_difference(lanner, reports):
    done = lanner("report", "diff", str(reports / "all.html"), str(reports / "all.html"))
    assert re.fullmatch(r"[0-9]+ rules with the same count", done.lines[3])
    assert done.lines[4:] == ["", "both have the same alerts"]
    found = json.loads(lanner("report", "diff", str(reports / "all.html"), str(reports / "all.html"), "--format", "json").out)
    assert f"{len(found['rules'])} rules with the same count" == done.lines[3]


def test_stores_are_compared_as_reports_are(lanner, reports, stores):
    expected = json.loads(lanner("report", "diff", reports / "all.html", reports / "off.html", "--format", "json").out)
    for first, second in ((stores / "all", stores / "off"), (stores / "all", reports / "off.html"), (reports / "all.html", stores / "off")):
        done = lanner("report", "diff", first, second)
        assert done.code == 0, done.err
        assert re.search(r" 3 +0 +-3  Image deleted", done.out.decode())
        assert "only in the first: Image deleted, 3 alerts" in done.out.decode()
        found = json.loads(lanner("report", "diff", first, second, "--format", "json").out)
        assert found["rules"] == expected["rules"]
    done = lanner("report", "diff", stores / "all", reports / "all.html")
    assert done.lines[-1] == "both have the same alerts"
    assert done.lines[0] == f"first:  {stores}/all: alert store of 1 run"


def test_stores_are_compared_by_whole_messages_and_by_the_number_of_equal_alerts(lanner, tmp_path):
    long = "x" * 600
    for name, messages in (("one", [long + "a", long + "a", "same", *"abcdefghijkl"]), ("two", [long + "b", long + "a", "same"])):
        make_store(tmp_path / name, [alert(number, message=each) for number, each in enumerate(messages, start=1)])
    found = json.loads(lanner("report", "diff", tmp_path / "one", tmp_path / "two", "--format", "json").out)
    (rule,) = found["rules"]
    assert (rule["rule"], rule["first"], rule["second"]) == ("Shell", 15, 3)
    assert [each["message"] for each in rule["only_first"]] == [long + "a", *"abcdefghijkl"]
    assert [each["message"] for each in rule["only_second"]] == [long + "b"]
    text = lanner("report", "diff", tmp_path / "one", tmp_path / "two").out.decode()
    assert "only in the first: Shell, 13 alerts" in text
    assert "    ... and 3 more; --format json has all" in text


def test_a_store_that_cannot_be_compared_whole_is_an_error(lanner, stores, tmp_path):
    shutil.copytree(stores / "all", tmp_path / "bad")
    (tmp_path / "bad/alerts-2020-01-01.db").write_text("no database")
    done = lanner("report", "diff", tmp_path / "bad", stores / "all")
    assert done.code == 1
    assert done.lines[-1] == "both have the same alerts"
    assert f"{tmp_path}/bad: the comparison lacks alerts: the alert store {tmp_path}/bad/alerts-2020-01-01.db is damaged" in done.err
    (tmp_path / "empty").mkdir()
    done = lanner("report", "diff", tmp_path / "empty", stores / "all")
    assert done.code == 1
    assert f"there is no alert store at {tmp_path}/empty: it contains no alerts" in done.err


def test_the_memory_of_a_comparison_does_not_depend_on_the_number_of_alerts(tmp_path):
    """Alerts are made one by one; only rules are kept."""

    class Many:
        is_store, title, notes = True, "many", ()

        def __init__(self, count):
            self.count = count

        def alerts(self, *, is_short):
            return ((place, self.alert(place)) for place in range(self.count))

        def alert(self, place):
            return ComparedAlert(place, f"rule {place % 3}", 4, f"alert {place}")

    peaks = []
    for count in (3_000, 60_000):
        tracemalloc.start()
        with Comparison(Many(count), Many(count - 3)) as found:
            assert [(each.first, each.second, each.only_first, each.only_second) for each in found.rules()] == [
                (count // 3, count // 3 - 1, 1, 0)
            ] * 3
            assert sorted(next(found.list_unmatched(rule, 0)).time for rule in found.rules()) == [count - 3, count - 2, count - 1]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_alerts_of_several_recordings_are_sorted_by_the_time_of_their_events(lanner, tmp_path):
    rule = "{rule: R, desc: d, condition: docker.action = kill, output: o, priority: WARNING, source: docker}"
    (tmp_path / "r.yaml").write_text(f"- {rule}\n")
    for name, seconds in (("late", (50, 70)), ("early", (10, 60))):
        events = [{"Type": "container", "Action": "kill", "Actor": {"ID": "a"}, "timeNano": second * 10**9} for second in seconds]
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    report = tmp_path / "x.html"
    replays = [argument for name in ("late", "early") for argument in ("--replay", tmp_path / f"{name}.jsonl")]
    done = lanner("run", "docker", "-r", tmp_path / "r.yaml", *replays, "--report", report)
    assert done.code == 0, done.err
    read = read_report(str(report))
    assert list(accumulate(read.times)) == [10_000, 50_000, 60_000, 70_000]
    assert [read.kept[str(place)]["time"] for place in range(4)] == sorted(kept["time"] for kept in read.kept.values())


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"<html>no report", "is not a report"),
        (b'<script type="application/octet-stream" id="data">%%%</script></html>', "is damaged"),
        (b'<script type="application/octet-stream" id="data">H4sIAAAA</script></html>', "is damaged"),
    ],
)
def test_what_is_not_a_report_is_refused(lanner, reports, tmp_path, content, shown):
    (tmp_path / "bad.html").write_bytes(content)
    done = lanner("report", "diff", str(reports / "all.html"), str(tmp_path / "bad.html"))
    assert done.code == 2
    assert shown in done.err
    assert "bad.html" in done.err


def test_a_missing_report_is_named(lanner, reports):
    for paths in (("/nowhere", reports / "all.html"), (reports / "all.html", "/nowhere")):
        done = lanner("report", "diff", *map(str, paths))
        assert done.code == 1
        assert "there is no alert store or report at /nowhere: it does not exist" in done.err


def test_a_report_that_is_cut_off_is_an_error(lanner, reports, tmp_path):
    whole = (reports / "all.html").read_bytes()
    data = whole.index(b'id="data">')
    for size in (data + 100, whole.index(b"</script>", data) + 20, len(whole) - 10):
        (tmp_path / "cut.html").write_bytes(whole[:size])
        done = lanner("report", "diff", str(reports / "all.html"), str(tmp_path / "cut.html"))
        assert done.code == 2
        assert f"the report {tmp_path / 'cut.html'} is cut off" in done.err


def test_report_needs_a_replay(lanner):
    done = lanner("run", "docker", "--report", "x.html")
    assert done.code == 2
    assert "--report is for recorded events: add --replay FILE" in done.err


def test_a_directory_that_is_missing_is_reported_before_the_replay(lanner, tmp_path):
    done = lanner("run", "docker", "--replay", "example", "--report", str(tmp_path / "none" / "x.html"))
    assert done.code == 2
    assert "does not exist" in done.err
    assert "replaying" not in done.err
