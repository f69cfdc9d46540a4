"""Views of a store: one alert, its surroundings, counts, runs, and stores that cannot be read."""

import json
import os
import shutil
import sqlite3
import threading
from collections import Counter
from contextlib import closing

import pytest

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filters import Filter, parse_filter
from lanner.alerts.store_errors import StoreError
from lanner.alerts.store_format import DAY, HOUR, MINUTE, day_files, day_name
from lanner.alerts.stored import DAY_BITS
from lanner.alerts.writer import StoreWriter
from lanner.rules.files.items import Priority

from .reading import raised
from .stores import LOAD, RUN, START, alert, make_store

ALL = (0, START + 10 * DAY)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Alerts every 20 seconds for 50 hours, and their store."""
    path = tmp_path_factory.mktemp("store")
    alerts = [
        alert(
            number,
            arrived=START + number * 20 * 10**9,
            rule=("Shell", "Mount", "Exec", "Shell")[number % 4],
            priority=(4, 2, 6, 4)[number % 4],
            subject=f"web-{number % 7}",
            message=f"number {number}",
            fields={"n.mod": number % 3, "n.text": "x" if number % 2 else None},
            tags=("even",) if number % 2 == 0 else (),
        )
        for number in range(1, 9001)
    ]
    make_store(path, alerts)
    store = AlertStore(path, patience=60)
    yield store, alerts
    store.close()


def test_each_alert_is_found_by_its_key(store):
    store, alerts = store
    for each in (alerts[0], alerts[1], alerts[4318], alerts[4319], alerts[-1]):
        detail = store.find(each.key)
        assert detail.alert._replace(position=0, run=0) == each
        assert (detail.event, detail.event_size, detail.run.key, detail.run.plugin) == (b"{}\n", 3, RUN, "docker")


@pytest.mark.parametrize("key", ["", "x", f"{RUN}-0", f"{RUN}-9001", f"{RUN}-99999999999999999", "00000000-1", f"{RUN}-1-2", RUN, "é-1"])
def test_a_key_that_is_not_in_the_store_is_not_found(store, key):
    assert store[0].find(key) is None


def test_the_last_position_is_that_of_the_newest_alert(store):
    store, _ = store
    assert store.last() == store.read_newest(limit=1).alerts[0].position
    assert store.last() >> DAY_BITS == 20_002


def test_the_surroundings_of_an_alert_are_those_of_its_subject(store):
    store, alerts = store
    number = 4319  # around midnight
    detail = store.find(alerts[number].key)
    near = [each for each in alerts if each.subject == detail.alert.subject and abs(each.arrived - detail.alert.arrived) <= 5 * MINUTE]
    assert [each.key for each in store.around(detail)] == [each.key for each in near]
    assert len(near) == 5
    assert [each.key for each in store.around(detail, limit=3)] == [each.key for each in near[1:4]]


@pytest.mark.parametrize(
    "text", ["", "rule:shell", "priority>=critical", "-rule:shell", "rule:none", "number", "container:web-1", "since:30h"]
)
@pytest.mark.parametrize(("begin", "end"), [ALL, (START + HOUR, START + 3 * HOUR), (START + 90 * MINUTE, START + 30 * HOUR)])
def test_a_timeline_counts_all_alerts(store, text, begin, end):
    store, alerts = store
    wanted = parse_filter(text, START + 60 * HOUR)
    line = store.timeline(wanted, begin, end)
    assert line.exact
    expected = Counter(each.priority for each in alerts if begin <= each.arrived < end and wanted.matches(each))
    found = Counter()
    for bucket in line.buckets:
        found[bucket.priority] += bucket.count
        assert begin - bucket.length < bucket.begin < end
    assert found == expected
    assert len({bucket.begin for bucket in line.buckets}) <= 301


@pytest.mark.parametrize(
    "text", ["", "rule:shell", "priority>=critical", "-rule:shell", "number", "container:web-1 priority:info", "tag:even", "none"]
)
@pytest.mark.parametrize("field", ["rule", "priority", "source", "subject", "tag", "n.mod", "n.text", "none"])
def test_the_most_frequent_values(store, text, field):
    store, alerts = store
    begin, end = START + HOUR, START + 25 * HOUR
    wanted = parse_filter(text, 0)
    expected = Counter()
    for each in alerts:
        if not (begin <= each.arrived < end and wanted.matches(each)):
            continue
        line = json.loads(each.line)
        if field == "tag":
            values = line["tags"]
        elif field == "priority":
            values = [str(Priority(each.priority))]
        elif hasattr(each, field):
            values = [getattr(each, field)]
        else:
            value = line["output_fields"].get(field)
            values = [] if value is None else [str(value)]
        expected.update(values)
    found = store.top(wanted, field, begin, end, 4)
    assert found.exact
    assert found.values == sorted(expected.items(), key=lambda item: (-item[1], item[0]))[:4]


def test_work_that_takes_too_long_ends_and_reports_it(store):
    hurried = AlertStore(store[0].path, patience=0)
    wanted = parse_filter("number", 0)
    assert not hurried.top(wanted, "n.mod", *ALL, 3).exact
    line = hurried.timeline(wanted, *ALL)
    assert not line.exact
    assert line.buckets
    page = hurried.read_newest(parse_filter("nowhere", 0), 10)
    assert (page.alerts, page.more) == ([], True)
    assert 0 < page.position <= hurried.last()
    hurried.close()


def test_the_rules_of_a_period(store):
    store, alerts = store
    found = store.rules(START + 90 * MINUTE, START + 26 * HOUR)
    period = [each for each in alerts if START + 90 * MINUTE <= each.arrived < START + 26 * HOUR]
    assert {(each.rule, each.priority): each.count for each in found} == Counter((each.rule, each.priority) for each in period)
    assert [each.rule for each in found] == ["Shell", "Exec", "Mount"]
    shell = store.read_newest(parse_filter("rule:shell until:1970-01-01T00:00:00Z", 0), 1)
    assert shell.alerts == []
    assert found[0].last == max(each.position for each in all_of(store) if each.rule == "Shell" and each.arrived < START + 26 * HOUR)


def all_of(store, wanted=None):
    return store.read_newest(wanted or Filter(), 10**6).alerts


def test_runs_rules_files_and_state(tmp_path):
    make_store(tmp_path, [alert(1), alert(2, arrived=START + DAY)])
    with sqlite3.connect(tmp_path / day_name(20_001)) as database:
        database.execute("INSERT INTO rules_files VALUES ('ab', ?)", (b"- rule: x\xff",))
    database.close()
    store = AlertStore(tmp_path, patience=60)
    assert [(run.key, run.started, run.about) for run in store.runs()] == [(RUN, START, {})]
    assert store.rules_file("ab") == b"- rule: x\xff"
    assert store.rules_file("cd") is None
    assert store.state() is None
    (tmp_path / "run.json").write_text('{"events": 1}')
    assert store.state() == {"events": 1}
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(StoreError, match=r"run\.json is damaged"):
        store.state()
    store.close()


def test_a_store_of_a_run_without_alerts_is_empty(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    store = AlertStore(tmp_path, patience=60)
    assert (store.last(), store.read_newest(), store.after(7)) == (0, ([], 0, False), ([], 7, False))
    assert store.rules(*ALL) == store.runs() == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "it does not exist"),
        (lambda path: path.mkdir(), "it contains no alerts"),
    ],
)
def test_a_directory_without_a_store_is_an_error_that_says_how_to_make_one(tmp_path, make, says):
    make(tmp_path / "store")
    with pytest.raises(StoreError) as caught:
        AlertStore(tmp_path / "store")
    assert str(caught.value) == (
        f"there is no alert store at {tmp_path}/store: {says}. `lanner run` creates one, with "
        f"-o lanner.store_output.enabled=true -o lanner.store_output.path={tmp_path}/store"
    )


def spoil_version(path):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")


def spoil_application(path):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id = 1")


def spoil_by_a_view(path):
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE hours")
        database.execute("CREATE VIEW hours AS WITH RECURSIVE n(first) AS (SELECT 1 UNION ALL SELECT first + 1 FROM n) SELECT * FROM n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_bytes(b"no database" * 1000), "is damaged (file is not a database)"),
        (lambda path: os.truncate(path, 9000), "is damaged (database disk image is malformed)"),
        (spoil_version, "was written by a newer Lanner (format 2, this one reads 1): update Lanner"),
        (spoil_application, "is not a file of an alert store: another program wrote it"),
        (spoil_by_a_view, "is not a file of an alert store: another program wrote it"),
    ],
)
def test_a_day_that_cannot_be_read_is_skipped_and_reported(tmp_path, spoil, says):
    alerts = [alert(number, arrived=START + number * HOUR, message="x" * 300) for number in range(60)]
    stored = make_store(tmp_path, alerts)
    path = tmp_path / day_name(20_001)
    spoil(path)
    store = AlertStore(tmp_path, patience=60)
    others = [each for each in stored if each.position >> DAY_BITS != 20_001]
    for _ in range(2):
        found = [each for each in all_of(store) if each.position >> DAY_BITS != 20_001]
        assert found == others[::-1]
        assert says in str(store.problems[path])
        advice = f"): move the file away; `sqlite3 {path} .recover` may still read a part of it"
        assert str(store.problems[path]).endswith(advice) == ("damaged" in says)
    assert store.find(alerts[50].key).alert.key == alerts[50].key
    store.rules(*ALL)
    path.unlink()
    assert all_of(store) == others[::-1]
    assert store.problems == {}
    store.close()


def test_a_day_that_retention_removes_is_read_to_the_end_of_the_call_and_then_missing(tmp_path):
    stored = make_store(tmp_path, [alert(number, arrived=START + number * HOUR) for number in range(48)])
    store = AlertStore(tmp_path, patience=60)
    first = store.after(0, limit=10)
    assert [each.position for each in first.alerts] == [each.position for each in stored[:10]]
    for file in tmp_path.glob(f"{day_name(20_000)}*"):
        file.unlink()
    assert [each.position for each in store.after(first.position).alerts] == [each.position for each in stored[24:]]
    assert store.find(stored[3].key) is None
    assert store.problems == {}
    store.close()


def test_a_file_without_tables_is_read_when_it_has_them(tmp_path):
    sqlite3.connect(tmp_path / day_name(20_000)).close()
    (tmp_path / day_name(20_000)).touch()
    store = AlertStore(tmp_path, patience=60)
    assert store.read_newest().alerts == []
    assert store.problems == {}
    (tmp_path / day_name(20_000)).unlink()
    stored = make_store(tmp_path, [alert(1)])
    assert store.read_newest().alerts == stored
    store.close()


def test_alerts_that_are_stored_meanwhile_are_found(tmp_path):
    stored = make_store(tmp_path, [alert(1)])
    store = AlertStore(tmp_path, patience=60)
    position = store.last()
    assert store.after(position) == ([], position, False)
    with sqlite3.connect(tmp_path / day_name(20_000)) as database:
        database.execute("INSERT INTO alerts SELECT 2, arrived, time, rule, priority, source, subject, run, 2, line FROM alerts")
    database.close()
    page = store.after(position)
    assert [each.key for each in page.alerts] == [f"{RUN}-2"]
    assert page.position == stored[0].position + 1
    store.close()


def test_a_day_that_another_process_locks_is_reported_until_it_is_free(tmp_path):
    stored = make_store(tmp_path, [alert(number, arrived=START + number * HOUR) for number in range(48)])
    path = tmp_path / day_name(20_000)
    store = AlertStore(tmp_path, patience=60)
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert all_of(store) == stored[:23:-1]
        assert "another process has locked it" in str(store.problems[path])
        assert store.last() == stored[-1].position
        assert store.find(stored[3].key) is None
    database.close()
    assert all_of(store) == stored[::-1]
    assert store.problems == {}
    store.close()


def test_a_reader_sees_each_alert_once_while_a_writer_stores_them(tmp_path):
    count = 3000

    def write():
        with closing(StoreWriter(tmp_path)) as writer:
            for begin in range(0, count, 50):
                writer.write([raised(number, arrived=START + number * 50 * 10**9) for number in range(begin, begin + 50)])

    (tmp_path / "lock").touch()
    writing = threading.Thread(target=write)
    store = AlertStore(tmp_path, patience=60)
    writing.start()
    found, position, is_last = [], 0, False
    while not is_last:
        is_last = not writing.is_alive()
        page = store.after(position, limit=70)
        while page.alerts:
            found += page.alerts
            page = store.after(page.position, limit=70)
        position = page.position
    writing.join()
    assert [each.key for each in found] == [f"{RUN}-{number}" for number in range(count)]
    assert [each.position for each in found] == sorted(each.position for each in found)
    store.close()


def test_a_missing_alert_is_explained_by_what_the_store_has_of_its_run(tmp_path):
    other = LOAD._replace(key="00c0ffee")
    again = LOAD._replace(started=LOAD.started + 1)  # a reload
    loads = ((other, 0, (1, 2)), (LOAD, 0, (10, 12)), (LOAD, 1, (20,)), (LOAD, 2, (30,)), (again, 2, (40, 41)), (other, 2, (5, 6)))
    with closing(StoreWriter(tmp_path)) as writer:
        for load, day, numbers in loads:
            writer.write([raised(number, arrived=START + day * DAY, load=load) for number in numbers])
    with closing(AlertStore(tmp_path)) as store:
        for number in (10, 12, 20, 30, 40, 41):
            assert store.find(f"{RUN}-{number}").alert.key == f"{RUN}-{number}"
        for number in (1, 2, 5, 6):
            assert store.find(f"00c0ffee-{number}").alert.key == f"00c0ffee-{number}"
        missing = {number: store.explain_missing(f"{RUN}-{number}") for number in (9, 11, 35, 42)}
        assert all(store.find(f"{RUN}-{number}") is None for number in missing)
        assert f"retention has removed it. The oldest alert of its run that is still there is {RUN}-10" in missing[9]
        assert "it was not stored" in missing[11]
        assert "it was not stored" in missing[35]
        assert f"the last alert of its run that was stored is {RUN}-41" in missing[42]
        assert "no alert of its run ffffffff is there" in store.explain_missing("ffffffff-1")
        assert "00c0ffee-6" in store.explain_missing("00c0ffee-7")
        assert "is not the key of an alert" in store.explain_missing("\n")
    min(day_files(tmp_path).items())[1].unlink()
    with closing(AlertStore(tmp_path)) as store:
        assert f"retention has removed it. The oldest alert of its run that is still there is {RUN}-20" in store.explain_missing(
            f"{RUN}-10"
        )


def test_a_file_that_another_one_replaced_is_opened_again(tmp_path):
    """A console keeps a store open through `rm -r` and a new run."""
    make_store(tmp_path / "store", [alert(number) for number in range(1, 10)])
    make_store(tmp_path / "other", [alert(number, rule="Other") for number in range(1, 4)])
    with closing(AlertStore(tmp_path / "store")) as store:
        assert len(store.after(0).alerts) == 9
        shutil.rmtree(tmp_path / "store")
        with pytest.raises(StoreError, match="it does not exist"):
            store.after(0)
        (tmp_path / "other").rename(tmp_path / "store")
        assert [each.rule for each in store.after(0).alerts] == ["Other"] * 3
        assert store.last() == store.read_newest(limit=1).alerts[0].position
