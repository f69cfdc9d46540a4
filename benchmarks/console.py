"""Time from the arrival of an alert to the response of `lanner console` that contains it, while a writer stores 2,000 alerts a second.

The client polls as the page does. A second part is the processor time of a console without a page, and of one whose page has nothing new.
"""

import http.client
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.measure import LANNER, progress, require, size, table
from benchmarks.webhook import cpu_of
from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.writer import StoreWriter

RATE = 2000
SECONDS = size(60, 2)
IDLE = size(30, 1)
POLL = 0.25
"""Seconds between two requests of the page."""
_TICK = 0.05
_LIMIT = 5000


class _StoreEntry:
    """An alert, as the store gets it."""

    def __init__(self, record: Record) -> None:
        self.rule, self.priority, self.source = f"Rule {record.sequence % 20}", "Warning", "docker"
        self.timestamp, self.record = record.arrived, record


def write(directory: str, seconds: float, ended: Event) -> None:
    """Store alerts at the rate."""
    load = RunLoad("0badcafe", time.time_ns(), "docker", '{"plugin": "docker"}', {})
    event = json.dumps({"Type": "container", "Action": "exec_start: sh", "Actor": {"ID": "f" * 64, "Attributes": {"name": "web"}}}).encode()
    writer = StoreWriter(directory)
    writer.note(load)
    begin, made = time.monotonic(), 0
    while made < RATE * seconds:
        time.sleep(_TICK)
        due = int(min(seconds, time.monotonic() - begin) * RATE)
        now = time.time_ns()
        alerts = []
        for number in range(made + 1, due + 1):
            fields = {"docker.attributes.name": f"web-{number % 40}", "docker.exec.command": "sh -c ls", "evt.time": now}
            line = {
                "message": f"a shell ran in web-{number % 40}",
                "output_fields": fields,
                "rule": f"Rule {number % 20}",
                "tags": ["shell"],
            }
            line |= {"output": f"12:00:00.000000000: Warning {line['message']}", "priority": "Warning", "source": "docker"}
            alerts.append(_StoreEntry(Record(json.dumps(line), event, len(event), number, now, load)))
        for first in range(0, len(alerts), 256):
            writer.write(alerts[first : first + 256])
        made = due
    ended.wait()
    writer.close()


class Client:
    """A logged-in client of a console, as its page."""

    def __init__(self, link: str) -> None:
        address, _, token = link.partition("#token=")
        self.port = int(address.rstrip("/").rpartition(":")[2])
        _, headers, _ = self._ask("POST", "/login", json.dumps({"token": token}), {"Content-Type": "application/json"})
        self._headers = {"Cookie": str(headers["Set-Cookie"]).partition(";")[0]}

    def after(self, position: int) -> dict[str, object]:
        """Return the response to a poll."""
        status, _, body = self._ask("GET", f"/api/alerts?after={position}&limit={_LIMIT}", None, self._headers)
        if status != 200:
            sys.exit(f"the console answered {status}: {body.decode()}")
        found: dict[str, object] = json.loads(body)
        return found

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.status, response.headers, response.read()
        connection.close()
        return answer


def memory_of(process: int) -> int:
    """Return the peak resident memory of a running process in MiB."""
    words = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(words.split()[1]) // 1024


def measure_idle(process: int, client: Client, position: int, *, asks: bool) -> float:
    """Return the share of a processor, in percent, while nothing arrives."""
    before, begin = cpu_of(process), time.monotonic()
    while time.monotonic() - begin < IDLE:
        time.sleep(POLL)
        if asks:
            client.after(position)
    return (cpu_of(process) - before) / (time.monotonic() - begin) * 100


def main() -> None:
    """Print the results."""
    progress("console")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as directory:
        ended = context.Event()
        writing = context.Process(target=write, args=(directory, SECONDS, ended))
        command = [LANNER, "console", directory, "--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as console:
            try:
                assert console.stdout is not None
                client = Client(console.stdout.readline().strip())
                writing.start()
                while not any(Path(directory).glob("alerts-*.db")):
                    time.sleep(0.01)
                delays: list[float] = []
                answers: list[float] = []
                position, before, begin = 0, cpu_of(console.pid), time.monotonic()
                while len(delays) < RATE * SECONDS and time.monotonic() - begin < SECONDS * 3 + 30:
                    asked = time.perf_counter()
                    found = client.after(position)
                    answers.append(time.perf_counter() - asked)
                    now = time.time() * 1000
                    alerts = found["alerts"]
                    assert isinstance(alerts, list)
                    delays += [now - alert[2] for alert in alerts]
                    position = int(str(found["position"]))
                    if not found["more"]:
                        time.sleep(POLL)
                busy = (cpu_of(console.pid) - before) / (time.monotonic() - begin) * 100
                require("console", RATE * SECONDS, len(delays))
                with_page = measure_idle(console.pid, client, position, asks=True)
                without = measure_idle(console.pid, client, position, asks=False)
                memory = memory_of(console.pid)
            finally:
                console.terminate()
                ended.set()
                if writing.pid is not None:
                    writing.join()
    delays.sort()
    answers.sort()
    table(
        f"Console: {len(delays):,} alerts at {RATE:,} a second, polled each {POLL * 1000:.0f} ms",
        ["", "p50", "p99", "max"],
        [
            ["arrival to response, ms", *(f"{each:.0f}" for each in _quantiles(delays))],
            ["response, ms", *(f"{each * 1000:.1f}" for each in _quantiles(answers))],
        ],
    )
    table(
        "Console: the process",
        ["", "% of a processor"],
        [["2,000 alerts a second", f"{busy:.1f}"], ["a page, nothing new", f"{with_page:.2f}"], ["no page", f"{without:.2f}"]],
    )
    print(f"  peak memory: {memory} MiB")


def _quantiles(values: list[float]) -> tuple[float, float, float]:
    return values[len(values) // 2], values[int(len(values) * 0.99)], values[-1]
