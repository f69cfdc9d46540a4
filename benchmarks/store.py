"""Cost of the alert store's writer: CPU time and bytes of an alert, and the time that the deletion of a day takes."""

import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import LANNER, EventCost, measure_events, progress, require, size, table
from lanner.alerts.alert_record import Record, RunLoad, make_record
from lanner.alerts.retention import Limits, Retention, size_of
from lanner.alerts.store_format import day_files
from lanner.alerts.writer import StoreWriter

ALERTS = size(200_000, 2_000)
REPLAYED = size(100_000, 2_000)
AIM_CPU, AIM_BYTES, AIM_DELETION = 35, 250, 50
CONTAINERS = 2_000
RULES = 40
BATCH = 256
RECORDING = Path(__file__).parent.parent / "tests" / "data" / "docker-engine-20.10-events.jsonl"
RULE = """- rule: Started
  desc: A container was started
  condition: docker.type = container and docker.action = start
  output: Container started (name=%docker.attributes.name image=%docker.from id=%docker.id action=%docker.action scope=%docker.scope)
  priority: NOTICE
  source: docker
  tags: [container]
"""


class StoreEntry(NamedTuple):
    """An alert, as the store gets it."""

    timestamp: int
    record: Record


def make_alerts(count: int) -> list[StoreEntry]:
    """Return alerts about 2,000 containers in an order that is the same each time."""
    chance, load, begin = random.Random(1), RunLoad("0badcafe", time.time_ns(), "docker", "{}", {}), time.time_ns()
    containers = [
        (f"{chance.choice(('shop', 'web', 'batch'))}-{number}", f"{chance.getrandbits(256):064x}") for number in range(CONTAINERS)
    ]
    found = []
    for number in range(count):
        name, container = chance.choice(containers)
        at = begin + number * 40_000_000
        image, rule = (
            f"registry.example/{name.partition('-')[0]}:{chance.randrange(20)}",
            f"Rule {chance.randrange(RULES)} about containers",
        )
        text = f"Container started (name={name} image={image} id={container[:12]} action=start scope=local)"
        fields = {"docker.action": "start", "docker.attributes.name": name, "docker.from": image, "docker.id": container, "evt.time": at}
        line = {"hostname": "bench", "message": text, "output": f"12:00:00.{number:09}: Notice {text}", "output_fields": fields}
        line |= {"priority": "Notice", "rule": rule, "source": "docker", "tags": ["container"], "time": "2026-01-31T12:00:00.000000000Z"}
        actor = {"ID": container, "Attributes": {"image": image, "name": name}}
        event = {"status": "start", "Type": "container", "Action": "start", "Actor": actor, "scope": "local", "timeNano": at}
        payload = json.dumps(event, separators=(",", ":")).encode()
        found.append(StoreEntry(at, make_record(json.dumps(line, separators=(",", ":")), payload, number + 1, load)))
    return found


def write(directory: Path, alerts: Sequence[StoreEntry], batch: int) -> list[str]:
    """Return the row of a store that is written in transactions of `batch` alerts."""
    writer = StoreWriter(directory)
    begin = time.process_time()
    slowest = 0.0
    for place in range(0, len(alerts), batch):
        at = time.perf_counter()
        writer.write(alerts[place : place + batch])
        slowest = max(slowest, time.perf_counter() - at)
    cpu = (time.process_time() - begin) / len(alerts) * 1e6
    writer.close()
    require("stored alerts", len(alerts), count_stored(directory))
    content = sum(len(alert.record.json) + len(alert.record.event) for alert in alerts)
    beside = (sum(map(size_of, day_files(directory).values())) - content) / len(alerts)
    shown = [f"{cpu:.1f}", f"{cpu / AIM_CPU:.2f}", f"{content / len(alerts):.0f}", f"{beside:.0f}", f"{beside / AIM_BYTES:.2f}"]
    return [f"{batch} alerts in a transaction", *shown, f"{slowest * 1e3:.0f}"]


def delete(directory: Path) -> str:
    """Return how long the deletion of the day of these alerts took."""
    (day,) = day_files(directory)
    its = size_of(directory / day_files(directory)[day].name)
    begin = time.perf_counter()
    deleted = Retention(directory, Limits(size=1)).apply(day + 1)
    took = (time.perf_counter() - begin) * 1e3
    require("deleted days", 1, len(deleted))
    return f"deletion of a day of {its >> 20:,} MiB: {took:.1f} ms (aim: {AIM_DELETION} ms)"


def replay(folder: Path) -> list[list[str]]:
    """Return the rows of a replay with and without the store: what an alert costs a whole run."""
    events, empty, rules = folder / "events.jsonl", folder / "empty.jsonl", folder / "rules.yaml"
    rules.write_text(RULE)
    empty.touch()
    start = next(json.loads(line) for line in RECORDING.read_bytes().splitlines() if b'"Action":"start"' in line)
    with events.open("wb") as out:
        for number in range(REPLAYED):
            start["Actor"]["Attributes"]["name"] = f"bench-{number % CONTAINERS}"
            out.write(json.dumps(start, separators=(",", ":")).encode() + b"\n")
    rows: list[list[str]] = []
    plain: EventCost | None = None
    for what, options in (("text to a file", ()), ("JSON to a file", ("--format", "json"))):
        for stored in (False, True):
            store = ("-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={folder / what}") if stored else ()
            command = [LANNER, "run", "docker", "-r", str(rules), *options, "--output", "/dev/null", *store, "--replay"]
            cost = measure_events(what, [*command, str(empty)], [*command, str(events)], REPLAYED)
            more = f"{cost.us - plain.us:.1f}" if stored and plain else "-"
            plain = plain if stored else cost
            rows.append([f"{what}{', and the store' if stored else ''}", f"{cost.us:.1f}", more, f"{cost.usage.memory:.0f}"])
            if stored:
                require(f"{what}: stored alerts", REPLAYED, count_stored(folder / what))
    return rows


def count_stored(directory: Path) -> int:
    """Return the number of alerts in a store."""
    count = 0
    for file in day_files(directory).values():
        with closing(sqlite3.connect(directory / file.name)) as database:
            count += database.execute("SELECT count(*) FROM alerts").fetchone()[0]
    return count


def main() -> None:
    """Print the tables."""
    progress(f"store: {ALERTS:,} alerts to the writer")
    alerts = make_alerts(ALERTS)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as name:
        rows.extend(write(Path(name, str(batch)), alerts, batch) for batch in (BATCH, BATCH // 8))
        single = delete(Path(name, str(BATCH)))
        progress(f"store: {REPLAYED:,} alerts in a replay")
        replayed = replay(Path(name))
    table(
        f"{ALERTS:,} alerts about {CONTAINERS:,} containers to the alert store",
        ["", "us CPU/alert", "/ aim", "bytes of JSON and event", "bytes beside", "/ aim", "slowest ms"],
        rows,
    )
    print(f"  {single}")
    table(f"A replay of {REPLAYED:,} Docker events, an alert each", ["", "us CPU/alert", "of the store", "MiB"], replayed)
