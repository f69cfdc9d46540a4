"""The API that the page polls, over a store that the writer has written."""

import contextlib
import json
import sqlite3
import time
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.console.generated import GeneratedStore
from tests.console.hostile import HOSTILE


def test_a_value_that_the_store_does_not_have_is_a_note_of_the_first_page(client):
    known = client.get("/api/alerts?limit=1")[1]["alerts"][0][7]
    found = client.get(f"/api/alerts?limit=1&filter=source:{known}x")[1]
    assert found["notes"] == [f"no alert was found with source '{known}x': did you mean source:\"{known}\"?"]
    assert client.get(f"/api/alerts?after=0&limit=1&filter=source:{known}x")[1]["notes"] == []


def test_the_newest_and_then_older_alerts(client):
    status, found = client.get("/api/alerts?limit=300")
    positions = [row[0] for row in found["alerts"]]
    assert (status, len(positions), found["more"]) == (200, 300, True)
    seen = positions
    while found["more"]:
        _, found = client.get(f"/api/alerts?limit=300&before={found['position']}")
        seen += [row[0] for row in found["alerts"]]
    assert len(seen) == 1000
    assert seen == sorted(set(seen), reverse=True)


def test_polling_gets_each_alert_once(client):
    position, seen = 0, []
    while True:
        _, found = client.get(f"/api/alerts?after={position}&limit=77")
        seen += [row[0] for row in found["alerts"]]
        position = found["position"]
        if not found["more"]:
            break
    assert len(seen) == 1000
    assert seen == sorted(set(seen))
    assert client.get(f"/api/alerts?after={position}")[1] == {"alerts": [], "position": position, "more": False, "notes": []}


def test_a_row_is_what_a_list_shows(client):
    _, found = client.get("/api/alerts?limit=1")
    (position, key, arrived, priority, rule, subject, text, source) = found["alerts"][0]
    status, detail = client.get(f"/api/alert/{key}")
    assert status == 200
    assert (detail["position"], detail["key"], detail["rule"], detail["subject"], detail["source"]) == (
        position,
        key,
        rule,
        subject,
        source,
    )
    assert detail["output"].startswith(text)
    assert abs(arrived / 1000 - time.time()) < 600
    assert 0 <= priority <= 7
    assert detail["rules_file"]["path"] == "/etc/lanner/rules.d/docker_rules.yaml"
    assert detail["rules_file"]["line"] > 1
    assert json.loads(detail["event"])["Type"]


def test_filters_and_facets(client):
    now = int(time.time() * 1000)  # the default is the last hour, of which alerts leave while the test runs
    _, facets = client.get(f"/api/facets?field=rule&begin={now - 2 * 3_600_000}&end={now}")
    rule, count = facets["values"][0]
    assert facets["exact"] is True
    _, found = client.get(f'/api/alerts?limit=1000&filter=rule:"{rule}"'.replace(" ", "%20"))
    assert {row[4] for row in found["alerts"]} == {rule}
    assert 0 < len(found["alerts"]) <= count
    for field in ("priority", "source", "subject", "tag"):
        assert client.get(f"/api/facets?field={field}")[1]["values"]


def test_the_time_line_counts_all(client):
    now = int(time.time() * 1000)
    _, found = client.get(f"/api/timeline?begin={now - 2 * 3_600_000}&end={now}")
    assert sum(sum(counts) for _, counts in found["buckets"]) == 1000
    assert found["exact"] is True
    assert found["step_ms"] >= 1000


@pytest.mark.parametrize(
    ("path", "status", "error", "place"),
    [
        ("alerts?filter=priority%3Aloud", 400, "loud", 9),
        ("alerts?after=-1", 400, "the parameter after takes a number from 0", None),
        ("alerts?after=1e3", 400, "the parameter after takes a number from 0", None),
        ("alerts?limit=x", 400, "the parameter limit takes a number from 0", None),
        ("alerts?nothing=1", 400, "unknown parameter 'nothing': this path takes filter, after, before, limit", None),
        ("timeline?fitler=x", 400, "unknown parameter 'fitler': did you mean 'filter'? This path takes filter, end, begin", None),
        ("alerts?after=1&before=2", 400, "unknown parameter 'before': this path takes filter, after, limit", None),
        ("status?a=1", 400, "unknown parameter 'a': this path takes none", None),
        ("rules?begin=yesterday", 400, "the parameter begin takes a number from 0, not 'yesterday'", None),
        ("facets", 400, "the parameter field takes one of rule, priority, source, subject, tag, and is missing", None),
        ("alerts?after=1&after=2", 400, "the parameter 'after' is given twice", None),
        ("alerts?" + "&".join(f"a{number}=1" for number in range(99)), 400, "invalid query string", None),
        ("facets?field=colour", 400, "the parameter field takes one of rule, priority, source, subject, tag, not 'colour'", None),
        ("facets?field=tags", 400, "not 'tags': did you mean 'tag'?", None),
        ("timeline?begin=2&end=1", 400, "the parameter begin is after end", None),
        ("status?x", 400, "invalid query string", None),
    ],
)
def test_invalid_parameters_are_named(client, path, status, error, place):
    found = client.get(f"/api/{path}")
    assert (found[0], found[1]["place"]) == (status, place)
    assert error in found[1]["error"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("5ad0c0de-999999999", "the last alert of its run that was stored is 5ad0c0de-"),
        ("00000000-1", "no alert of its run 00000000 is there"),
        *((key, "is not the key of an alert") for key in ("x", "5ad0c0de-0", "5ad0c0de-1%00", "-", "5ad0c0de--1")),
    ],
)
def test_an_alert_that_is_not_in_the_store_says_why(client, key, said):
    for part in ("", "/why", "/around", "/exception", "/test"):
        status, found = client.get(f"/api/alert/{key}{part}")
        assert status == 404
        assert said in found["error"]


@pytest.mark.parametrize(
    "path", ["alert", "alert/", "alert/5ad0c0de-1/none", "alert/5ad0c0de-1/why/more", "alerts/", "", "alert/" + "a" * 99]
)
def test_unknown_paths(client, path):
    status, found = client.get(f"/api/{path}")
    assert status == 404
    assert found["error"].startswith(f"unknown path {path[:32]!r}")
    known = (
        "API has alerts, timeline, facets, rules, status, alert/KEY, alert/KEY/around, alert/KEY/why, alert/KEY/exception, alert/KEY/test"
    )
    assert found["error"].endswith(known)


def test_hostile_alerts_are_text(client):
    found, before = [], ""
    for _ in range(4):
        _, page = client.get(f"/api/alerts?limit=1000{before}")
        found += [row for row in page["alerts"] if int(row[1].partition("-")[2]) % 100 == 7]
        before = f"&before={page['position']}"
        if not page["more"]:
            break
    assert len(found) == 10
    texts = set()
    for row in found:
        assert len(row[6]) <= 500
        assert len(row[5]) <= 256
        status, detail = client.get(f"/api/alert/{row[1]}")
        assert status == 200
        texts |= set(map(str, detail["fields"].values()))
    assert HOSTILE[0] in texts
    assert "x" * 1_000_000 in texts


def test_why_exception_and_test_of_a_stored_alert(client):
    _, found = client.get('/api/alerts?limit=1&filter=rule:"Shell%20in%20a%20container"%20container:web-*')
    key, name = found["alerts"][0][1], found["alerts"][0][5]
    _, why = client.get(f"/api/alert/{key}/why")
    assert (why["matches"], why["rule"]) == (True, "Shell in a container")
    assert why["place"].startswith("/etc/lanner/rules.d/docker_rules.yaml:")
    assert why["deciding"]
    _, exception = client.get(f"/api/alert/{key}/exception")
    assert exception["checked"] is True
    assert exception["tried"] > 0
    assert f'"{name}"' in exception["text"]
    _, test = client.get(f"/api/alert/{key}/test")
    assert test["checked"] is True
    _, around = client.get(f"/api/alert/{key}/around")
    assert {row[5] for row in around["alerts"]} == {name}
    assert sum(count for _, count in around["rules"]) == len(around["alerts"])


def test_silent_and_noisy_rules_and_a_change_of_rules(client):
    _, found = client.get("/api/rules?begin=0")
    counts = {row["rule"]: row["count"] for row in found["rules"]}
    assert sum(counts.values()) == 1000
    assert 0 in counts.values()
    silent = next(row for row in found["rules"] if not row["count"])
    assert (silent["last_ms"], silent["path"]) == (None, "/etc/lanner/rules.d/docker_rules.yaml")
    (change,) = found["changes"]
    assert change["files"] == ["/etc/lanner/rules.d/mine.yaml"]
    assert change["before"]
    assert change["after"]
    assert abs(change["at_ms"] / 1000 - time.time() + 1200) < 300
    assert next(row for row in found["rules"] if row["rule"] == "Command in a container")["is_loaded"] is True


def test_problems_are_named_with_what_to_do(client):
    _, found = client.get("/api/status")
    assert found["is_running"] is True
    problems = {problem["where"]: problem for problem in found["problems"]}
    assert problems["tcp://192.0.2.10:2376"]["what"] == "the engine is unreachable"
    assert problems["$.http_output"]["what"] == "4,231 alerts waiting: connection refused"
    assert "mine.yaml:14:3" in str(found["problems"])
    assert found["store"]["days"] in {1, 2}
    assert found["store"]["bytes"] > 100_000
    assert found["store"]["oldest_ms"] < found["store"]["newest_ms"]


def test_a_run_that_has_ended_is_named(serve, tmp_path):
    store = GeneratedStore(tmp_path, 10)
    client = serve(tmp_path)
    client.login()
    assert client.get("/api/status")[1]["is_running"] is True
    store.close()
    _, found = client.get("/api/status")
    assert found["is_running"] is False
    assert [problem["what"] for problem in found["problems"]] == ["no run writes this store"]


def test_a_replay_that_has_ended_is_no_problem(serve, tmp_path):
    file = closed_store(tmp_path)
    client = serve(tmp_path)
    client.login()
    assert client.get("/api/status")[1]["problems"]
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE runs SET about = json_set(about, '$.replay', 'events.jsonl')")
        database.commit()
    client = serve(tmp_path)
    client.login()
    _, found = client.get("/api/status")
    assert (found["is_running"], found["problems"]) == (False, [])


def test_without_a_store_it_says_how_to_make_one_and_serves_it_as_soon_as_it_exists(serve, tmp_path):
    client = serve(tmp_path / "later")
    client.login()
    assert client.ask("/")[0] == 200
    for path in ("alerts", "alerts?after=0", "status", "rules", "timeline", "facets?field=rule", "alert/5ad0c0de-1"):
        status, found = client.get(f"/api/{path}")
        assert status == 503
        assert "there is no alert store at" in found["error"]
        assert "-o lanner.store_output.enabled=true" in found["error"]
    store = GeneratedStore(tmp_path / "later", 10)
    assert len(client.get("/api/alerts")[1]["alerts"]) == 10
    store.close()


def test_retention_removes_days_under_it(serve, tmp_path):
    store = GeneratedStore(tmp_path, 10)
    store.close()
    client = serve(tmp_path)
    client.login()
    key = client.get("/api/alerts")[1]["alerts"][0][1]
    assert client.get(f"/api/alert/{key}")[0] == 200
    for path in tmp_path.glob("alerts-*"):
        path.unlink()
    assert client.get("/api/alerts") == (200, {"alerts": [], "position": 0, "more": False, "notes": []})
    assert client.get(f"/api/alert/{key}/why")[0] == 404


@pytest.mark.parametrize("content", [b"", b"x" * 10_000, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_damaged_file_is_named_and_the_others_are_read(serve, tmp_path, content):
    store = GeneratedStore(tmp_path, 10)
    store.close()
    (tmp_path / "alerts-2020-01-01.db").write_bytes(content)
    client = serve(tmp_path)
    client.login()
    assert len(client.get("/api/alerts")[1]["alerts"]) == 10
    _, found = client.get("/api/status")
    assert content == b"" or any("alerts-2020-01-01.db" in problem["where"] for problem in found["problems"])


def test_a_damaged_file_in_the_middle_is_named_as_soon_as_a_search_meets_it(serve, tmp_path):
    file = closed_store(tmp_path)
    (tmp_path / "alerts-2020-01-01.db").write_bytes(file.read_bytes())
    (tmp_path / "alerts-2021-01-01.db").write_bytes(b"x" * 10_000)
    client = serve(tmp_path)
    client.login()
    _, found = client.get("/api/alerts?limit=1000")
    assert len(found["alerts"]) == 20
    assert any("alerts-2021-01-01.db" in problem["where"] for problem in client.get("/api/status")[1]["problems"])


def closed_store(path, alerts=10):
    """The file of a store with alerts of one day, including in the hour after midnight."""
    yesterday = int(time.time()) // 86_400 * 86_400 - 43_200
    GeneratedStore(path, alerts, end=yesterday * 1_000_000_000).close()
    (file,) = path.glob("alerts-*.db")
    return file


@pytest.mark.parametrize(
    ("statement", "reason"),
    [("PRAGMA user_version = 2", "newer"), ("PRAGMA application_id = 1", "not a file of an alert store"), ("DROP TABLE alerts", "alerts")],
)
def test_a_newer_or_foreign_file_is_named(serve, tmp_path, statement, reason):
    file = closed_store(tmp_path)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute(statement)
        database.commit()
    client = serve(tmp_path)
    client.login()
    for path in ("alerts", "alerts?after=0", "timeline", "facets?field=rule", "rules"):
        assert client.get(f"/api/{path}")[0] in {200, 503}
    _, found = client.get("/api/status")
    assert any(file.name in problem["where"] + problem["advice"] and reason in problem["advice"] for problem in found["problems"])


def test_a_file_that_another_program_has_locked_is_named_and_does_not_hang_the_console(serve, tmp_path):
    file = closed_store(tmp_path)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        client = serve(tmp_path)
        client.login()
        for path in ("alerts", "status", "timeline"):
            status, found = client.get(f"/api/{path}")
            assert status in {200, 503}
        assert any(file.name in str(each) for each in (found, client.get("/api/status")[1]))
        assert client.ask("/")[0] == 200
    assert len(client.get("/api/alerts")[1]["alerts"]) == 10


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"outputs": 1}', b'{"connected": {"x": "y"}, "written": "z"}', b"[" * 100_000]
)
def test_a_damaged_state_of_the_run_is_named(serve, tmp_path, content):
    closed_store(tmp_path)
    (tmp_path / "run.json").write_bytes(content)
    client = serve(tmp_path)
    client.login()
    status, found = client.get("/api/status")
    assert status == 200
    assert found["problems"]
    assert found["store"]["days"] == 1


@pytest.mark.parametrize(
    "about",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        '{"plugins": [], "rules": []}',
        '{"plugins": [{"target": "docker"}], "rules": [{"path": "x", "sha256": "y"}]}',
    ],
)
def test_a_run_that_is_described_incompletely_has_alerts_without_reasons(serve, tmp_path, about):
    file = closed_store(tmp_path)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE runs SET about = ?", (about,))
        database.commit()
    client = serve(tmp_path)
    client.login()
    _, found = client.get("/api/alerts")
    key = found["alerts"][0][1]
    assert client.get(f"/api/alert/{key}")[1]["rules_file"] is None
    for part in ("why", "exception", "test"):
        status, found = client.get(f"/api/alert/{key}/{part}")
        assert (status, list(found)) == (200, ["unavailable"])
    status, found = client.get("/api/rules?begin=0")
    assert status == 200
    assert sum(row["count"] for row in found["rules"]) == 10


def test_a_path_that_is_a_file_or_unreadable_is_named(serve, tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "none" / "deeper", tmp_path / ("x" * 300)):
        client = serve(path)
        client.login()
        status, found = client.get("/api/alerts")
        assert status == 503
        assert str(path) in found["error"]


@settings(max_examples=2 * settings.default.max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["alerts", "timeline", "facets", "rules", "status", "alert/5ad0c0de-1"]),
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["filter", "begin", "end", "limit", "after", "before", "field", "x"]),
            st.one_of(
                st.text(max_size=30), st.integers(-1, 2**70).map(str), st.sampled_from(["rule", "tag", 'rule:"', "-", "since:1h", "\0"])
            ),
        ),
        max_size=4,
    ),
)
def test_no_parameters_make_it_fail(client, path, pairs):
    query = urllib.parse.urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])
    status, found = client.get(f"/api/{path}?{query}")
    assert status in {200, 400}
    assert status == 200 or found["error"]


def test_a_position_after_the_last_alert_is_that_of_another_store(client):
    newest = client.get("/api/alerts?limit=1")[1]["position"]
    assert client.get(f"/api/alerts?after={newest}")[1]["position"] == newest
    assert client.get(f"/api/alerts?after={newest + 5}")[1] == {"alerts": [], "position": newest, "more": False, "notes": []}
    assert client.get(f"/api/alerts?after={newest + 5}&filter=rule:none")[1]["position"] == newest
