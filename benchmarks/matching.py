"""Events in memory and compiled rules for the parts that measure the native executor, and the measurement itself."""

from __future__ import annotations

import time
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measure import require, size
from benchmarks.replay import RECORDING
from lanner.docker import Docker
from lanner.host.native_rules import native_rules
from lanner.native import Framer
from lanner.native._executor import Executor
from lanner.rules import Catalog, compile_rules, load_rules_text
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.plugin_init import init_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.native import Lines
    from lanner.rules import CompiledRules

EVENTS = size(200_000, 1_000)
RUNS = size(3, 1)
BLOCK = 1 << 20
OUTPUT = "Container started (name=%docker.attributes.name image=%docker.from id=%docker.id action=%docker.action scope=%docker.scope)"
RULE = "- rule: r{0}\n  desc: d\n  condition: {1}\n  output: '{2}'\n  priority: NOTICE\n  source: docker\n"


class MatchCost(NamedTuple):
    """Cost of the events, parsing included, and the rules that were evaluated and that matched for them."""

    seconds: float
    events: int
    evaluated: int
    matched: int

    @property
    def cost(self) -> float:
        """Microseconds per event."""
        return self.seconds / self.events * 1e6


def events(alerts: int, rules: int) -> list[bytes]:
    """Return the recorded events repeatedly; one in `alerts` (0: none) starts a container that one of the rules matches."""
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


def rules_text(conditions: list[str]) -> str:
    """Return a rules file with these conditions."""
    return "".join(RULE.format(number, condition, OUTPUT) for number, condition in enumerate(conditions))


def compiled(conditions: list[str]) -> CompiledRules:
    """Return compiled rules with these conditions."""
    catalog = Catalog([declaration.info for declaration in plugin_info(Docker).fields], "docker")
    rules = compile_rules(load_rules_text(rules_text(conditions), catalog), catalog)
    require("rules", len(conditions), len(rules.rules))
    return rules


def repeated(count: int, condition: str) -> list[str]:
    """Return that many conditions, each with its number in it."""
    return [condition.format(number) for number in range(count)]


def best(*runs: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the shortest of several runs, in seconds of CPU or of another clock."""
    found = []
    for run_once in runs:
        begin = clock()
        run_once()
        found.append(clock() - begin)
    return min(found)


def matching(rules: CompiledRules, parts: list[Lines], *, first: bool = True, runs: int = RUNS) -> MatchCost:
    """Measure parsing and matching without alerts. `first`: only the first matching rule of an event counts."""
    names = [rule.name for rule in rules.rules]
    native = native_rules(rules.plan, init_plugin(Docker), names, hostname="", static={}, first=first)
    assert native is not None
    results = [native.run(part, None, 0, None, None, None) for part in parts]
    evaluated, count = native.count_evaluated(), sum(map(len, parts))
    require("events that are JSON", count, count - sum(each.not_json for each in results))
    seconds = best(*[lambda: [native.run(part, None, 0, None, None, None) for part in parts]] * runs)
    require("rules evaluated in each run", evaluated * (runs + 1), native.count_evaluated())
    return MatchCost(seconds, count, evaluated, sum(len(each.hits) for each in results))


def bare(parts: list[Lines]) -> float:
    """Return the seconds of CPU for a bare parse: a program that reads the payload and has no rules."""
    executor = Executor(([["path", []]], False, [], [], [], [], [], ([], []), []), True)
    return best(*[lambda: [executor.run(part, None, 0, None, None, None) for part in parts]] * RUNS)
