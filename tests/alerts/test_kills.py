"""A store after a kill of the run that wrote it: the number of alerts that may be missing."""

import contextlib
import json
from types import SimpleNamespace

import pytest

from lanner.alerts.alert_record import Recorder
from lanner.alerts.alert_store import AlertStore
from lanner.alerts.lock import find_writer, lock_store
from lanner.alerts.raised_bound import RaisedBound, read_bound
from lanner.alerts.run_file import describe_kill
from lanner.alerts.store_format import BOUND_FILE, STATE_FILE
from lanner.alerts.writer import StoreWriter
from lanner.cli.runs.history import History
from lanner.console.store_status import describe_state
from lanner.operating.run_state import RunState

from ..outputs.standins import small_file_system
from .reading import LOAD, raised


def tell(store, run=LOAD.key, ended=None):
    (store / STATE_FILE).write_text(json.dumps({"run": run, "pid": 12, "ended": ended, "raised": 5}))


def bound_of(store, number, monkeypatch, *, pause):
    """Let a run raise this number of alerts, `pause` seconds apart."""
    now = [100.0]
    monkeypatch.setattr("lanner.alerts.raised_bound.time.monotonic", lambda: now[0])
    recorder = Recorder()
    recorder.key = LOAD.key
    bound = RaisedBound(store, recorder.key, recorder.raised)
    recorder.use_bound(bound.extend)
    for _ in range(number):
        now[0] += pause
        with recorder.lock:
            recorder.number()
        assert not read_bound(store).has_ended
        assert 0 <= read_bound(store).most - recorder.raised <= 255
    return read_bound(store).most


def test_the_bound_is_exact_for_rare_alerts_and_costs_few_writes_for_many(tmp_path, monkeypatch):
    assert bound_of(tmp_path, 30, monkeypatch, pause=0.1) == 30
    calls = []
    monkeypatch.setattr(RaisedBound, "_write", lambda self, most, write=RaisedBound._write: (calls.append(most), write(self, most)))
    most = bound_of(tmp_path, 10_000, monkeypatch, pause=0.0001)
    assert 10_000 <= most <= 10_255
    assert len(calls) < 60


@pytest.mark.parametrize(
    ("number", "stored", "said"),
    [
        (0, 0, "all its alerts are in"),
        (3, 3, "all its alerts are in"),
        (3, 2, "its last alert may be missing in"),
        (1200, 1, "up to 1,199 of its last alerts may be missing in"),
        (3, 0, "up to 3 of its last alerts may be missing in"),
    ],
)
def test_a_kill_is_reported_with_the_number_of_missing_alerts(tmp_path, monkeypatch, number, stored, said, caplog):
    tell(tmp_path)
    assert bound_of(tmp_path, number, monkeypatch, pause=1) == number
    newest = f"{LOAD.key}-{stored}" if stored else ""
    told = describe_kill(tmp_path, newest)
    assert f"the last run (process 12) was killed: {said} the alert store {tmp_path}" in told
    assert ("the last one stored is" in told) == (number > stored > 0)
    writer = StoreWriter(tmp_path, wait=0)
    assert not stored or writer.write([raised(each) for each in range(1, stored + 1)]) is None
    writer.close()
    caplog.clear()
    writer = StoreWriter(tmp_path, wait=0)
    assert writer.kill == told
    assert told in caplog.text
    writer.close()


def test_a_run_that_ended_or_has_no_bound_is_not_counted(tmp_path, monkeypatch):
    assert describe_kill(tmp_path, "") == ""
    tell(tmp_path, ended=7)
    assert describe_kill(tmp_path, "") == ""
    bound_of(tmp_path, 3, monkeypatch, pause=1)
    tell(tmp_path, run="00c0ffee")
    for content in ((tmp_path / BOUND_FILE).read_bytes(), b"", b"0badcafe 1 2", b"\xff" * 64):
        (tmp_path / BOUND_FILE).write_bytes(content)
        assert "alerts of its last moment may be missing" in describe_kill(tmp_path, "")


def test_alerts_before_the_store_was_in_use_are_not_missing(tmp_path):
    """A reload has enabled the store."""
    tell(tmp_path)
    bound = RaisedBound(tmp_path, LOAD.key, 100)
    assert bound.extend(101) == 101
    assert "its last alert may be missing" in describe_kill(tmp_path, "00c0ffee-7")


def test_a_bound_that_cannot_be_written_is_none(tmp_path):
    (tmp_path / BOUND_FILE).mkdir()
    bound = RaisedBound(tmp_path, LOAD.key, 0)
    assert bound.extend(1) >= 1
    bound.close(1)
    assert read_bound(tmp_path) is None


def test_a_run_that_could_not_write_its_end_was_not_killed(tmp_path):
    """The file with the bound is written over in place, even on a full disk."""
    with small_file_system(tmp_path, "300k") as disk:
        tell(disk)
        bound = RaisedBound(disk, LOAD.key, 0)
        assert bound.extend(1) == 1
        assert "may be missing" in describe_kill(disk, "")
        with contextlib.suppress(OSError):
            (disk / "ballast").write_bytes(b"x" * 400_000)
        bound.close(1)
        assert read_bound(disk) == (LOAD.key, 0, 1, True)
        assert describe_kill(disk, "") == ""


def test_the_end_of_a_run_is_recorded_before_another_run_may_have_the_store(tmp_path, monkeypatch):
    """The sink closes first, and holds the lock together with the history."""
    writer = StoreWriter(tmp_path, wait=0)
    sink = SimpleNamespace(wants_records=True, directory=tmp_path, kill="", note=writer.note, retain=writer.retain)
    history = History()
    history.use([sink])
    status = SimpleNamespace(snapshot=dict, store=None)
    history.announce(SimpleNamespace(last_event=None), lambda: status)
    ended = []
    write = RunState._write
    monkeypatch.setattr(RunState, "_write", lambda self, at: (ended.append((at, find_writer(tmp_path))), write(self, at)))
    writer.close()
    assert find_writer(tmp_path)
    assert "was killed" in describe_kill(tmp_path, "")
    history.close()
    assert [bool(holder) for at, holder in ended if at] == [True]
    assert find_writer(tmp_path) == ""
    with contextlib.closing(StoreWriter(tmp_path, wait=0)) as following:
        assert following.kill == ""


def test_a_run_looks_for_the_newest_alert_when_it_has_the_lock(tmp_path, monkeypatch):
    """The run before has begun a file while this one waited."""

    def wait_for_the_run_before(directory, wait):
        monkeypatch.undo()
        with contextlib.closing(StoreWriter(tmp_path, wait=0)) as before:
            before.write([raised(1)])
        tell(tmp_path)
        RaisedBound(tmp_path, LOAD.key, 0).extend(1)
        return lock_store(directory, wait)

    monkeypatch.setattr("lanner.alerts.writer.lock_store", wait_for_the_run_before)
    with contextlib.closing(StoreWriter(tmp_path, wait=0)) as writer:
        assert "all its alerts are in" in writer.kill


def test_a_run_that_has_just_started_was_not_killed(tmp_path, monkeypatch):
    """The console finds no run, then one starts and writes its state."""
    with contextlib.closing(StoreWriter(tmp_path, wait=0)) as writer:
        writer.write([raised(1)])
        tell(tmp_path)
        found = iter(["", "process 12"])
        monkeypatch.setattr("lanner.console.store_status.find_writer", lambda _: next(found))
        with contextlib.closing(AlertStore(tmp_path)) as store:
            assert not [each for each in describe_state(store, {})["problems"] if "was killed" in each["what"]]
