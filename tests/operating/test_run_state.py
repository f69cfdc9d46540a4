"""The state of a run, written while its store's disk is slow."""

import json
import threading

import pytest

from lanner.operating import run_state
from lanner.operating.run_state import RunState, StoreState

from ..waiting import PATIENCE, until


def _state(directory, tend, snapshot=dict):
    return RunState(directory, snapshot, lambda: StoreState("key", 0, None, ""), tend)


def _ended(directory):
    return json.loads((directory / "run.json").read_bytes())["ended"]


class Held:
    """A call that waits until `release` is set."""

    def __init__(self):
        self.began, self.release = threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        self.release.wait(PATIENCE)


@pytest.fixture
def held():
    call = Held()
    yield call
    call.release.set()


def test_a_retention_that_continues_does_not_undo_the_end_of_the_run(tmp_path, held, monkeypatch, caplog):
    monkeypatch.setattr(run_state, "_LEAVE_AFTER", 0.01)
    state = _state(tmp_path, held)
    assert held.began.wait(PATIENCE)
    state.close()
    ended = _ended(tmp_path)
    assert ended
    assert f"the retention of the alert store {tmp_path} was not finished: the next run continues it" in caplog.text
    held.release.set()
    state._thread.join(PATIENCE)
    assert not state._thread.is_alive()
    assert _ended(tmp_path) == ended
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_write_that_hangs_is_reported(tmp_path, held, monkeypatch, caplog):
    monkeypatch.setattr(run_state, "_LEAVE_AFTER", 0.01)
    monkeypatch.setattr(run_state, "_PATIENCE", 0.01)
    calls = []

    def snapshot():
        calls.append(1)
        if len(calls) == 2:
            held()
        return {}

    state = _state(tmp_path, lambda: None, snapshot)
    assert held.began.wait(PATIENCE)
    state.close()
    assert "does not answer: the end of the run is not written, and the next run reports that it was killed" in caplog.text
    held.release.set()
    until(lambda: not state._thread.is_alive())
