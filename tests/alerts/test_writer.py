"""The store's files: what an alert becomes, one file a day, and one writer."""

import json
import os
import re
import stat
import subprocess
import sys

import pytest

from lanner.alerts.store_errors import StoreError
from lanner.alerts.store_format import APPLICATION, DAY, EVENT_BYTES, MINUTE, VERSION, day_files, day_name
from lanner.alerts.writer import StoreWriter, check_store, choose_day

from .reading import LOAD, MOMENT, ask, outputs, raised

TODAY = MOMENT // DAY


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def writer(store):
    made = StoreWriter(store, wait=0)
    yield made
    made.close()


def test_an_alert_is_stored_with_its_event_rule_and_subject(writer, store):
    alert = raised(7, fields={"container.name": "web", "proc.name": "sh"}, event=b'{"a":1}')
    writer.write([alert])
    ((number, arrived, time, run, sequence, line, priority),) = ask(
        store, "SELECT id, arrived, time, run, sequence, line, priority FROM alerts"
    )
    assert (number, arrived, time, sequence, line.decode(), priority) == (1, MOMENT, MOMENT + 7, 7, alert.record.json, 4)
    assert ask(store, "SELECT key, started, first, plugin, about FROM runs WHERE id = ?", run) == [
        ("0badcafe", LOAD.started, 1, "kv", '{"plugin":"kv"}')
    ]
    joined = "SELECT r.text, s.text, b.text FROM alerts, texts r, texts s, texts b WHERE r.id = rule AND s.id = source AND b.id = subject"
    assert ask(store, joined) == [("a rule", "kv", "web")]
    assert ask(store, "SELECT * FROM events") == [(1, 7, b'{"a":1}')]
    assert ask(store, "SELECT * FROM rules_files") == [("aa", b"- rule: r")]


def test_a_file_says_what_it_is_and_only_its_user_may_read_it(writer, store):
    old = os.umask(0)
    try:
        writer.write([raised(1)])
    finally:
        os.umask(old)
    assert ask(store, "PRAGMA application_id") == [(APPLICATION,)]
    assert ask(store, "PRAGMA user_version") == [(VERSION,)]
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.iterdir()} == {0o600}


def test_a_large_event_is_stored_in_part_with_its_size(writer, store):
    writer.write([raised(1, event=b"x" * 100_000)])
    assert ask(store, "SELECT size, length(payload) FROM events") == [(100_000, EVENT_BYTES)]


def test_rollups_count_by_minute_and_hour_with_ranges_of_ids(writer, store):
    later = MOMENT + MINUTE
    writer.write([raised(1), raised(2, rule="other"), raised(3)])
    writer.write([raised(4), raised(5, arrived=later)])
    rows = ask(store, "SELECT minute, text, priority, count, first, last FROM minutes JOIN texts ON rule = id ORDER BY minute, text")
    minute = MOMENT // MINUTE
    assert rows == [(minute, "a rule", 4, 3, 1, 4), (minute, "other", 4, 1, 2, 2), (minute + 1, "a rule", 4, 1, 5, 5)]
    rows = ask(store, "SELECT hour, text, priority, count, first, last FROM hours JOIN texts ON rule = id ORDER BY hour, text")
    assert sum(row[3] for row in rows) == 5
    assert {row[0] for row in rows} <= {minute // 60, (minute + 1) // 60}


def find(store, words):
    return [row[0] for row in ask(store, "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid", words)]


def test_words_of_output_and_fields_are_found(writer, store):
    writer.write(
        [
            raised(1, output="Shell in shop-db", fields={"proc.cmdline": "cat /etc/shadow", "list": ["one", "two"]}),
            raised(2, output="\u202enul\0byte émigré"),
            raised(3, output="y" * 100 + " end", fields={"long": "z" * 1_000_000}),
        ]
    )
    for words, ids in {
        '"shadow"': [1],
        '"shop" AND "db"': [1],
        '"two"': [1],
        '"nul"': [2],
        '"byte"': [2],
        '"émigré"': [2],
        '"end"': [3],
    }.items():
        assert find(store, words) == ids, words


def test_each_day_has_its_file(writer, store):
    writer.write([raised(1), raised(2, arrived=MOMENT + DAY)])
    writer.write([raised(3, arrived=MOMENT + DAY)])
    assert sorted(path.name for path in store.glob("*.db")) == [day_name(TODAY), day_name(TODAY + 1)]
    assert [len(outputs(path)) for path in day_files(store).values()] == [1, 2]
    assert ask(day_files(store)[TODAY + 1], "SELECT key, first FROM runs") == [("0badcafe", 1)]


@pytest.mark.parametrize(
    ("days", "files"),
    [
        ([10, 10, 11, 13], [10, 10, 11, 13]),
        ([10, 9, 10, 11], [10, 10, 10, 11]),  # the clock was set back for a moment at midnight
        ([10, 3, 3, 4, 10, 11], [10, 10, 10, 11, 12, 13]),  # further back: each day still gets its own file
        ([10, 9000, 10, 10, 11], [10, 9000, 9000, 9000, 9001]),  # it was in the future for a moment
        ([10, 0, 11, 12], [10, 10, 11, 12]),  # a machine without a clock, until it is set
        ([10, 0, 10, 11, 12], [10, 10, 10, 11, 12]),
    ],
)
def test_the_date_of_the_file_never_decreases(days, files):
    current = before = -1
    chosen = []
    for day in days:
        current, before = choose_day(current, before, day)
        chosen.append(current)
    assert chosen == files


def test_a_day_in_the_future_is_continued_and_ids_grow_over_a_restart(store):
    for number, arrived in ((1, MOMENT + 900 * DAY), (2, MOMENT), (3, MOMENT), (4, MOMENT + DAY)):
        writer = StoreWriter(store, wait=0)
        writer.write([raised(number, arrived=arrived)])
        writer.close()
    assert outputs(store) == ["alert 1", "alert 2", "alert 3", "alert 4"]
    assert [*day_files(store)] == [TODAY + 900, TODAY + 901]


def test_loads_of_rules_are_stored_once_each_with_the_next_id(writer, store):
    other = LOAD._replace(started=LOAD.started + 5, files={"bb": b"new", "aa": b"- rule: r"})
    writer.write([raised(1), raised(2)])
    writer.note(other)
    writer.write([raised(3, load=other), raised(4, load=other)])
    assert ask(store, "SELECT key, started - ?, first FROM runs ORDER BY id", LOAD.started) == [("0badcafe", 0, 1), ("0badcafe", 5, 3)]
    assert ask(store, "SELECT run FROM alerts ORDER BY id") == [(1,), (1,), (2,), (2,)]
    assert sorted(ask(store, "SELECT sha256 FROM rules_files")) == [("aa",), ("bb",)]


def test_a_second_writer_is_told_who_the_first_is(writer, store):
    code = "import sys; from lanner.alerts.writer import StoreWriter; StoreWriter(sys.argv[1], wait=0)"
    done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True, check=False)
    assert f"StoreError: the alert store {store} is in use by process {os.getpid()} (" in done.stderr
    assert "end it, or choose another directory" in done.stderr


def test_the_next_writer_of_a_process_begins_where_the_one_before_ended(writer, store):
    """A reload makes its outputs before it closes those of the run so far."""
    following = StoreWriter(store, wait=0)
    writer.write([raised(1)])
    writer.close()
    following.write([raised(2)])
    following.close()
    assert outputs(store) == ["alert 1", "alert 2"]


def sql(path, *statements):
    import sqlite3

    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize("opening", [lambda store: StoreWriter(store, wait=0), check_store], ids=["open", "check"])
@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ([f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION + 1}", "CREATE TABLE x (y)"], "by a newer Lanner"),
        (["PRAGMA application_id = 77", "CREATE TABLE x (y)"], "of another program"),
        (["CREATE TABLE x (y)"], "of another program"),
    ],
)
def test_a_newer_or_foreign_file_is_refused_and_kept(store, statements, said, opening):
    store.mkdir()
    path = store / day_name(TODAY)
    sql(path, *statements)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=said) as told:
        opening(store)
    assert str(path) in str(told.value)
    assert path.read_bytes() == before


def damaged_text(_path):
    return b"no database" * 1000


def damaged_pages(path):
    writer = StoreWriter(path.parent, wait=0)
    writer.write([raised(number) for number in range(50)])
    writer.close()
    content = path.read_bytes()
    return content[:200] + b"\xff" * (len(content) - 200)


@pytest.mark.parametrize("damage", [damaged_text, damaged_pages])
def test_a_damaged_file_is_set_aside_and_ids_grow(store, damage, caplog):
    store.mkdir()
    path = store / day_name(TODAY)
    path.write_bytes(content := damage(path))
    writer = StoreWriter(store, wait=0)
    writer.write([raised(1)])
    writer.close()
    assert path.with_name(path.name + ".bad").read_bytes() == content
    assert outputs(store) == ["alert 1"]
    assert ask(store, "SELECT id > 1000000 FROM alerts") == [(1,)]
    said = rf"the alert store {path} is damaged \([a-z ]+\); it is kept as {path}\.bad, and a new file is begun"
    assert [message for message in caplog.messages if re.fullmatch(said, message)]


def test_names_that_are_not_days_are_left_alone(store):
    store.mkdir()
    for name in ("alerts-2026-02-31.db", "alerts-9999-12-31.db", "alerts-1969-01-01.db", "alerts-2026-1-1.db", "notes.txt"):
        (store / name).write_text("mine")
    assert day_files(store) == {}
    writer = StoreWriter(store, wait=0)
    writer.write([raised(1)])
    writer.close()
    assert outputs(store / day_name(TODAY)) == ["alert 1"]
    assert (store / "alerts-9999-12-31.db").read_text() == "mine"


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file/below"):
        for opening in (lambda path: StoreWriter(path, wait=0), check_store):
            with pytest.raises(StoreError, match="choose a directory"):
                opening(path)


def test_a_check_creates_nothing(tmp_path):
    check_store(tmp_path / "a/b")
    assert [*tmp_path.iterdir()] == []


def test_the_line_is_valid_json_for_any_event(writer, store):
    writer.write([raised(1, output="\u202e \U0001f600 \x00 é")])
    assert json.loads(ask(store, "SELECT line FROM alerts")[0][0])["output"] == "\u202e \U0001f600 \x00 é"
