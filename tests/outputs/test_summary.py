"""`--watch`: one line that says how many alerts of which kind, in place on a terminal, now and then elsewhere."""

import io
import os
import pty
import re
import select
import sys
import termios

import pytest

from lanner.outputs.base import Alert, OutputClosedError, OutputError
from lanner.outputs.summary_output import Summary, SummaryOutput

from ..waiting import PATIENCE

ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")


def alert(priority="Critical", rule="a rule", line=""):
    return Alert(line or f"16:00:00.0: {priority} something", rule, priority, "docker", 0)


def text(summary, now):
    return "".join(piece for piece, _ in summary.pieces(now))


def test_it_says_the_rate_the_priorities_the_top_rule_and_the_last_alert():
    summary = Summary(100.0)
    summary.add([alert("Notice", "often")] * 1200)
    summary.add([alert("Critical", "seldom", "16:00:05.0: Critical a shell")])
    assert text(summary, 104.0) == (
        "1,201 alerts, 300.2/s | Critical 1, Notice 1,200 | most: often 1,200 | last: 16:00:05.0: Critical a shell"
    )


def test_a_replay_has_no_rate():
    summary = Summary(100.0, has_rate=False)
    summary.add([alert("Notice", "often")] * 2)
    assert text(summary, 104.0).startswith("2 alerts | Notice 2 | most: often 2 | last: ")


def test_the_rate_is_that_of_the_last_ten_seconds():
    summary = Summary(0.0)
    summary.add([alert()] * 100)
    assert "100 alerts, 20.0/s" in text(summary, 5.0)
    for second in range(6, 16):
        shown = text(summary, float(second))
    assert "100 alerts, 0.0/s" in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"output":"16:00:00.0: Error a \\u001b[31m","priority":"Error"}', "16:00:00.0: Error a \\x1b[31m"),
        ('{"message":"only a message","priority":"Error"}', "only a message"),
        ('{"priority":"Error"}', "a rule"),
        ("{no JSON", "{no JSON"),
        ('{"output":5}', '{"output":5}'),
        ("two\nlines\u202e", "two\\nlines\\u202e"),
    ],
)
def test_the_last_alert_is_one_printable_line_of_text(line, shown):
    summary = Summary(0.0)
    summary.add([alert(line=line)])
    assert text(summary, 1.0).endswith(f"last: {shown}")


def test_a_pipe_gets_a_line_now_and_then_and_one_at_the_end(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    reader, writer = os.pipe()
    output = SummaryOutput(writer, plain=0.01)
    output.send([alert()])
    with os.fdopen(reader, "r") as read:
        assert read.readline().startswith("1 alert, ")
        output.send([alert("Error")] * 2)
        assert read.readline().startswith("3 alerts, ")
        output.close()
        output.close()
        os.close(writer)
        assert read.read() == ""  # the last line says all


def test_a_short_run_into_a_pipe_prints_one_line():
    reader, writer = os.pipe()
    output = SummaryOutput(writer, plain=3600)
    output.send([alert()])
    output.send([alert()])
    output.close()
    os.close(writer)
    with os.fdopen(reader, "r") as read:
        assert [line.partition(",")[0] for line in read] == ["2 alerts"]


def test_a_run_without_alerts_prints_nothing():
    reader, writer = os.pipe()
    SummaryOutput(writer).close()
    os.close(writer)
    with os.fdopen(reader, "rb") as read:
        assert read.read() == b""


_END = "the end of the test"


class Terminal:
    """A terminal, and what it has received."""

    def __init__(self, columns=80):
        self.leader, self.follower = pty.openpty()
        termios.tcsetwinsize(self.follower, (24, columns))
        self._bytes = b""

    @property
    def seen(self):
        return self._bytes.decode(errors="ignore").replace(_END, "")

    def read_until(self, wanted):
        while wanted.encode() not in self._bytes:
            assert select.select([self.leader], [], [], PATIENCE)[0], f"no {wanted!r} in {self._bytes!r}"
            self._bytes += os.read(self.leader, 1 << 16)

    def rest(self):
        """Return all that was written: the kernel may hand it on later."""
        os.write(self.follower, _END.encode())
        self.read_until(_END)
        return self.seen

    def close(self):
        os.close(self.leader)
        os.close(self.follower)


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    made.close()


def test_a_terminal_gets_one_line_that_is_drawn_in_place(terminal):
    output = SummaryOutput(terminal.follower, in_place=0.01)
    output.send([alert()])
    terminal.read_until("last: ")
    output.send([alert("Error")])
    terminal.read_until("Error 1")
    output.close()
    seen = terminal.rest()
    assert seen.count("\n") == 1
    assert seen.endswith("\r\n")
    assert "\x1b[1;91mCritical 1\x1b[0m" in seen
    lines = [ESCAPE.sub("", line) for line in seen.split("\r\x1b[2K")]
    assert all(len(line.rstrip("\r\n")) < 80 for line in lines)


@pytest.mark.parametrize("columns", [1, 2, 20, 0])
def test_it_fits_into_a_narrow_terminal(terminal, columns):
    termios.tcsetwinsize(terminal.follower, (24, columns))
    output = SummaryOutput(terminal.follower, in_place=3600)
    output.send([alert(line="16:00:00.0: Critical " + "\u5bb9\u5668" * 50)])
    output.close()
    for line in terminal.rest().split("\r\x1b[2K"):
        width = sum(2 if char > "\u2e80" else 1 for char in ESCAPE.sub("", line).rstrip("\r\n"))
        assert width <= max(0, (columns or 80) - 1)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}], ids=str)
def test_without_colours_it_is_drawn_in_place_all_the_same(terminal, monkeypatch, environ):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    output = SummaryOutput(terminal.follower, in_place=3600)
    output.send([alert()])
    output.close()
    assert terminal.rest().startswith("\r\x1b[2K1 alert")
    assert "m" not in re.findall(r"\x1b\[[0-9;]*([a-zA-Z])", terminal.seen)


def test_a_dumb_terminal_gets_plain_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    output = SummaryOutput(terminal.follower, plain=3600)
    output.send([alert()])
    output.close()
    assert "\x1b" not in terminal.rest()
    assert terminal.seen.count("\n") == 1


def test_at_most_four_frames_a_second_however_many_alerts(terminal):
    assert SummaryOutput(terminal.follower)._every == 0.25


def test_messages_pass_above_the_line(terminal, monkeypatch):
    error = os.fdopen(os.dup(terminal.follower), "w", buffering=1)
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr(sys, "stdout", error)
    output = SummaryOutput(terminal.follower, in_place=0.01)
    output.send([alert()])
    terminal.read_until("last: ")
    sys.stderr.write("lanner: a message\n")
    sys.stdout.write("of a plugin\n")
    sys.stderr.writelines(["half ", "a line"])
    sys.stderr.flush()
    terminal.read_until("half a line")
    sys.stderr.write(" and the rest\n")
    output.send([alert()])
    terminal.read_until("2 alerts")
    output.close()
    assert sys.stderr is error
    assert sys.stdout is error
    error.close()
    screen = [line.rpartition("\r\x1b[2K")[2] for line in terminal.rest().split("\r\n")]
    messages = [line for line in screen if "alert" not in line]
    assert messages == ["lanner: a message", "of a plugin", "half a line and the rest", ""]


def test_a_standard_error_elsewhere_is_left_alone(terminal, monkeypatch):
    error = io.StringIO()
    monkeypatch.setattr(sys, "stderr", error)
    output = SummaryOutput(terminal.follower, in_place=0.01)
    output.send([alert()])
    terminal.read_until("last: ")
    assert sys.stderr is error
    output.close()


def test_a_reader_that_has_gone_ends_the_run_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    output = SummaryOutput(writer, plain=3600)
    output.send([alert()])
    with pytest.raises(OutputClosedError):
        output.close()
    os.close(writer)


def test_a_full_device_is_said():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    output = SummaryOutput(descriptor, plain=3600)
    output.send([alert()])
    with pytest.raises(OutputError, match="cannot write alerts to standard output: No space left on device"):
        output.close()
    os.close(descriptor)
