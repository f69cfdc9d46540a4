"""Files of every kind that a user has named are read completely."""

import errno
import os
import threading

import pytest

from lanner.sdk.files import TooLargeError, read_whole


def test_a_file_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_whole(path, 100) == b"x" * 100
    with pytest.raises(TooLargeError):
        read_whole(path, 99)


def test_a_pipe_that_is_written_and_closed_is_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"content" * 50_000,))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # the writer's open blocks until a reader opens
    writer.start()
    try:
        assert read_whole(path, 1 << 20) == b"content" * 50_000
    finally:
        os.close(descriptor)
        writer.join()


@pytest.mark.parametrize("written", [False, True], ids=["no writer", "never closed"])
def test_a_pipe_is_not_waited_for_without_end(tmp_path, written):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR) if written else None
    with pytest.raises(OSError, match="it is a pipe that no process has written and closed in time") as caught:
        read_whole(path, 1 << 20, patience=0.05)
    assert caught.value.errno == errno.ETIMEDOUT
    if descriptor is not None:
        os.close(descriptor)


@pytest.mark.parametrize(("device", "words"), [("/dev/zero", "it is a device"), ("/dev/full", "it is a device"), ("/", "Is a directory")])
def test_what_is_no_file_is_refused(tmp_path, device, words):
    (tmp_path / "link").symlink_to(device)
    with pytest.raises(OSError, match=words):
        read_whole(tmp_path / "link", 1 << 20)


def test_the_null_device_is_an_empty_file():
    assert read_whole(os.devnull, 10) == b""
