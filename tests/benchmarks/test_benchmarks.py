"""Every part of the benchmarks runs to its end, measures the events that it sends, and says how many."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import NAMES  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_a_short_run_ends_with_figures(name):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--short", name], cwd=ROOT, capture_output=True, text=True, timeout=290, check=False
    )
    assert done.returncode == 0, done.stderr
    if "not measured" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert len(done.stdout.splitlines()) > 3, done.stdout
    assert f"benchmarks: {name}" in done.stderr


def test_other_events_than_were_sent_end_the_benchmarks():
    code = "from benchmarks.measure import require; require('a part', 3, 2)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "a part: 3 events were sent, 2 measured. The figures would mean nothing\n"


def test_an_unknown_part_is_refused():
    done = subprocess.run([sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "unknown benchmark 'speed'" in done.stderr
