"""`lanner run docker` on a real engine: how late an alert is, and what it costs while nothing happens.

Latency is from the event's `timeNano`, the engine's clock, to the moment when the alert's line was read from the pipe, one event at a
time with pauses. Idle CPU is what the process used in a span in which the engine had nothing to tell.
"""

import json
import socket
import subprocess
import time
from pathlib import Path
from statistics import quantiles

from benchmarks.measure import LANNER, table
from lanner.testing.dockerd import Dockerd, why_not

EVENTS = 200
PAUSE = 0.02  # a low rate: each event finds everything waiting
IDLE_SECONDS = 20.0


def main() -> None:
    if reason := why_not():
        print(f"\nOn a real engine: not measured, {reason}")
        return
    with Dockerd() as engine, _started(engine) as process:
        try:
            _raise_alert(engine, process)  # the first one finds all modules loaded and caches filled
            late = [_raise_alert(engine, process) for _ in range(EVENTS)]
            idle = _idle_share(process.pid)
        finally:
            process.kill()
    percentiles = quantiles(late, n=100)
    rows = [
        [f"latency of an alert, {EVENTS} at a low rate: p50", f"{percentiles[49]:.2f} ms", "under 5 ms"],
        ["p99", f"{percentiles[98]:.2f} ms", ""],
        [f"CPU while nothing happens, over {IDLE_SECONDS:.0f} s", f"{idle:.3%}", "under 0.1 %"],
    ]
    table("On a real engine (shipped rules)", ["", "found", "aim"], rows)


def _started(engine: Dockerd) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [LANNER, "run", "docker", "--format", "json", "--host", engine.host], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()  # it says what it watches: the stream is open
    time.sleep(0.5)  # the engine answers before it listens for its own events
    return process


def _raise_alert(engine: Dockerd, process: subprocess.Popen[str]) -> float:
    """Milliseconds from the engine's time of an event to its alert."""
    assert process.stdout is not None
    time.sleep(PAUSE)
    _request(engine, "POST", "/volumes/prune")
    alert = json.loads(process.stdout.readline())
    return (time.time_ns() - alert["output_fields"]["evt.time"]) / 1e6


def _request(engine: Dockerd, method: str, target: str) -> None:
    # not the docker command: starting it would share the CPU with what is measured
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(engine.socket))
        link.sendall(f"{method} {target} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
        while link.recv(65536):
            pass


def _idle_share(pid: int) -> float:
    before = _cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (_cpu_seconds(pid) - before) / IDLE_SECONDS


def _cpu_seconds(pid: int) -> float:
    # schedstat counts nanoseconds, /proc/PID/stat only hundredths of a second
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
