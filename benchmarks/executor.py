"""Events per second of the native executor, by number of rules, beside a bare parse of the same bytes by simdjson; its threads and memory."""

import time
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import LANNER, run, table
from benchmarks.replay import RECORDING
from lanner.docker import Docker
from lanner.framework.native import native_rules
from lanner.framework.pump import Pump
from lanner.native import Framer
from lanner.native._executor import Executor
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules_text
from lanner.sdk.batches import Batch
from lanner.sdk.host import init_plugin
from lanner.sdk.plugin import plugin_info

EVENTS = 200_000
BLOCK = 1 << 20
OUTPUT = "Container started (name=%docker.attributes.name image=%docker.from id=%docker.id action=%docker.action scope=%docker.scope)"
INDEXED = "docker.type = container and docker.action = start and docker.attributes.name = bench-{}"
UNINDEXED = {
    "contains": "docker.action contains x{}",
    "regex": "docker.action regex '.*x{}'",
    "contains and regex": "docker.action contains x{0} or docker.id regex '{0}.*'",
}


class Null:
    """An output for nobody."""

    def write(self, line):
        """Take a line."""

    def flush(self):
        """Nothing to do."""

    def close(self):
        """Nothing to do."""


def events(alerts, rules):
    """The recorded events, again and again, of which one in `alerts` starts a container that one of the rules is about."""
    lines = RECORDING.read_bytes().splitlines()
    start = next(line for line in lines if b'"Action":"start"' in line)
    head, _, tail = start.partition(b'"name":"')
    tail = tail[tail.index(b'"') :]
    others = cycle(line for line in lines if b'"name":"bench' not in line)
    return [
        head + b'"name":"bench-%d' % (number // alerts % rules) + tail if alerts and number % alerts == 0 else next(others)
        for number in range(EVENTS)
    ]


def blocks(lines):
    """The lines in blocks, as a replay reads them."""
    framer, data = Framer(1 << 26), b"".join(line + b"\n" for line in lines)
    return [framer.feed(data[begin : begin + BLOCK]) for begin in range(0, len(data), BLOCK)]


def compiled(count, condition):
    info = plugin_info(Docker)
    catalog = Catalog([declaration.info for declaration in info.fields], "docker")
    rule = "- rule: r{0}\n  desc: d\n  condition: {1}\n  output: '{2}'\n  priority: NOTICE\n  source: docker\n"
    text = "".join(rule.format(number, condition.format(number), OUTPUT) for number in range(count))
    return compile_rules(load_rules_text(text, catalog), catalog)


def best(function, runs=3):
    """The shortest of some runs, in seconds."""
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        function()
        found.append(time.perf_counter() - begin)
    return min(found)


def whole(rules, parts):
    """Seconds for parsing, matching and writing alerts."""
    pump = Pump(init_plugin(Docker), rules, AlertWriter("json", hostname="host"), Null(), native=True)
    return best(lambda: [pump.feed(Batch(part), None) for part in parts])


def matching(rules, parts):
    """Seconds for parsing and matching alone."""
    native = native_rules(rules.plan, init_plugin(Docker), hostname="", static={}, first=True)
    return best(lambda: [native.run(part, None, 0, None, None, None) for part in parts])


def bare(parts):
    """Seconds for parsing alone: a program without rules."""
    program = ([["path", []]], False, [], [], [], [], [], ([], []))
    executor = Executor(program, True)
    return best(lambda: [executor.run(part, None, 0, None, None, None) for part in parts])


def main():
    """Print the tables."""
    rows = []
    for count in (1, 10, 100, 1000):
        rules = compiled(count, INDEXED)
        for what, alerts in (("1 % alerts", 100), ("10 % alerts", 10)):
            parts = blocks(events(alerts, count))
            limit, matched, wall = bare(parts), matching(rules, parts), whole(rules, parts)
            rows.append([f"{count} rules, {what}", *(f"{EVENTS / each:,.0f}" for each in (wall, matched, limit)), f"{matched / limit:.2f}x"])
    table("The native executor on one core, events/s", ["", "with alerts", "without", "bare parse", "matching / parse"], rows)
    rows = []
    parts = blocks(events(0, 1))
    base = matching(compiled(1, INDEXED), parts)
    for what, condition in UNINDEXED.items():
        wall = matching(compiled(1000, condition), parts)
        checks = 1000 * condition.count("{0}") if "{0}" in condition else 1000
        rows.append([f"1000 rules, {what}", f"{EVENTS / wall:,.0f}", f"{(wall - base) / EVENTS / checks * 1e9:.1f}"])
    table("Rules that cannot be indexed", ["", "events/s", "ns a check"], rows)


if __name__ == "__main__":
    main()
