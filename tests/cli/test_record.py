"""`lanner record`: what it writes raises the same alerts again."""

import json
import os
import signal

import pytest

from ..waiting import PATIENCE

ODD = (b"one\ntwo", b"a\0b", b"\xff\xfe", b"", b"plain", b'{"ts":1,"payload":"YQ=="}')


@pytest.mark.parametrize("layout", ["text", "json"])
def test_payloads_of_any_bytes_come_back_as_they_were(lanner, plugin, words, rules, tmp_path, layout):
    recording = tmp_path / "recording"
    recorded = lanner("record", plugin("Words"), "--open", words(*ODD), "-o", recording)
    assert (recorded.code, recorded.out) == (0, b"")
    assert recorded.err == f"lanner: recording words to {recording}; Ctrl-C ends it\nlanner: 6 events recorded\n"
    assert recording.read_bytes().count(b"\n") == len(ODD)
    common = ("run", plugin("Words"), "-r", rules("words", output="%words.text, %evt.plugininfo"), "--format", layout)
    live = lanner(*common, "--open", words(*ODD))
    replayed = lanner(*common, "--replay", recording)
    assert replayed.code == 0
    assert live.out == replayed.out
    assert "6 events, 6 alerts in " in replayed.err


def test_json_over_several_lines_is_recorded_as_one_event(lanner, plugin, words, rules, tmp_path):
    recording = tmp_path / "recording"
    payloads = [json.dumps({"name": name, "at": 1_700_000_000_000_000_007}, indent=2).encode() for name in ("front", "back")]
    assert lanner("record", plugin("Pretty"), "--open", words(*payloads, b""), "-o", recording).code == 0
    done = lanner("run", plugin("Pretty"), "-r", rules("pretty", "pretty.name exists", "%pretty.name"), "--replay", recording)
    assert done.lines == ["22:13:20.000000007: Notice got front", "22:13:20.000000007: Notice got back"]
    assert "3 events, 2 alerts in " in done.err


def test_a_recording_is_replaced_and_only_its_owner_reads_it(lanner, plugin, words, tmp_path):
    recording = tmp_path / "recording"
    for payload in (b"first and long", b"second"):
        assert lanner("record", plugin("Words"), "--open", words(payload), "-o", recording).code == 0
    assert json.loads(recording.read_bytes())["payload"] == words(b"second")
    assert recording.stat().st_mode & 0o777 == 0o600


def test_a_signal_ends_a_recording_with_all_events_in_it(start, plugin, words, tmp_path):
    process = start("record", plugin("Quiet"), "--open", words(b"one", b"two"), "-o", "-")
    lines = [process.stdout.readline() for _ in range(2)]
    assert [json.loads(line)["payload"] for line in lines] == [words(b"one"), words(b"two")]
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"lanner: 2 events recorded\n" in told


def test_limits_end_a_recording(lanner, plugin, words, tmp_path):
    common = ("record", plugin("Quiet"), "--open", words(b"one", b"two", b"three"), "-o", "-")
    assert len(lanner(*common, "--max-events", "2").lines) == 2
    # a busy machine may need more to come to the last event
    assert any(len(lanner(*common, "--duration", seconds).lines) == 3 for seconds in ("0.3", "3", "30"))


def test_a_reader_that_has_gone_ends_a_recording_quietly(lanner, plugin, words):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = lanner("record", plugin("Words"), "--open", words(b"one"), "-o", "-", stdout=writer)
    finally:
        os.close(writer)
    assert done.code == 0
    assert "error" not in done.err.lower()


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/full", "No space left on device"), ("{}", "Is a directory"), ("{}/missing/x", "No such file or directory")]
)
def test_a_recording_that_cannot_be_written_is_said_once(lanner, plugin, words, tmp_path, path, reason):
    path = path.format(tmp_path)
    done = lanner("record", plugin("Words"), "--open", words(b"one"), "-o", path)
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if "rror" in line]
    assert errors == [f"lanner: error: cannot write the recording to {path}: {reason}"]


def test_a_source_that_fails_is_said_and_what_came_before_is_recorded(lanner, plugin, words, tmp_path):
    recording = tmp_path / "recording"
    done = lanner("record", plugin("Broken"), "--open", words(b"one"), "-o", recording)
    assert done.code == 1
    assert "lanner: error: plugin broken: open: OSError: the wire was cut (" in done.err
    assert json.loads(recording.read_bytes())["payload"] == words(b"one")


def test_lines_without_the_form_of_a_recording_are_events(lanner, plugin, rules):
    good = b'{"ts":1700000000000000000,"payload":"YQ=="}'
    lines = [good, b"plain", b'{"ts":-1,"payload":"YQ=="}', good]
    done = lanner("run", plugin("Words"), "-r", rules("words"), "--replay", "-", stdin=b"\n".join(lines))
    assert done.code == 0
    texts = ["a", "plain", '{"ts":-1,"payload":"YQ=="}', "a"]
    assert done.lines == [f"22:13:20.000000000: Notice got {text}" for text in texts]


def test_what_a_plugin_prints_is_no_part_of_what_was_asked_for(lanner, plugin, words, rules, tmp_path):
    recorded = lanner("record", plugin("Loud"), "--open", words(b"one"), "-o", "-")
    assert [json.loads(line)["payload"] for line in recorded.lines] == [words(b"one")]
    file = rules("loud", "loud.text = one", "%loud.text")
    done = lanner("run", plugin("Loud"), "-r", file, "--open", words(b"one"))
    assert done.lines == ["22:13:20.000000000: Notice got one"]
    for where in ("in init", "in open", "in a field"):
        assert f"{where}\n" in done.err
    (tmp_path / "it.jsonl").write_bytes(recorded.out)
    explained = lanner("rules", "explain", "Something", "-r", file, "--plugin", plugin("Loud"), "--replay", tmp_path / "it.jsonl", "--json")
    assert json.loads(explained.out)
