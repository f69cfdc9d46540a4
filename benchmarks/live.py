"""CPU of one event of a live stream: `lanner run docker` on a stand-in engine's socket, compared to a replay of the same events.

The figures exclude the start: the CPU of a run that ends after the first event is subtracted. No event raises an alert.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import LANNER, MANY, SHORT, progress, run, size, table
from benchmarks.plugin import EVENTS, SENT, StandInForEngine, different_lines
from benchmarks.replay import BARE, RULE

RULES = (1, MANY) if SHORT else (1, 100, MANY)
RUNS = size(3, 1)
CONFIG = '{"inspect": false}'  # otherwise it would query the engine for each container


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording, first, rules = folder / "events.jsonl", folder / "first.jsonl", folder / "rules.yaml"
        recording.write_bytes(b"".join(different_lines(EVENTS)))
        first.write_bytes(b"".join(different_lines(1)))
        engine = StandInForEngine(folder, "full")
        live = [LANNER, "run", "docker", "--host", f"unix://{engine.path}", "--config", CONFIG]
        replay = [LANNER, "run", "docker", "--jobs", "1"]
        common = ["-r", str(rules), "--format", "json", "--output", "/dev/null"]
        try:
            limit = run([sys.executable, "-c", BARE, str(recording)], runs=RUNS).cpu
            for count in RULES:
                progress(f"live: {count:,} rules, {EVENTS:,} of {SENT:,} events that are sent")
                rules.write_text("".join(RULE.format(number=number, name="none") for number in range(count)))
                costs = [
                    _per_event([*live, *common, "--max-events", "1"], [*live, *common, "--max-events", str(EVENTS)]),
                    _per_event([*replay, *common, "--replay", str(first)], [*replay, *common, "--replay", str(recording)]),
                ]
                rows.append(
                    [f"{count:,} rules", *(f"{cost:.2f}" for cost in (*costs, limit / EVENTS * 1e6)), f"{costs[0] / costs[1]:.1f}x"]
                )
        finally:
            engine.stop()
    table(f"A live stream of {EVENTS:,} events, us of CPU an event", ["", "live", "replay", "bare parse (msgspec)", "live / replay"], rows)


def _per_event(one: list[str], all_of_them: list[str]) -> float:
    """Return microseconds of CPU per event after the first: the median of several runs of each."""
    start, whole = run(one, runs=RUNS), run(all_of_them, runs=RUNS)
    start.require_events("the start", 1)
    whole.require_events(all_of_them[2], EVENTS)
    return (whole.cpu - start.cpu) / (EVENTS - 1) * 1e6
