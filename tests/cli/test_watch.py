"""`lanner run --watch`: a summary instead of the alerts."""

import os
import pty
import re
import subprocess

import pytest

from ..waiting import PATIENCE
from .conftest import ENVIRONMENT, LANNER, read_terminal

pytestmark = pytest.mark.slow


def test_a_pipe_gets_one_plain_line_of_a_short_replay(lanner):
    done = lanner("run", "docker", "--replay", "example", "--watch")
    assert done.code == 0
    (line,) = done.lines
    assert re.fullmatch(r"\d+ alerts \| [A-Z]\w+ \d+.* \| most: .+ \d+ \| last: .+", line)


def test_it_replaces_the_printed_alerts_and_no_other_output(lanner, tmp_path):
    path = tmp_path / "alerts"
    alone = lanner("run", "docker", "--replay", "example").out
    done = lanner("run", "docker", "--replay", "example", "--watch", "--output", path)
    assert path.read_bytes() == alone
    assert len(done.lines) == 1


def test_it_is_a_key_of_the_configuration(lanner):
    arguments = ("run", "docker", "--replay", "example", "-o", "stdout_output.enabled=true", "-o", "json_output=true")
    done = lanner(*arguments, "-o", "lanner.stdout.summary=true")
    (line,) = done.lines
    assert " alerts | " in line
    assert not line.startswith("{")


def test_on_a_terminal_the_line_and_the_messages_share_it():
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [LANNER, "run", "docker", "--replay", "example", "--watch"], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
        env=ENVIRONMENT | {"TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(follower)
        data = read_terminal(leader)
        assert process.wait(PATIENCE) == 0
    screen = [line.rpartition("\r\x1b[2K")[2] for line in data.decode().split("\r\n")]
    assert screen[0].startswith("lanner: replaying ")
    assert " alerts | " in screen[1]
    assert re.match(r"lanner: \d+ events, \d+ alerts", screen[2])


def test_it_excludes_json_where_no_other_output_has_it(lanner, falco_yaml, tmp_path):
    common = ("run", "docker", "--replay", "example", "--watch", "--format", "json")
    for more in ((), ("--dry-run",), ("-c", falco_yaml("json_output: true"))):
        done = lanner(*common, *more)
        assert (done.code, done.out) == (2, b"")
        assert "--watch prints a summary instead of the alerts, so --format json has no effect: leave out one of them" in done.err
    path = tmp_path / "alerts"
    for more in (("--output", path), ("-c", falco_yaml(f"file_output: {{enabled: true, filename: {path}}}"))):
        path.unlink(missing_ok=True)
        done = lanner(*common, *more)
        assert done.code == 0
        assert len(done.lines) == 1
        assert path.read_bytes().startswith(b"{")
    assert lanner(*common[:-1], "text").code == 0


def test_a_live_run_has_a_rate(lanner, plugin, words, rules):
    done = lanner("run", plugin("Words"), "-r", rules("words"), "--open", words(b"a"), "--watch")
    assert done.code == 0
    assert re.fullmatch(r"1 alert, [\d.]+/s \| Notice 1 .*", done.lines[0])


def test_with_a_report_it_has_no_effect(lanner):
    done = lanner("run", "docker", "--version", "--watch")
    assert "warning: no effect with --version: --watch" in done.err
