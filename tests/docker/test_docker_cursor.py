"""With a cursor a run resumes after the previous run: events that its host had processed are not repeated, and no other event is lost."""

import json
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lanner
from lanner.docker import Docker, stream
from lanner.docker.cursor import Cursor, _decode
from lanner.docker.window import LastKeys
from lanner.sdk.hosting import statefile
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sources import Counters

from ..waiting import PATIENCE
from .stand_in import NOW, SECOND, RememberingEngine, event
from .streaming import eventually, gap_of, is_gap, lines, source_of

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path):
    return tmp_path / "docker.cursor"


class Run:
    """A run of a host that commits by itself what it has processed, as `lanner run` does."""

    def __init__(self, engine, path, **config):
        self.source = source_of(engine, cursor=str(path), cursorInterval=10, **config)
        self.source.commits_itself = False
        self.seen = []

    def read(self, count):
        """Events up to this number in all; they are not committed."""
        while len(self.seen) < count:
            self.seen += [payload + b"\n" for payload in self.source.next_batch(10).payloads]
        return self.seen

    def commit(self):
        self.source.commit(self.source.position)

    def close(self):
        self.source.close()


def key(time):
    """A key of an event in the cursor file."""
    return f"{time}-{1:016x}"


def written(path):
    return json.loads(path.read_text())


def test_what_was_processed_does_not_come_again_and_all_else_does(remembering, path):
    run = Run(remembering, path)
    remembering.publish(*lines(0, 10))
    run.read(10)
    run.commit()
    run.close()
    remembering.miss(*lines(10, 10))
    run = Run(remembering, path)
    remembering.publish(*lines(20))
    assert run.read(11) == lines(10, 11)
    assert run.source.counters.get("gaps") is None
    run.close()


def test_two_runs_do_not_share_a_file(remembering, path):
    run = Run(remembering, path)
    with pytest.raises(lanner.SourceError, match="in use by another run") as caught:
        Run(remembering, path)
    assert str(path) in str(caught.value)
    run.close()
    Run(remembering, path).close()


def test_an_engine_that_was_left_out_for_a_while_is_still_known(remembering, path):
    run = Run(remembering, path)
    remembering.publish(*lines(0))
    run.read(1)
    run.commit()
    run.close()
    other = Cursor(str(path), 0.01, ["elsewhere"], Counters())
    other.advance({"elsewhere": (LastKeys([key(1)]), 0)})
    other.close()
    assert written(path)["hosts"].keys() == {"elsewhere", remembering.url}
    remembering.miss(*lines(1))
    run = Run(remembering, path)
    assert run.read(1) == lines(1)
    run.close()


def test_what_was_read_and_not_processed_comes_again_with_the_same_id(remembering, path):
    """Run a host that stops committing, as kill -9 would."""
    run = Run(remembering, path)
    remembering.publish(*lines(0, 5))
    run.read(5)
    run.commit()
    remembering.publish(*lines(5, 5))
    first = run.read(10)[5:]
    eventually(path.exists)
    run.close()
    run = Run(remembering, path)
    assert run.read(5) == first == lines(5, 5)
    run.close()


def test_what_waits_in_the_queue_is_not_processed(remembering, path):
    run = Run(remembering, path)
    remembering.publish(*lines(0))
    run.read(1)
    run.commit()
    remembering.publish(*lines(1, 5))
    run.close()
    run = Run(remembering, path)
    assert run.read(5) == lines(1, 5)
    run.close()


def test_a_commit_after_the_close_counts(remembering, path):
    """A host that is stopped delivers its alerts after it has closed the source."""
    run = Run(remembering, path)
    remembering.publish(*lines(0, 3))
    run.read(3)
    run.close()
    assert not path.exists()
    run.commit()
    assert written(path)["hosts"][remembering.url]["last"] == NOW + 2


def test_a_host_that_says_nothing_commits_with_its_next_call(remembering, path):
    source = source_of(remembering, cursor=str(path), cursorInterval=10)
    remembering.publish(*lines(0))
    assert len(source.next_batch(10).payloads) == 1
    source.next_batch(0)
    eventually(path.exists)
    source.close()


def test_chunks_are_committed_in_their_order(remembering, path):
    run = Run(remembering, path)
    for number in range(4):
        remembering.publish(*lines(number))
        run.read(number + 1)
    run.source.commit(2)
    run.close()
    assert written(path)["hosts"][remembering.url]["last"] == NOW + 1
    run = Run(remembering, path)
    assert run.read(2) == lines(2, 2)
    run.close()


def test_a_host_that_commits_nothing_for_long_costs_no_memory(remembering, path, monkeypatch):
    monkeypatch.setattr(stream, "_MOST_HELD", 4)
    run = Run(remembering, path)
    for number in range(20):
        remembering.publish(*lines(number))
        run.read(number + 1)
    assert len(run.source._instance._held) == 4
    run.commit()
    run.close()
    assert len(written(path)["hosts"][remembering.url]["ids"]) == 20


def test_the_file_is_private_and_of_a_version(remembering, path):
    run = Run(remembering, path, since="1795426344")
    remembering.publish(event(NOW))
    run.read(1)
    run.commit()
    run.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = written(path)
    (identity,) = found["hosts"][remembering.url].pop("ids")
    assert found == {"version": 1, "hosts": {remembering.url: {"last": NOW, "since": NOW - SECOND}}}
    assert identity.startswith(f"{NOW}-")
    assert {each.name for each in path.parent.iterdir() if "cursor" in each.name} == {path.name, f"{path.name}.lock"}


def test_no_more_than_some_hundred_are_kept(remembering, path):
    run = Run(remembering, path)
    remembering.publish(*lines(0, 3000))
    run.read(3000)
    run.commit()
    run.close()
    ids = written(path)["hosts"][remembering.url]["ids"]
    assert len(ids) == 512
    assert ids[-1].startswith(f"{NOW + 2999}-")


def test_an_engine_that_remembers_less_is_a_gap_between_the_runs(remembering, path):
    run = Run(remembering, path)
    remembering.publish(*lines(0, 3))
    run.read(3)
    run.commit()
    run.close()
    remembering.memory.clear()
    remembering.miss(*lines(10, 2))
    run = Run(remembering, path)
    gap, *others = run.read(3)
    assert gap_of(gap)["reason"] == "Lanner was away"
    assert gap_of(gap)["from"] == NOW + 2
    assert others == lines(10, 2)
    run.close()


def test_since_counts_only_where_the_cursor_knows_nothing(remembering, path):
    since = "1795426300"
    for asked in ("1795426300.000000000", "1795426343.000000000", "1795426343.000000000"):
        run = Run(remembering, path, since=since)
        remembering.publish(event(NOW))
        if not path.exists():
            run.read(1)
            run.commit()
        run.close()
        request = [each for each in remembering.requests if "/events" in each and "until" not in each][-1]
        assert f"since={asked} " in request


# a file that is none


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b"\xff",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "no version": b"{}",
    "newer": b'{"version":2,"hosts":{}}',
    "older": b'{"version":0,"hosts":{}}',
    "no hosts": b'{"version":1}',
    "text for a time": b'{"version":1,"hosts":{"a":{"last":"x","ids":[]}}}',
    "no id": b'{"version":1,"hosts":{"a":{"last":1,"ids":["x"]}}}',
    "long id": b'{"version":1,"hosts":{"a":{"last":1,"ids":["' + b"1" * 5000 + b'-0123456789abcdef"]}}}',
    "cut off": b'{"version":1,"hosts":{"a":{"last":1,"ids":["1-0123456789abcdef"',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_read_is_kept_aside_and_told_of(remembering, path, caplog, text):
    path.write_bytes(text)
    os.utime(path, ns=(NOW, NOW))
    run = Run(remembering, path)
    remembering.publish(*lines(0))
    gap, line = run.read(2)
    assert (gap_of(gap)["reason"], gap_of(gap)["from"]) == ("cursor unreadable", NOW)
    assert line == event(NOW)
    assert (path.parent / "docker.cursor.bad").read_bytes() == text
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"cannot read the cursor {path}: ")
    assert "It is kept as" in said
    run.commit()
    run.close()
    assert written(path)["version"] == 1


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["version", "hosts", "last", "ids", "a"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_do_harm(text):
    try:
        keys = _decode(text)
    except ValueError:
        return
    assert isinstance(keys, dict)


def test_a_place_where_no_file_can_be_is_refused_at_the_start(remembering, tmp_path):
    for place, says in (
        (tmp_path / "no" / "cursor", "no such file or directory; `cursor` is a file in a directory that Lanner may write to"),
        (tmp_path / "docker.sock" / "cursor", "not a directory"),
        (tmp_path, "it is a directory; `cursor` is a file"),
        ("/proc/cursor", "cannot write the cursor /proc/cursor"),
    ):
        with pytest.raises(lanner.SourceError) as caught:
            source_of(remembering, cursor=str(place))
        assert says in str(caught.value)


def test_a_write_that_fails_is_said_once_counted_and_tried_again(remembering, tmp_path, caplog):
    folder, away = tmp_path / "state", tmp_path / "away"
    folder.mkdir()
    run = Run(remembering, folder / "cursor")
    folder.rename(away)
    remembering.publish(*lines(0))
    run.read(1)
    run.commit()
    eventually(lambda: run.source.counters.get("cursor writes failed", 0) > 2)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [f"cannot write the cursor {folder / 'cursor'}"]
    away.rename(folder)
    eventually((folder / "cursor").exists)
    run.close()


def test_what_a_killed_run_left_does_not_disturb(remembering, path):
    left = path.parent / "docker.cursor.tmp"
    left.symlink_to("/etc/passwd")
    run = Run(remembering, path)
    remembering.publish(*lines(0))
    run.read(1)
    run.commit()
    run.close()
    assert written(path)["version"] == 1
    assert not left.is_symlink()


def test_writes_are_no_closer_than_the_interval(path):
    counters = Counters()
    cursor = Cursor(str(path), 3600.0, ["a"], counters)
    for number in range(100):
        cursor.advance({"a": (LastKeys([key(NOW + number)]), NOW)})
    assert not path.exists()
    cursor.close()
    assert len(written(path)["hosts"]["a"]["ids"]) == 100


def test_with_several_engines_each_has_its_place(stand_in, tmp_path, path):
    engines = [stand_in(f"unix://{tmp_path}/{name}.sock", RememberingEngine) for name in "ab"]
    hosts = [{"name": name, "url": engine.url} for name, engine in zip("ab", engines, strict=True)]

    class Both(Run):
        def __init__(self):
            self.source = open_source(init_plugin(Docker, {"inspect": False, "hosts": hosts, "cursor": str(path), "cursorInterval": 10}))
            self.source.commits_itself = False
            self.seen = []

    run = Both()
    engines[0].publish(*lines(0, 3))
    run.read(3)
    engines[1].publish(event(NOW - 3600 * SECOND))
    run.read(4)
    run.commit()
    run.close()
    assert {name: position["last"] for name, position in written(path)["hosts"].items()} == {"a": NOW + 2, "b": NOW - 3600 * SECOND}
    engines[0].miss(*lines(3))
    engines[1].miss(event(NOW - 3600 * SECOND + 1))
    run = Both()
    told = [json.loads(line) for line in run.read(2)]
    assert {(each["lanner"]["host"], each["timeNano"]) for each in told} == {("a", NOW + 3), ("b", NOW - 3600 * SECOND + 1)}
    run.close()
    assert not any(map(is_gap, run.seen))


def test_what_is_committed_while_the_file_is_written_is_written_at_the_close(path, monkeypatch):
    """A disk may be slow, and the last commit comes just before the close."""
    writing, go_on = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(descriptor):
        writing.set()
        assert go_on.wait(PATIENCE)
        fsync(descriptor)

    monkeypatch.setattr(statefile.os, "fsync", slow)
    cursor = Cursor(str(path), 0.0, ["a"], Counters())
    cursor.advance({"a": (LastKeys([key(NOW)]), NOW)})
    assert writing.wait(PATIENCE)
    cursor.advance({"a": (LastKeys([key(NOW + 1)]), NOW)})
    closing = threading.Thread(target=cursor.close)
    closing.start()
    eventually(lambda: cursor._file._closed)
    go_on.set()
    closing.join(PATIENCE)
    assert written(path)["hosts"]["a"]["last"] == NOW + 1


def test_a_reader_of_the_file_finds_it_whole(path):
    cursor = Cursor(str(path), 0.0, ["a"], Counters())
    found = set()
    number = 0
    while len(found) < 20:
        number += 1
        cursor.advance({"a": (LastKeys([key(NOW + number)]), NOW)})
        if path.exists():
            found.add(written(path)["hosts"]["a"]["last"])
    cursor.close()
    assert written(path)["hosts"]["a"]["last"] == NOW + number
