"""The Docker plugin as a built library compared to one written by hand in C++ for the same ABI, both in the C host of tests/conformance.

Both read the same events from a stand-in for an engine, a separate process that answers on a unix socket as dockerd does. The host
measures CPU time around its calls; runs alternate between the two, and the best counts (of memory the median).
"""

import compileall
import contextlib
import json
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias

from tests.conformance import host

import lanner
from benchmarks.measure import LANNER, progress, require, size, table
from benchmarks.replay import RECORDING

Figures: TypeAlias = dict[str, Any]

PATHS = (
    "docker.type",
    "docker.action",
    "docker.actor.id",
    "docker.attributes.name",
    "docker.attributes.image",
    "docker.stack.namespace",
)
COMPUTED = ("docker.from", "docker.exitcode")  # with alternatives, conditions, a conversion
METHODS = ("methods.action", "methods.owner")
RUNS = size(4, 1)
LOW_RATE_RUNS = size(2, 1)
STARTS = size(20, 1)
EVENTS = size(100_000, 1_000)
METHOD_EVENTS = size(10_000, 1_000)
SENT = EVENTS + 1_000  # a batch may end after the last event that is asked for
LOW_RATE_EVENTS = size(1000, 100)
PAUSE = 0.005
IDLE_SECONDS = size(5, 1)
FIRST = 1_780_000_000 * 1_000_000_000  # ns since 1970
VERSION = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()
CONTAINER = json.dumps({"Image": "sha256:0d5d", "HostConfig": {"NetworkMode": "bridge"}, "Config": {"User": "1000"}, "Mounts": []}).encode()


class StandInForEngine:
    """A stand-in for an engine; `mode` selects the rate of events: as fast as they are read (`sent` of them), a few, or one."""

    def __init__(self, folder: Path, mode: str, sent: int = SENT) -> None:
        self.path = str(folder / f"{mode}.sock")
        # made before the first connection, and shared by the processes; a chunk for each event, as dockerd sends them
        stream = b"".join(map(_chunk, differing(sent))) if mode == "full" else b""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        self._process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, mode, stream), daemon=True)
        self._process.start()
        listener.close()

    def stop(self) -> None:
        self._process.kill()


def _serve(listener: socket.socket, mode: str, stream: bytes) -> None:
    while True:
        threading.Thread(target=_answer, args=(listener.accept()[0], mode, stream), daemon=True).start()


def _answer(link: socket.socket, mode: str, stream: bytes) -> None:
    with link, contextlib.suppress(OSError):  # the reader has stopped
        request = link.recv(65536)
        if b"/events" in request:
            link.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if mode == "full":
                link.sendall(stream)
                link.recv(1)  # silence until the reader has gone
            else:
                {"low": _send_some, "idle": _send_one}[mode](link)
        else:
            answer = CONTAINER if b"/containers/" in request else VERSION
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def differing(count: int) -> Iterator[bytes]:
    """Yield the recorded events repeatedly, as lines, each with a new time: the plugin drops events that it has seen."""
    recorded = [line.rpartition(b',"time":')[0] for line in RECORDING.read_bytes().splitlines()]
    for number in range(count):
        nanoseconds = FIRST + number * 1000
        yield b'%b,"time":%d,"timeNano":%d}\n' % (recorded[number % len(recorded)], nanoseconds // 1_000_000_000, nanoseconds)


def _send_some(link: socket.socket) -> None:
    while True:
        time.sleep(PAUSE)
        link.sendall(_chunk(b'{"Type":"volume","Action":"prune","Actor":{"ID":"","Attributes":{}},"timeNano":%d}\n' % time.time_ns()))


def _send_one(link: socket.socket) -> None:
    link.sendall(_chunk(RECORDING.read_bytes().splitlines(keepends=True)[0]))
    link.recv(1)  # until the reader closes


def main() -> None:
    """Print the table."""
    peer = host.peer_path("3.0.0")
    host.make("host", str(peer))
    compileall.compile_dir(str(Path(lanner.__file__).parent), quiet=1)  # as pip does it: an editable installation may have no bytecode
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        ours, methods, bundled = place / "libdocker.so", place / "libmethods.so", place / "libbundled.so"
        plain = str(Path(__file__).with_name("method_plugin.py"))
        for plugin, so, *options in (("docker", ours), (plain, methods), ("docker", bundled, "--bundle")):
            subprocess.run([LANNER, "build", plugin, "-o", so, *options], check=True, stdout=subprocess.DEVNULL)
        engines = {mode: StandInForEngine(place, mode) for mode in ("full", "low", "idle")}
        try:
            sockets = {mode: engine.path for mode, engine in engines.items()}
            full, starts = _full_and_starts((ours, peer, bundled), sockets["full"])
            rows = [
                *_rows(ours, peer, methods, sockets, full, starts),
                *_bundled_rows((bundled, peer), (full[2], full[1]), (starts[2], starts[1])),
            ]
        finally:
            for engine in engines.values():
                engine.stop()
    table(
        "The Docker plugin as a library, beside one by hand in C++ (CPU time, but for latency and start)",
        ["", "ours", "C++", "ratio", "aim"],
        rows,
    )


def _full_and_starts(libraries: tuple[Path, ...], socket_path: str) -> tuple[list[list[Figures]], list[list[Figures]]]:
    """Return the runs of each library on a full socket, and all its starts.

    The fields of the bundled library are not measured: they are those of the other one.
    """
    found = [
        [_bench(so, socket_path, PATHS[:1] if so.name == "libbundled.so" else PATHS + COMPUTED, EVENTS, most=SENT) for so in libraries]
        for _ in range(RUNS)
    ]
    full = [list(of_one) for of_one in zip(*found, strict=True)]
    # and those of the other runs: the load of neighbours on the machine varies
    starts = [[*(_start(so) for _ in range(STARTS)), *of_one] for so, of_one in zip(libraries, full, strict=True)]
    return full, starts


def _rows(
    ours: Path, peer: Path, methods: Path, sockets: dict[str, str], all_full: list[list[Figures]], all_starts: list[list[Figures]]
) -> list[list[str]]:
    both, full, starts = (ours, peer), all_full[:2], all_starts[:2]
    inspected = [_bench(ours, sockets["full"], PATHS[:1], EVENTS, most=SENT, inspect=True) for _ in range(RUNS)]
    slow = [[_bench(so, sockets["low"], PATHS[:1], LOW_RATE_EVENTS, most=SENT) for _ in range(LOW_RATE_RUNS)] for so in both]
    called = [_bench(methods, sockets["full"], METHODS, METHOD_EVENTS, most=SENT) for _ in range(RUNS)]
    with ThreadPoolExecutor() as pool:  # a second event never comes
        quiet = pool.map(lambda so: _bench(so, sockets["idle"], PATHS[:1], 1, "--events", "2", "--seconds", str(IDLE_SECONDS)), both)
        idle = [run["batches_cpu_ms"] / IDLE_SECONDS / 10 for run in quiet]
    return [
        _row("first field of an event, parse included", [_best(runs, "first_field_ns") / 1e3 for runs in full], "us", 0.25),
        _row("each further path field", [_further(runs, PATHS[1:]) / 1e3 for runs in full], "us", 0.03),
        _row("each further computed field", [_further(runs, COMPUTED) / 1e3 for runs in full], "us", 0.05),
        _row("each of seven fields after the first, all of one event", [_shared(runs) / 1e3 for runs in full], "us"),
        _row("first method field of an event, decode included", [_best(called, "first_field_ns") / 1e3], "us", 1.3),
        _row("each further method field", [_further(called, METHODS[1:]) / 1e3], "us", 0.25),
        _row("an event from a full socket, with a cursor", [_best(runs, "next_batch_ns") / 1e3 for runs in full], "us", 0.4),
        _row("the same, and the engine is asked about containers", [_best(inspected, "next_batch_ns") / 1e3], "us"),
        _row(
            f"a wake-up, one event, at a low rate ({1 / PAUSE:.0f}/s)",
            [_best(runs, "next_batch_ns") / 1e3 for runs in slow],
            "us",
            2,
            relative=True,
        ),
        _row(f"latency at that rate, {LOW_RATE_EVENTS:,} events: p50", [_best(runs, "late_p50_ms") for runs in slow], "ms", 1),
        _row("p99", [_best(runs, "late_p99_ms") for runs in slow], "ms", 5),
        _row(f"idle, over {IDLE_SECONDS} s", idle, "%", 0.1),
        _row(f"memory above the bare host's after {EVENTS:,} events", _memory(full, "rss"), "MiB", 14),
        _row("of it, shared pages divided by their processes (PSS)", _memory(full, "pss"), "MiB"),
        _row("of it, written by this process (private dirty)", _memory(full, "private"), "MiB"),
        _row(f"dlopen and init, best of {len(starts[0])} processes", [_start_ms(runs, "ms") for runs in starts], "ms", 40),
        _row("the same, CPU time", [_start_ms(runs, "cpu_ms") for runs in starts], "ms"),
        _row("size of the file", [so.stat().st_size / 1e3 for so in both], "kB", 200),
    ]


def _bundled_rows(
    both: tuple[Path, Path], runs: tuple[list[Figures], list[Figures]], starts: tuple[list[Figures], list[Figures]]
) -> list[list[str]]:
    """Return the rows of the plugin with a bundled Python, whose memory pages other processes cannot share."""
    return [
        _row("bundled: an event from a full socket, with a cursor", [_best(of_one, "next_batch_ns") / 1e3 for of_one in runs], "us", 0.4),
        _row(f"bundled: memory above the bare host's after {EVENTS:,} events", _memory(runs, "rss"), "MiB", 16),
        _row("bundled: of it, written by this process (private dirty)", _memory(runs, "private"), "MiB"),
        _row(f"bundled: dlopen and init, best of {len(starts[0])} processes", [_start_ms(of_one, "ms") for of_one in starts], "ms", 60),
        _row("bundled: the same, CPU time", [_start_ms(of_one, "cpu_ms") for of_one in starts], "ms"),
        _row("bundled: size of the file", [so.stat().st_size / 1e6 for so in both], "MB", 8),
    ]


def _memory(runs: Sequence[list[Figures]], kind: str) -> list[float]:
    """Return the median of each library's runs in MiB."""
    return [median(run[f"{kind}_after_events_kb"] for run in of_one) / 1024 for of_one in runs]


def _best(runs: list[Figures], key: str) -> float:
    return float(min(run[key] for run in runs))


def _further(runs: list[Figures], fields: tuple[str, ...]) -> float:
    """The best of the first field and another, without the best of the first: a single run's difference can be anything."""
    first = min(min(run["first_field_ns"], next(iter(run["fields"].values()))["first_ns"]) for run in runs)
    return float(mean(min(run["first_field_ns"] + run["fields"][field]["further_ns"] for run in runs) - first for field in fields))


def _shared(runs: list[Figures]) -> float:
    """The best of all fields of one event, without the first: fields share the search of an object."""
    return (_best(runs, "all_fields_ns") - _best(runs, "first_field_ns")) / (len(PATHS + COMPUTED) - 1)


def _row(what: str, found: list[float], unit: str, aim: float | None = None, *, relative: bool = False) -> list[str]:
    ours, *others = found
    beside = [f"{others[0]:.3g} {unit}", f"{ours / others[0]:.1f}x"] if others else ["-", "-"]
    shown = "-" if aim is None else f"{aim:g}x" if relative else f"{aim:g} {unit}"
    return [what, f"{ours:.3g} {unit}", *beside, shown]


def _bench(
    so: Path, path: str, fields: tuple[str, ...], events: int, *options: str, most: int | None = None, inspect: bool = False
) -> Figures:
    """Return the host's measurements over that many events; the last batch may bring more, up to `most`."""
    progress(f"plugin: {so.name}, {events:,} events from {Path(path).name}")
    report = _report(so, path, "--fields", ",".join(fields), *(options or ("--events", str(events))), inspect=inspect)
    if report["exit"]:
        sys.exit(f"{so} could not be measured: {report['violations']}\n{report['stderr']}")
    found: Figures = report["bench"]
    require(so.name, events, found["events"], most)
    return found


def _start(so: Path) -> Figures:
    # without an engine the plugin would wait for one: the process ends after init
    found: Figures = _report(so, "/nowhere", "--seconds", "0")["bench"]
    return found


def _start_ms(starts: list[Figures], unit: str) -> float:
    return min(float(start[f"load_{unit}"] + start[f"init_{unit}"]) for start in starts)


def _report(so: Path, path: str, *options: str, inspect: bool = False) -> Figures:
    # each gets the engine in its way: one in the configuration, the other in the parameters of open
    with tempfile.TemporaryDirectory() as folder:  # with a cursor of another run the plugin would drop the events
        config = {"host": f"unix://{path}", "cursor": f"{folder}/cursor", "inspect": inspect}
        told = ["--open", f"unix:{path}"] if so.name == "libpeer.so" else ["--init", json.dumps(config)]
        found: Figures = host.run_host(so, "--bench", *told, *options)
    return found
