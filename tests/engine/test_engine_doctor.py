"""`lanner doctor` about a real engine: well, frozen, and gone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

LANNER = str(Path(sys.executable).with_name("lanner"))


def examine(engine):
    """Return the exit code and the findings by check: (level, text) each."""
    done = subprocess.run([LANNER, "doctor", "--json", "--host", engine.host], capture_output=True, timeout=120, check=False)
    found = {check["check"]: [(each["level"], each["text"]) for each in check["findings"]] for check in json.loads(done.stdout)["checks"]}
    return done.returncode, found


def test_an_engine_with_which_all_is_well(engine):
    code, found = examine(engine)
    assert code == 0
    assert found["engine: rights"][0][0] == "ok"
    level, text = found["engine: answer"][0]
    assert level == "ok"
    assert text.startswith("Docker Engine ")
    assert found["engine: answer"][1:] == [("ok", "it sends events")]
    assert found["engine: clock"] == [("ok", "the engine's clock matches this machine's")]


def test_a_frozen_engine_delays_no_check(engine):
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        code, found = examine(engine)
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert code == 1
    assert found["engine: answer"][0][0] == "problem"
    assert "within 10 s" in found["engine: answer"][0][1]
    assert found["rules"][0][0] == "ok"


def test_an_engine_that_has_gone(engine):
    engine.stop()
    code, found = examine(engine)
    assert code == 1
    assert [level for level, _ in found["engine: rights"] + found["engine: answer"]].count("problem") == 1
    assert found["rules"][0][0] == "ok"
