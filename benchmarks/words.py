"""Fields as data with lists, conditions and JSON strings, in a built library: CPU time of an event in the C host of tests/conformance.

The events are recorded and made Kubernetes audit events, with the fields of examples/k8saudit.py. Others have a list of five items.
"""

import json
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance import host

from benchmarks.measure import LANNER, progress, require, size, table

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "tests" / "data" / "k8saudit.jsonl.xz"
FIVE = ("ka.verb", "ka.target.resource", "ka.user.name", "ka.response.code", "ka.req.pod.containers.image")
LISTS = ("words.text", "words.names", "words.images", "words.joined", "words.each")
SMALL = 1600
"""Bytes of a small event: a request without its object, or with a short one."""
RUNS = size(5, 1)
COUNT = 140
"""Events that are asked for; the last batch may bring more."""
PLUGIN = '''
from collections.abc import Iterator
from pathlib import Path

import lanner
from lanner import EACH, field, item, payload

each = payload["spec", "containers", EACH]


class Words(lanner.Plugin):
    """Lists of five."""

    id, name, version, event_source, contact = 4250, "words", "0.1.0", "words", "the benchmarks"
    fields = (
        field("words.text", payload["kind"], "A string"),
        field("words.names", each["name"], "Five names"),
        field("words.images", each["image"].before(":"), "A word on each of five"),
        field("words.joined", each["name"].join(","), "Five names in one text"),
        field("words.each", each.each(item["title"] | item["name"]), "The first of two for each of five"),
    )

    def open(self, params: str) -> Iterator[bytes]:
        yield from Path(params).read_bytes().splitlines()
'''


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        audit, lists, plugin = place / "libaudit.so", place / "liblists.so", place / "words_plugin.py"
        plugin.write_text(PLUGIN, "utf-8")
        for source, so in ((ROOT / "examples" / "k8saudit.py", audit), (plugin, lists)):
            subprocess.run([LANNER, "build", str(source), "-o", str(so)], check=True, stdout=subprocess.DEVNULL)
        _, *recorded = lzma.decompress(EVENTS.read_bytes()).splitlines()
        payloads = [json.loads(line)["payload"] for line in recorded]
        containers = [{"name": f"container-{number}", "image": f"example.org/image-{number}:1.2"} for number in range(5)]
        made = json.dumps({"kind": "Pod", "spec": {"containers": containers}})
        (place / "lists").write_text("\n".join([made] * 1000), "utf-8")
        for what, some in (("small events", [each for each in payloads if len(each) < SMALL]), ("all events", payloads)):
            (place / "audit").write_text("\n".join(some), "utf-8")
            first, further = _measure(audit, place / "audit", FIVE)
            cost, mean = (first + sum(further)) / 1e3, sum(map(len, some)) / len(some)
            go = "6.8 to 7.9" if what == "small events" else "-"
            rows.append([f"k8saudit: five fields, parse included, {what} ({mean:,.0f} bytes)", f"{cost:.2f}", "1.2", go])
        first, further = _measure(lists, place / "lists", LISTS)
        names = ("list of five strings", "the same, with a word on each", "the same, joined", "each of five, the first of two")
        rows += [[name, f"{cost / 1e3:.2f}", "0.25", "-"] for name, cost in zip(names, further, strict=True)]
    table("Words on values in a built library, us of CPU", ["", "ours", "aim", "Go"], rows)


def _measure(so: Path, events: Path, fields: tuple[str, ...]) -> tuple[float, list[float]]:
    """Return nanoseconds of the first field of an event, which parses it, and of each further one: the best of several runs."""
    runs: list[dict[str, Any]] = []
    sent = len(events.read_bytes().splitlines())
    for _ in range(RUNS):
        progress(f"words: {so.name}, {len(fields)} fields")
        report = host.run_host(so, "--bench", "--open", str(events), "--fields", ",".join(fields), "--events", str(COUNT))
        if report["exit"]:
            sys.exit(f"{so} could not be measured: {report['violations']}\n{report['stderr']}")
        require(so.name, COUNT, report["bench"]["events"], sent)
        runs.append(report["bench"])
    return min(run["first_field_ns"] for run in runs), [min(run["fields"][field]["further_ns"] for run in runs) for field in fields[1:]]
