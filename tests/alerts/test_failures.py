"""A store that cannot be written: errors, whole transactions, and the continuation when it can be written again."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lanner.alerts.retention import Limits
from lanner.alerts.store_errors import StoreError
from lanner.alerts.store_format import DAY, day_files, day_name
from lanner.alerts.writer import StoredPartlyError, StoreWriter, check_store

from ..outputs.standins import small_file_system
from .reading import MOMENT, ask, outputs, raised

TODAY = MOMENT // DAY


def test_a_full_disk_is_said_and_the_store_continues_when_there_is_room(tmp_path):
    with small_file_system(tmp_path, "4m") as disk:
        writer = StoreWriter(disk / "store", wait=0)
        ballast = disk / "ballast"
        text = "x" * 5000
        stored, said = 0, ""
        while not said and stored < 1000:
            try:
                writer.write([raised(stored, output=f"{stored} {text}")])
                stored += 1
            except StoreError as error:
                said = str(error)
        assert "the disk is full: free some space" in said
        assert stored > 10
        with pytest.raises(StoreError, match=str(disk)):
            writer.write([raised(stored, output=f"{stored} {text}")])
        assert len(outputs(disk / "store")) == stored
        writer.close()
        shutil.move(disk / "store", tmp_path.parent / f"{tmp_path.name}-kept")
        ballast.write_bytes(b"")
        writer = StoreWriter(disk / "store", wait=0)
        writer.write([raised(1)])
        writer.close()
        assert outputs(disk / "store") == ["alert 1"]


def test_a_disk_that_is_full_at_the_first_alert_is_said_with_the_directory(tmp_path):
    with small_file_system(tmp_path, "100k") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 60_000)
        writer = StoreWriter(disk / "store", wait=0)
        for _ in range(2):  # the second error is about the same file
            with pytest.raises(StoreError, match=f"cannot use the alert store {disk}/store: the disk is full: free some space"):
                writer.write([raised(1)])
            writer.retain()
            assert day_files(disk / "store") == {}
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        writer.write([raised(1)])
        writer.close()
        assert list(day_files(disk / "store")) == [TODAY]
        assert outputs(disk / "store") == ["alert 1"]


def test_a_new_day_that_failed_to_begin_is_begun_later(tmp_path):
    writer = StoreWriter(tmp_path, wait=0)
    writer.write([raised(1)])
    (tmp_path / day_name(TODAY + 1)).mkdir()
    for _ in range(2):
        with pytest.raises(StoreError, match=day_name(TODAY + 1)):
            writer.write([raised(2, arrived=MOMENT + DAY)])
    (tmp_path / day_name(TODAY + 1)).rmdir()
    writer.write([raised(2, arrived=MOMENT + DAY)])
    writer.close()
    assert outputs(tmp_path / day_name(TODAY)) == ["alert 1"]
    assert outputs(tmp_path / day_name(TODAY + 1)) == ["alert 2"]


def test_retention_leaves_a_store_without_a_file_alone(tmp_path):
    aside = tmp_path / f"{day_name(TODAY)}.bad"
    aside.write_bytes(b"x")
    os.utime(aside, (0, 0))
    writer = StoreWriter(tmp_path, Limits(days=1), wait=0)
    writer.retain()
    assert aside.exists()
    writer.write([raised(1)])
    writer.close()
    assert not aside.exists()


def test_room_made_while_it_runs_is_used(tmp_path):
    with small_file_system(tmp_path, "4m") as disk:
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            file.write(b"x" * 3_000_000)
        writer = StoreWriter(disk / "store", wait=0)
        number, text, stored = 0, "x" * 5000, []
        for number in range(200):
            try:
                writer.write([raised(number, output=f"{number} {text}")])
                stored.append(f"{number} {text}")
            except StoreError:
                if ballast.exists():
                    ballast.unlink()
            if number - len(stored) > 3:
                break
        assert not ballast.exists()
        writer.close()
        assert outputs(disk / "store") == stored
        assert len(stored) > 20


def test_what_is_stored_of_a_call_is_reported(tmp_path):
    writer = StoreWriter(tmp_path, wait=0)
    (tmp_path / day_name(TODAY + 1)).mkdir()
    with pytest.raises(StoredPartlyError, match=r"it is not a regular file|Is a directory") as told:
        writer.write([raised(1), raised(2), raised(3, arrived=MOMENT + DAY)])
    assert told.value.stored == 2
    writer.close()
    assert outputs(tmp_path / day_name(TODAY)) == ["alert 1", "alert 2"]


def test_a_program_that_locks_the_file_delays_it_only(tmp_path, monkeypatch):
    monkeypatch.setattr("lanner.alerts.dayfile._BUSY", 0.05)
    writer = StoreWriter(tmp_path, wait=0)
    writer.write([raised(1)])
    other = sqlite3.connect(tmp_path / day_name(TODAY), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process has locked it"):
        writer.write([raised(2)])
    other.execute("ROLLBACK")
    other.close()
    writer.write([raised(2)])
    writer.close()
    assert outputs(tmp_path) == ["alert 1", "alert 2"]


@pytest.mark.parametrize("whole", [False, True], ids=["file", "directory"])
def test_a_file_deleted_while_it_is_in_use_is_begun_again(tmp_path, whole, caplog):
    store = tmp_path / "store"
    writer = StoreWriter(store, wait=0)
    writer.write([raised(1), raised(2)])
    if whole:
        shutil.rmtree(store)
    else:
        (store / day_name(TODAY)).unlink()
    writer.write([raised(3)])
    assert outputs(store) == ["alert 3"]
    assert ask(store, "SELECT id FROM alerts") == [(3,)]
    assert "was deleted or moved" in caplog.text
    with pytest.raises(StoreError, match="in use by process"):
        check_store(store)
    writer.close()


def test_a_file_damaged_while_it_is_in_use_is_set_aside(tmp_path):
    writer = StoreWriter(tmp_path, wait=0)
    writer.write([raised(number, output="x" * 3000) for number in range(1, 300)])
    path = tmp_path / day_name(TODAY)
    for suffix in ("", "-wal"):
        with path.with_name(path.name + suffix).open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(9000)  # after the page with the header
            file.write(b"\xff" * max(0, size - 9000))
    writer.close()  # pages in memory may have hidden the damage
    writer = StoreWriter(tmp_path, wait=0)
    for number in range(300, 400):
        writer.write([raised(number, rule=f"rule {number}", fields={"proc.name": f"p{number}"})])
    writer.close()
    ids = [row[0] for row in ask(tmp_path, "SELECT id FROM alerts ORDER BY id")]
    assert len(ids) == 100
    assert ids == sorted(ids)


def run_as_another_user(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user")
def test_missing_rights_are_reported_with_the_path(public_path):
    store = public_path / "store"
    StoreWriter(store, wait=0).close()
    store.chmod(0o755)
    code = "import os, sys, pathlib; from lanner.alerts.writer import *; os.setuid(65534); StoreWriter(sys.argv[1], wait=0) if sys.argv[2] == 'open' else check_store(pathlib.Path(sys.argv[1]))"
    for how in ("open", "check"):
        for path in (store, public_path / "new/below"):
            done = run_as_another_user(code, path, how)
            assert f"StoreError: cannot use the alert store {path}" in done.stderr, (how, path)
            assert "Permission denied; choose a directory that this user may write" in done.stderr


KILLS = """
import json, os, signal, sys
from lanner.alerts.writer import StoreWriter
from tests.alerts.reading import ask, raised

stored = []
for kill in range(50):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        writer, number = StoreWriter(sys.argv[1]), len(stored)
        while True:
            writer.write([raised(number + each) for each in range(7)])
            number += 7
            os.write(writing, b"%d " % number)
    os.close(writing)
    told = b""
    while told.count(b" ") <= kill % 9:
        told += os.read(reading, 100)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, 1000):
        told += more
    os.close(reading)
    stored = [row[0] for row in ask(sys.argv[1], "SELECT sequence FROM alerts ORDER BY id")]
    told = int(told.split()[-1])
    if stored != [*range(len(stored))] or not told <= len(stored) <= told + 7:
        sys.exit(f"kill {kill}: {told} stored by return values, these in the file: {stored}")
"""


def test_no_alert_is_lost_that_a_killed_process_has_stored(tmp_path):
    """50 kills, each at another moment: each call of `write` that returned is there, and in order."""
    done = subprocess.run([sys.executable, "-c", KILLS, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert len(day_files(tmp_path)) == 1
    assert ask(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(tmp_path, "SELECT sum(count) FROM minutes") == ask(tmp_path, "SELECT count(*) FROM alerts")


ROOT = Path(__file__).parents[2]
