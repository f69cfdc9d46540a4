"""The file with the state of a run, on a disk that does not answer."""

import logging
import threading

import pytest

from lanner.sdk.errors import SourceError
from lanner.sdk.hosting import statefile
from lanner.sdk.hosting.statefile import StateFile, StateTexts

from ..waiting import PATIENCE

TEXTS = StateTexts("cursor", "name another file", "name another file")


def _open(path, content):
    return StateFile(str(path), 0.01, TEXTS, content, lambda: None, lambda: logging.getLogger("lanner.test"), at_once=True)


def test_a_write_that_hangs_is_reported_and_keeps_the_lock(tmp_path, monkeypatch, caplog):
    """Otherwise it would later replace the file of the next run."""
    monkeypatch.setattr(statefile, "_LEAVE_AFTER", 0.01)
    began, release = threading.Event(), threading.Event()

    def hang():
        began.set()
        release.wait(PATIENCE)
        return b"late"

    file = _open(tmp_path / "cursor", hang)
    file.change()
    assert began.wait(PATIENCE)
    file.close()
    assert f"the disk did not take the cursor {tmp_path}/cursor within 0.01 s: a restart repeats events" in caplog.text
    with pytest.raises(SourceError, match="is in use by another run"):
        _open(tmp_path / "cursor", lambda: b"new")
    release.set()
    file._thread.join(PATIENCE)
    assert (tmp_path / "cursor").read_bytes() == b"late"


def test_without_a_delay_the_lock_is_released(tmp_path):
    file = _open(tmp_path / "cursor", lambda: b"one")
    file.change()
    file.close()
    other = _open(tmp_path / "cursor", lambda: b"two")
    assert other.read() == b"one"
    other.close()
