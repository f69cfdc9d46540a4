"""Events per second of the native executor, by number of rules, compared to a bare parse of the same bytes by simdjson; threads,
memory and small batches."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import LANNER, MANY, progress, require, run, size, table
from benchmarks.replay import RECORDING
from lanner.docker import Docker
from lanner.host.jobs import Jobs
from lanner.host.native_rules import native_rules
from lanner.host.pump import Pump
from lanner.native import Framer
from lanner.native._executor import Executor
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules_text
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.native import Lines
    from lanner.rules import CompiledRules

EVENTS = size(200_000, 1_000)
RUNS = size(3, 1)
BLOCK = 1 << 20
LARGE = size(10 << 30, 1 << 20)  # bytes of the replay whose memory is measured
OUTPUT = "Container started (name=%docker.attributes.name image=%docker.from id=%docker.id action=%docker.action scope=%docker.scope)"
RULE = "- rule: r{0}\n  desc: d\n  condition: {1}\n  output: '{2}'\n  priority: NOTICE\n  source: docker\n"
INDEXED = "docker.type = container and docker.action = start and docker.attributes.name = bench-{}"
# Rules that all match a container's start, which one event in ten is, and differ in the rest. The frequency of each shape in the mixture
# follows the operators in the 93 rules that Falco's project publishes (falco, incubating, sandbox) and in their macros: 365 `=`, 219
# `in`, 244 `startswith`, 132 `contains`, 64 `endswith`, with 392 `or` and 329 `not`. A shape of 0 is rare there and has only its own row.
SHARED = "docker.type = container and docker.action in (start, restart) and "
SHAPES = {
    "equality": ("docker.attributes.name = x{0}", 6),
    "list": ("docker.attributes.name in (x{0}, y{0}, z{0})", 5),
    "prefix": ("docker.attributes.name startswith x{0}-", 4),
    "contains": ("docker.attributes.name contains x{0}-", 2),
    "suffix": ("docker.attributes.name endswith -x{0}", 1),
    "or of two fields": ("(docker.attributes.name startswith x{0}- or docker.from contains x{0}/)", 1),
    "glob": ("docker.attributes.name glob '*x{0}-?*'", 0),
    "regex": ("docker.attributes.name regex '.*x{0}-[0-9]+'", 0),
    "path prefix": ("docker.attributes.name pmatch (/x{0}, /y{0}/*)", 0),
    "prefix and negation": ("docker.attributes.name startswith x{0}- and not docker.from startswith y{0}", 1),
}
UNINDEXED = {
    "contains": ("docker.action contains x{}", 1),
    "regex with a plain part": ("docker.action regex '.*x{}'", 1),
    "regex without, that soon fails": ("docker.action regex '[x-z]+[{}]'", 1),
    "regex without, that fails at the end": ("docker.action regex '[a-z]+[0-9][{}]'", 1),
    "contains or endswith": ("docker.action contains x{0} or docker.scope endswith x{0}", 2),
}


def events(alerts: int, rules: int) -> list[bytes]:
    """Yield the recorded events repeatedly; one in `alerts` (0: none) starts a container that one of the rules matches."""
    lines = RECORDING.read_bytes().splitlines()
    head, _, tail = next(line for line in lines if b'"Action":"start"' in line).partition(b'"name":"')
    tail = tail[tail.index(b'"') :]
    others = cycle(line for line in lines if b'"name":"bench' not in line)
    return [
        head + b'"name":"bench-%d' % (number // alerts % rules) + tail if alerts and number % alerts == 0 else next(others)
        for number in range(EVENTS)
    ]


def blocks(lines: list[bytes]) -> list[Lines]:
    """Return the lines in blocks, as a replay reads them."""
    framer, data = Framer(1 << 26), b"".join(line + b"\n" for line in lines)
    return [framer.feed(data[begin : begin + BLOCK]) for begin in range(0, len(data), BLOCK)]


def rules_text(count: int, *conditions: str) -> str:
    """Return a rules file with these conditions in turn."""
    return "".join(RULE.format(number, conditions[number % len(conditions)].format(number), OUTPUT) for number in range(count))


def compile_copies(count: int, *conditions: str) -> CompiledRules:
    """Return that many compiled rules with these conditions in turn."""
    catalog = Catalog([declaration.info for declaration in plugin_info(Docker).fields], "docker")
    return compile_rules(load_rules_text(rules_text(count, *conditions), catalog), catalog)


def best(*runs: Callable[[], object]) -> float:
    """Return the shortest of several runs, in seconds."""
    found = []
    for run_once in runs:
        begin = time.perf_counter()
        run_once()
        found.append(time.perf_counter() - begin)
    return min(found)


def pump(rules: CompiledRules, *, native: bool = True) -> Pump:
    """Return a pump whose alerts are formatted and discarded."""
    return Pump(init_plugin(Docker), rules, AlertWriter("json", hostname="host"), native=native)


def whole(rules: CompiledRules, parts: list[Lines], jobs: int = 1) -> float:
    """Return the seconds for parsing, matching and writing alerts, without the preparation of the rules before the first event."""

    def feed(pool: Jobs) -> None:
        for part in parts:
            pool.feed(Batch(part), None)
        pool.drain()
        pool.close()

    return best(*[partial(feed, Jobs(pump(rules), jobs)) for _ in range(RUNS)])


def measure_matching(rules: CompiledRules, parts: list[Lines]) -> float:
    """Return the seconds for parsing and matching without alerts."""
    names = [rule.name for rule in rules.rules]
    native = native_rules(rules.plan, init_plugin(Docker), names, hostname="", static={}, first=True)
    assert native is not None
    require("matching", EVENTS, sum(map(len, parts)))
    return best(*[lambda: [native.run(part, None, 0, None, None, None) for part in parts]] * RUNS)


def bare(parts: list[Lines]) -> float:
    """Return the seconds for a bare parse: a program that reads the payload and has no rules."""
    executor = Executor(([["path", []]], False, [], [], [], [], [], ([], []), []), True)
    return best(*[lambda: [executor.run(part, None, 0, None, None, None) for part in parts]] * RUNS)


def by_rules() -> None:
    """Measure rules that the index finds."""
    rows = []
    for count in (1, 10, 100, MANY):
        rules = compile_copies(count, INDEXED)
        for what, alerts in (("1 % alerts", 100), ("10 % alerts", 10)):
            parts = blocks(events(alerts, count))
            limit, matched, wall = bare(parts), measure_matching(rules, parts), whole(rules, parts)
            rates = [f"{EVENTS / each:,.0f}" for each in (wall, matched, limit)]
            rows.append([f"{count} rules, {what}", *rates, f"{wall / limit:.2f}x"])
    table("The native executor on one core, events/s", ["", "with alerts", "matching", "bare parse", "all / parse"], rows)


def shapes() -> None:
    """Measure rules that share equalities and differ in the rest."""
    parts = blocks(events(10, 1))
    limit = bare(parts)
    mixture = [SHARED + condition for condition, share in SHAPES.values() for _ in range(share)]
    rows = []
    for what, conditions in {**{what: [SHARED + condition] for what, (condition, _) in SHAPES.items()}, "mixture": mixture}.items():
        one, many = (measure_matching(compile_copies(count, *conditions), parts) for count in (1, MANY))
        rows.append([what, *(f"{each / EVENTS * 1e6:.2f}" for each in (one, many, limit)), f"{many / one:.2f}x"])
    table("Rules that share a type and an action, us an event", ["", "1 rule", f"{MANY} rules", "bare parse", f"{MANY} / 1"], rows)


def measure_unindexed() -> None:
    """Measure rules that must all be evaluated."""
    parts = blocks(events(0, 1))
    base = measure_matching(compile_copies(1, INDEXED), parts)
    rows = []
    for what, (condition, checks) in UNINDEXED.items():
        wall = measure_matching(compile_copies(MANY, condition), parts)
        rows.append([what, f"{EVENTS / wall:,.0f}", f"{(wall - base) / EVENTS / checks / MANY * 1e9:.1f}"])
    table(f"{MANY} rules that cannot be indexed", ["", "events/s", "ns a check"], rows)


def threads() -> None:
    """Compare two threads with one."""
    parts = blocks(events(100, 10)) * 5
    rows = []
    for what, rules in (
        ("10 rules, 1 % alerts", compile_copies(10, INDEXED)),
        ("100 rules, none indexed", compile_copies(100, UNINDEXED["contains"][0])),
    ):
        # in turn, because the load of neighbours on the machine varies
        runs = [[whole(rules, parts, jobs) for jobs in (1, 2)] for _ in range(RUNS)]
        one, two = (min(of_jobs) for of_jobs in zip(*runs, strict=True))
        rows.append([what, f"{5 * EVENTS / one:,.0f}", f"{5 * EVENTS / two:,.0f}", f"{one / two:.2f}x"])
    table("Threads, events/s", ["", "one", "two", "two / one"], rows)


def small() -> None:
    """Measure batches of the sizes of a live source, on both executors."""
    rules, lines = compile_copies(100, INDEXED), events(100, 100)[: EVENTS // 5]
    rows = []
    for length in (1, 2, 16, 256):
        batches = [Batch(lines[begin : begin + length]) for begin in range(0, len(lines), length)]

        def feed(each: Pump, batches: list[Batch] = batches) -> None:
            for batch in batches:
                each.feed(batch, None)

        native, python = (best(*[partial(feed, pump(rules, native=native)) for _ in range(RUNS)]) for native in (True, False))
        rows.append([f"{length}", f"{native / len(lines) * 1e6:.2f}", f"{python / len(lines) * 1e6:.2f}", f"{python / native:.1f}x"])
    table("Small batches: us an event", ["events a batch", "native", "Python", "Python / native"], rows)


def memory() -> None:
    """Measure peak memory of a large replay, through a pipe."""
    with TemporaryDirectory() as folder:
        rules, part = Path(folder, "rules.yaml"), Path(folder, "part.jsonl")
        rules.write_text(rules_text(10, INDEXED))
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
    for part in (
        memory,
        by_rules,
        shapes,
        measure_unindexed,
        threads,
        small,
    ):  # memory first: a child's peak includes its parent's earlier memory
        progress(f"executor: {part.__name__}")
        part()
