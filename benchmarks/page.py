"""The console's page in Chromium: time from an alert to the screen, alerts not shown, time of a frame, heap, and cost of an idle page.

It needs `make browser`. Writer, console and browser share the machine. `python -m benchmarks.page --seconds 600` is the long form.
"""

import argparse
import contextlib
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import LANNER, progress, require, size, table
from benchmarks.webhook import cpu_of
from lanner.alerts.alert_store import AlertStore
from lanner.alerts.stored import DAY_BITS

if TYPE_CHECKING:
    from playwright.sync_api import Page

RATE = 2000
SECONDS = size(60, 3)
ALERTS = size(100_000, 2000)
FRAMES = size(300, 20)
QUIET = size(65, 1)
"""Seconds without an alert after which the page counts as idle."""
IDLE = size(30, 1)

# for each alert of a poll: how long after its arrival the frame after its paint begins, by milliseconds
_WATCH = """
window.lags = new Array(60_000).fill(0);
window.received = 0;
const fetched = window.fetch;
const parse = JSON.parse;
let polled;
window.fetch = async (...given) => {
  const answer = await fetched(...given);
  const after = /alerts[?]after=(\\d+)/.exec(String(given[0]));
  if (after) {
    window.began ??= Number(after[1]);
    const text = answer.text.bind(answer);
    answer.text = async () => (polled = await text());
  }
  return answer;
};
JSON.parse = (text, ...more) => {
  const value = parse(text, ...more);
  if (text === polled) {
    const times = value.alerts.map((row) => row[2]);
    window.received += times.length;
    window.position = value.position;
    const note = () => {
      const now = Date.now();
      for (const at of times) window.lags[Math.max(0, Math.min(59_999, now - at))] += 1;
    };
    if (times.length) requestAnimationFrame(() => requestAnimationFrame(note));
  }
  return value;
};
"""
_SCROLL = """async ([frames, step]) => {
  const grid = document.querySelector('#rows');
  const times = [];
  let before = await new Promise(requestAnimationFrame);
  for (let i = 0; i < frames; i++) {
    grid.scrollTop = (i * step) % grid.scrollHeight;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - before);
    before = now;
  }
  return times;
}"""
_WRITER = (sys.executable, "-m", "tests.console.generated", "--alerts", str(ALERTS), "--rate", str(RATE))
_STEPS = {"a wheel's step": 100, "a jump": 7919 * 24}
"""Pixels that are scrolled in a frame."""


def main(arguments: list[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of alerts at full rate (default: %(default)s)")
    seconds: int = parser.parse_args(arguments or []).seconds
    progress("page")
    program = shutil.which("chromium")
    if program is None or importlib.util.find_spec("playwright") is None:
        print("not measured: chromium or Playwright is missing (make browser installs them)")
        return
    from playwright.sync_api import sync_playwright

    switches = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info", "--js-flags=--expose-gc"]
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=program, args=switches)
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1400, "height": 850})
        page.add_init_script(_WATCH)
        writing = stack.enter_context(contextlib.ExitStack())
        writing.enter_context(_run_process([*_WRITER, "--store", directory]))
        process, link = stack.enter_context(_run_process([LANNER, "console", directory, "--listen", "127.0.0.1:0"]))
        page.goto(link)
        page.wait_for_selector("#window [role=row]:visible", timeout=120_000)
        clock = _Clock(page, process)
        live = clock.measure(seconds)
        writing.close()
        _check_shown(page, directory, seconds)
        count: int = page.evaluate("Number(document.querySelector('#rows').ariaRowCount) - 1")
        frames = {name: _scroll(page, clock, step) for name, step in _STEPS.items()}
        heap: float = page.evaluate("() => { gc(); return performance.memory.usedJSHeapSize / 1e6; }")
        page.wait_for_timeout(QUIET * 1000)
        idle = clock.measure(IDLE)
        lags: list[int] = page.evaluate("window.lags")
    rows = [["alert to screen, ms", *(f"{value}" for value in _percentiles_of(lags))]]
    for name, (times, cost) in frames.items():
        ordered = sorted(times)
        rows.append([f"frame after {name}, ms", *(f"{ordered[int((len(ordered) - 1) * part)]:.0f}" for part in (0.5, 0.99, 1))])
        rows.append([f"  CPU of the page's thread, ms, mean {cost:.1f}", "", "", ""])
    table(f"the page with {count:,} alerts, {RATE:,} more each second", ["", "p50", "p99", "highest"], rows)
    costs = [[name, *(f"{value:.2f}" for value in values)] for name, values in ((f"{RATE:,} alerts a second", live), ("idle", idle))]
    table("CPU, % of a core", ["", "console", "page's thread"], costs)
    print(f"  heap: {heap:.0f} MB")


def _check_shown(page: "Page", directory: str, seconds: int) -> None:
    """Exit if the page misses alerts of which it does not say so."""
    with contextlib.closing(AlertStore(directory)) as store:
        last = store.last()
        newest = store.read_newest(limit=1).alerts[0].key
    deadline = time.monotonic() + 120
    while page.evaluate("window.position") < last and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    first: int = page.evaluate("window.began")
    if first >> DAY_BITS != last >> DAY_BITS:
        sys.exit("midnight (UTC) passed during the measurement: repeat it")
    received: int = page.evaluate("window.received")
    found = re.search(r"([\d,]+) alerts not shown", page.inner_text("#note"))
    said = int(found[1].replace(",", "")) if found else 0
    require("page", last - first, received + said)
    page.locator("#rows").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail .fields")
    if not page.url.endswith(f"alert={newest}"):
        sys.exit(f"the last row is not the newest alert, {newest}: {page.url}")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    print(f"{last - first:,} alerts stored in {seconds} s: {received:,} in the page, {said:,} said to be left out, none missing")


class _Clock:
    """The CPU time of the page's main thread and of the console."""

    def __init__(self, page: "Page", process: int) -> None:
        self._page, self._process = page, process
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def of_page(self) -> float:
        """Return the seconds of CPU of the page's main thread."""
        metrics: list[dict[str, Any]] = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    def measure(self, seconds: int) -> tuple[float, float]:
        """Wait, and return the shares of a core that console and page took meanwhile, in percent."""
        page, console = self.of_page(), cpu_of(self._process)
        self._page.wait_for_timeout(seconds * 1000)
        return (cpu_of(self._process) - console) / seconds * 100, (self.of_page() - page) / seconds * 100


def _scroll(page: "Page", clock: _Clock, step: int) -> tuple[list[float], float]:
    """Return the times of frames while the list is scrolled, and the CPU time of one, in ms."""
    before = clock.of_page()
    times: list[float] = page.evaluate(_SCROLL, [FRAMES, step])
    return times, (clock.of_page() - before) / FRAMES * 1000


@contextlib.contextmanager
def _run_process(command: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Run a program, and yield its process id and its first line. The end of the block interrupts it."""
    with subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running.pid, running.stdout.readline().strip()
        finally:
            running.send_signal(signal.SIGINT)


def _percentiles_of(histogram: list[int]) -> tuple[int, int, int]:
    """Return median, 99th percentile and highest value of a histogram."""
    wanted = [sum(histogram) * part for part in (0.5, 0.99)]
    found: list[int] = []
    passed = highest = 0
    for value, count in enumerate(histogram):
        passed += count
        highest = value if count else highest
        while wanted and count and passed > wanted[0]:
            found.append(value)
            wanted.pop(0)
    p50, p99 = found if len(found) == 2 else (0, 0)
    return p50, p99, highest


if __name__ == "__main__":
    main(sys.argv[1:])
