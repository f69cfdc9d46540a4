"""Alerts per second into each output, through its queue and thread, compared to a bare write of the same bytes; and the spool's cost."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import receiver as receivers
from benchmarks.measure import progress, require, size, table
from lanner.outputs import Alert, FileOutput, OutputError, StdoutOutput
from lanner.outputs.base import Sink
from lanner.outputs.delivery import QueuedDelivery, SpoolSettings
from lanner.outputs.histogram import AGES, Histogram
from lanner.outputs.http_output import HttpOutput
from lanner.outputs.program_output import ProgramOutput
from lanner.outputs.spool import Spool
from lanner.outputs.syslog_output import SyslogOutput
from lanner.outputs.worker import Backoff

ALERTS = size(200_000, 2_000)
SPOOLED = FEWER = size(50_000, 1_000)
FEWEST = size(5_000, 200)
BATCH = 64  # typical size of the engine's chunks under load
PLENTY = 1 << 31
LINE = (
    '{{"hostname":"bench","output":"{}","priority":"Notice","rule":"Container started","source":"docker",'
    '"time":"2026-01-31T12:00:00.{:09}Z"}}'
)


class Rate:
    """Measured time and CPU of a number of alerts."""

    def __init__(self, count: int) -> None:
        self._count, self._begin, self._cpu = count, time.perf_counter(), _cpu()

    def row(self, what: str, limit: float | None = None) -> list[str]:
        wall, cpu = time.perf_counter() - self._begin, _cpu() - self._cpu
        beside = f"{wall / limit * ALERTS / self._count:.1f}x" if limit else "-"
        return [what, f"{self._count / wall:,.0f}", f"{cpu / self._count * 1e6:.1f}", beside]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def make_alerts(count: int) -> list[Alert]:
    text = "Container started (name=bench-1 image=nginx:1.27 id=0123456789abcdef action=start scope=local)" * 3
    return [Alert(LINE.format(text, number), "Container started", "Notice", "docker", number) for number in range(count)]


@contextmanager
def pipe() -> Iterator[int]:
    """Yield the writing end of a pipe that another process empties."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        yield reader.stdin.fileno()
        reader.stdin.close()


@contextmanager
def receiver(kind: str, folder: Path | None = None) -> Iterator[str]:
    """Yield the address of a server in another process that reads and discards."""
    command = [sys.executable, receivers.__file__, kind, *([str(folder / "log")] if folder else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def bare(descriptor: int, alerts: Sequence[Alert]) -> float:
    """Return the seconds for the minimum of work: encode the lines and write them, many at once."""
    begin = time.perf_counter()
    for place in range(0, len(alerts), 256):
        data = memoryview("".join(f"{alert.line}\n" for alert in alerts[place : place + 256]).encode())
        while data:
            data = data[os.write(descriptor, data) :]
    return time.perf_counter() - begin


def deliver(what: str, sink: Sink, alerts: Sequence[Alert], limit: float | None) -> list[str]:
    """Measure all alerts as a run hands them over, until the last has arrived."""
    progress(f"outputs: {what}, {len(alerts):,} alerts")
    rate = Rate(len(alerts))
    delivery = QueuedDelivery([sink], most_bytes=PLENTY)
    hand_over(delivery, alerts)
    if not delivery.wait_settled(len(alerts), 60):
        raise SystemExit(f"{what}: not all alerts arrived within a minute")
    row = rate.row(what, limit)
    delivery.close()
    require(what, len(alerts), delivery.counts()[sink.name].delivered)
    return row


def hand_over(delivery: QueuedDelivery, alerts: Sequence[Alert]) -> None:
    for place in range(0, len(alerts), BATCH):
        for alert in alerts[place : place + BATCH]:
            delivery.write(alert)
        delivery.flush()


class _BrokenOutput(FileOutput):
    """A file output that fails until it is enabled."""

    up = False

    def send(self, alerts: Sequence[Alert]) -> None:
        if not self.up:
            raise OutputError("down")
        super().send(alerts)


def spool(folder: Path, alerts: Sequence[Alert], limit: float) -> list[list[str]]:
    """Measure alerts to the disk while an output is down, and from there to the output."""
    sink = _BrokenOutput(folder / "spooled")
    delivery = QueuedDelivery([sink], most_bytes=PLENTY, spool=SpoolSettings(folder / "spool"), backoff=Backoff(0.05, 0.05))
    rate = Rate(len(alerts))
    hand_over(delivery, alerts)
    delivery.wait_settled(len(alerts), 60)
    rows = [rate.row("to the spool, output down", limit)]
    require("alerts in the spool", len(alerts), delivery.counts()[sink.name].spooled)
    sink.up, rate = True, Rate(len(alerts))
    until(lambda: not delivery.counts()[sink.name].spooled)
    rows.append(rate.row("from the spool to a file", limit))
    delivery.close()
    with (folder / "spooled").open("rb") as file:
        require("alerts from the spool", len(alerts), sum(1 for _ in file))
    return rows


def commit(folder: Path, alert: Alert) -> str:
    """Measure one alert per transaction, with the sync of the disk."""
    own, times = Spool(folder / "one.sqlite", PLENTY), []
    for _ in range(300):
        begin = time.perf_counter()
        own.append([alert])
        times.append(time.perf_counter() - begin)
    own.close()
    return f"one alert on disk, synced: {sorted(times)[150] * 1e3:.2f} ms (p50), {sorted(times)[297] * 1e3:.2f} ms (p99)"


def ages(alerts: Sequence[Alert]) -> str:
    """Measure the histogram of ages, for batches as a worker delivers them."""
    histogram = Histogram(AGES)
    batches = [alerts[place : place + 256] for place in range(0, len(alerts), 256)]
    begin = time.perf_counter()
    for batch in batches:
        histogram.observe_ages(time.time_ns(), [alert.timestamp for alert in batch])
    return f"of this, the histogram of ages: {(time.perf_counter() - begin) / len(alerts) * 1e6:.2f} us an alert"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("not all alerts arrived within a minute")
        time.sleep(0.01)


def main() -> None:
    """Print the tables."""
    alerts = make_alerts(ALERTS)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pipe() as descriptor:
            limit = bare(descriptor, alerts)
            rows.append(deliver("stdout (a pipe)", StdoutOutput(descriptor), alerts, limit))
        with (folder / "bare").open("wb") as file:
            limit = bare(file.fileno(), alerts)
        rows.append(deliver("file", FileOutput(folder / "alerts"), alerts, limit))
        rows.append(deliver("file, opened for each batch", FileOutput(folder / "alerts", keep_alive=False), alerts, limit))
        rows.append(deliver("a program", ProgramOutput("cat > /dev/null", keep_alive=True, timeout=30), alerts, limit))
        with receiver("syslog", folder) as address:
            rows.append(deliver("syslog, a unix socket", SyslogOutput(address, timeout=30), alerts[:FEWER], limit))
        with receiver("tcp") as address:
            rows.append(deliver("syslog over TCP", SyslogOutput(address, timeout=30), alerts[:FEWER], limit))
        with receiver("http") as address:
            rows.append(deliver("http, a POST each", HttpOutput(address, keep_alive=True, timeout=30), alerts[:FEWEST], limit))
            many = HttpOutput(address, keep_alive=True, batch_size=100, timeout=30)
            rows.append(deliver("http, 100 in a POST", many, alerts[:FEWER], limit))
        rows += spool(folder, alerts[:SPOOLED], limit)
        single = commit(folder, alerts[0])
    table(
        f"Alerts of {len(alerts[0].line)} bytes through a queue and thread to an output",
        ["", "alerts/s", "us CPU/alert", "wall / bare write"],
        rows,
    )
    print(f"  {ages(alerts)}")
    print(f"  {single}")
