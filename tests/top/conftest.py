"""The view on a terminal of Textual's tests, and stores that a run writes meanwhile."""

import asyncio
import json
import threading
import time

import pytest
from textual import events

from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.writer import StoreWriter
from lanner.top.app import TopApp

from ..waiting import PATIENCE, until

LOAD = RunLoad("0badcafe", 1_795_000_000_000_000_000, "docker", '{"plugin":"docker"}', {"aa": b"- rule: r"})

NAMES = {"/": "slash", "\r": "enter", "\x1b": "escape", " ": "space", "\x7f": "backspace"}
"""Names of keys in Textual, by what a terminal sends."""


class Raised:
    """An alert as the store's output gets it."""

    def __init__(self, number, *, message="", rule="a rule", priority="Warning", arrived=None, fields=(), subject="", event=b"{}", tags=()):
        arrived = time.time_ns() if arrived is None else arrived
        members = {
            "hostname": "host",
            "message": message or f"message {number}",
            "output": f"12:00:00.000000000: {priority} {message}",
            "output_fields": {**({"container.name": subject} if subject else {}), **dict(fields)},
            "priority": priority,
            "rule": rule,
            "source": "docker",
            "tags": list(tags),
        }
        self.timestamp = arrived
        line = json.dumps(members, ensure_ascii=False)
        self.record = Record(line, event, len(event), number, arrived, LOAD)


class Run:
    """A run that writes a store."""

    def __init__(self, path):
        self.path = path
        self.number = 0
        self.writer = StoreWriter(path)

    def raise_alerts(self, *messages, **members):
        """Store alerts with these members, one for each message."""
        raised = []
        for message in messages or ("",):
            self.number += 1
            raised.append(Raised(self.number, message=message, **members))
        self.writer.write(raised)

    def tell(self, **state):
        """Write the run's state."""
        (self.path / "run.json").write_text(json.dumps(state))

    def end(self):
        self.writer.close()


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path / "store")
    yield made
    made.end()


class View:
    """`lanner top` on a terminal of Textual's tests."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    @property
    def lines(self):
        return ["".join(part.text for part in strip) for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)

    async def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.text
            await self.pilot.pause(0.01)

    async def shows(self, *texts):
        await self.until(lambda: all(text in self.text for text in texts))

    async def press(self, *keys):
        await self.pilot.press(*keys)

    def write(self, text):
        """Type `text` as one read of a slow terminal has it: no key waits for the one before."""
        for char in text:
            key = NAMES.get(char, char)
            self.app.post_message(events.Key(key, char if char.isprintable() else None))

    def paste(self, text):
        self.app.post_message(events.Paste(text))


@pytest.fixture
def watch(run):
    """`watch(talk, size=..., ask=...)` runs the coroutine `talk(view)` beside the view of the run's store."""

    def start(talk, *, size=(140, 30), ask=lambda *_: {"unavailable": "no reason"}, path=None, **options):
        async def main():
            app = TopApp(path or run.path, ask, **options)
            async with app.run_test(size=size) as pilot:
                await talk(View(app, pilot))
            return app

        return asyncio.run(main())

    return start


@pytest.fixture
def threads_end():
    """No thread of a feed is left."""
    yield
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "lanner-top"])
