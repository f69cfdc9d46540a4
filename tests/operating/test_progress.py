"""A progress bar: drawn for somebody who looks, on the terminal that it does not share with alerts, and gone in the end."""

import io
import os
import pty
import re
import subprocess
import sys
import time

import pytest

from lanner.operating.progress import Progress

from ..waiting import PATIENCE

SCRIPT = """
import logging, sys
from lanner.operating.logs import setup_logs
from lanner.operating import progress as module
module._EVERY = 0.0
Progress = module.Progress
setup_logs("info", "text")
progress = Progress({total}, prints={prints}, after=0)
progress.advance(512 * 1024, 1000, 0)
logging.getLogger("lanner").warning("something odd")
progress.advance(512 * 1024, 1234, 7)
progress.close()
sys.stderr.write("the end\\n")
"""


def drawn(*, total="4 * 1024 * 1024", prints=False, terminal_out=False, **env):
    """Return the text that a terminal gets as standard error of a process with a bar."""
    master, slave = pty.openpty()
    environ = (
        {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS"}} | {"TERM": "xterm", "COLUMNS": "120"} | env
    )
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(total=total, prints=prints)],
        stdin=subprocess.DEVNULL,
        stdout=slave if terminal_out else subprocess.DEVNULL,
        stderr=slave,
        env=environ,
    )
    os.close(slave)
    parts = []
    with os.fdopen(master, "rb", buffering=0) as terminal:
        try:
            while data := terminal.read(65536):
                parts.append(data)
        except OSError:  # Linux's word for the end of a terminal
            pass
    assert process.wait(PATIENCE) == 0
    return b"".join(parts).decode()


def test_it_says_how_far_it_is():
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn())
    assert "1.0/4.0 MiB" in text
    assert re.search(r"[\d,]+ events/s +7 alerts", text)


def test_messages_stand_above_it_and_it_is_gone_in_the_end():
    text = drawn()
    message = text.index("lanner: WARNING: lanner: something odd")
    assert "alerts" in text[:message]
    assert "alerts" in text[message:]
    assert text.rstrip().endswith("the end")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back
    assert text[text.rindex("alerts") :].count("\x1b[2K") >= 1  # its line is wiped


def test_it_does_without_a_size():
    assert "alerts" in drawn(total="None")


@pytest.mark.parametrize(
    "given",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"NO_COLOR": "1"},
        {"prints": True, "terminal_out": True},
    ],
)
def test_it_is_not_drawn_without_a_suitable_terminal(given):
    text = drawn(**given)
    assert text == "lanner: WARNING: lanner: something odd\r\nthe end\r\n"


def test_it_is_drawn_where_alerts_go_elsewhere():
    assert "7 alerts" in drawn(prints=True)
    assert "7 alerts" in drawn(prints=False, terminal_out=True)


def test_it_is_not_drawn_without_a_terminal(monkeypatch):
    """And nothing for it is imported."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    progress = Progress(100, after=0)
    progress.advance(10, 1, 1)
    progress.close()
    assert sys.stderr.getvalue() == ""


def test_a_short_replay_ends_before_it_is_drawn(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = Progress(100)
    now += 0.9
    progress.advance(10, 1, 1)
    assert sys.stderr.getvalue() == ""
    now += 0.2
    progress.advance(10, 1, 1)
    progress.close()
    assert "alerts" in sys.stderr.getvalue()
