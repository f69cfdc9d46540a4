"""Events per second of `lanner run docker --replay`, by number of rules, compared to Falco and to a bare parse."""

import itertools
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import LANNER, MANY, SHORT, EventCost, Usage, measure_events, progress, run, size, table

EVENTS = size(200_000, 1_000)
RUNS = size(3, 1)
# Falco 0.44.1 with the Go plugin on a 2-core machine, measured once elsewhere
FALCO = {1: 9_200, 10: 8_000, 100: 2_600, 1000: 500}
RECORDING = Path(__file__).parent.parent / "tests" / "data" / "docker-engine-20.10-events.jsonl"
RULE = """- rule: Started {number}
  desc: A container of this name was started
  condition: docker.type = container and docker.action = start and docker.attributes.name = {name}-{number}
  output: Container started (name=%docker.attributes.name image=%docker.from id=%docker.id action=%docker.action scope=%docker.scope)
  priority: NOTICE
  source: docker
"""
PREFIX = RULE.replace("name = {name}", "name startswith {name}")
GOALS = {1: "0.40", MANY: "0.80"}
# the minimum of work for the payloads: split the lines and parse each
BARE = """import sys, msgspec
decode = msgspec.json.Decoder().decode
with open(sys.argv[1], "rb") as lines:
    for line in lines: decode(line)
"""


def recording(path: Path, rules: int) -> None:
    """Write `EVENTS` recorded events; every tenth starts a container that one of `rules` rules matches."""
    lines = RECORDING.read_bytes().splitlines(keepends=True)
    start = next(json.loads(line) for line in lines if b'"Action":"start"' in line)
    others = itertools.cycle(line for line in lines if b'"name":"bench' not in line)
    with path.open("wb") as out:
        for number in range(EVENTS):
            if number % 10:
                out.write(next(others))
                continue
            start["Actor"]["Attributes"]["name"] = f"bench-{number // 10 % rules}"
            out.write(json.dumps(start, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


def row(what: str, cost: EventCost, limit: Usage, peer: int | None, goal: str = "-") -> list[str]:
    rate = EVENTS / cost.usage.wall
    beside = f"{rate / peer:.0f}x" if peer else "-"
    return [what, f"{rate:,.0f}", str(cost), goal, f"{cost.usage.cpu / limit.cpu:.1f}x", beside, f"{cost.usage.memory:.0f}"]


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        events, empty, rules = Path(folder, "events.jsonl"), Path(folder, "empty.jsonl"), Path(folder, "rules.yaml")
        empty.touch()

        def measure(what: str, *options: str) -> EventCost:
            command = [LANNER, "run", "docker", *options, "--format", "json", "--output", "/dev/null", "--replay"]
            return measure_events(what, [*command, str(empty)], [*command, str(events)], EVENTS, runs=RUNS)

        for count in (1, MANY) if SHORT else FALCO:
            progress(f"replay: {count:,} rules, {EVENTS:,} events")
            recording(events, count)
            limit = run([sys.executable, "-c", BARE, str(events)], runs=RUNS)
            for what, rule, name in (("10 % alerts", RULE, "bench"), ("no alerts", RULE, "none"), ("a prefix, no alerts", PREFIX, "none")):
                if rule is PREFIX and count not in GOALS:
                    continue
                rules.write_text("".join(rule.format(number=number, name=name) for number in range(count)))
                goal = GOALS[count] if rule is PREFIX else "-"
                rows.append(row(f"{count} rules, {what}", measure(what, "-r", str(rules)), limit, FALCO.get(count), goal))
        rows.append(row("shipped rules", measure("shipped rules"), limit, None))
    table(
        f"Replay of {EVENTS:,} Docker events, one process (falco: events/s beside Falco 0.44.1 with the Go plugin, measured elsewhere)",
        ["", "events/s", "us CPU/event without start", "goal", "CPU / bare parse", "/ falco", "MiB"],
        rows,
    )
