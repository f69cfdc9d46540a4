"""CPU of one event of a live stream: `lanner run docker` on a stand-in engine's socket, compared to a replay of the same events.

The figures exclude the start: the CPU of a run that ends after the first event is subtracted. No event raises an alert. The events
are numerous enough to cost more than the start with all rules.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import LANNER, MANY, SHORT, measure_events, progress, run, size, table
from benchmarks.plugin import StandInForEngine, differing
from benchmarks.replay import BARE, RULE

RULES = (1, MANY) if SHORT else (1, 100, MANY)
GOALS = {1: "1.0", MANY: "2.0"}
RUNS = size(5, 1)
EVENTS = size(500_000, 2_000)
SENT = EVENTS + 1_000  # the run ends at its last event, while the engine still has some
CONFIG = '{"inspect": false}'  # otherwise it would query the engine for each container


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording, first, rules = folder / "events.jsonl", folder / "first.jsonl", folder / "rules.yaml"
        progress(f"live: {EVENTS:,} events are made")
        with recording.open("wb") as out:
            out.writelines(differing(EVENTS))
        first.write_bytes(b"".join(differing(1)))
        engine = StandInForEngine(folder, "full", SENT)
        common = ["-r", str(rules), "--format", "json", "--output", "/dev/null"]
        live = [LANNER, "run", "docker", "--host", f"unix://{engine.path}", "--config", CONFIG, *common, "--max-events"]
        replay = [LANNER, "run", "docker", "--jobs", "1", *common, "--replay"]
        try:
            limit = run([sys.executable, "-c", BARE, str(recording)], runs=RUNS).cpu / EVENTS * 1e6
            for count in RULES:
                progress(f"live: {count:,} rules, {EVENTS:,} of {SENT:,} events that are sent")
                rules.write_text("".join(RULE.format(number=number, name="none") for number in range(count)))
                streamed = measure_events("live", [*live, "1"], [*live, str(EVENTS)], EVENTS, in_start=1, runs=RUNS)
                replayed = measure_events("replay", [*replay, str(first)], [*replay, str(recording)], EVENTS, in_start=1, runs=RUNS)
                figures = [str(streamed), GOALS.get(count, "-"), str(replayed), f"{limit:.2f}", streamed.ratio(replayed)]
                rows.append([f"{count:,} rules", *figures])
        finally:
            engine.stop()
    header = ["", "live", "goal", "replay", "bare parse (msgspec)", "live / replay"]
    table(f"A live stream of {EVENTS:,} events, us of CPU an event without the start, best of {RUNS}", header, rows)
