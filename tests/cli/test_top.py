"""`lanner top` on a real terminal, and the messages of `lanner top` where it cannot run."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from ..top.conftest import Run
from ..waiting import PATIENCE
from .conftest import ENVIRONMENT, LANNER

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path):
    run = Run(tmp_path / "store")
    run.raise_alerts("a shell", rule="Shell", priority="Critical", subject="web")
    yield run.path
    run.end()


class Top:
    """`lanner top` on a terminal."""

    def __init__(self, *arguments, **environ):
        self.leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (30, 120))
        # workers of pytest-xdist have the size of another terminal
        own = {name: value for name, value in ENVIRONMENT.items() if name not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            [LANNER, "top", *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            env=own | {"TERM": "xterm-256color"} | environ,
        )  # fmt: skip
        os.close(follower)
        self.seen = b""

    def until(self, *wanted):
        """Read until one of the strings was there."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in self.seen for text in wanted):
            assert select.select([self.leader], [], [], max(0.0, deadline - time.monotonic()))[0], self.seen
            try:
                self.seen += os.read(self.leader, 1 << 16)
            except OSError:  # the terminal is closed
                assert any(text in self.seen for text in wanted), self.seen
                return

    def press(self, keys):
        os.write(self.leader, keys)

    def end(self):
        """Return the exit code, and read the rest."""
        while True:
            try:
                piece = os.read(self.leader, 1 << 16)
            except OSError:
                return self.process.wait(PATIENCE)
            if not piece:
                return self.process.wait(PATIENCE)
            self.seen += piece

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.leader)


@pytest.fixture
def top():
    made = []

    def start(*arguments, **environ):
        made.append(Top(*arguments, **environ))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
def test_it_draws_and_restores_the_terminal(top, store, key):
    view = top(store)
    view.until(b"a shell")
    view.press(key)
    assert view.end() == 0
    assert b"\x1b[?1049l" in view.seen  # back to the screen before
    assert b"\x1b[?1000h" not in view.seen  # the mouse stays with the terminal, whose selection works


def test_characters_that_arrive_together_make_the_filter(top, tmp_path):
    run = Run(tmp_path / "store")
    run.raise_alerts("volume", "other")
    view = top(run.path)
    view.until(b"volume")
    view.press(b"/vo")
    for group, shown in ((b"lu", b"vo"), (b"me", b"volu"), (b"\r", b"volume")):
        view.until(b"filter \x1b[0m\x1b[1m" + shown + b"  ")  # it is in use
        view.seen = b""
        view.press(group)
    run.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(top, store, number):
    view = top(store)
    view.until(b"a shell")
    view.process.send_signal(number)
    assert view.end() == 128 + number
    assert b"Traceback" not in view.seen
    restored, _, after = view.seen.partition(b"\x1b[?1049l")
    assert restored
    assert f"ended by {number.name}".encode() in after


def test_a_signal_while_a_task_works_ends_it(monkeypatch, store):
    """The signal must not raise an exception in the task."""
    from lanner.top import app as module

    drawn = module.TopApp._draw

    def draw(self):
        if self._update is not None:
            signal.raise_signal(signal.SIGTERM)
        drawn(self)

    monkeypatch.setattr(module.TopApp, "_draw", draw)
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        app = module.TopApp(store, lambda *_: {})
        with app.handle_signals():
            app.run(headless=True)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert app.return_code == 0


def test_colours_are_those_of_the_terminal_and_can_be_switched_off(top, store):
    view = top(store)
    view.until(b"a shell")
    assert b"\x1b[1;91mCRIT" in view.seen
    assert b"38;2;" not in view.seen
    plain = top(store, NO_COLOR="1")
    plain.until(b"a shell")
    assert b"91m" not in plain.seen


def test_a_filter_is_an_option(top, store):
    view = top(store, "--filter", "priority<=notice")
    view.until(b"filter")
    view.until(b"priority<=notice")
    assert b"a shell" not in view.seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{tmp}/missing",), "there is no alert store at {tmp}/missing: it does not exist. `lanner run` creates one"),
        ((), "name its directory. `lanner run` stores alerts with -o lanner.store_output.enabled=true"),
        (("-c", "{tmp}/without.yaml"), "without.yaml configures no alert store ($.lanner.store_output.path): name its directory"),
        (("{store}", "--filter", "priority>=loud"), "invalid priority 'loud'"),
        (("{store}",), "lanner top needs a terminal that can draw"),
    ],
)
def test_where_it_cannot_run_it_says_why_and_what_to_do(lanner, tmp_path, store, arguments, message):
    (tmp_path / "without.yaml").write_text("stdout_output: {enabled: true}\n")
    if not arguments and Path("/etc/lanner/falco.yaml").exists():
        pytest.skip("this machine has a configuration, /etc/lanner/falco.yaml")
    done = lanner("top", *[each.format(tmp=tmp_path, store=store) for each in arguments])
    assert done.code != 0
    assert message.format(tmp=tmp_path) in done.err
    assert done.out == b""


def test_the_store_of_the_configuration_is_shown(top, store, tmp_path):
    (tmp_path / "falco.yaml").write_text(f"stdout_output: {{enabled: true}}\nlanner: {{store_output: {{enabled: true, path: {store}}}}}\n")
    view = top("-c", tmp_path / "falco.yaml")
    view.until(b"a shell")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_draw_is_refused(top, store, term):
    view = top(store, TERM=term)
    view.until(b"lanner top needs a terminal that can draw")
    assert view.end() == 2


def test_without_textual_it_says_what_to_install(store):
    code = "import sys; sys.modules['textual'] = None; sys.argv = ['lanner', 'top', sys.argv[1]]; from lanner.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == "lanner: error: lanner top needs Textual 8 or later, which is not installed: pip install 'textual>=8'\n"


def test_enter_shows_why_an_alert_of_a_run_fired(lanner, top, tmp_path):
    path = tmp_path / "store"
    done = lanner(
        "run", "docker", "--replay", "example", "-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={path}"
    )
    assert done.code == 0, done.err
    view = top(path)
    view.until(b"lanner top")
    view.until(b"no run writes this store")
    view.until(b"container")
    view.press(b"k\r")
    view.until(b"Decided by", b"in time")
    if b"Decided by" not in view.seen:
        pytest.skip("this machine was too busy to explain the alert within 15 seconds")
    view.until(b"yes ")
    view.seen = b""
    view.press(b"\x1b")
    view.until(b"no run writes this store")  # a key after Escape at once would be Alt with that key
    view.press(b"q")
    assert view.end() == 0
