"""`tail` follows a log through rotations, compression and truncation: each line once, in order."""

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import threading
from pathlib import Path

import pytest

from lanner.sources import logfiles, tailing
from lanner.sources.logfiles import read_spot

from ..waiting import PATIENCE
from .conftest import eventually
from .log_lines import append, numbered, restarted, returned

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_grace")]


# rotation


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(following, log):
    append(log, *numbered(1, 2))
    run = following()
    run.read(2)
    old = log.open("a")
    log.rename(log.with_name("access.log.1"))
    append(log, *numbered(5, 6))
    print(*numbered(3, 4), sep="\n", file=old, flush=True)
    assert run.read(4) == numbered(3, 6)
    old.close()
    assert run.source.counters == {"rotations": 1}


def test_a_last_line_without_a_newline_is_a_line_when_the_file_is_complete(following, log):
    append(log, "one")
    append(log, "two", end="")
    run = following()
    assert run.read(1) == ["one"]
    log.rename(log.with_name("access.log.1"))
    append(log, "three")
    assert run.read(2) == ["two", "three"]
    assert restarted(run, following).is_silent()


def test_a_rotation_while_no_run_reads_is_followed(following, log):
    append(log, *numbered(1, 2))
    run = following()
    run.read(2)
    run.close()
    append(log, *numbered(3, 4))
    log.rename(log.with_name("access.log.1"))
    append(log, *numbered(5, 6))
    run = restarted(run, following)
    assert run.read(4) == numbered(3, 6)
    assert "gaps" not in run.source.counters


@pytest.mark.parametrize("pattern", ["access.log.{}", "access.log-2026110{}", "access-{}.log", "access.2026-11-0{}T00:00:00.log"])
def test_several_rotations_while_no_run_reads_are_read_in_order(following, log, pattern):
    append(log, *numbered(1, 1))
    run = following()
    run.read(1)
    run.close()
    append(log, *numbered(2, 2))
    os.utime(log, ns=(1, 10**18))
    for count, number in ((1, 3), (2, 4)):
        log.rename(log.with_name(pattern.format(9 - count)))
        append(log, *numbered(number, number))
        os.utime(log, ns=(1, 10**18 + count))
    append(log.with_name("access_other.log"), "of another program")
    append(log.with_name("access.log.lock"), "")
    run = restarted(run, following)
    assert run.read(3) == numbered(2, 4)
    assert run.is_silent()


def test_several_rotations_between_two_looks_are_read_in_order(following, log, monkeypatch):
    append(log, *numbered(1, 1))
    run = following()
    run.read(1)
    monkeypatch.setattr(tailing, "_GRACE", 0.5)
    log.rename(log.with_name("access.log.2"))
    append(log, *numbered(2, 2))
    log.rename(log.with_name("access.log.1"))
    append(log, *numbered(3, 3))
    assert run.read(2) == numbered(2, 3)


def test_files_that_begin_alike_are_not_mistaken_for_a_compressed_one(following, log):
    append(log, "start")
    run = following()
    run.read(1)
    position = run.kept.position
    run.close()
    old, packed = log.with_name("access.log.1"), log.with_name("access.log.1.gz")
    log.rename(old)
    append(old, *numbered(2, 2))
    append(log, "start", *numbered(3, 3))
    packed.write_bytes(gzip.compress(old.read_bytes()))
    os.utime(packed, ns=(0, old.stat().st_mtime_ns))
    old.unlink()
    assert following(position).read(3) == ["line 2", "start", "line 3"]


def test_packed_files_with_a_long_header_in_common_are_all_read(following, log):
    header = b"#" * 1500 + b"\n"
    log.write_bytes(header + b"1\n")
    first = following()
    assert first.read(2)[1] == "1"
    first.close()
    log.rename(log.with_name("access.log.2"))
    packed = log.with_name("access.log.1.gz")
    packed.write_bytes(gzip.compress(header + b"2\n"))
    log.write_bytes(header + b"3\n")
    old = log.with_name("access.log.2").stat().st_mtime_ns
    for place, path in enumerate((packed, log), 1):
        os.utime(path, ns=(0, old + place * 10**9))
    lines = following(first.kept.position).read(4)
    assert lines[1::2] == ["2", "3"]


def test_a_clock_that_was_set_back_does_not_hold_up_a_rotated_file(following, log):
    append(log, *numbered(1, 2))
    run = following()
    run.read(2)
    position = run.kept.position
    run.close()
    old = log.with_name("access.log.1")
    log.rename(old)
    append(old, *numbered(3, 3))
    append(log, *numbered(4, 4))
    for path in (old, log):
        os.utime(path, (4e9, 4e9))
    assert following(position).read(2) == numbered(3, 4)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_was_compressed_meanwhile_is_read_on(following, log, ending):
    append(log, *numbered(1, 3000))
    run = following()
    run.read(2000)
    run.close()
    position = run.kept.position
    append(log, *numbered(3001, 3002))
    status = log.stat()
    packed = log.with_name("access.log.1" + ending)
    packed.write_bytes(PACKERS[ending](log.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    log.unlink()
    append(log, *numbered(3003, 3003))
    run = following(position)
    found = run.read(1)
    first = int(found[0].split()[1])
    assert found + run.read(3003 - first) == numbered(first, 3003)
    assert first <= 3001
    assert run.is_silent()
    assert "gaps" not in run.source.counters


def test_compression_right_after_a_rotation_neither_loses_nor_repeats(following, log):
    append(log, *numbered(1, 2))
    run = following()
    run.read(2)
    append(log, *numbered(3, 3))
    status = log.stat()
    packed = log.with_name("access.log.1.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    log.unlink()
    append(log, *numbered(4, 4))
    assert run.read(2) == numbered(3, 4)
    assert run.is_silent()


def test_a_damaged_compressed_file_is_a_gap_and_not_the_end(following, log, caplog):
    append(log, *numbered(1, 2000))
    run = following()
    run.read(100)
    run.close()
    packed = log.with_name("access.log.1.gz")
    packed.write_bytes(gzip.compress(log.read_bytes() + os.urandom(5000).hex().encode())[:-2000])
    log.unlink()
    append(log, "new")
    run = following(run.kept.position)
    while run.read(1) != ["new"]:
        pass
    assert run.source.counters["gaps"] == 1
    assert "its other lines are lost" in caplog.text


# truncation and deletion


def test_a_file_that_is_truncated_is_read_from_its_beginning(following, log):
    append(log, *numbered(1, 3))
    run = following()
    run.read(3)
    log.write_text("")
    eventually(lambda: run.source.next_batch(0.05) and run.source.counters.get("truncations"))
    append(log, "new")
    assert run.read(1) == ["new"]
    assert restarted(run, following).is_silent()


def test_a_file_that_has_regrown_since_its_truncation_is_noticed(following, log):
    append(log, *numbered(1, 3))
    run = following()
    run.read(3)
    log.write_text("".join(f"other {number}\n" for number in range(100)))
    assert run.read(100) == [f"other {number}" for number in range(100)]


def test_copytruncate_continues_in_the_copy(following, log):
    append(log, *numbered(1, 3))
    run = following()
    run.read(3)
    run.close()
    append(log, *numbered(4, 5))
    shutil.copy(log, log.with_name("access.log.1"))
    log.write_text("")
    append(log, *numbered(6, 6))
    run = restarted(run, following)
    assert run.read(3) == numbered(4, 6)
    assert run.is_silent()
    assert "gaps" not in run.source.counters


def test_copytruncate_during_a_run_loses_nothing(following, log):
    append(log, *numbered(1, 3))
    run = following()
    assert run.read(3) == numbered(1, 3)
    for count in range(1, 4):
        first = 3 * count + 1
        append(log, *numbered(first, first + 1))
        shutil.copy(log, log.with_name(f"access.log.{9 - count}"))
        log.write_text("")
        append(log, *numbered(first + 2, first + 2))
        assert run.read(3) == numbered(first, first + 2)


def test_a_rotated_name_that_becomes_a_link_is_not_followed(log, monkeypatch, tmp_path):
    secret, old = tmp_path / "secret", Path(f"{log}.1")
    append(secret, "password")
    append(log, "new")
    old.symlink_to(secret)
    # as if it was a file when the directory was read
    monkeypatch.setattr(logfiles, "find_rotated", lambda path: {str(old): secret.stat().st_ino})
    before = logfiles.LogFile(str(log))
    with contextlib.ExitStack() as stack:
        files = [before, *logfiles.successors(str(log), before)]
        for file in files:
            stack.callback(file.close)
        assert [file.path for file in files] == [str(log)]


def test_a_writer_that_rotates_all_the_time_loses_nothing(reading, log):
    """The reader resumes after restarts between rotations."""
    log.touch()
    run = reading(returned(log))
    run.source.next_batch(PATIENCE)  # an open file
    run.commit()
    run.close()
    writing = threading.Thread(target=_write_and_rotate, args=[log, 3000])
    writing.start()
    found, position = [], run.kept.position
    while len(found) < 3000:
        run = reading(returned(log), position)
        found += run.read(min(500, 3000 - len(found)))
        position = run.kept.position
        found += [line.decode() for line in run.seen]
        run.seen.clear()
        run.close()
    writing.join()
    assert found == numbered(1, 3000)


def _write_and_rotate(log, count):
    pause = threading.Event()
    for number in range(1, count + 1):
        append(log, f"line {number}")
        if number % 300 == 0:
            for old in range(20, 0, -1):
                if log.with_name(f"access.log.{old}").exists():
                    log.with_name(f"access.log.{old}").rename(log.with_name(f"access.log.{old + 1}"))
            log.rename(log.with_name("access.log.1"))
            pause.wait(0.02)


def test_a_spot_is_what_its_text_says():
    assert str(read_spot("5:1024:0123456789abcdef:77")) == "5:1024:0123456789abcdef:77"
    assert logfiles.HEAD == 1024
