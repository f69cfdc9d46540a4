"""`tail` yields each line of a log file once, in order, after any change of the file and any end of the run."""

import gzip
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lanner
from lanner import sources
from lanner.sources import logfiles, tailing
from lanner.sources.lines import LineSplitter

from ..waiting import PATIENCE, check_descriptors, count_descriptors
from .conftest import eventually
from .log_lines import append, looped, numbered, restarted, returned, yielded

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_grace")]


# a file that only grows


def test_lines_come_as_they_are_written(following, log):
    append(log, *numbered(1, 2))
    run = following()
    assert run.read(2) == numbered(1, 2)
    append(log, *numbered(3, 3))
    assert run.read(1) == numbered(3, 3)
    append(log, "line", end="")
    assert run.is_silent()
    append(log, " 4")
    assert run.read(1) == numbered(4, 4)
    assert run.source.connections == {str(log): True}


def test_a_restart_continues_after_the_last_line(following, log):
    append(log, *numbered(1, 3))
    run = following()
    run.read(3)
    append(log, *numbered(4, 5))
    run = restarted(run, following)
    assert run.read(2) == numbered(4, 5)
    assert run.is_silent()
    assert run.source.counters == {}


def test_a_line_that_was_unfinished_at_the_end_comes_whole(following, log):
    append(log, *numbered(1, 1))
    append(log, "line", end="")
    run = following()
    assert run.read(1) == numbered(1, 1)
    run.is_silent(0.05)
    run = restarted(run, following)
    append(log, " 2")
    assert run.read(1) == numbered(2, 2)


@pytest.mark.parametrize("opening", [yielded, looped])
def test_each_line_has_its_own_position(reading, log, opening):
    append(log, "one", "", "two", "\u00e9", "four")
    run = reading(opening(log))
    for expected in (["one"], ["two"], ["\u00e9"], ["four"]):
        assert run.read(1, 1) == expected
        position = run.kept.position
        run.close()
        run = reading(opening(log), position)


def test_from_the_end_only_new_whole_lines_come(following, log):
    append(log, *numbered(1, 3))
    append(log, "part of a", end="")
    run = following(start="end")
    eventually(lambda: run.is_silent(0.01) and run.source.connections.get(str(log)))
    append(log, " line")
    append(log, *numbered(4, 4))
    assert run.read(2) == ["part of a line", "line 4"]


def test_from_the_end_the_position_is_stored_before_the_first_line(reading, log):
    append(log, *numbered(1, 3))
    run = reading(returned(log, start="end"))
    run.source.next_batch(1)
    run.commit()
    run.close()
    append(log, *numbered(4, 4))
    assert reading(returned(log, start="end"), run.kept.position).read(1) == numbered(4, 4)


def test_a_file_that_appears_later_is_read_from_its_beginning(following, log):
    run = following(start="end")
    assert run.is_silent(0.1)
    assert run.source.connections == {str(log): False}
    append(log, *numbered(1, 1))
    assert run.read(1) == numbered(1, 1)
    assert run.source.connections == {str(log): True}


@pytest.mark.parametrize("rotations", [1, 2])
@pytest.mark.parametrize("remains", [True, False], ids=["created again", "gone"])
def test_a_file_that_appears_later_and_is_rotated_at_once_is_read_as_well(following, log, monkeypatch, rotations, remains):
    append(log.with_name("access.log.4"), "old line")
    log.with_name("access.log.5.gz").write_bytes(gzip.compress(b"older line\n"))
    monkeypatch.setattr(tailing, "_SOONEST", 0.5)
    monkeypatch.setattr(tailing, "_LATEST", 0.5)
    run = following()
    assert run.is_silent(0.1)
    for number in range(1, rotations + 1):
        append(log, *numbered(number, number))
        log.rename(log.with_name(f"access.log.{rotations + 1 - number}"))
    packed, plain = log.with_name("access.log.4.gz"), log.with_name("access.log.4")
    packed.write_bytes(gzip.compress(b"old line\n"))
    os.utime(packed, ns=(0, plain.stat().st_mtime_ns))
    plain.unlink()
    if remains:
        append(log, *numbered(rotations + 1, rotations + 1))
    assert run.read(rotations + remains) == numbered(1, rotations + remains)
    assert run.is_silent(0.7)
    append(log, "last line")
    assert run.read(1) == ["last line"]


def test_carriage_returns_and_any_bytes_are_kept(reading, log):
    log.write_bytes(b"a\r\n\xff\x00b\n")
    run = reading(yielded(log))
    eventually(lambda: run.seen.extend(run.source.next_batch(1).payloads) or len(run.seen) == 2)
    assert run.seen == [b"a\r", b"\xff\x00b"]
    run.seen.clear()


def test_a_long_silence_after_a_restart_is_no_fault(following, log, monkeypatch):
    monkeypatch.setattr("lanner.sources.lines._FOREVER", 0.01)
    append(log, "one")
    run = following()
    run.read(1)
    run = restarted(run, following)
    assert run.is_silent(0.1)
    append(log, "two")
    assert run.read(1) == ["two"]


@pytest.mark.parametrize("opening", [returned, yielded])
def test_a_read_that_fails_is_tried_again_at_the_same_line(reading, log, monkeypatch, opening):
    append(log, "one", "two")
    run = reading(opening(log))
    run.read(2)
    run.close()
    failures = [OSError(5, "Input/output error"), OSError(116, "Stale file handle")]
    read = logfiles.LogFile.read
    monkeypatch.setattr(logfiles.LogFile, "read", lambda self, size: _raise(failures.pop()) if failures else read(self, size))
    append(log, "three")
    run = reading(opening(log, start="end"), run.kept.position)
    assert run.read(1) == ["three"]
    assert "gaps" not in run.source.counters


def _raise(error):
    raise error


# long lines


def test_a_line_that_is_too_long_is_dropped_and_counted(following, log, caplog):
    append(log, "before", "x" * 1025, "y" * 1024, "z" * 5000, "after")
    run = following(max_line=1024)
    assert run.read(3) == ["before", "y" * 1024, "after"]
    assert run.source.counters == {"lines too long": 2}
    assert caplog.text.count("dropped a line of more than 1024 bytes") == 1


def test_an_endless_line_takes_no_memory(following, log):
    append(log, "x" * 300_000, end="")
    run = following(max_line=1024)
    assert run.is_silent(0.1)
    append(log, "x", "after")
    assert run.read(1) == ["after"]
    run = restarted(run, following, max_line=1024)
    append(log, "more")
    assert run.read(1) == ["more"]


@given(st.lists(st.text("ab\n", max_size=8), max_size=12), st.integers(1, 6))
def test_lines_are_split_as_a_whole_text_would_be(pieces, longest):
    splitter = LineSplitter(longest)
    text, found = "".join(pieces), b""
    for piece in pieces:
        for at in range(0, len(piece), longest):
            found += splitter.feed(piece[at : at + longest].encode())
    *lines, rest = text.split("\n")
    assert found.decode().split("\n")[:-1] == [line for line in lines if len(line) <= longest]
    assert splitter.held == len(rest)
    assert splitter.end().decode() == (rest if len(rest) <= longest else "")
    assert splitter.too_long == sum(len(line) > longest for line in (*lines, rest))


def test_a_deleted_file_is_awaited(following, log):
    append(log, *numbered(1, 1))
    run = following()
    run.read(1)
    log.unlink()
    eventually(lambda: run.source.next_batch(0.01) and not run.source.connections[str(log)])
    append(log, *numbered(2, 2))
    assert run.read(1) == numbered(2, 2)
    assert run.source.connections == {str(log): True}


def test_a_stored_position_in_a_file_that_is_gone_is_a_gap(following, log, caplog):
    append(log, *numbered(1, 3))
    run = following()
    run.read(3)
    run.close()
    log.unlink()
    append(log, "another", "file")
    run = restarted(run, following)
    assert run.read(2) == ["another", "file"]
    assert run.source.counters == {"gaps": 1}
    assert (
        f"the stored position is in no file at {log}, nor in one rotated from it: its file was deleted, or the position is of another path. "
        "Lines may be missing or repeated" in caplog.text
    )


def test_the_path_itself_may_be_a_link(following, log, tmp_path):
    target = tmp_path / "target.log"
    append(target, "one")
    log.symlink_to(target)
    assert following().read(1) == ["one"]


def test_a_missing_file_is_logged_once_until_it_is_there(log, caplog, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("lanner.sources.feed.time.monotonic", lambda: now[0])
    feed = sources.tail(log)
    for lines in ([], ["one"], []):
        log.unlink(missing_ok=True)
        if lines:
            append(log, *lines)
        for _ in range(5):
            now[0] += 61
            feed.block(0.0)
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot read {log}: no such file or directory; Lanner retries",
        f"cannot read {log}: no such file or directory; Lanner retries",
    ]
    feed.close()


@pytest.mark.parametrize("position", ["", "x", "1:2:3:4", 5, [1], {"a": 1}, "1:1024:0123456789abcdef:" + "9" * 30, True])
def test_a_position_of_another_form_is_a_gap(following, log, caplog, position):
    append(log, "one")
    run = following(position)
    assert run.read(1) == ["one"]
    assert run.source.counters == {"gaps": 1}
    assert "the stored position is of another source" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_unreadable_file_is_tried_again():
    with tempfile.TemporaryDirectory() as folder:  # another user cannot enter pytest's
        Path(folder).chmod(0o755)
        _follow_as_another_user(Path(folder) / "access.log")


def _follow_as_another_user(log):
    append(log, "one")
    log.chmod(0)
    code = f"""
import logging, os  # the other user may not be able to read Python's library
from lanner import sources
feed = sources.tail({str(log)!r})
os.setuid(65534)
assert feed.read_chunk(0.05) is not None
assert feed.connections == {{{str(log)!r}: False}}
print("waiting", flush=True)
while not isinstance(found := feed.read_chunk(30), bytes):
    pass
print(found, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        log.chmod(0o644)
        out, errors = process.communicate(timeout=PATIENCE)
    assert (line, out) == ("waiting\n", "b'one\\n'\n"), errors
    assert "permission denied; Lanner retries" in errors


def test_what_is_no_file_is_an_error_at_the_start(reading, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    no_file = "it is a pipe, a socket or a device"
    for path, said in ((tmp_path, "a directory"), (tmp_path / "pipe", no_file), (tmp_path / "socket", no_file), ("/dev/null", no_file)):
        with pytest.raises(lanner.SourceError, match=said):
            reading(returned(path)).source.next_batch(10)


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="max_line is 10; it must be at least 1024"):
        sources.tail("x", max_line=10)
    with pytest.raises(lanner.UsageError, match="the path of the log file is empty: name the file"):
        sources.tail("")
    with pytest.raises(ValueError, match="start is 'middle'; it must be 'beginning' or 'end'"):
        sources.tail("x", start="middle")


# the end


def test_it_stops_at_once_wherever_it_waits(following, log):
    def seconds(lines):
        run = following()
        run.read(lines)
        run.is_silent(0.05)
        return run.close()

    # on a busy machine it may take longer sometimes, but not always
    assert any(seconds(0) < 1 for _ in range(20))
    append(log, "x")
    assert any(seconds(1) < 1 for _ in range(20))


def test_no_descriptor_is_left(reading, log):
    append(log, "x")
    before = count_descriptors()
    for opening in (returned, yielded):
        for _ in range(3):
            run = reading(opening(log))
            run.read(1)
            log.rename(log.with_name("access.log.1"))
            append(log, "x")
            run.read(1)
            run.close()
            run.source = type("Closed", (), {"close": lambda self: None, "next_batch": lambda self, timeout: None})()
    check_descriptors(before)
