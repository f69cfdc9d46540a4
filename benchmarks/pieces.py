"""Cost of each step of an event: framing, reading fields, matching, formatting, in nanoseconds of one core."""

import time
from collections.abc import Callable
from functools import partial

import msgspec

from benchmarks.measure import progress, require, size, table
from benchmarks.replay import RECORDING
from lanner.docker import Docker
from lanner.host.generic import EventContext, generic_reader
from lanner.rules import AlertRule, AlertWriter, Catalog, Executor, compile_rules, load_rules
from lanner.rules.plan.executor import compile_values
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.hosting.framing import new_framer
from lanner.sdk.hosting.plugin_init import init_plugin

ROUNDS = size(60, 1)


def per_event(work: Callable[[], object], events: int) -> float:
    """Return nanoseconds of CPU per event: the best of several rounds, each of which processes `events` events."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time_ns()
        work()
        best = min(best, time.process_time_ns() - begin)
    return best / events


def _repeat(work: Callable[[], object]) -> None:
    for _ in range(1000):
        work()


def main() -> None:
    """Print the table."""
    data = RECORDING.read_bytes() * 10
    lines = data.splitlines()
    count = len(lines)
    fields = Docker.__plugin__.fields
    catalog = Catalog([declaration.info for declaration in fields], "docker")
    rules = Docker.__plugin__.rules
    assert rules is not None
    compiled = compile_rules(load_rules([rules], catalog), catalog)
    context = EventContext("docker", "docker", "host")
    own = {declaration.info.name for declaration in fields}
    requests = compiled.plan.fields
    reader = FieldReader(init_plugin(Docker), [(r.name, r.argument) for r in requests if r.name in own])
    getters = iter(reader.getters)
    table_of = [next(getters) if r.name in own else generic_reader(r.name, context) for r in requests]
    executor = Executor(compiled.plan, lambda slot: table_of[slot]())
    decode = msgspec.json.Decoder().decode
    kind = next(number for number, r in enumerate(r for r in requests if r.name in own) if r.name == "docker.type")

    def read_one() -> None:
        for line in lines:
            reader.load(line)
            reader.get(kind)

    def match() -> int:
        alerts = 0
        for number, line in enumerate(lines):
            reader.load(line)
            context.advance(number, reader.timestamp or 0, line)
            alerts += len(executor.match())
        return alerts

    progress(f"pieces: {count:,} events, {ROUNDS} rounds")
    require("framing", count, len(new_framer().feed(data)))
    alerts = match()
    bare = per_event(lambda: [decode(line) for line in lines], count)
    loads = per_event(lambda: [reader.load(line) for line in lines], count)
    one = per_event(read_one, count)
    matched = per_event(match, count)
    rows = [["bare parse of the payload (msgspec), the limit", f"{bare:,.0f}", "1.0x"]]
    rows.append(["framing: chunks to lines", f"{(f := per_event(lambda: list(new_framer().feed(data)), count)):,.0f}", f"{f / bare:.1f}x"])
    rows.append(["load: parse, timestamp", f"{loads:,.0f}", f"{loads / bare:.1f}x"])
    rows.append(["one field more", f"{one - loads:,.0f}", f"{(one - loads) / bare:.1f}x"])
    rows.append(
        [f"match {len(compiled.rules)} shipped rules, fields included", f"{matched - loads:,.0f}", f"{(matched - loads) / bare:.1f}x"]
    )
    line = next(line for line in lines if (reader.load(line), executor.match())[1])
    reader.load(line)
    number = executor.match()[0]
    rule = compiled.rules[number]
    alert = AlertRule(rule.name, str(rule.priority), rule.source, rule.tags)
    for layout in ("text", "json"):
        written = AlertWriter(layout, hostname="host").compile(alert, compiled.outputs[number])
        values = compile_values(written.operands, executor.value)()
        write = partial(written.line, 1_700_000_000_000_000_000, values)
        cost = per_event(partial(_repeat, write), 1000)
        rows.append([f"format an alert as {layout}", f"{cost:,.0f}", f"{cost / bare:.1f}x"])
    table(f"Pieces, ns of CPU an event ({count} recorded events, {alerts} alerts)", ["", "ns", "/ limit"], rows)
