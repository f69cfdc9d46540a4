"""Measurements of whole processes by the operating system's counters, and tables of the results."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

LANNER = str(Path(sys.executable).with_name("lanner"))
SHORT = os.environ.get("LANNER_BENCHMARKS") == "short"
"""Whether this is a short run, which only checks that the benchmarks work and measure what they claim. Its figures mean nothing."""
_EVENTS = re.compile(r"(\d[\d,]*) events?\b")


def size(full: int, short: int) -> int:
    """Return the number of events, runs or seconds to measure: `short` in a short run, else `full`."""
    return short if SHORT else full


MANY = size(1000, 20)
"""The rules of a large set: compiling a thousand takes longer than the rest of a short run."""


def progress(what: str) -> None:
    """Print the current measurement to standard error."""
    print(f"benchmarks: {what}", file=sys.stderr, flush=True)


def require(what: str, wanted: int, measured: int, most: int | None = None) -> None:
    """Exit if the measured number of events is not the sent one: `wanted`, or up to `most`."""
    if not wanted <= measured <= (wanted if most is None else most):
        sys.exit(f"{what}: {wanted:,} events were sent, {measured:,} measured. The figures would mean nothing")


@dataclass(frozen=True, slots=True)
class Usage:
    """One finished process: seconds of wall clock, seconds of CPU (user and system), peak resident memory in MiB, its standard error."""

    wall: float
    cpu: float
    memory: float
    said: str = ""

    def require_events(self, what: str, wanted: int) -> None:
        """Exit if the summary of `lanner run` reports another number of events."""
        found = _EVENTS.search(self.said)
        require(what, wanted, int(found[1].replace(",", "")) if found else 0)


def run(command: list[str], *, runs: int = 1, stdin: IO[bytes] | None = None) -> Usage:
    """Return the median of several runs of a command that must succeed; its output is discarded."""
    found = [_once(command, stdin) for _ in range(runs)]
    return Usage(median(u.wall for u in found), median(u.cpu for u in found), median(u.memory for u in found), found[-1].said)


@dataclass(frozen=True, slots=True)
class EventCost:
    """Microseconds of CPU that an event costs a process, without its start; `error` is how much that varied between runs."""

    us: float
    error: float
    usage: Usage
    """Of one of the whole runs."""

    def __str__(self) -> str:
        return f"{self.us:.2f} ±{self.error:.2f}" if self.us > self.error else f"under {self.error:.2f}"

    def ratio(self, other: "EventCost") -> str:
        """Return how many times another cost this one is, or "-" if one of them is not known."""
        return f"{self.us / other.us:.1f}x" if self.us > self.error and other.us > other.error else "-"


def measure_events(what: str, start: list[str], whole: list[str], events: int, *, in_start: int = 0, runs: int = 1) -> EventCost:
    """Measure a command that processes `events` events, and one that only starts, with `in_start` of them.

    They run in turn, because the load of neighbours on the machine varies, and the shortest run of each counts.
    """
    both = [(_once(start, None), _once(whole, None)) for _ in range(runs)]
    for of_start, of_whole in both:
        of_start.require_events(f"{what}: the start", in_start)
        of_whole.require_events(what, events)
    columns = [sorted(usage.cpu for usage in of_one) for of_one in zip(*both, strict=True)]
    least = [column[0] for column in columns]
    # even equal runs are exact to a few hundredths of the start only
    error = max(sum(median(column) - column[0] for column in columns), 0.02 * least[0])
    shortest = min((of_whole for _, of_whole in both), key=lambda usage: usage.wall)
    unit = 1e6 / (events - in_start)
    return EventCost((least[1] - least[0]) * unit, error * unit, shortest)


# As installed: without caches of compiled modules each start would recompile them
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _once(command: list[str], stdin: IO[bytes] | None) -> Usage:
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_ENVIRONMENT,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()}")
    return Usage(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said.decode())


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print rows under a title, the first column left-aligned and the others right-aligned."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print(f"\n{title}")
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(cells).rstrip())
