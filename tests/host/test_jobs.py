"""Recordings of several files, packed or not, on several threads: the same alerts in the same order."""

import gzip
import json
import os
import threading

import pytest
import zstandard

from lanner.host.jobs import Jobs
from lanner.host.recording import open_recording
from lanner.native import ObjectFramer
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import SourceError

from .test_native import Things, Writing, pump

pytestmark = pytest.mark.slow

PACKED = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "gzip in parts": lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
}


@pytest.fixture(scope="module")
def rules():
    return Writing(3).rules(5)


@pytest.fixture(scope="module")
def lines():
    """Lines for some blocks."""
    writing = Writing(11)
    some = [writing.payload().replace(b"\n", b" ") or b" " for _ in range(500)]
    # a line that ends within an object continues in the next
    return [
        line
        for line in (writing.one(some) for _ in range(30_000))
        if list(ObjectFramer(1 << 20, multiline=True).feed(line + b"\n")) == [line]
    ]


def alerts(rules, source, jobs, *, native=True, most=None):
    feeding, written = pump(rules, first=False, native=native)
    pool = Jobs(feeding, jobs)
    ended = False
    while not ended:
        batch = source.next_batch(5)
        ended = batch.ended
        if most is not None:
            batch.payloads = batch.payloads[: most - pool.events]
            ended = ended or pool.events + len(batch.payloads) == most
        if batch.payloads:
            pool.feed(batch, None)
    pool.drain()
    pool.close()
    return written, feeding.counts(), feeding.timestamp


@pytest.mark.parametrize("form", PACKED)
def test_threads_keep_the_order_of_alerts(rules, lines, form, tmp_path):
    info = plugin_info(Things)
    data = b"\n".join(lines) + b"\n"
    files = [tmp_path / f"{number}.jsonl" for number in range(3)]
    first, second = (data.index(b"\n", len(data) * part // 3) + 1 for part in (1, 2))
    for file, part in zip(files, (data[:first], data[first:second], data[second:]), strict=True):
        file.write_bytes(PACKED[form](part))
    pattern = str(tmp_path / "*.jsonl")
    plain = tmp_path / "whole"
    plain.write_bytes(data)
    expected = alerts(rules, open_recording(str(plain), info), 1, native=form != "plain")
    source = open_recording([pattern], info)
    assert alerts(rules, source, 3) == expected
    assert source.read == source.total == sum(file.stat().st_size for file in files)
    assert expected[1].events == len(lines)
    assert expected[0]


def test_a_limit_of_events_holds_with_threads(rules, lines, tmp_path):
    file = tmp_path / "whole"
    file.write_bytes(b"\n".join(lines))
    found = alerts(rules, open_recording(str(file), plugin_info(Things)), 2, most=25_001)
    assert found[1].events == 25_001
    assert found == alerts(rules, open_recording(str(file), plugin_info(Things)), 1, most=25_001)


def test_a_pipe_is_read_to_its_end(rules, lines, tmp_path):
    data = b"\n".join(lines)
    fifo, file = tmp_path / "fifo", tmp_path / "file"
    os.mkfifo(fifo)
    file.write_bytes(data)
    writer = threading.Thread(target=fifo.write_bytes, args=(gzip.compress(data),))
    writer.start()
    found = alerts(rules, open_recording(str(fifo), plugin_info(Things)), 2)
    writer.join()
    assert found == alerts(rules, open_recording(str(file), plugin_info(Things)), 1)


def drained(source):
    events = 0
    while not (batch := source.next_batch(5)).ended:
        events += len(batch.payloads)
    return events + len(batch.payloads)


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_damaged_file_says_so_after_its_events(form, tmp_path):
    data = PACKED[form](b"".join(b'{"n":%d}\n' % number for number in range(500_000)))
    cut, wrong = tmp_path / "cut", tmp_path / "wrong"
    cut.write_bytes(data[:-20])
    wrong.write_bytes(data[: 10 if form == "gzip" else len(data) // 2] + b"\xff" * len(data))
    with pytest.raises(SourceError, match="is truncated: its compressed data has no end"):
        drained(open_recording(str(cut), plugin_info(Things)))
    with pytest.raises(SourceError, match="is damaged"):
        drained(open_recording(str(wrong), plugin_info(Things)))


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_what_unpacks_to_very_much_comes_in_pieces(form, tmp_path):
    file = tmp_path / "bomb"
    file.write_bytes(PACKED[form](b'{"n":1}\n' * 8_000_000))
    source = open_recording(str(file), plugin_info(Things))
    largest = events = 0
    ended = False
    while not ended:
        batch = source.next_batch(5)
        ended = batch.ended
        largest = max(largest, len(batch.payloads))
        events += len(batch.payloads)
    assert events == 8_000_000
    assert largest * 8 < 40_000_000


def test_a_pattern_without_files_says_so(tmp_path):
    with pytest.raises(SourceError, match=r"nothing\*: no file matches"):
        open_recording(str(tmp_path / "nothing*"), plugin_info(Things))


def test_a_file_that_is_missing_is_found_before_the_first_is_read(tmp_path):
    there = tmp_path / "there"
    there.write_text(json.dumps({"a": "a"}))
    with pytest.raises(SourceError, match=r"cannot read the recording .*missing: No such file"):
        open_recording([str(there), str(tmp_path / "missing")], plugin_info(Things))
