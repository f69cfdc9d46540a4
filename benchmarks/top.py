"""`lanner top` on a terminal while 2,000 alerts a second are stored: CPU, memory, bytes to the terminal, time from store to frame."""

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.measure import LANNER, progress, require, size, table
from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.writer import StoreWriter

RATE = 2000
SECONDS = size(20, 3)
WARM = 2
"""Seconds before the measurement, in which the process starts."""
PATIENCE = 30
"""Seconds to wait for the last alerts on the terminal."""
ROWS, COLUMNS = 45, 160
PRIORITIES = ("Critical", "Warning", "Notice", "Informational", "Error")
MARK = re.compile(rb"t=(\d{19})")
AIMS = {
    "CPU, % of a core": 25,
    "memory, MiB": 70,
    "to the terminal, kB/s": 60,
    "store to frame, ms, p50": None,
    "store to frame, ms, p99": 250,
}


class StoreEntry:
    """An alert as the store's output gets it."""

    __slots__ = ("record", "timestamp")

    def __init__(self, number: int, load: RunLoad) -> None:
        now = self.timestamp = time.time_ns()
        rule, name, priority = f"Rule number {number % 37} of the bench", f"web-{number % 200}", PRIORITIES[number % 5]
        line = (
            f'{{"hostname":"bench","message":"t={now} shell in a container (name={name} image=nginx user=root command=sh -c {number})",'
            f'"output":"12:00:00.000000000: {priority} shell in a container","output_fields":{{"docker.attributes.name":"{name}",'
            f'"docker.type":"container","evt.time":{now}}},"priority":"{priority}","rule":"{rule}","source":"docker","tags":["bench"],'
            f'"time":"2026-11-29T12:00:00.000000000Z"}}'
        )
        self.record = Record(line, b"{}", 2, number, now, load)


def write(directory: str, seconds: float) -> None:
    """Write alerts to the store at RATE, in batches as a run does."""
    load = RunLoad("0badcafe", time.time_ns(), "docker", '{"plugin":"docker"}', {})
    writer = StoreWriter(directory)
    begin, number = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds:
        due = int(passed * RATE)
        while number < due:
            count = min(256, due - number)
            writer.write([StoreEntry(number + each, load) for each in range(count)])
            number += count
        time.sleep(0.02)
    writer.close()


class Frames:
    """Output that the terminal received: bytes, and for each read the newest alert in it."""

    def __init__(self) -> None:
        self.bytes = 0
        self.times: list[int] = []
        self.newest: list[int] = []

    def add(self, data: bytes) -> None:
        now = time.time_ns()
        self.bytes += len(data)
        if found := MARK.findall(data):
            newest = max(map(int, found))
            if not self.newest or newest > self.newest[-1]:
                self.times.append(now)
                self.newest.append(newest)

    def latencies(self, arrived: Sequence[int]) -> Iterator[float]:
        """Yield the ms from the arrival of each alert to the first frame that had it, or a newer one."""
        for moment in arrived:
            place = bisect_left(self.newest, moment)
            if place < len(self.times):
                yield (self.times[place] - moment) / 1e6


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Return the peak resident memory of a process in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def read(descriptor: int, frames: Frames, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            frames.add(os.read(descriptor, 1 << 16))


def arrivals(directory: str, begin: int, end: int) -> list[int]:
    """Return when each stored alert between these times arrived."""
    found: list[int] = []
    for path in sorted(Path(directory).glob("alerts-*.db")):
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT arrived FROM alerts WHERE arrived BETWEEN ? AND ?", (begin, end)).fetchall()
            found += [arrived for (arrived,) in rows]
    return found


def measure(directory: str, arguments: list[str]) -> dict[str, float]:
    """Return the figures of a view of the store, to which a process writes."""
    writer = subprocess.Popen([sys.executable, "-m", "benchmarks.top", directory, str(SECONDS + WARM + PATIENCE)])
    while not list(Path(directory).glob("alerts-*.db")):
        time.sleep(0.05)
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(LANNER, [LANNER, "top", directory, *arguments], os.environ | {"TERM": "xterm-256color"})
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    try:
        read(descriptor, Frames(), WARM)
        frames, begin, used = Frames(), time.time_ns(), cpu(pid)
        read(descriptor, frames, SECONDS)
        seconds = (time.time_ns() - begin) / 1e9
        share, peak, size_ = (cpu(pid) - used) / seconds * 100, memory(pid), frames.bytes / seconds / 1e3
        end = begin + int(seconds * 1e9)
        while (not frames.newest or frames.newest[-1] < end) and time.time_ns() < end + PATIENCE * 10**9:
            read(descriptor, frames, 0.2)
        arrived = arrivals(directory, begin, end)
        times = sorted(frames.latencies(arrived))
    finally:
        os.kill(pid, signal.SIGTERM)
        writer.terminate()
        writer.wait()
        os.close(descriptor)
        os.waitpid(pid, 0)
    require("alerts shown by lanner top", len(arrived), len(times))
    # the writer may be a moment behind, or make up for one
    require("alerts stored in the time", size(int(RATE * (seconds - 1)), 1), len(arrived), int(RATE * (seconds + WARM + 1)))
    return dict(zip(AIMS, (share, peak, size_, times[len(times) // 2], times[int(len(times) * 0.99)]), strict=True))


def main() -> None:
    """Print the table."""
    found = {}
    for name, arguments in {"all": [], "a filter": ["--filter", "priority>=warning container:web-1* shell"]}.items():
        progress(f"top: {name}, {RATE} alerts/s for {SECONDS} s")
        with tempfile.TemporaryDirectory() as directory:
            found[name] = measure(directory, arguments)
    rows = [[aim, *(f"{each[aim]:.0f}" for each in found.values()), "-" if limit is None else str(limit)] for aim, limit in AIMS.items()]
    table(f"lanner top on a terminal of {COLUMNS} x {ROWS} at {RATE:,} alerts/s", ["", *found, "aim"], rows)


if __name__ == "__main__":
    write(sys.argv[1], float(sys.argv[2]))
