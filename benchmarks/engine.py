"""`lanner run docker` on a real engine: latency of alerts at several rates, CPU while idle, and memory.

Latency is from the event's `timeNano`, the engine's clock, to the moment when the alert's line was read from the pipe. For
comparison, a bare listener on the same engine only reads lines: this is the engine's share. Idle CPU is what the process used while
the engine sent no events. Fifty hosts are one engine with fifty paths.
"""

import contextlib
import itertools
import json
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import quantiles

from benchmarks.measure import LANNER, SHORT, progress, require, size, table
from lanner.testing.dockerd import Dockerd, why_not

RATES = ((100, 1.0, 2),) if SHORT else ((1, 8.0, 1), (100, 4.0, 2), (2000, 4.0, 8))  # events a second, seconds, connections
IDLE_SECONDS = float(size(20, 1))
HOSTS = size(50, 3)
_NAMES = itertools.count()
_TIME = re.compile(rb'"timeNano":(\d+)')
RULE = """
- rule: Any
  desc: All events
  condition: evt.num > 0
  output: "%evt.plugininfo"
  priority: NOTICE
  source: docker
"""


def main() -> None:
    if reason := why_not():
        print(f"\nOn a real engine: not measured, {reason}")
        return
    with Dockerd() as engine, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "any.yaml").write_text(RULE)
        rows = []
        for rate, seconds, connections in RATES:
            progress(f"engine: {rate} events/s for {seconds:.0f} s")
            rows += _latency(engine, folder, rate, seconds, connections)
        table("Latency on a real engine, a rule on every event", ["", "events/s", "p50", "p99"], rows)
        _costs(engine, folder)


def _latency(engine: Dockerd, folder: Path, rate: int, seconds: float, connections: int) -> list[list[str]]:
    late: list[float] = []
    bare: list[float] = []
    with _start(folder, {"host": engine.host}) as process, _listen(engine, bare):
        reader = threading.Thread(target=_note, args=(process.stdout, late))
        reader.start()
        time.sleep(0.5)  # the first event loads all modules
        count = _make_events(engine, rate, seconds, connections)
        end = time.monotonic() + 30
        while min(len(late), len(bare)) < count and time.monotonic() < end:
            time.sleep(0.05)
        process.terminate()
        reader.join()
    require("lanner run", count, len(late))
    require("the bare listener", count, len(bare))
    found = f"{count / seconds:,.0f}"
    return [[f"lanner run, {rate}/s wanted", found, *_percentiles(late)], ["  a bare listener for comparison", found, *_percentiles(bare)]]


def _percentiles(late: list[float]) -> tuple[str, str]:
    cuts = quantiles(late, n=100)
    return f"{cuts[49]:.2f} ms", f"{cuts[98]:.2f} ms"


def _note(stream: object, late: list[float]) -> None:
    for line in stream:  # type: ignore[attr-defined]
        found = _TIME.search(line.replace(b"\\\\", b""))
        if found:
            late.append((time.time_ns() - int(found[1])) / 1e6)


@contextlib.contextmanager
def _listen(engine: Dockerd, late: list[float]) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(engine.socket))
        link.sendall(b"GET /v1.41/events HTTP/1.1\r\nHost: docker\r\n\r\n")
        thread = threading.Thread(target=lambda: _note(link.makefile("rb"), late))
        thread.start()
        try:
            yield
        finally:
            link.shutdown(socket.SHUT_RDWR)
            thread.join()


def _make_events(engine: Dockerd, rate: int, seconds: float, connections: int) -> int:
    """Create and remove volumes at that rate, or as fast as the engine can; return the number of events."""
    counts = [0] * connections

    def work(number: int) -> None:
        begin, pause = time.monotonic(), 2 * connections / rate
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(engine.socket))
            while (now := time.monotonic()) < begin + seconds:
                time.sleep(max(0.0, begin + counts[number] / 2 * pause - now))
                name = f"bench-{next(_NAMES)}"
                _ask(link, "POST", "/volumes/create", b'{"Name":"%b"}' % name.encode())
                _ask(link, "DELETE", f"/volumes/{name}", b"")
                counts[number] += 2

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _ask(link: socket.socket, method: str, target: str, body: bytes) -> None:
    # not the docker command: starting it would compete with the measured process for the CPU
    head = f"{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    link.sendall(head.encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(65536)
    text, _, rest = answer.partition(b"\r\n\r\n")
    _, found, size = text.lower().partition(b"content-length: ")
    left = int(size.partition(b"\r\n")[0]) - len(rest) if found else 0
    while left > 0:
        left -= len(link.recv(left))


def _costs(engine: Dockerd, folder: Path) -> None:
    paths = [folder / f"{number}.sock" for number in range(HOSTS)]
    for path in paths:
        path.symlink_to(engine.socket)
    rows = []
    for what, config in (("1 host", {"host": engine.host}), (f"{HOSTS} hosts", {"hosts": [f"unix://{path}" for path in paths]})):
        with _start(folder, config) as process:
            time.sleep(2.0)
            idle = _idle_share(process.pid)
            rows.append(
                [what, f"{idle:.3%}", f"{_memory(process.pid):.0f} MiB", str(len(list(Path(f"/proc/{process.pid}/task").iterdir())))]
            )
            process.terminate()
    table(f"While nothing happens, over {IDLE_SECONDS:.0f} s", ["", "CPU (aim: under 0.1 %)", "memory", "threads"], rows)


@contextlib.contextmanager
def _start(folder: Path, config: Mapping[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    command = [LANNER, "run", "docker", "-r", str(folder / "any.yaml"), "--config", json.dumps({"inspect": False, **config})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            process.stderr.readline()  # it prints the engine's address: the stream is open
            time.sleep(0.5)  # the engine answers before it listens for its events
            yield process
        finally:
            process.kill()


def _memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def _idle_share(pid: int) -> float:
    before = _cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (_cpu_seconds(pid) - before) / IDLE_SECONDS


def _cpu_seconds(pid: int) -> float:
    # schedstat counts nanoseconds, /proc/PID/stat only hundredths of a second
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
