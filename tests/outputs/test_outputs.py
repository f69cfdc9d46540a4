"""Destinations of alerts: whole lines, buffered, without control characters in a terminal, and clear errors."""

import contextlib
import os
import pty
import threading
from pathlib import Path

import pytest

from lanner.outputs import Alert, DirectDelivery, FileOutput, OutputClosedError, OutputError, StdoutOutput
from lanner.sdk.errors import LannerError
from lanner.sdk.text.printable import escape_controls


def alert(line):
    return Alert(line, "a rule", "Warning", "kv", 1)


class Direct(DirectDelivery):
    """A delivery that takes lines instead of alerts."""

    def __init__(self, *sinks):
        super().__init__(sinks)

    def write(self, line):
        super().write(alert(line))


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    inode = os.fstat(reader).st_ino
    yield reader, writer
    for descriptor in (reader, writer):
        with contextlib.suppress(OSError):  # the test may have closed it, and somebody else may have its number now
            if os.fstat(descriptor).st_ino == inode:
                os.close(descriptor)


def test_lines_wait_for_flush(pipe):
    reader, writer = pipe
    output = Direct(StdoutOutput(writer))
    output.write("one")
    output.write("two")
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)
    output.flush()
    assert os.read(reader, 100) == b"one\ntwo\n"
    output.flush()
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)


def test_close_flushes_and_leaves_standard_output_open(pipe):
    reader, writer = pipe
    output = Direct(StdoutOutput(writer))
    output.write("one")
    output.close()
    output.close()
    os.write(writer, b"two\n")
    assert os.read(reader, 100) == b"one\ntwo\n"


def test_much_is_written_without_being_asked(tmp_path):
    path = tmp_path / "alerts"
    output = Direct(FileOutput(path))
    output.write("x" * 100_000)
    assert path.stat().st_size == 100_001


def test_bytes_go_into_a_pipe_as_they_are(pipe):
    reader, writer = pipe
    output = Direct(StdoutOutput(writer))
    output.write("a\n\x1b[31m\x9b\udcff")
    output.close()
    assert os.read(reader, 100) == b"a\n\x1b[31m\xc2\x9b\xff\n"


def test_control_characters_do_not_reach_a_terminal():
    controller, terminal = pty.openpty()
    try:
        output = Direct(StdoutOutput(terminal))
        output.write("a\n\t\x1b[31m\x7f\x9b\udc9b é")
        output.close()
        seen = b""
        while not seen.endswith(b"\n"):
            seen += os.read(controller, 1000)
    finally:
        os.close(controller)
        os.close(terminal)
    assert seen == "a\\n\\t\\u001b[31m\\u007f\\u009b\\x9b é\r\n".encode()


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), *range(0xDC80, 0xDD00)])
def test_every_control_character_and_stray_byte_is_escaped(code):
    assert escape_controls(f"a{chr(code)}b").isprintable()


def test_a_line_without_control_characters_stays():
    assert escape_controls('{"rule":"é \\n"}') == '{"rule":"é \\n"}'


def test_a_reader_that_has_gone_ends_the_run_quietly(pipe):
    reader, writer = pipe
    os.close(reader)
    output = Direct(StdoutOutput(writer))
    output.write("one")
    with pytest.raises(OutputClosedError):
        output.flush()
    output.close()


def test_a_slow_reader_of_a_pipe_that_does_not_block_is_waited_for(pipe):
    reader, writer = pipe
    os.set_blocking(writer, False)
    output = Direct(StdoutOutput(writer))
    line = "x" * 1_000_000
    thread = threading.Thread(target=output.write, args=(line,))
    thread.start()
    seen = b""
    while len(seen) < len(line) + 1:
        seen += os.read(reader, 1 << 16)
    thread.join()
    assert seen == line.encode() + b"\n"


def test_a_full_device_under_standard_output_is_said():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        output = Direct(StdoutOutput(descriptor))
        output.write("one")
        with pytest.raises(OutputError, match="cannot write alerts to standard output: No space left on device"):
            output.flush()
        output.close()
    finally:
        os.close(descriptor)


def test_a_file_is_appended_to(tmp_path):
    path = tmp_path / "alerts"
    for line in ("one", "two"):
        output = Direct(FileOutput(path))
        output.write(line)
        output.close()
        output.close()
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing/alerts", "No such file or directory; create its directory first"),
        ("", "Is a directory; name a file in it"),
        ("file/alerts", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_opened_is_said(tmp_path, name, problem):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=problem) as caught:
        FileOutput(f"{tmp_path}/{name}")
    assert str(caught.value).startswith("cannot write alerts to ")
    assert isinstance(caught.value, LannerError)


def test_a_full_device_is_said_once():
    output = Direct(FileOutput(Path("/dev/full")))
    output.write("one")
    with pytest.raises(OutputError, match="cannot write alerts to /dev/full: No space left on device; free space"):
        output.flush()
    output.close()


def test_what_cannot_be_written_at_close_is_said_and_the_file_is_closed():
    output = Direct(FileOutput("/dev/full"))
    output.write("one")
    with pytest.raises(OutputError, match="No space left"):
        output.close()
    output.close()


def test_a_file_that_was_moved_away_is_made_again_for_more_lines(tmp_path):
    path = tmp_path / "alerts"
    output = Direct(FileOutput(path, keep_alive=False))
    output.write("one")
    output.flush()
    path.rename(tmp_path / "old")
    output.flush()
    assert not path.exists()
    output.write("two")
    output.flush()
    output.close()
    assert ((tmp_path / "old").read_text(), path.read_text()) == ("one\n", "two\n")


def test_a_file_that_is_kept_open_is_written_to_wherever_it_is(tmp_path):
    path = tmp_path / "alerts"
    output = Direct(FileOutput(path))
    path.rename(tmp_path / "old")
    output.write("one")
    output.close()
    assert ((tmp_path / "old").read_text(), path.exists()) == ("one\n", False)


def test_a_directory_that_went_away_is_said_at_the_next_line(tmp_path):
    (tmp_path / "logs").mkdir()
    output = Direct(FileOutput(tmp_path / "logs" / "alerts", keep_alive=False))
    (tmp_path / "logs" / "alerts").unlink()
    (tmp_path / "logs").rmdir()
    output.write("one")
    with pytest.raises(OutputError, match="create its directory first"):
        output.flush()
    output.close()


def test_several_outputs_get_each_alert_and_are_closed_after_any_error_of_one(pipe, tmp_path):
    reader, writer = pipe
    os.close(reader)
    output = Direct(StdoutOutput(writer), FileOutput(tmp_path / "alerts"))
    output.write("one")
    output.flush()
    output.write("two")
    with pytest.raises(OutputClosedError):
        output.close()
    assert (tmp_path / "alerts").read_text() == "one\ntwo\n"


def test_no_output_at_all_takes_everything():
    output = Direct()
    output.write("one")
    output.flush()
    output.close()


def test_what_is_no_character_costs_neither_its_alert_nor_others(tmp_path):
    sink = FileOutput(tmp_path / "out")
    sink.send([alert("a \udcff"), alert("b \ud800"), alert("c")])
    sink.close()
    assert (tmp_path / "out").read_bytes() == b"a \xff\nb ?\nc\n"
