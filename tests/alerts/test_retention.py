"""Which days are deleted: the too old and the too large, never the file in use, and none because a clock was set."""

import os
import time

import pytest

from lanner.alerts import retention
from lanner.alerts.retention import Limits, Retention, StoreSize, measure_store
from lanner.alerts.store_format import DAY, day_files, day_name
from lanner.alerts.writer import StoreWriter

from .reading import outputs, raised

NOW = time.time_ns()
TODAY = NOW // DAY


def make_day(store, day, size=1000):
    path = store / day_name(day)
    path.write_bytes(b"x" * size)
    os.utime(path, (day * 86_400, day * 86_400))
    return path


def left(store):
    return [day - TODAY for day in day_files(store)]


def test_days_older_than_the_limit_are_deleted_with_their_logs(tmp_path):
    for day in range(-10, 1):
        make_day(tmp_path, TODAY + day)
    (tmp_path / f"{day_name(TODAY - 10)}-wal").touch()
    Retention(tmp_path, Limits(days=7)).apply(TODAY)
    assert left(tmp_path) == [*range(-7, 1)]
    assert not [*tmp_path.glob("*-wal")]


def test_the_oldest_days_are_deleted_until_the_rest_fits(tmp_path):
    for day in range(-5, 1):
        make_day(tmp_path, TODAY + day, size=1000)
    Retention(tmp_path, Limits(size=3500)).apply(TODAY)
    assert left(tmp_path) == [-2, -1, 0]


def test_the_file_in_use_stays_however_large_or_old_it_is(tmp_path):
    make_day(tmp_path, TODAY - 400, size=10_000)
    Retention(tmp_path, Limits(days=1, size=100)).apply(TODAY - 400)
    assert left(tmp_path) == [-400]


def test_a_file_with_a_date_in_the_future_goes_by_its_last_change(tmp_path):
    old, new = make_day(tmp_path, TODAY + 900), make_day(tmp_path, TODAY + 901)
    os.utime(old, (NOW // 10**9 - 40 * 86_400,) * 2)
    os.utime(new, (NOW // 10**9,) * 2)
    Retention(tmp_path, Limits(days=30)).apply(TODAY + 902)
    assert left(tmp_path) == [901]


def test_files_set_aside_are_deleted_as_well(tmp_path):
    aside = make_day(tmp_path, TODAY - 40).rename(tmp_path / f"{day_name(TODAY - 40)}.bad2")
    os.utime(aside, (NOW // 10**9 - 40 * 86_400,) * 2)
    other = tmp_path / "alerts.db.bad"
    other.touch()
    os.utime(other, (0, 0))
    Retention(tmp_path, Limits(days=30)).apply(TODAY)
    assert [*tmp_path.iterdir()] == [other]


def test_a_clock_that_is_set_forward_deletes_nothing(tmp_path, monkeypatch, caplog):
    make_day(tmp_path, TODAY - 2)
    retaining = Retention(tmp_path, Limits(days=30))
    monkeypatch.setattr(retention.time, "time_ns", lambda: NOW + 4000 * DAY + DAY // 2)
    retaining.apply(TODAY)
    assert left(tmp_path) == [-2]
    assert "the clock was set forward by 4,000 days" in caplog.text


def test_a_file_that_cannot_be_deleted_is_said_once(tmp_path, caplog):
    path = make_day(tmp_path, TODAY - 40)
    path.unlink()
    path.mkdir()
    os.utime(path, (0, 0))
    retaining = Retention(tmp_path, Limits(days=30))
    for _ in range(2):
        retaining.apply(TODAY)
    assert caplog.text.count(f"cannot delete the alert store's file {path}") == 1


def test_the_writer_applies_it_and_continues_to_another_file_in_time(tmp_path):
    make_day(tmp_path, TODAY - 40)
    writer = StoreWriter(tmp_path, Limits(days=30, size=4_000_000), wait=0)
    text = "x" * 25_000
    for number in range(150):
        writer.write([raised(number, arrived=NOW, output=f"{number} {text}")])
    writer.close()
    sizes = [path.stat().st_size for path in day_files(tmp_path).values()]
    assert TODAY - 40 not in day_files(tmp_path)
    assert len(sizes) > 1
    assert sum(sizes) < 16_000_000
    kept = [int(output.split()[0]) for output in outputs(tmp_path)]
    assert kept == [*range(kept[0], 150)]


@pytest.mark.parametrize("limits", [Limits(), Limits(days=1)])
def test_a_missing_directory_is_left_to_the_writer(tmp_path, limits):
    assert Retention(tmp_path / "gone", limits).apply(TODAY) == []


def test_a_store_is_measured_with_its_logs_and_damaged_files(tmp_path):
    assert measure_store(tmp_path) == StoreSize(0, 0, 0, -1)
    for day in (-2, 0):
        make_day(tmp_path, TODAY + day, size=1000)
    (tmp_path / f"{day_name(TODAY)}-wal").write_bytes(b"x" * 500)
    (tmp_path / f"{day_name(TODAY - 1)}.bad").write_bytes(b"x" * 30)
    (tmp_path / "run.json").write_bytes(b"{}")
    assert measure_store(tmp_path) == StoreSize(2530, 2, 1, TODAY - 2)
    with pytest.raises(OSError, match="missing"):
        measure_store(tmp_path / "missing")
