"""Alerts on a terminal: coloured by priority, and printable with any text of an event. A pipe gets Falco's bytes."""

import json
import os
import pty
import re
import threading

import pytest

from lanner.outputs import http_output
from lanner.outputs.base import Alert
from lanner.outputs.stdout_output import StdoutOutput
from lanner.outputs.terminal import COLOURS
from lanner.rules import Priority

from ..waiting import PATIENCE

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "\x1b]0;title\x07 \x9b31m \u202egnp.exe\u2066 \u2028\u200b\ufeff \U000e0041 \udc9b \r\n\x00\x7f"


def alert(line, priority="Critical"):
    return Alert(line, "a rule", priority, "docker", 0)


def printed(monkeypatch, *alerts, **environ):
    """The text that a terminal gets."""
    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm-256color"} | environ).items():
        monkeypatch.setenv(name, value)
    leader, follower = pty.openpty()
    seen = bytearray()

    def read():
        try:
            while piece := os.read(leader, 1 << 16):
                seen.extend(piece)
        except OSError:  # the terminal is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        output = StdoutOutput(follower)
        output.send(alerts)
        output.close()
    finally:
        os.close(follower)
        reader.join(PATIENCE)
        os.close(leader)
    return seen.decode().replace("\r\n", "\n")


def test_the_priority_is_coloured_and_the_text_stays(monkeypatch):
    line = "16:00:00.000000000: Critical a shell: Critical or not"
    shown = printed(monkeypatch, alert(line))
    assert ESCAPE.sub("", shown) == line + "\n"
    assert f"{COLOURS['Critical']}Critical\x1b[0m a shell: Critical or not\n" in shown


def test_every_priority_has_a_colour():
    assert list(COLOURS) == [str(priority) for priority in Priority]


@pytest.mark.parametrize(
    "environ",
    [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}, {"CLICOLOR": "0"}, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1", "FORCE_COLOR": "1"}],
    ids=str,
)
def test_colours_can_be_switched_off(monkeypatch, environ):
    line = "16:00:00.000000000: Critical a shell"
    assert printed(monkeypatch, alert(line), **environ) == line + "\n"


def test_an_empty_no_color_changes_nothing(monkeypatch):
    assert "\x1b[" in printed(monkeypatch, alert("16:00:00.000000000: Critical a shell"), NO_COLOR="")


@pytest.mark.parametrize("environ", [{}, {"CLICOLOR_FORCE": "1", "FORCE_COLOR": "1"}], ids=str)
def test_a_pipe_gets_falcos_bytes(monkeypatch, environ):
    for name, value in ({"TERM": "xterm"} | environ).items():
        monkeypatch.setenv(name, value)
    reader, writer = os.pipe()
    line = f"16:00:00.000000000: Critical {HOSTILE}"
    StdoutOutput(writer).send([alert(line)])
    os.close(writer)
    with os.fdopen(reader, "rb") as read:
        assert read.read() == (line + "\n").encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}], ids=str)
def test_hostile_text_is_visible_and_drives_no_terminal(monkeypatch, environ):
    shown = printed(monkeypatch, alert(f"16:00:00.000000000: Critical {HOSTILE}"), **environ)
    (line,) = ESCAPE.sub("", shown).removesuffix("\n").split("\n")
    assert line.isprintable()
    assert "\\u001b]0;title\\u0007 \\u009b31m \\u202egnp.exe\\u2066 \\u2028\\u200b\\ufeff" in line
    assert shown.count("\x1b") == (0 if environ else 4)  # Lanner's own


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0xFEFF, 0xE0041, 0xDC9B])
def test_every_such_character_is_escaped(monkeypatch, code):
    shown = printed(monkeypatch, alert(f"16:00:00.0: Error a{chr(code)}b", "Error"), NO_COLOR="1")
    assert shown.removesuffix("\n").isprintable()
    assert "Error a\\" in shown


def test_json_is_still_json(monkeypatch):
    value = {
        "output": '"priority":"Critical" \u202e\U000e0041 é',
        "output_fields": {"priority": "Critical"},
        "priority": "Critical",
        "tags": [],
    }
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    shown = printed(monkeypatch, alert(line))
    assert json.loads(ESCAPE.sub("", shown)) == value
    assert f'"priority":{COLOURS["Critical"]}"Critical"\x1b[0m,"tags":[]' in shown
    assert shown.count("\x1b") == 2


def test_a_line_of_another_form_stays(monkeypatch):
    assert printed(monkeypatch, alert("no priority here")) == "no priority here\n"


def test_the_text_of_a_rule_cannot_choose_a_colour(monkeypatch):
    assert printed(monkeypatch, alert("16:00:00.0: Odd a", "Odd")) == "16:00:00.0: Odd a\n"


def test_an_http_server_cannot_drive_the_terminal_that_echoes_its_answers(monkeypatch, serve, post):
    leader, follower = pty.openpty()
    monkeypatch.setattr(http_output, "_STDOUT", follower)
    try:
        body = b"ok \x1b[2J\n\xff\xe2\x80\xae"
        post(serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)), echo=True).send([alert("a")])
        seen = b""
        while not seen.endswith(b"\\u202e\r\n"):
            seen += os.read(leader, 1000)
        assert seen == b"ok \\x1b[2J\r\n\\xff\\u202e\r\n"
    finally:
        os.close(leader)
        os.close(follower)
