"""The picture of `lanner top` in the documentation is what the program shows. LANNER_PICTURES=1 renews it."""

import html
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lanner.top import app
from lanner.top import store_feed as feed

from .conftest import Run

pytestmark = pytest.mark.slow

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "top.svg"
SECOND = 1_000_000_000
NOW = 1_796_040_000 * SECOND
RULES = (
    ("Container started", "Notice", "Container started (name={name} image=nginx:1.27)"),
    ("Shell in a container", "Warning", "A shell was started in a container (name={name} command=sh -c id)"),
    ("Host directory mounted", "Critical", "A container mounts a directory of the host (name={name} source=/etc)"),
    ("Image pulled", "Informational", "Image pulled (name={name} image=registry.example.com/{name}:latest)"),
    ("Container killed by the kernel", "Error", "The kernel killed a container that had no memory left (name={name})"),
)


def text_of(picture):
    """The strings in the picture's order."""
    return [html.unescape(text).replace("\xa0", " ").strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", picture)]


@pytest.fixture
def utc():
    """The local time is UTC."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_the_picture_is_what_the_program_shows(watch, tmp_path, monkeypatch):
    clock = SimpleNamespace(time_ns=lambda: NOW, monotonic=time.monotonic)
    monkeypatch.setattr(feed, "time", clock)
    monkeypatch.setattr(app, "time", clock)
    path = tmp_path / "store"
    run = Run(path)
    for second in range(59, -1, -1):
        for number in range(2 + second * 7 % 11):
            kind = (second * 5 + number * 3) % 13 % len(RULES) if number % 3 else 0
            rule, priority, message = RULES[kind]
            name = ("web-1", "web-2", "db", "cache", "worker-7")[(second + number * 2) % 5]
            arrived = NOW - second * SECOND + number * SECOND // 20 - SECOND
            run.raise_alerts(message.format(name=name), rule=rule, priority=priority, subject=name, arrived=arrived)
    run.tell(
        plugin="docker", events=48_211, last_event=NOW - SECOND, connected={"unix:///run/docker.sock": True, "ssh://build-2": False},
        outputs={"file_output": {"delivered": 9120}, "http_output": {"delivered": 9098, "pending": 22}, "store_output": {"delivered": 9120}},
        not_ready=["ssh://build-2 is unreachable"],
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)

    async def talk(view):
        await view.shows("web-1", "Engines 1/2")
        made.append(view.app.export_screenshot())

    made = []
    watch(talk, path=Path("store"), size=(130, 28))
    run.end()
    # without the font that a browser would ask a foreign host for
    picture = re.sub(r"@font-face\s*{[^}]*}\s*", "", made[0]).replace("\xa0", "&#160;")
    picture = re.sub(r"<!--.*?-->|Fira Code, ", "", re.sub(r"terminal-\d+", "terminal", picture))
    assert "http" not in picture.replace("http://www.w3.org/", "").replace("http_output", "")
    assert len(picture) < 100_000
    if os.environ.get("LANNER_PICTURES"):
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture)
    assert text_of(PICTURE.read_text()) == text_of(picture), "run this test with LANNER_PICTURES=1"
