"""Cost of an event that is a line of nginx's access log, with eight fields, against a method in Python for the same fields."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import progress, require, size, table
from benchmarks.pieces import per_event
from lanner.host.pump import Pump
from lanner.native import Reader
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin

EXAMPLES = Path(__file__).parents[1] / "examples"
FIELDS = ("client", "user", "method", "path", "status", "size", "referer", "agent")
_LINE = re.compile(
    rb'(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]*)\] "(?P<request>[^"]*)" (?P<status>[0-9]*) (?P<size>[0-9]*) '
    rb'"(?P<referer>[^"]*)" "(?P<agent>[^"]*)".*'
)


def _plugin() -> Any:
    spec = importlib.util.spec_from_file_location("benchmarks_nginx", EXAMPLES / "nginx.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Nginx


def _in_python(line: bytes) -> tuple[Any, ...]:
    """Return the same values as the eight fields, as the methods of a plugin would."""
    found = _LINE.fullmatch(line)
    if not found:
        return ()
    request = found["request"].decode().split(" ")
    path = request[1].partition("?")[0] if len(request) > 1 else None
    return (
        *(found["client"].decode(), found["user"].decode(), request[0], path, int(found["status"]), int(found["size"])),
        *(found["referer"].decode(), found["agent"].decode()),
    )


def main() -> None:
    """Print the table."""
    lines = (EXAMPLES / "nginx_example.log").read_bytes().splitlines() * size(500, 5)
    nginx = _plugin()
    declared = {each.info.name: each for each in nginx.__plugin__.fields}
    trees = [nginx.timestamp.data(), *(declared[f"nginx.{name}"].value.data() for name in FIELDS)]
    reader = Reader(trees)
    catalog = Catalog([each.info for each in nginx.__plugin__.fields], "nginx")
    compiled = compile_rules(load_rules([str(EXAMPLES / "nginx_rules.yaml")], catalog), catalog)
    pump = Pump(init_plugin(nginx), compiled, AlertWriter(hostname="host"), native=True)

    def read_all() -> None:
        for line in lines:
            reader.load(line)
            for slot in range(len(trees)):
                reader.get(slot)

    def each(work: Callable[[bytes], object]) -> float:
        return per_event(lambda: [work(line) for line in lines], len(lines)) / 1000

    progress(f"lines: {len(lines):,} events")
    pump.feed(Batch(lines))
    require("lines with alerts", len(lines) * 4 // 9, sum(pump.counts().alerts.values()))
    python = each(_in_python)
    costs = {
        "the eight values in Python, with `re`": python,
        "match the pattern": each(reader.load),
        "match, and read the time and eight fields to Python": per_event(read_all, len(lines)) / 1000,
        f"match, and {len(compiled.rules)} rules on the native executor": per_event(lambda: pump.feed(Batch(lines)), len(lines)) / 1000,
    }
    rows = [[what, f"{cost:.2f}", f"{cost / python:.2f}x"] for what, cost in costs.items()]
    table("Lines of nginx's log, us of CPU an event", ["", "us", "/ Python"], rows)
