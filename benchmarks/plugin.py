"""The Docker plugin as a built library beside one written by hand in C++ against the same ABI, both in the C host of tests/host.

Both read the same events from a stand-in for an engine, a process of its own that answers on a unix socket as dockerd does. The host
measures CPU time around its calls; runs alternate between the two, and the best counts (of differences and of memory the median).
"""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.measure import LANNER, table
from benchmarks.replay import RECORDING

ROOT = Path(__file__).parent.parent
FIELDS = (
    "docker.type",
    "docker.action",
    "docker.from",
    "docker.actor.id",
    "docker.attributes.name",
    "docker.attributes.image",
    "docker.exitcode",
    "docker.stack.namespace",
)
METHODS = ("methods.action", "methods.owner")
RUNS = 5
EVENTS = 100_000
LOW_RATE_EVENTS = 1000
PAUSE = 0.005
IDLE_SECONDS = 5
VERSION = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()


class StandInForEngine:
    """Answers GET /version and GET /events; `mode` tells how fast events come: as fast as they are read, a few, or one."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.path = str(folder / f"{mode}.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        self._process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, mode), daemon=True)
        self._process.start()
        listener.close()

    def stop(self) -> None:
        self._process.kill()


def _serve(listener: socket.socket, mode: str) -> None:
    while True:
        link, _ = listener.accept()
        try:
            asked = link.recv(65536)
            if b"/version" in asked:
                link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(VERSION), VERSION))
            else:
                link.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                {"full": _send_all, "low": _send_some, "idle": _send_one}[mode](link)
        except OSError:
            pass  # the reader has seen enough
        finally:
            link.close()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _send_all(link: socket.socket) -> None:
    # a chunk for each event, as dockerd sends them
    data = b"".join(map(_chunk, RECORDING.read_bytes().splitlines(keepends=True))) * 10
    while True:
        link.sendall(data)


def _send_some(link: socket.socket) -> None:
    while True:
        time.sleep(PAUSE)
        link.sendall(_chunk(b'{"Type":"volume","Action":"prune","Actor":{"ID":"","Attributes":{}},"timeNano":%d}\n' % time.time_ns()))


def _send_one(link: socket.socket) -> None:
    link.sendall(_chunk(RECORDING.read_bytes().splitlines(keepends=True)[0]))
    link.recv(1)  # until the reader has gone


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run(
            ["make", "-s", "-C", ROOT / "tests" / "host", f"BUILD={place}", "host", f"{place}/peer-3.0.0/libpeer.so"], check=True
        )
        for plugin, file in (("docker", "libdocker.so"), (str(ROOT / "benchmarks" / "method_plugin.py"), "libmethods.so")):
            subprocess.run([LANNER, "build", plugin, "-o", place / file], check=True, stdout=subprocess.DEVNULL)
        engines = {mode: StandInForEngine(place, mode) for mode in ("full", "low", "idle")}
        try:
            rows = _rows(place, engines)
        finally:
            for engine in engines.values():
                engine.stop()
    table(
        "The Docker plugin as a library, beside one by hand in C++ (CPU time, but for latency and start)",
        ["", "ours", "C++", "ratio", "aim"],
        rows,
    )


def _rows(place: Path, engines: dict[str, StandInForEngine]) -> list[list[str]]:
    full, low, idle = (engines[mode].path for mode in ("full", "low", "idle"))
    ours, peer = [], []
    for _ in range(RUNS):
        ours.append(_bench(place, "libdocker.so", full, FIELDS, "--events", str(EVENTS)))
        peer.append(_bench(place, "peer-3.0.0/libpeer.so", full, FIELDS, "--events", str(EVENTS)))
    methods = [_bench(place, "libmethods.so", full, METHODS) for _ in range(RUNS)]
    slow = [_bench(place, so, low, FIELDS[:1], "--events", str(LOW_RATE_EVENTS)) for so in ("libdocker.so", "peer-3.0.0/libpeer.so")]
    quiet = [
        _bench(place, so, idle, FIELDS[:1], "--events", "2", "--seconds", str(IDLE_SECONDS))
        for so in ("libdocker.so", "peer-3.0.0/libpeer.so")
    ]
    sizes = [(place / so).stat().st_size / 1e3 for so in ("libdocker.so", "peer-3.0.0/libpeer.so")]

    def best(runs: list[dict], key: str, unit: float) -> float:
        return min(run[key] for run in runs) / unit

    def start(runs: list[dict]) -> float:
        return min(run["load_ms"] + run["init_ms"] for run in runs)

    def usual(runs: list[dict], key: str, unit: float) -> float:
        # of a difference of two measurements, and of memory, the best means nothing
        return median(run[key] for run in runs) / unit

    first = min(run["fields"][METHODS[0]]["first_ns"] for run in methods) / 1e3
    further = median(run["fields"][METHODS[1]]["further_ns"] for run in methods) / 1e3
    return [
        _row("first field of an event, parse included", best(ours, "first_field_ns", 1e3), best(peer, "first_field_ns", 1e3), "us", 0.25),
        _row("each further field", usual(ours, "further_field_ns", 1e3), usual(peer, "further_field_ns", 1e3), "us", 0.03),
        _row("first method field of an event, decode included", first, None, "us", 1.3),
        _row("each further method field", further, None, "us", 0.3),
        _row("an event from a full socket", best(ours, "next_batch_ns", 1e3), best(peer, "next_batch_ns", 1e3), "us", 0.3),
        _row(f"an event at a low rate ({1 / PAUSE:.0f}/s)", *(run["next_batch_ns"] / 1e3 for run in slow), "us", 2.0, relative=True),
        _row(f"latency at that rate, {LOW_RATE_EVENTS:,} events: p50", *(run["late_p50_ms"] for run in slow), "ms", 1),
        _row("p99", *(run["late_p99_ms"] for run in slow), "ms", 5),
        _row(f"idle, over {IDLE_SECONDS} s", *(run["batches_cpu_ms"] / IDLE_SECONDS / 10 for run in quiet), "%", 0.1),
        _row(
            f"memory above the bare host's after {EVENTS:,} events",
            usual(ours, "rss_after_events_kb", 1024),
            usual(peer, "rss_after_events_kb", 1024),
            "MiB",
            14,
        ),
        _row("dlopen and init", start(ours), start(peer), "ms", 40),
        _row("size of the file", *sizes, "kB", 200),
    ]


def _row(what: str, ours: float, peer: float | None, unit: str, aim: float, *, relative: bool = False) -> list[str]:
    shown = f"{aim:g}x" if relative else f"{aim:g} {unit}"
    if peer is None:
        return [what, f"{ours:.3g} {unit}", "-", "-", shown]
    return [what, f"{ours:.3g} {unit}", f"{peer:.3g} {unit}", f"{ours / peer:.1f}x" if peer else "-", shown]


def _bench(place: Path, so: str, path: str, fields: tuple[str, ...], *options: str) -> dict:
    """What the host found out."""
    is_peer = "peer" in so
    told = ["--open", f"unix:{path}"] if is_peer else ["--init", json.dumps({"host": f"unix://{path}"})]
    command = [place / "conformance_host", "--bench", *told, "--fields", ",".join(fields), *options, place / so]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    report = json.loads(done.stdout or "{}")
    if done.returncode or "bench" not in report:
        sys.exit(f"{so} could not be measured: {report.get('violations')}\n{done.stderr}")
    return report["bench"]
