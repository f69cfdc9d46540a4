"""A spool with a damaged file: the run continues, the damage is logged and counted, and no altered alert arrives."""

import logging
import random
import shutil
import sqlite3
from contextlib import closing, suppress

import pytest

from lanner.outputs.base import Alert, SpoolError
from lanner.outputs.spool import Spool

pytestmark = pytest.mark.slow

PLENTY = 1 << 30
COUNT = 120


def alert(number):
    return Alert(f"alert {number} ".ljust(40 + number * 7 % 400, "."), "a rule", "Warning", "kv", number)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A spool as a clean end leaves it, and one as a kill does: with its alerts only in the log."""
    folder = tmp_path_factory.mktemp("written")
    with closing(Spool(folder / "clean.sqlite", PLENTY)) as spool:
        spool.append([alert(number) for number in range(COUNT)])
    with closing(Spool(folder / "live.sqlite", PLENTY)) as spool:
        for number in range(COUNT):
            spool.append([alert(number)])
        for suffix in ("", "-wal"):
            shutil.copy(folder / f"live.sqlite{suffix}", folder / f"killed.sqlite{suffix}")
    return folder


def use(path):
    """Use a spool as a run does: take one more, hand out and remove all. Returns the alerts, and how often damage was counted."""
    found = []
    with closing(Spool(path, PLENTY, wait=0.2)) as spool:
        for _ in range(4):  # the worker tries again
            with suppress(SpoolError):
                if spool.append([alert(COUNT)]):
                    break
        else:
            pytest.fail("takes no alert any more")
        for _ in range(4 * COUNT):
            with suppress(SpoolError):
                given = spool.first(16)
                if not given:
                    break
                found += given
                spool.remove(len(given))
        return found, spool.damaged, spool.waiting


def check(path, caplog):
    """Returns whether damage was seen."""
    caplog.clear()
    found, damaged, waiting = use(path)
    good = {alert(number) for number in range(COUNT + 1)}
    assert waiting == 0
    assert set(found) <= good, "an alert that was not written so"
    assert alert(COUNT) in found
    assert (damaged > 0) == any(record.levelno >= logging.ERROR for record in caplog.records)
    if len(set(found)) < COUNT + 1:
        assert damaged, "alerts are missing in silence"
    again, damaged_again, _ = use(path)
    assert (again, damaged_again) == ([alert(COUNT)], 0), "the next run does not find all well"
    return damaged > 0


def flipped(source, target, positions):
    content = bytearray(source.read_bytes())
    for position in positions:
        content[position // 8] ^= 1 << position % 8
    target.write_bytes(content)


def flip_often(written, tmp_path, caplog, seed, runs):
    chance, seen = random.Random(seed), 0
    for run in range(runs):
        folder = tmp_path / str(run)
        folder.mkdir()
        path, log = folder / "x.sqlite", folder / "x.sqlite-wal"
        if chance.random() < 0.6:
            size = (written / "clean.sqlite").stat().st_size
            # half of them where SQLite keeps its own books
            span = chance.choice([size, size, 100, 8192])
            flipped(written / "clean.sqlite", path, [chance.randrange(span * 8) for _ in range(chance.choice([1, 1, 1, 30]))])
        else:
            shutil.copy(written / "killed.sqlite", path)
            span = chance.choice([(written / "killed.sqlite-wal").stat().st_size, 32])
            flipped(written / "killed.sqlite-wal", log, [chance.randrange(span * 8)])
        seen += check(path, caplog)
        shutil.rmtree(folder)
    return seen


def test_flipped_bits_anywhere(written, tmp_path, caplog):
    assert flip_often(written, tmp_path, caplog, seed=1, runs=250) > 50


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_flipped_bits_anywhere_very_often(written, tmp_path, caplog, seed):
    assert flip_often(written, tmp_path, caplog, seed=seed, runs=2000) > 500


@pytest.mark.parametrize("size", [0, 1, 50, 100, 4095, 4096, 6000, 8192, 20000])
def test_a_file_that_was_cut(written, tmp_path, caplog, size):
    path = tmp_path / "x.sqlite"
    path.write_bytes((written / "clean.sqlite").read_bytes()[:size])
    assert check(path, caplog)


@pytest.mark.parametrize("cut", [4000, 5000, 100_000, 200_000])
def test_a_log_that_was_cut_begins_with_what_is_whole(written, tmp_path, cut):
    shutil.copy(written / "killed.sqlite", tmp_path / "x.sqlite")
    (tmp_path / "x.sqlite-wal").write_bytes((written / "killed.sqlite-wal").read_bytes()[:-cut])
    found, _, _ = use(tmp_path / "x.sqlite")
    assert found == [*(alert(number) for number in range(len(found) - 1)), alert(COUNT)]


@pytest.mark.parametrize("content", [b"", b"x", b"garbage" * 10000, bytes(65536), b"SQLite format 3\0" + bytes(70000)])
def test_a_file_that_was_replaced(written, tmp_path, caplog, content):
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    assert check(path, caplog)
    assert (tmp_path / "x.sqlite.bad").read_bytes() == content


@pytest.mark.parametrize("column", ["line", "rule", "priority", "source", "timestamp"])
@pytest.mark.parametrize("value", [None, 5, 1.5, "text", b"\xff\xfe", b""])
def test_a_damaged_row_costs_itself_alone(written, tmp_path, caplog, column, value):
    path = tmp_path / "x.sqlite"
    shutil.copy(written / "clean.sqlite", path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"UPDATE alerts SET {column} = ? WHERE id IN (7, 9)", [value])
    found, damaged, _ = use(path)
    assert found == [alert(number) for number in range(COUNT + 1) if number not in (6, 8)]
    assert damaged == 2
    assert "2 damaged alerts are left out and lost" in caplog.text


def test_a_file_of_the_version_before_continues(tmp_path):
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE alerts (id INTEGER PRIMARY KEY, line BLOB, rule BLOB, priority BLOB, source BLOB, timestamp BLOB)")
        database.execute(f"PRAGMA application_id = {0x4C_61_6E_53}")
        database.execute("PRAGMA user_version = 1")
        database.execute("INSERT INTO alerts VALUES (3, ?, ?, ?, ?, ?)", [b"a line", b"a rule", b"Warning", b"kv", b"17"])
    found, damaged, _ = use(path)
    assert (found, damaged) == ([Alert("a line", "a rule", "Warning", "kv", 17), alert(COUNT)], 0)
