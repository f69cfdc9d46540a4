"""The console's page in Chromium: time from an alert to the screen, time of a frame, and heap with 100,000 alerts.

It needs `make browser`. Writer, console and browser share the machine.
"""

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import progress, size, table

RATE = 2000
SECONDS = size(60, 3)
ALERTS = size(100_000, 2000)
FRAMES = size(300, 20)

# notes for each alert how long after its arrival the frame after its paint begins
_WATCH = """
window.lags = [];
const plain = window.fetch;
window.fetch = async (...given) => {
  const answer = await plain(...given);
  if (String(given[0]).includes('/api/alerts?after=')) {
    const rows = (await answer.clone().json()).alerts.map((row) => row[2]);
    const note = () => { const now = Date.now(); for (const at of rows) window.lags.push(now - at); };
    requestAnimationFrame(() => requestAnimationFrame(note));
  }
  return answer;
};
"""
_SCROLL = """async (frames) => {
  const grid = document.querySelector('#rows');
  const times = [];
  let before = await new Promise(requestAnimationFrame);
  for (let i = 0; i < frames; i++) {
    grid.scrollTop = (i * 7919 * 24) % grid.scrollHeight;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - before);
    before = now;
  }
  return times;
}"""


def main() -> None:
    """Print the figures."""
    progress("page")
    program = shutil.which("chromium")
    if program is None or importlib.util.find_spec("playwright") is None:
        print("not measured: chromium or Playwright is missing (make browser installs them)")
        return
    from playwright.sync_api import sync_playwright

    with _serving() as link, sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page(viewport={"width": 1400, "height": 850})
        page.add_init_script(_WATCH)
        page.goto(link)
        page.wait_for_selector("#window [role=row]:visible", timeout=120_000)
        page.wait_for_timeout(SECONDS * 1000)
        lags: list[float] = page.evaluate("window.lags")
        count: int = page.evaluate("Number(document.querySelector('#rows').ariaRowCount) - 1")
        note = page.inner_text("#note")
        page.evaluate("() => { window.lags = []; document.querySelector('#pause').click(); }")
        times: list[float] = page.evaluate(_SCROLL, FRAMES)
        heap: float = page.evaluate("() => { gc(); return performance.memory.usedJSHeapSize / 1e6; }")
        browser.close()
    print(f"{len(lags):,} alerts in {SECONDS} s at {RATE:,}/s; {count:,} in the page. The page says: {note!r}")
    measured = {"alert to screen, ms": lags, "frame while scrolling, ms": times, "heap, MB": [heap]}
    rows = [[name, *(f"{value:.0f}" for value in _percentiles(values))] for name, values in measured.items()]
    table(f"the page with {count:,} alerts, {RATE:,} more each second", ["", "p50", "p99", "highest"], rows)


@contextlib.contextmanager
def _serving() -> Iterator[str]:
    """Serve a store that grows, and return the console's address."""
    command = [sys.executable, "-m", "tests.console.generated", "--alerts", str(ALERTS), "--rate", str(RATE)]
    served = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True)
    try:
        assert served.stdout is not None
        yield served.stdout.readline().strip()
    finally:
        served.terminate()
        served.wait()


def _percentiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values) or [0.0]
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return p50, p99, ordered[-1]
