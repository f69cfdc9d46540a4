"""Every part of the benchmarks runs to its end, measures the events that it sends, and says how many."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import NAMES  # noqa: E402
from benchmarks.measure import EventCost, Usage  # noqa: E402

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


def test_several_parts_say_how_long_each_took():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--short", "tail", "load"], cwd=ROOT, capture_output=True, text=True, timeout=290, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Loading rules" in done.stdout
    assert re.search(r"benchmarks: tail took \d+ s and \d+ s of CPU, 1 of 2 parts", done.stderr)
    assert re.search(r"benchmarks: seconds: tail \d+, load \d+\n$", done.stderr)


def test_a_figure_below_what_can_be_measured_is_not_printed():
    usage = Usage(wall=1.0, cpu=1.0, memory=1.0)
    known, lost = EventCost(0.5, 0.02, usage), EventCost(-0.63, 0.1, usage)
    assert str(known) == "0.50 ±0.02"
    assert str(lost) == "under 0.10"
    assert known.ratio(EventCost(0.25, 0.01, usage)) == "2.0x"
    assert known.ratio(lost) == lost.ratio(known) == "-"


@pytest.mark.parametrize("events", [2, 4])
def test_a_run_with_other_events_than_were_sent_ends_the_benchmarks(events):
    says = [sys.executable, "-c", "import sys; print('3 events', file=sys.stderr)"]
    code = f"from benchmarks.measure import measure_events; measure_events('a part', {says!r}, {says!r}, {events}, in_start=3)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"a part: {events} events were sent, 3 measured" in done.stderr


def test_an_unknown_part_is_refused():
    done = subprocess.run([sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "unknown benchmark 'speed'" in done.stderr
