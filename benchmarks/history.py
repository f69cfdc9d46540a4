"""An alert store of a week: the cost of storing an alert, and the time of each search that the views make.

`python -m benchmarks.history --alerts 10000000 --store DIR` makes the store in DIR, or searches the one that is there.
"""

import argparse
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import progress, require, size, table
from benchmarks.store import StoreEntry, count_stored
from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filters import Filter, parse_filter, quote_value
from lanner.alerts.store_format import DAY, HOUR
from lanner.alerts.writer import StoreWriter

DAYS = 7
BEGIN = 20_000 * DAY
END = BEGIN + DAYS * DAY
BATCH = 256
RUNS = size(200, 5)
PAGE = 100
_PRIORITIES = ("Informational", "Notice", "Notice", "Warning", "Error", "Critical")
_WORDS = ["Shell", "Volume", "Network", "Image", "Secret", "Mount", "Socket", "Process", "Package", "User"]
_ACTIONS = ["opened", "created", "destroyed", "changed"]
_SERVICES = ["web", "db", "api", "queue", "cache", "mail", "search", "auth"]
LOAD = RunLoad("be4c40de", BEGIN, "docker", '{"settings":{}}', {})


class Rule(NamedTuple):
    name: str
    priority: str


RULES = [
    Rule(f"{word} {action} in a container", _PRIORITIES[(3 * place + number) % 6])
    for place, word in enumerate(_WORDS)
    for number, action in enumerate(_ACTIONS)
]
# the first rule raises 23 % of the alerts, the last 0.6 %
WEIGHTS = [1 / (place + 1) for place in range(len(RULES))]
CONTAINERS = [f"shop-{service}-{number}" for service in _SERVICES for number in range(1, 41)]


def alerts(count: int) -> Iterator[StoreEntry]:
    """Yield alerts that resemble those of the Docker plugin, with their events, evenly over the days."""
    choose = random.Random(1)
    step = (END - BEGIN) // count
    names = {name: f"{choose.getrandbits(48):012x}" for name in CONTAINERS}
    number = 0
    while number < count:
        for rule, container in zip(choose.choices(RULES, WEIGHTS, k=1000), choose.choices(CONTAINERS, k=1000), strict=True):
            if number == count:
                return
            arrived = BEGIN + number * step
            number += 1
            ident, execution, user = names[container], f"{choose.getrandbits(128):032x}", choose.randrange(50)
            image = f"registry.example.com/{container.rpartition('-')[0].replace('-', '/')}:1.{user % 7}"
            message = f"{rule.name} (container={container} image={image} id={ident} exec={execution} user=u{user})"
            line = (
                f'{{"hostname":"host-1","message":"{message}","output":"12:00:00.{arrived % 10**9:09}: {rule.priority} {message}",'
                f'"output_fields":{{"docker.actor.id":"{ident}","docker.attributes.image":"{image}","docker.attributes.name":"{container}",'
                f'"docker.execid":"{execution}","docker.user":"u{user}","evt.time":{arrived}}},"priority":"{rule.priority}",'
                f'"rule":"{rule.name}","source":"docker","tags":["container","docker"],"time":"2024-10-04T12:00:00.{arrived % 10**9:09}Z"}}'
            )
            event = (
                f'{{"status":"exec_start","id":"{ident}","from":"{image}","Type":"container","Action":"exec_start: sh",'
                f'"Actor":{{"ID":"{ident}","Attributes":{{"execID":"{execution}","image":"{image}","name":"{container}"}}}},"scope":"local","timeNano":{arrived}}}'
            ).encode()
            yield StoreEntry(arrived, Record(line, event, len(event), number, arrived, LOAD))


def make(directory: Path, count: int) -> list[str]:
    """Make the store, and return the row of its cost."""
    contents = written = 0
    cost = 0.0
    batch: list[StoreEntry] = []
    with closing(StoreWriter(directory)) as writer:
        for alert in alerts(count):
            batch.append(alert)
            if len(batch) == BATCH:
                cost += _write(writer, batch)
                contents += sum(len(each.record.json) + len(each.record.event) for each in batch)
                written += len(batch)
                batch = []
        cost += _write(writer, batch)
        contents += sum(len(each.record.json) + len(each.record.event) for each in batch)
        written += len(batch)
    require("the store", count, written)
    require("stored alerts", count, count_stored(directory))
    on_disk = sum(path.stat().st_size for path in directory.glob("alerts-*"))
    each = cost / count * 1e6, contents / count, (on_disk - contents) / count
    return [f"{count:,}", f"{each[0]:.1f}", f"{each[1]:.0f}", f"{each[2]:.0f}", f"{on_disk / 1e9:.2f}"]


def _write(writer: StoreWriter, batch: list[StoreEntry]) -> float:
    begin = _cpu()
    writer.write(batch)
    return _cpu() - begin


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def searches(store: AlertStore) -> dict[str, Callable[[random.Random], object]]:
    """Return the searches by their names. Each takes a source of choices."""
    first, last = store.after(0, limit=1).alerts[0].position, store.last()

    def newest(text: str, limit: int = PAGE) -> object:
        return store.read_newest(parse_filter(text, END), limit)

    def deep(choose: random.Random) -> object:
        day = choose.randrange(first >> 32, (last >> 32) + 1)
        return store.read_newest(Filter(), PAGE, day << 32 | choose.randrange(1, (last & 0xFFFFFFFF) + 1))

    def hour(choose: random.Random) -> tuple[int, int]:
        begin = BEGIN + choose.randrange(DAYS * 24) * HOUR
        return begin, begin + HOUR

    def span(choose: random.Random) -> str:
        begin, _ = hour(choose)
        return f"since:{begin // 10**9} until:{(begin + HOUR) // 10**9}"

    def rule(choose: random.Random) -> str:
        return f"rule:{quote_value(choose.choice(RULES).name)}"

    def line(text: str) -> object:
        return store.timeline(parse_filter(text, END), BEGIN, END)

    return {
        "newest 100": lambda _: newest(""),
        "newest 5000": lambda _: newest("", 5000),
        "100 at any depth": deep,
        "poll without new alerts": lambda _: store.after(store.last()),
        "one rule": lambda choose: newest(rule(choose)),
        "rules by a pattern": lambda choose: newest(f"rule:{choose.choice(_WORDS)}*"),
        "one container": lambda choose: newest(f"container:{choose.choice(CONTAINERS)}"),
        "containers by a pattern": lambda choose: newest(f"container:shop-{choose.choice(_SERVICES)}-*"),
        "a frequent word": lambda choose: newest(choose.choice(_SERVICES)),
        "a word of one container": lambda choose: newest(f"u{choose.randrange(50)} {choose.choice(CONTAINERS)}"),
        "a word that no alert has": lambda choose: newest(f"none{choose.randrange(10**9)}"),
        "the beginning of a word": lambda choose: newest(f"{choose.choice(_SERVICES)[:2]}*"),
        "a phrase": lambda choose: newest(f'"{choose.choice(CONTAINERS)} image"'),
        "a field": lambda choose: newest(f"docker.user:u{choose.randrange(50)}"),
        "rule, container and word": lambda choose: newest(f"{rule(choose)} container:{choose.choice(CONTAINERS)} u7"),
        "priority>=critical": lambda _: newest("priority>=critical"),
        "priority>=critical without the common rules": lambda _: newest("priority>=critical -rule:shell* -rule:volume*"),
        "a rule in one hour": lambda choose: newest(f"{span(choose)} {rule(choose)}"),
        "an alert by its key": lambda choose: store.find(f"{LOAD.key}-{choose.randrange(1, 2000)}"),
        "top containers of an hour": lambda choose: store.top(Filter(), "subject", *hour(choose), 10),
        "top rules of a day": lambda choose: store.top(Filter(), "rule", hour(choose)[0], hour(choose)[0] + DAY, 10),
        "time line of the week": lambda _: line(""),
        "time line of an hour": lambda choose: store.timeline(Filter(), *hour(choose)),
        "time line of the week, one rule": lambda choose: line(rule(choose)),
        "rules of the week": lambda _: store.rules(BEGIN, END),
    }


def measure(store: AlertStore) -> list[list[str]]:
    """Return a row for each search: milliseconds of wall clock (median), and of CPU (the first, the median, the 99th percentile)."""
    rows = []
    for name, search in searches(store).items():
        choose = random.Random(2)
        times = []
        for _ in range(RUNS):
            begin, cpu = time.perf_counter(), time.thread_time()
            search(choose)
            times.append(((time.perf_counter() - begin) * 1000, (time.thread_time() - cpu) * 1000))
        walls, cpus = (sorted(column) for column in zip(*times, strict=True))
        place = int(RUNS * 0.99)
        chosen = walls[RUNS // 2], walls[place], times[0][1], cpus[RUNS // 2], cpus[place]
        rows.append([name, *(f"{each:.2f}" for each in chosen)])
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--alerts", type=int, default=size(1_000_000, 3_000))
    parser.add_argument("--store", type=Path, default=None)
    given = parser.parse_args(arguments or [])
    directory = given.store or Path(tempfile.mkdtemp(prefix="lanner-history-"))
    try:
        if not list(directory.glob("alerts-*.db")):
            progress(f"history: storing {given.alerts:,} alerts in {directory}")
            header = ["alerts", "us of CPU each", "B of line and event", "B in addition", "GB"]
            table("Storing alerts", header, [make(directory, given.alerts)])
        progress("history: searching")
        with closing(AlertStore(directory)) as store:
            table(
                f"Searches in {count_stored(directory):,} alerts, {RUNS} each, ms",
                ["", "wall, median", "p99", "CPU, first", "median", "p99"],
                measure(store),
            )
    finally:
        if given.store is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
