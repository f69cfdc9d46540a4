"""Time to start, and memory after the start."""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import LANNER, progress, run, size, table

RUNS = size(15, 1)
RUN = "lanner run docker, shipped rules, no events"


def main() -> None:
    """Print the table; the bare interpreter is the lower limit for any Python program."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.jsonl")
        empty.touch()
        commands = {
            "python -c pass (the limit)": [sys.executable, "-c", "pass"],
            "lanner --version": [LANNER, "--version"],
            "lanner --help": [LANNER, "--help"],
            RUN: [LANNER, "run", "docker", "--replay", str(empty)],
        }
        progress("start")
        found = {what: run(command, runs=RUNS) for what, command in commands.items()}
    found[RUN].require_events(RUN, 0)
    limit = found["python -c pass (the limit)"]
    rows = [[what, f"{use.wall * 1000:.0f}", f"{use.wall / limit.wall:.1f}x", f"{use.memory:.0f}"] for what, use in found.items()]
    table(f"Start, median of {RUNS}", ["", "ms", "/ limit", "MiB"], rows)
