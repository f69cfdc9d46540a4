"""SIGTERM and SIGINT at any moment: the command ends with a message and its status, never with a traceback, and it is never deaf."""

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest

from ..top.conftest import Run
from ..waiting import PATIENCE
from .conftest import ENVIRONMENT, LANNER, read_terminal

pytestmark = pytest.mark.slow


def run_plugin(tmp_path, code):
    plugin = tmp_path / "signalled.py"
    plugin.write_text(f"import os, signal, sys, time\n{code}\n")
    return subprocess.run([LANNER, "fields", plugin], capture_output=True, text=True, timeout=PATIENCE, check=False, env=ENVIRONMENT)


ENDED = "lanner: error: ended by SIGTERM\n"


@pytest.mark.parametrize(
    "code",
    [
        "signal.raise_signal(signal.SIGTERM)",
        "class Held:\n    def __del__(self): signal.raise_signal(signal.SIGTERM)\nHeld()\ntime.sleep(1000)",
        "import weakref\nheld = {1}\nkept = weakref.ref(held, lambda _: signal.raise_signal(signal.SIGTERM))\ndel held\ntime.sleep(1000)",
        "try: signal.raise_signal(signal.SIGTERM)\nfinally: signal.raise_signal(signal.SIGTERM)",
        "try: signal.raise_signal(signal.SIGTERM)\nfinally: signal.raise_signal(signal.SIGINT)",
    ],
    ids=["code", "finaliser", "weak reference", "twice", "two signals"],
)
def test_a_signal_ends_the_command_wherever_it_arrives(tmp_path, code):
    done = run_plugin(tmp_path, code)
    assert (done.returncode, done.stdout, done.stderr.lstrip()) == (143, "", ENDED)


def test_a_signal_while_python_imports_ends_the_command_silently(tmp_path):
    """A signal ends the command, as any other command. Python's own handler would print a traceback."""
    # a module of Python's library that the command imports before it handles signals
    (tmp_path / "signal.py").write_text("import _signal\n_signal.raise_signal(_signal.SIGINT)\n")
    done = subprocess.run(
        [LANNER, "--version"], capture_output=True, timeout=PATIENCE, check=False, env=ENVIRONMENT | {"PYTHONPATH": tmp_path}
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_an_ignored_signal_stays_ignored_while_python_imports(tmp_path):
    """A shell starts commands in the background this way."""
    (tmp_path / "signal.py").write_text("import _signal\n_signal.raise_signal(_signal.SIGINT)\nprint('continued')\nraise SystemExit\n")
    done = subprocess.run(
        ["/bin/sh", "-c", "trap '' INT; exec \"$0\" --version", LANNER],
        capture_output=True, timeout=PATIENCE, check=False, env=ENVIRONMENT | {"PYTHONPATH": tmp_path},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"continued\n", b"")


def test_a_second_signal_ends_a_command_whose_plugin_caught_the_first(tmp_path):
    code = (
        "for _ in range(1000):\n    try:\n        signal.raise_signal(signal.SIGTERM)\n        time.sleep(0.1)\n"
        "    except BaseException: pass\n"
    )
    assert run_plugin(tmp_path, code).returncode == 143


def test_an_error_in_a_finaliser_is_still_printed(tmp_path):
    done = run_plugin(tmp_path, "class Held:\n    def __del__(self): raise ValueError('odd')\nHeld()")
    assert "Exception ignored in: <function Held.__del__" in done.stderr
    assert "ValueError: odd" in done.stderr


def test_a_signal_while_the_console_begins_to_wait_ends_it(tmp_path):
    """The handler must not take the lock that the interrupted code holds."""
    code = """
import signal, sys, threading
wait = threading.Condition.wait
def interrupted(self, timeout=None):
    if sys._getframe(2).f_code.co_name == "serve_console":
        signal.raise_signal(signal.SIGTERM)
    return wait(self, timeout)
threading.Condition.wait = interrupted
from lanner.cli.main import main
main()
"""
    command = [sys.executable, "-c", code, "console", tmp_path / "none", "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=ENVIRONMENT)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.fixture
def store(tmp_path):
    run = Run(tmp_path / "alerts")
    for number in range(1000):
        run.raise_alerts(f"shell {number}", rule="Shell", priority="Critical", subject="web")
    run.end()
    return run.path


@pytest.fixture
def tested(tmp_path):
    """A file of tests of rules."""
    (tmp_path / "tests.yaml").write_text(
        "tests:\n  - name: A volume\n    events: [{Type: volume, Action: destroy, Actor: {ID: data}}]\n    alerts: [Volume destroyed]\n"
    )
    return tmp_path / "tests.yaml"


@pytest.fixture
def commands(tmp_path, plugin, words, rules, store, tested):
    """The command lines by name. Of each, {} is the path of a new file or directory."""
    stored = ("-o", "lanner.store_output.enabled=true", "-o", "lanner.store_output.path={}")
    return {
        "run": ("run", plugin("Quiet"), "-r", rules("quiet"), "--open", words(b"one", b"two"), *stored),
        "replay": ("run", "docker", "--replay", "example", *stored),
        "console": ("console", store, "--listen", "unix:{}"),
        "top": ("top", store),
        "alerts export": ("alerts", "export", store, "--format", "json"),
        "rules test": ("rules", "test", tested),
        "build": ("build", "docker", "-o", "{}"),
        "new": ("new", "{}", "--source", "poll"),
    }


class Signalled:
    """A command on a terminal. It receives a signal after this number of seconds, if it has not ended."""

    def __init__(self, command, folder, number, seconds):
        self._leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (30, 120))
        own = {name: value for name, value in ENVIRONMENT.items() if name not in {"COLUMNS", "LINES"}}
        self._process = subprocess.Popen(
            [LANNER, *map(str, command)], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            cwd=folder, env=own | {"TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(follower)
        self._text = b""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        self._number, self._due = number, time.monotonic() + seconds

    def _read(self):
        self._text = read_terminal(self._leader)

    def end(self):
        """Return the exit status and what the command printed."""
        try:
            self._process.wait(max(0.0, self._due - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.send_signal(self._number)
        try:
            status = self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reading.join()
        return status, self._text.decode("utf-8", "replace")


@pytest.mark.parametrize("moments", [6, pytest.param(40, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", ["run", "replay", "console", "top", "alerts export", "rules test", "build", "new"])
def test_a_signal_at_any_moment_ends_the_command(commands, tmp_path, name, moments):
    """Python handles signals some time after the start of the process. Until then, SIGTERM ends it without a message."""
    endings = []
    for number in range(moments):
        command = [str(each).format(f"made{number}") for each in commands[name]]
        endings.append(Signalled(command, tmp_path, signal.SIGTERM, number * 2.0 / moments))
    for number, (status, text) in enumerate([each.end() for each in endings]):
        said = f"{number}: {status}: {text}"
        assert status in {0, 128 + signal.SIGTERM, -signal.SIGTERM}, said
        assert not any(word in text for word in ("Traceback", "Exception ignored", "KeyboardInterrupt", "bug in Lanner")), said
        assert status != 128 + signal.SIGTERM or "ended by SIGTERM" in text, said
