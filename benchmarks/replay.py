"""Events per second of `lanner run docker --replay`, by number of rules, compared to Falco and to a bare parse."""

import itertools
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import LANNER, MANY, SHORT, Usage, progress, run, size, table

EVENTS = size(200_000, 1_000)
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


def row(what: str, usage: Usage, start: Usage, limit: Usage, peer: int | None) -> list[str]:
    usage.require_events(what, EVENTS)
    rate = EVENTS / usage.wall
    cpu = max(0.0, usage.cpu - start.cpu) / EVENTS * 1e6
    beside = f"{rate / peer:.0f}x" if peer else "-"
    return [what, f"{rate:,.0f}", f"{cpu:.2f}", f"{usage.cpu / limit.cpu:.1f}x", beside, f"{usage.memory:.0f}"]


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        events, empty, rules = Path(folder, "events.jsonl"), Path(folder, "empty.jsonl"), Path(folder, "rules.yaml")
        empty.touch()
        command = [LANNER, "run", "docker", "-r", str(rules), "--format", "json", "--output", "/dev/null", "--replay"]
        for count in (1, MANY) if SHORT else FALCO:
            progress(f"replay: {count:,} rules, {EVENTS:,} events")
            recording(events, count)
            limit = run([sys.executable, "-c", BARE, str(events)])
            for what, name in (("10 % alerts", "bench"), ("no alerts", "none")):
                rules.write_text("".join(RULE.format(number=number, name=name) for number in range(count)))
                start = run([*command, str(empty)])
                rows.append(row(f"{count} rules, {what}", run([*command, str(events)]), start, limit, FALCO.get(count)))
        shipped = [LANNER, "run", "docker", "--format", "json", "--output", "/dev/null", "--replay"]
        rows.append(row("shipped rules", run([*shipped, str(events)]), run([*shipped, str(empty)]), limit, None))
    table(
        f"Replay of {EVENTS:,} Docker events, one process (falco: events/s beside Falco 0.44.1 with the Go plugin, measured elsewhere)",
        ["", "events/s", "us CPU/event", "CPU / bare parse", "/ falco", "MiB"],
        rows,
    )
