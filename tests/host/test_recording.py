"""Recordings: what is written comes back, and what is none is counted and left out."""

import bz2
import json
import lzma
import os
import sys
import threading
from base64 import b64encode

import pytest

import lanner
from lanner.docker import Docker
from lanner.host.recording import Replay, needs_envelope, open_recording, record_line
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import SourceError

from ..waiting import PATIENCE, check_descriptors, count_descriptors


class Bare(lanner.Plugin):
    """No time in its payload."""

    id, name, version, event_source = 4245, "bare", "0.1.0", "bare"
    contact = "the tests"

    def open(self, _params):
        return iter(())


class Timed(Bare):
    """A plugin whose payloads have a time."""

    name = event_source = "timed"
    timestamp = lanner.payload["at"].time("ns")
    fields = (lanner.field("timed.name", lanner.payload["name"], "The name"),)


LINE = lanner.pattern(r"(?P<time>\S+) (?s:(?P<text>.*))")


class Json(Bare):
    """A plugin whose payloads are JSON without a time."""

    name = event_source = "json"
    fields = (lanner.field("json.name", lanner.payload["name"], "The name"),)


class Text(Bare):
    """A plugin whose payloads are lines of text."""

    name = event_source = "text"
    fields = (lanner.field("text.text", LINE["text"], "The text"),)


class TimedText(Text):
    """A plugin whose lines begin with the time."""

    name = event_source = "timedtext"
    timestamp = LINE["time"].time("s")


BARE, TIMED, JSON, TEXT, TIMED_TEXT, DOCKER = map(plugin_info, (Bare, Timed, Json, Text, TimedText, Docker))


def read(replay):
    """Return all batches as one list of (payload, timestamp)."""
    events = []
    while True:
        batch = replay.next_batch(10)
        events += zip(batch.payloads, batch.timestamps or [None] * len(batch.payloads), strict=True)
        if batch.ended:
            return events


@pytest.fixture
def replay(tmp_path):
    def make(data, info):
        path = tmp_path / "recording"
        path.write_bytes(data)
        return Replay([str(path)], info)

    return make


def test_the_plugin_alone_tells_the_form():
    assert needs_envelope(BARE)
    assert not needs_envelope(TIMED)
    assert not needs_envelope(DOCKER)


@pytest.mark.parametrize("payload", [b"", b"text", b"one\ntwo\r\n", b"a\0b", bytes(range(256)), b'{"ts":1,"payload":""}'])
@pytest.mark.parametrize("timestamp", [0, 7, 2**64 - 1])
def test_any_payload_comes_back_from_its_envelope(replay, payload, timestamp):
    line = record_line(payload, timestamp, BARE)
    assert b"\n" not in line
    assert json.loads(line)["ts"] == timestamp
    assert read(replay(line + b"\n", BARE)) == [(payload, timestamp)]


def test_json_that_tells_its_time_is_recorded_as_it_is(replay):
    line = b'{"name": "front",\t"at": 7}'
    assert record_line(line, 1, TIMED) == line
    assert read(replay(line + b"\n", TIMED)) == [(line, None)]


def values(payload):
    with lanner.testing.host(Timed) as host:
        event = lanner.Event(payload)
        return host.extract(event, "timed.name")


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b'{\n  "name": "front",\n  "at": 7\n}\n', "front"),
        (b'{\r\n\t"name": "front \\n door"\r\n}', "front \n door"),
        # a newline in a string is wrong, and has to stay so
        (b'{"at": 7,\n"name": "front\ndoor"}', None),
        (b"", None),
        (b"\n", None),
    ],
)
def test_json_over_several_lines_comes_back_as_one_event_with_the_same_values(replay, payload, name):
    line = record_line(payload, 7, TIMED)
    ((read_back, _),) = read(replay(line + b"\n" + b"{}\n", TIMED))[:-1]
    assert values(payload) == values(read_back) == name


def test_lines_and_blocks_are_independent_of_each_other(replay):
    payloads = [b"x" * size for size in (1, 600_000, 2, 512 * 1024 - 1, 512 * 1024, 3)]
    data = b"\n".join(record_line(payload, 1, BARE) for payload in payloads)
    assert [payload for payload, _ in read(replay(data, BARE))] == payloads


def test_empty_lines_are_no_events(replay):
    assert read(replay(b"\n\n{}\n\n", TIMED)) == [(b"{}", None)]


@pytest.mark.parametrize(
    "line",
    [
        b"plain",
        b"[]",
        b"{}",
        b"null",
        b'{"ts":1}',
        b'{"payload":"YQ=="}',
        b'{"ts":1,"payload":7}',
        b'{"ts":1,"payload":null}',
        b'{"ts":1,"payload":"%%"}',
        b'{"ts":1,"payload":"YQ="}',
        b'{"ts":"1","payload":"YQ=="}',
        b'{"ts":true,"payload":"YQ=="}',
        b'{"ts":1.5,"payload":"YQ=="}',
        b'{"ts":-1,"payload":"YQ=="}',
        b'{"ts":18446744073709551616,"payload":"YQ=="}',
        b'{"ts":1e30,"payload":"YQ=="}',
        b'{"ts":1,"payload":"YQ=="',
        b'{"ts":1,"payload":"YQ=="}{}',
        b'{"ts":1,"payload":"YQ==","more":{}}',
        b"[" * 200_000,
        b'{"x":' * 200_000,
        b"\xff\xfe",
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
def test_a_line_without_the_form_of_a_recording_is_an_event(replay, line):
    source = replay(line + b'\n{"payload": "YQ==", "ts": 5}\n', BARE)
    assert read(source) == [(line, None), (b"a", 5)]
    assert source.counters == {}


def test_plain_json_without_a_time_is_read_in_any_layout(replay):
    """Lines of both kinds may be mixed: each line decides."""
    data = b'{"name": "a"}\n{"ts":7,"payload":"eyJuYW1lIjoiYiJ9"}\n{"name":\n"c"} [{"name": "d"}]\n'
    assert read(replay(data, JSON)) == [
        (b'{"name": "a"}', None),
        (b'{"name":"b"}', 7),
        (b'{"name":\n"c"}', None),
        (b'{"name": "d"}', None),
    ]


def test_an_object_with_more_members_than_a_recorded_event_is_a_payload(replay):
    line = b'{"ts":1,"payload":"YQ==","kind":"hook"}'
    assert read(replay(line + b"\n", JSON)) == [(line, None)]


def test_envelopes_without_whole_base64_are_as_python_writes_them(replay):
    assert read(replay(b'{"ts":1,"payload":"%s"}' % b64encode(b"\xfb\xff\xfe"), BARE)) == [(b"\xfb\xff\xfe", 1)]


@pytest.mark.parametrize(
    ("path", "reason"), [("/nonexistent/x", "No such file or directory"), ("a\0b", "embedded null byte"), ("x" * 300, "File name too long")]
)
def test_a_recording_that_cannot_be_opened_is_said(path, reason):
    with pytest.raises(SourceError, match=f"cannot read the recording .*: {reason}"):
        Replay([path], BARE)


def test_a_directory_is_said_before_anything_is_read(tmp_path):
    with pytest.raises(
        SourceError, match=f"cannot read the recording {tmp_path}: it is a directory; name its files, as in '{tmp_path}/\\*'"
    ):
        Replay([str(tmp_path)], BARE)


def test_a_byte_order_mark_is_no_part_of_the_first_line(replay):
    assert read(replay(b'\xef\xbb\xbf{"at":1}\n{"at":2}\n', TIMED)) == [(b'{"at":1}', None), (b'{"at":2}', None)]
    assert read(replay(b'\xef\xbb\xbf{"ts":1,"payload":"YQ=="}\n', BARE)) == [(b"a", 1)]


def test_envelopes_are_no_recording_of_a_plugin_that_needs_none(replay):
    with pytest.raises(SourceError, match="recording is not a recording of timed: it is one of a plugin whose payload has no time"):
        read(replay(b'{"ts":1,"payload":"YQ=="}\n', TIMED))


def test_what_looks_like_an_envelope_and_tells_its_time_is_an_event(replay):
    line = b'{"ts":1,"payload":"YQ==","at":5}'
    assert read(replay(line + b"\n", TIMED)) == [(line, None)]


def test_a_plugin_without_a_recording_has_no_example():
    with pytest.raises(SourceError, match="the plugin bare ships no recording: name a file"):
        open_recording("example", BARE)


def test_zstd_without_its_package_is_said_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "packed").write_bytes(b"\x28\xb5\x2f\xfdmore")
    (tmp_path / "plain").write_bytes(b'{"at":1}\n')
    with pytest.raises(SourceError, match=f"packed is compressed with zstd: {sys.executable} -m pip install zstandard"):
        open_recording([str(tmp_path / "plain"), str(tmp_path / "packed")], TIMED)


UNSUPPORTED = {
    "xz": lzma.compress(b'{"at":1}\n'),
    "bzip2": bz2.compress(b'{"at":1}\n'),
    "zip": b"PK\x03\x04\x14\0\0\0",
    "7z": b"7z\xbc\xaf\x27\x1c\0\x04",
    "lz4": b"\x04\x22\x4d\x18\x64\x40\xa7",
    "compress": b"\x1f\x9d\x90more",
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_an_unsupported_compression_is_an_error_before_the_first_event(tmp_path, replay, kind):
    (tmp_path / "packed").write_bytes(UNSUPPORTED[kind])
    (tmp_path / "plain").write_bytes(b'{"at":1}\n')
    error = f"packed is compressed with {kind}: decompress it, or use gzip or zstd$"
    with pytest.raises(SourceError, match=error):
        open_recording(str(tmp_path / "packed"), TIMED)
    with pytest.raises(SourceError, match=error):
        open_recording([str(tmp_path / "plain"), str(tmp_path / "packed")], TIMED)


@pytest.fixture
def fifo(tmp_path):
    """A recording that is still being written, and where to write."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield Replay([path], TIMED), writer
    os.close(writer)


def test_an_unsupported_compression_on_a_pipe_is_an_error(fifo):
    source, writer = fifo
    os.write(writer, UNSUPPORTED["xz"])
    with pytest.raises(SourceError, match="is compressed with xz"):
        source.next_batch(10)


def test_a_line_is_an_event_as_soon_as_it_is_there(fifo):
    source, writer = fifo
    os.write(writer, b'{"at":1}\n{"at"')
    assert list(source.next_batch(10).payloads) == [b'{"at":1}']
    batch = source.next_batch(0.01)
    assert (list(batch.payloads), batch.ended) == ([], False)
    os.write(writer, b":2}\n")
    assert list(source.next_batch(10).payloads) == [b'{"at":2}']


def test_close_ends_a_wait_from_another_thread(fifo):
    source, _ = fifo
    batches = []
    thread = threading.Thread(target=lambda: batches.append(source.next_batch(60)))
    thread.start()
    source.close()
    source.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert [(list(batch.payloads), batch.ended) for batch in batches] == [([], True)]
    assert source.next_batch(60).ended


def test_a_recording_lets_go_of_its_descriptors(replay):
    before = count_descriptors()
    source = replay(b"{}\n", TIMED)
    read(source)
    source.close()
    del source
    check_descriptors(before)


@pytest.mark.parametrize("info", [TEXT, TIMED_TEXT], ids=["without times", "with times"])
def test_any_text_file_is_a_recording_of_a_plugin_whose_payloads_are_lines(replay, info):
    envelope = b'{"ts":7,"payload":"%s"}' % b64encode(b"1 two\nlines")
    data = b"\xef\xbb\xbf1 one\r\n" + envelope + b'\n{"a": 1}\n\n2 \xff'
    assert [payload for payload, _ in read(replay(data, info))] == [b"1 one\r", b"1 two\nlines", b'{"a": 1}', b"2 \xff"]


@pytest.mark.parametrize(
    "payload", [b"1 one", b"1 one\n", b"1 two\nlines", b"", b" ", b"1 \xff\0", b'{"ts":1,"payload":"YQ=="}', b"1 cr\r"]
)
def test_a_recorded_line_is_read_again(replay, payload):
    for info in (TEXT, TIMED_TEXT):
        line = record_line(payload, 7, info)
        assert b"\n" not in line
        assert [found.rstrip(b"\n") for found, _ in read(replay(line + b"\n", info))] == [payload.rstrip(b"\n")]
    if payload == b"1 one":
        assert record_line(payload, 7, TIMED_TEXT) == payload


def test_a_replay_of_lines_tells_whether_they_have_times(replay):
    timed = replay(b"5 x\n", TIMED_TEXT)
    read(timed)
    assert timed.tells_time
    untimed = replay(b"no time\n", TIMED_TEXT)
    read(untimed)
    assert not untimed.tells_time
