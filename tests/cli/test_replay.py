"""Recorded events through rules: the same alerts each time, for any form of recording and any output."""

import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest

from ..waiting import PATIENCE
from .conftest import read_terminal

pytestmark = pytest.mark.slow

COLUMNS = "100"
GOOD = (
    b'{"Type":"volume","Action":"destroy","Actor":{"ID":"orders","Attributes":{"driver":"local"}},'
    b'"scope":"local","time":1795469199,"timeNano":1795469199073758155}'
)
ALERT = "21:26:39.073758155: Warning Volume destroyed (volume=orders driver=local name=<NA>)"


def test_a_recording_gives_the_same_bytes_each_time(lanner, example, replayed):
    again = lanner("run", "docker", "--replay", example)
    assert again.code == replayed.code == 0
    assert again.out == replayed.out
    assert len(again.lines) == 56
    assert "151 events, 56 alerts in " in again.err


def test_a_recording_is_read_from_standard_input(lanner, example, replayed):
    done = lanner("run", "docker", "--replay", "-", stdin=example.read_bytes())
    assert done.code == 0
    assert done.out == replayed.out


def test_the_plugins_own_recording_goes_by_the_name_example(lanner, replayed, tmp_path):
    done = lanner("run", "docker", "--replay", "example", cwd=tmp_path)
    assert done.out == replayed.out


BROKEN = {
    "broken off": b'{"Type":"volume","Act',
    "stray bytes before": b"\xff\xfe\x80" + GOOD,
    "nul": b"\0",
    "nested too deep": b'{"a":' * 200_000,
    "words": b"Error: no such engine",
}


def test_a_byte_that_is_not_utf8_hides_no_event(lanner, tmp_path):
    """The other fields are read, the field with the byte has it as it is, and the summary counts the event."""
    lines = [GOOD.replace(b"orders", b"caf\xe9"), GOOD.replace(b"orders", rb"caf\udce9"), GOOD]
    rules = tmp_path / "rules.yaml"
    rule = "- rule: Any\n  desc: d\n  condition: docker.type = volume\n  output: '%docker.actor.id'\n  priority: INFO\n  source: docker\n"
    rules.write_text(rule)
    done = lanner("run", "docker", "-r", str(rules), "--replay", "-", stdin=b"\n".join(lines) + b"\n")
    assert done.code == 0
    assert [line.partition(": Informational ")[2] for line in done.lines] == ["caf\udce9", r"caf\udce9", "orders"]
    assert "2 payloads with invalid UTF-8: the fields have the bytes as they are" in done.err
    assert "not valid JSON" not in done.err


def test_the_event_after_each_broken_line_raises_its_alert(lanner):
    good = [GOOD.replace(b"orders", f"after {what}".encode()) for what in BROKEN]
    lines = [line for pair in zip(BROKEN.values(), good, strict=True) for line in pair]
    done = lanner("run", "docker", "--replay", "-", stdin=b"\n".join(lines) + b"\n")
    assert done.code == 0
    assert done.lines == [ALERT.replace("orders", f"after {what}") for what in BROKEN]
    assert f"{2 * len(BROKEN)} events, {len(BROKEN)} alerts in " in done.err
    assert f"{len(BROKEN)} payloads not valid JSON: their fields have no values" in done.err
    assert "Traceback" not in done.err


def test_empty_lines_and_json_of_other_kinds_are_no_failures(lanner):
    done = lanner("run", "docker", "--replay", "-", stdin=b'\n\n \r\n"text"\n7\nnull\n[]\n' + GOOD)
    assert (done.code, done.lines) == (0, [ALERT])
    assert "4 events, 1 alert in " in done.err
    assert "not valid JSON" not in done.err


def test_a_line_of_ten_megabytes_is_an_event_like_any_other(lanner):
    huge = GOOD.replace(b'"driver"', b'"x":"%s","driver"' % (b"x" * 10_000_000))
    done = lanner("run", "docker", "--replay", "-", stdin=huge + b"\n" + GOOD + b"\n")
    assert done.code == 0
    assert done.lines == [ALERT, ALERT]
    assert "2 events, 2 alerts in " in done.err


def test_a_recording_that_breaks_off_is_counted_and_the_rest_is_read(lanner):
    done = lanner("run", "docker", "--replay", "-", stdin=GOOD + b"\n" + GOOD[:60])
    assert done.code == 0
    assert done.lines == [ALERT]
    assert "2 events, 1 alert in " in done.err
    assert "1 payload not valid JSON: its fields have no values" in done.err


def test_a_last_line_without_its_newline_is_an_event(lanner):
    assert lanner("run", "docker", "--replay", "-", stdin=GOOD).lines == [ALERT]


def test_an_event_that_tells_no_time_has_that_of_the_one_before(lanner):
    timeless = GOOD.replace(b',"time":1795469199,"timeNano":1795469199073758155', b"")
    assert lanner("run", "docker", "--replay", "-", stdin=GOOD + b"\n" + timeless + b"\n").lines == [ALERT, ALERT]


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), ("", "it is a directory; name its files")])
def test_a_recording_that_cannot_be_read_is_said(lanner, example, tmp_path, name, reason):
    done = lanner("run", "docker", "--replay", example, "--replay", tmp_path / name)
    assert (done.code, done.out) == (1, b"")
    assert f"lanner: error: cannot read the recording {tmp_path / name}: {reason}" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_recording_that_keeps_one_waiting_can_be_ended(start, number):
    process = start("run", "docker", "--replay", "-")
    process.stdin.write(GOOD + b"\n")
    process.stdin.flush()
    assert process.stdout.readline().decode().rstrip() == ALERT
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert b"1 event, 1 alert in " in process.stderr.read()


def test_a_recording_that_keeps_one_waiting_ends_at_the_time_limit(start):
    process = start("run", "docker", "--replay", "-", "--duration", "0.3")
    assert process.wait(PATIENCE) == 0
    assert b"0 events, 0 alerts in " in process.stderr.read()


def test_max_events_ends_a_replay(lanner, example):
    done = lanner("run", "docker", "--replay", example, "--max-events", "3")
    assert done.code == 0
    assert len(done.lines) == 2
    assert "3 events, 2 alerts in " in done.err


def test_all_matches_raise_an_alert_for_every_rule(lanner, plugin, words, tmp_path):
    rule = "- rule: {}\n  desc: d\n  condition: words.text = one\n  output: got %words.text\n  priority: NOTICE\n  source: words\n"
    path = tmp_path / "rules.yaml"
    path.write_text(rule.format("First") + rule.format("Second"))
    arguments = ("run", plugin("Words"), "-r", path, "--open", words(b"one", b"two"))
    assert lanner(*arguments).lines == ["22:13:20.000000000: Notice got one"]
    assert lanner(*arguments, "--all-matches").lines == ["22:13:20.000000000: Notice got one"] * 2


SHOWING = """
- rule: Started or destroyed
  desc: d
  condition: (docker.action startswith start or docker.type = volume) and not docker.scope icontains SWARM and evt.plugininfo contains o
  output: '%evt.num %evt.time %evt.datetime.s %evt.plugininfo %6docker.action %toupper(docker.type) %docker.attributes[name] %evt.reltime'
  priority: NOTICE
  source: docker
"""


@pytest.mark.parametrize("layout", ["text", "json"])
def test_both_executors_print_the_same_bytes(lanner, example, tmp_path, layout):
    path = tmp_path / "rules.yaml"
    path.write_text(SHOWING)
    arguments = ("run", "docker", "-r", path, "--format", layout, "--replay", example, "--replay", example, "--jobs")
    native, python = (lanner(*arguments, jobs, "--executor", name) for jobs, name in (("3", "native"), ("1", "python")))
    assert native.code == python.code == 0
    assert len(native.lines) > 20
    assert native.out == python.out


def test_an_executor_that_there_is_not_is_refused(lanner):
    done = lanner("run", "docker", "--executor", "fast", "--replay", "example")
    assert done.code == 2
    assert "'native', 'python'" in done.err


def test_json_alerts_have_falcos_keys(lanner, example, replayed):
    done = lanner("run", "docker", "--replay", example, "--format", "json")
    alerts = [json.loads(line) for line in done.lines]
    assert len(alerts) == 56
    for alert in alerts:
        assert list(alert) == ["hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"]
        assert (alert["hostname"], alert["source"]) == ("host", "docker")
    assert [alert["output"] for alert in alerts] == replayed.lines


def test_times_in_utc_with_the_date_on_request(lanner):
    done = lanner("run", "docker", "--replay", "-", "--iso8601", stdin=GOOD)
    assert done.lines[0].startswith("2026-11-23T21:26:39.073758155+0000: Warning Volume destroyed")


def test_a_reader_that_goes_after_the_first_alert_ends_the_run_quietly(start, example):
    process = start("run", "docker", "--replay", example)
    with subprocess.Popen(["head", "-1"], stdin=process.stdout, stdout=subprocess.PIPE) as head:
        process.stdout.close()
        assert head.stdout.read().count(b"\n") == 1
    assert process.wait(PATIENCE) == 0
    told = process.stderr.read().decode()
    assert "Traceback" not in told
    assert "error" not in told.lower()


def test_a_reader_that_has_gone_before_the_first_alert_ends_the_run_quietly(lanner, example):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = lanner("run", "docker", "--replay", example, stdout=writer)
    finally:
        os.close(writer)
    assert done.code == 0
    assert "error" not in done.err.lower()


def test_alerts_are_appended_to_a_file(lanner, example, replayed, tmp_path):
    path = tmp_path / "alerts"
    for _ in range(2):
        done = lanner("run", "docker", "--replay", example, "--output", path)
        assert (done.code, done.out) == (0, b"")
    assert path.read_bytes() == replayed.out * 2


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("{}/missing/alerts", "No such file or directory; create its directory first"),
        ("{}", "Is a directory; name a file in it"),
        ("/dev/full", "No space left on device; free space on the device, or choose another one"),
    ],
    ids=["missing", "directory", "full"],
)
def test_a_file_that_alerts_cannot_be_written_to_is_said_once(lanner, example, tmp_path, path, problem):
    path = path.format(tmp_path)
    done = lanner("run", "docker", "--replay", example, "--output", path)
    assert done.code == 1
    assert [line for line in done.err.splitlines() if "error" in line] == [f"lanner: error: cannot write alerts to {path}: {problem}"]
    assert "Traceback" not in done.err


def test_a_full_device_under_standard_output_is_said_once(lanner, example):
    with Path("/dev/full").open("wb") as full:
        done = lanner("run", "docker", "--replay", example, stdout=full)
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if "error" in line]
    assert errors == ["lanner: error: cannot write alerts to standard output: No space left on device"]


EVIL = GOOD.replace(b"orders", b"or\\u001b[2Jd\\u009be\\nrs")


def test_control_characters_of_events_go_into_a_pipe_as_they_are(lanner):
    done = lanner("run", "docker", "--replay", "-", stdin=EVIL)
    assert "(volume=or\x1b[2Jd\x9be\nrs driver" in done.out.decode()


@pytest.mark.parametrize("layout", ["text", "json"])
def test_control_characters_of_events_do_not_reach_a_terminal(start, layout):
    controller, terminal = pty.openpty()
    process = start("run", "docker", "--replay", "-", "--format", layout, stdout=terminal, env={"NO_COLOR": "1"})
    os.close(terminal)
    process.stdin.write(EVIL)
    process.stdin.close()
    shown = read_terminal(controller).decode()
    assert process.wait(PATIENCE) == 0
    assert "or\\u001b[2Jd\\u009be\\nrs" in shown
    assert shown.removesuffix("\r\n").isprintable()
    if layout == "json":
        assert json.loads(shown)["output_fields"]["docker.actor.id"] == "or\x1b[2Jd\x9be\nrs"


def test_a_table_fits_a_terminal(start):
    controller, terminal = pty.openpty()
    process = start("fields", "docker", stdout=terminal, columns=COLUMNS)
    os.close(terminal)
    shown = read_terminal(controller)
    assert process.wait(PATIENCE) == 0
    header, *rows = re.sub(r"\x1b\[\d*m", "", shown.decode()).splitlines()
    assert header.split() == ["NAME", "TYPE", "DESCRIPTION"]
    assert any(row.startswith("docker.attributes[key] ") for row in rows)
    assert max(map(len, rows)) <= int(COLUMNS)


def test_no_recording_at_all_is_not_taken_for_a_live_source(lanner):
    done = lanner("run", "docker", "--replay", "")
    assert (done.code, done.err) == (2, "lanner: error: --replay is empty: write a path\nTry: lanner run --help\n")


def test_a_file_that_is_no_recording_is_reported(lanner, tmp_path):
    path = tmp_path / "events.txt"
    path.write_text("2026-11-23T21:26:41 container start 1234\n2026-11-23T21:26:42 container die 1234\n")
    done = lanner("run", "docker", "--replay", path)
    assert (done.code, done.out) == (1, b"")
    assert (
        f"error: {path} is not a recording of docker: none of its lines is JSON. Make one with `lanner record docker -o FILE`" in done.err
    )


HOOKS = """
import lanner


class Hooks(lanner.Plugin):
    "Hooks."

    id, name, version, event_source, contact = 4299, "hooks", "0.1.0", "hooks", "the tests"
    fields = (lanner.field("hooks.forced", lanner.payload["forced"].boolean(), "Forced"),)

    def open(self, _params):
        return iter(())
"""


@pytest.fixture
def hooks(tmp_path):
    """A plugin of JSON events without a time, and a rule."""
    (tmp_path / "hooks.py").write_text(HOOKS)
    rule = {"rule": "Forced", "desc": "d", "condition": "hooks.forced = true", "output": "forced", "priority": "NOTICE", "source": "hooks"}
    (tmp_path / "rules.yaml").write_text(json.dumps([rule]))
    return tmp_path


def test_plain_json_lines_are_events_of_a_plugin_without_a_time(lanner, hooks):
    """A recorded event in the same file keeps its time."""
    (hooks / "h.jsonl").write_text('{"forced": true}\n{"forced": false}\n{"ts":1700000000000000000,"payload":"eyJmb3JjZWQiOnRydWV9"}\n')
    done = lanner("run", hooks / "hooks.py", "-r", hooks / "rules.yaml", "--replay", hooks / "h.jsonl")
    assert (done.code, len(done.lines)) == (0, 2), done.err
    assert done.lines[1] == "22:13:20.000000000: Notice forced"
    assert "3 events, 2 alerts in " in done.err
    explained = lanner(
        *("rules", "explain", "Forced", "--plugin", hooks / "hooks.py", "-r", hooks / "rules.yaml", "--replay", hooks / "h.jsonl")
    )
    assert explained.code == 0, explained.err


def test_text_is_no_recording_of_a_plugin_of_json(lanner, hooks):
    (hooks / "h.jsonl").write_text("plain\ntext\n")
    done = lanner("run", hooks / "hooks.py", "-r", hooks / "rules.yaml", "--replay", hooks / "h.jsonl")
    assert (done.code, done.out) == (1, b"")
    said = 'none of its lines is JSON or has the form {"ts": nanoseconds, "payload": base64}. Make one with `lanner record hooks -o FILE`'
    assert f"{hooks / 'h.jsonl'} is not a recording of hooks: {said}" in done.err


def test_the_recording_of_another_plugin_is_reported(lanner, tmp_path):
    words = tmp_path / "words.jsonl"
    words.write_text('{"ts":5,"payload":"Zm9v"}\n')
    done = lanner("run", "docker", "--replay", words)
    assert (done.code, done.out) == (1, b"")
    assert f"error: {words} is not a recording of docker: it is one of a plugin whose payload has no time" in done.err


def test_a_recording_without_events_is_said(lanner):
    done = lanner("run", "docker", "--replay", "-")
    assert done.code == 0
    assert "warning: no event in -\n" in done.err


def test_a_pattern_that_the_shell_took_apart_is_said(lanner):
    done = lanner("run", "docker", "--replay", "a.jsonl", "b.jsonl")
    assert done.code == 2
    assert "b.jsonl" in done.err
    assert "quote a pattern, or repeat the option for each file" in done.err


def test_rules_of_another_source_are_named(lanner, example, tmp_path):
    path = tmp_path / "mine.yaml"
    rule = "- rule: {}\n  desc: d\n  condition: docker.type = container\n  output: o\n  priority: NOTICE\n  source: dokcer\n"
    path.write_text("".join(rule.format(f"Rule {number}") for number in range(5)))
    done = lanner("run", "docker", "-r", path, "--replay", example)
    assert "5 rules of other event sources left out; rules for these events need `source: docker`:\n" in done.err
    assert f"    {path}:1:3: Unknown source dokcer, skipping\n" in done.err
    assert "    and 2 more\n" in done.err


def as_lines(events):
    return b"\n".join(json.dumps(event).encode() for event in events)


@pytest.mark.parametrize(
    "form",
    [
        lambda events: json.dumps(events).encode(),
        lambda events: json.dumps(events, indent=2).encode(),
        lambda events: b"".join(json.dumps(event).encode() for event in events),
        lambda events: b"\n".join(json.dumps(event, indent=4).encode() for event in events),
        lambda events: b"[\n" + b",\n".join(json.dumps(event).encode() for event in events) + b"\n]\n",
        lambda events: as_lines(events).replace(b"\n", b"\r\n"),
        lambda events: b"\xef\xbb\xbf" + json.dumps(events).encode(),
    ],
    ids=["array", "pretty array", "no lines", "pretty", "array of lines", "crlf", "mark"],
)
def test_events_in_another_layout_are_the_same_events(lanner, example, replayed, form):
    events = [json.loads(line) for line in example.read_bytes().splitlines()]
    done = lanner("run", "docker", "--replay", "-", stdin=form(events))
    assert (done.code, done.out) == (0, replayed.out)


@pytest.mark.parametrize("form", [as_lines, lambda events: json.dumps(events).encode()], ids=["lines", "array"])
def test_events_of_another_form_are_no_recording(lanner, tmp_path, form):
    """podman's command writes its own."""
    events = [
        {
            "ID": "3a83",
            "Image": "busy:1",
            "Name": "job",
            "Status": status,
            "Time": "2026-11-29T01:20:11.143941717+01:00",
            "Type": "container",
        }
        for status in ("create", "start", "died")
    ]
    (tmp_path / "events").write_bytes(form(events))
    done = lanner("run", "docker", "--replay", str(tmp_path / "events"))
    assert (done.code, done.out) == (1, b"")
    assert "is not a recording of docker: none of its lines is JSON with a time as in events of docker" in done.err
    assert "Make one with `lanner record docker -o FILE`" in done.err
