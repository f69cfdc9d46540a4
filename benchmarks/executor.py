"""Events per second of the native executor, by number of rules, compared to a bare parse of the same bytes by simdjson; threads,
memory and small batches."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import shapes
from benchmarks.matching import EVENTS, RUNS, bare, best, blocks, compiled, events, matching, repeated, rules_text
from benchmarks.measure import LANNER, MANY, progress, require, run, size, table
from lanner.docker import Docker
from lanner.host.jobs import Jobs
from lanner.host.pump import Pump
from lanner.rules import AlertWriter
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.native import Lines
    from lanner.rules import CompiledRules

LARGE = size(10 << 30, 1 << 20)  # bytes of the replay whose memory is measured
INDEXED = "docker.type = container and docker.action = start and docker.attributes.name = bench-{}"
PREFIX = "docker.type = container and docker.action = start and docker.attributes.name startswith bench-{}"
UNINDEXED = {
    "contains": ("docker.action contains x{}", 1),
    "regex with a plain part": ("docker.action regex '.*x{}'", 1),
    "regex without, that soon fails": ("docker.action regex '[x-z]+[{}]'", 1),
    "regex without, that fails at the end": ("docker.action regex '[a-z]+[0-9][{}]'", 1),
    "contains or endswith": ("docker.action contains x{0} or docker.scope endswith x{0}", 2),
}


def pump(rules: CompiledRules, *, native: bool = True) -> Pump:
    """Return a pump whose alerts are formatted and discarded."""
    return Pump(init_plugin(Docker), rules, AlertWriter("json", hostname="host"), native=native)


def whole(rules: CompiledRules, parts: list[Lines], alerts: int, jobs: int = 1, clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds for parsing, matching and writing `alerts`, without the preparation of the rules before the first event."""
    pumps = [pump(rules) for _ in range(RUNS)]

    def feed(pool: Jobs) -> None:
        for part in parts:
            pool.feed(Batch(part), None)
        pool.drain()
        pool.close()

    seconds = best(*[partial(feed, Jobs(each, jobs)) for each in pumps], clock=clock)
    for each in pumps:
        require_alerts(each, sum(map(len, parts)), alerts)
    return seconds


def require_alerts(pump: Pump, events: int, alerts: int) -> None:
    """Exit if a pump had other numbers of events or alerts."""
    counts = pump.counts()
    require("events of a pump", events, counts.events)
    require("alerts of a pump", alerts, sum(counts.alerts.values()))


def by_rules() -> None:
    """Measure rules that the index finds."""
    rows = []
    for count in (1, 10, 100, MANY):
        rules = compiled(repeated(count, INDEXED))
        for what, alerts in (("1 % alerts", 100), ("10 % alerts", 10)):
            parts = blocks(events(alerts, count))
            limit, matched, wall = bare(parts), matching(rules, parts).seconds, whole(rules, parts, EVENTS // alerts)
            rates = [f"{EVENTS / each:,.0f}" for each in (wall, matched, limit)]
            rows.append([f"{count} rules, {what}", *rates, f"{wall / limit:.2f}x"])
    table("The native executor, events per second of CPU", ["", "with alerts", "matching", "bare parse", "all / parse"], rows)


def prefixes() -> None:
    """Measure rules that share a type and an action, and differ in a prefix of the name."""
    rows = []
    for count, goal in ((1, 0.4), (MANY, 0.8)):
        rules = compiled(repeated(count, PREFIX))
        for what, alerts in (("no alerts", 0), ("10 % alerts", 10)):
            parts = blocks(events(alerts, count))
            # in turn, because the load of neighbours on the machine varies
            pairs = [(bare(parts), matching(rules, parts, runs=1)) for _ in range(RUNS)]
            limit, found = (min(of_one) for of_one in zip(*pairs, strict=True))
            require("events that match", EVENTS // alerts if alerts else 0, found.matched)
            shown = [f"{found.cost:.2f}", f"{found.evaluated / EVENTS:.2f}", f"{limit / EVENTS * 1e6:.2f}", f"{found.seconds / limit:.1f}x"]
            rows.append([f"{count:,} rules, {what}", *shown, "-" if alerts else f"{goal:.2f}"])
    title = f"{EVENTS:,} events, rules with a type, an action and a prefix of the name each: us an event, without the start"
    table(title, ["", "us", "rules evaluated", "bare parse", "/ parse", "goal"], rows)


def unindexed() -> None:
    """Measure rules that must all be evaluated, by few events, because each takes long."""
    parts = blocks(events(0, 1)[: EVENTS // 10])
    base = matching(compiled(repeated(1, INDEXED)), parts)
    rows = []
    for what, (condition, checks) in UNINDEXED.items():
        found = matching(compiled(repeated(MANY, condition)), parts)
        each = (found.cost - base.cost) / checks / MANY * 1e3
        rows.append([what, f"{1e6 / found.cost:,.0f}", f"{found.evaluated / found.events:,.1f}", f"{each:.1f}"])
    title = f"{base.events:,} events, {MANY} rules without a value for the index"
    table(title, ["", "events per second of CPU", "rules evaluated", "ns a check"], rows)


def threads() -> None:
    """Compare two threads with one."""
    parts = blocks(events(100, 10)) * 5
    rows = []
    for what, rules in (
        ("10 rules, 1 % alerts", compiled(repeated(10, INDEXED))),
        ("100 rules, none indexed", compiled(repeated(100, UNINDEXED["contains"][0]))),
    ):
        # in turn, because the load of neighbours on the machine varies
        alerts = 5 * EVENTS // 100 if "alerts" in what else 0
        runs = [[whole(rules, parts, alerts, jobs, time.perf_counter) for jobs in (1, 2)] for _ in range(RUNS)]
        one, two = (min(of_jobs) for of_jobs in zip(*runs, strict=True))
        rows.append([what, f"{5 * EVENTS / one:,.0f}", f"{5 * EVENTS / two:,.0f}", f"{one / two:.2f}x"])
    table("Threads, events/s", ["", "one", "two", "two / one"], rows)


def small() -> None:
    """Measure batches of the sizes of a live source, on both executors."""
    rules, lines = compiled(repeated(100, INDEXED)), events(100, 100)[: EVENTS // 5]
    rows = []
    for length in (1, 2, 16, 256):
        batches = [Batch(lines[begin : begin + length]) for begin in range(0, len(lines), length)]

        def feed(each: Pump, batches: list[Batch] = batches) -> None:
            for batch in batches:
                each.feed(batch, None)

        costs = []
        for is_native in (True, False):
            pumps = [pump(rules, native=is_native) for _ in range(RUNS)]
            costs.append(best(*[partial(feed, each) for each in pumps]) / len(lines) * 1e6)
            for each in pumps:
                require_alerts(each, len(lines), len(lines) // 100)
        native, python = costs
        rows.append([f"{length}", f"{native:.2f}", f"{python:.2f}", f"{python / native:.1f}x"])
    table("Small batches: us an event", ["events a batch", "native", "Python", "Python / native"], rows)


def memory() -> None:
    """Measure peak memory of a large replay, through a pipe."""
    with TemporaryDirectory() as folder:
        rules, part = Path(folder, "rules.yaml"), Path(folder, "part.jsonl")
        rules.write_text(rules_text(repeated(10, INDEXED)))
        with part.open("wb") as out:
            out.writelines(line + b"\n" for line in events(100, 10))
        times = LARGE // part.stat().st_size
        command = [LANNER, "run", "docker", "-r", str(rules), "--format", "json", "--output", "/dev/null", "--replay"]
        with subprocess.Popen(["cat", *[str(part)] * times], stdout=subprocess.PIPE) as cat:
            piped = run([*command, "-"], stdin=cat.stdout)
        small = run([*command, str(part)])
        piped.require_events("the large replay", times * EVENTS)
        small.require_events("the replay of a file", EVENTS)
        rows = [
            [f"{part.stat().st_size / 1e6:,.0f} MB, a file", f"{EVENTS / small.wall:,.0f}", f"{small.memory:.0f}"],
            [f"{times * part.stat().st_size / 1e9:.1f} GB, a pipe", f"{times * EVENTS / piped.wall:,.0f}", f"{piped.memory:.0f}"],
        ]
    table("`lanner run --replay` as a whole, as many threads as cores", ["", "events/s", "MiB"], rows)


def main() -> None:
    """Print the tables."""
    # memory first: a child's peak includes its parent's earlier memory
    for part in (memory, by_rules, prefixes, shapes.single, shapes.public, unindexed, threads, small):
        progress(f"executor: {part.__name__}")
        part()
