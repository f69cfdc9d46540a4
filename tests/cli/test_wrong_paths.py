"""Paths that no command can use: the message says what the file is, and nothing else happens."""

import os
import socket

import pytest

RULE = "- {rule: R, desc: d, condition: docker.action exists, output: got it, priority: WARNING, source: docker}\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "r.yaml").write_text(RULE)
    (tmp_path / "other.yaml").write_text("not JSON\n")
    (tmp_path / "dir").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(".", os.O_RDONLY)
        os.chdir(tmp_path)  # the path of a socket is short
        try:
            bound.bind("sock")
        finally:
            os.fchdir(here)
            os.close(here)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["run", "docker", "--replay", "example", "-r", ""], "--rules"),
        (["run", "docker", "--replay", "example", "-r", "r.yaml", "-r", ""], "--rules"),
        (["run", "docker", "--replay", "example", "-c", ""], "-c"),
        (["run", "docker", "--replay", ""], "--replay"),
        (["run", "docker", "--replay", "example", "--output", ""], "--output"),
        (["run", "docker", "--replay", "example", "--report", ""], "--report"),
        (["run", "docker", "--replay", "example", "-P", ""], "--pidfile"),
        (["run", "docker", "-V", ""], "--validate"),
        (["record", "docker", "-o", ""], "--output"),
        (["rules", "check", ""], "[FILE]..."),
        (["rules", "test", ""], "FILES..."),
        (["rules", "test", "tests.yaml", "--junit", ""], "--junit"),
        (["rules", "explain", "R", "--replay", ""], "--replay"),
        (["build", "docker", "-o", ""], "--output"),
        (["package", "docker", "-o", ""], "--output"),
        (["package", "docker", "--readme", ""], "--readme"),
        (["inspect", ""], "FILE"),
        (["alerts", "search", ""], "DIR"),
        (["alerts", "export", ""], "DIR"),
        (["console", ""], "DIR"),
        (["console", "dir", "--token-file", ""], "--token-file"),
        (["report", "diff", "", "dir"], "FIRST"),
        (["top", ""], "[DIR]"),
        (["doctor", "docker", "-c", ""], "-c"),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_refused(lanner, files, arguments, shown):
    """It would be the working directory, or count as not given."""
    before = sorted(files.iterdir())
    done = lanner(*arguments, cwd=files)
    assert (done.code, done.out) == (2, b"")
    assert f"error: {shown} is empty: write a path" in done.err
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("r.yaml", "no plugin named 'r.yaml': it is a file whose name does not end in .py. Built-in plugins: docker"),
        ("dir", "no plugin named 'dir': it is a directory. Built-in plugins: docker"),
        ("./dir", "the plugin file dir is a directory: built-in plugins: docker"),
        ("./fifo", "the plugin file fifo is not a regular file: "),
        ("/dev/null", "the plugin file /dev/null is not a regular file: "),
        ("./loop", "the plugin file loop is not a regular file: "),
        ("./r.yaml", "r.yaml is not a Python file: './r.yaml' must name a file that ends in .py"),
        ("./r.yml", "the plugin file r.yml does not exist: did you mean 'r.yaml'?"),
    ],
)
def test_what_is_no_plugin_file_is_told(lanner, files, name, said):
    done = lanner("fields", name, cwd=files)
    assert (done.code, done.out) == (2, b"")
    assert said in done.err


def test_a_configuration_that_is_no_text_is_told(lanner, files):
    done = lanner("run", "docker", "--replay", "example", "--config", "@binary", cwd=files)
    assert done.code == 1
    assert "error: the configuration in binary is not UTF-8: byte 0x80 at offset 128" in done.err


@pytest.mark.parametrize("name", ["fifo", "sock"])
def test_what_is_no_file_to_write_to_is_told(lanner, files, name):
    done = lanner("run", "docker", "--replay", "example", "--output", name, cwd=files)
    assert done.code == 1
    assert "it is a socket, or a pipe without a reader: start its reader first" in done.err


TEST = "rules: [r.yaml]\ntests:\n  - {name: a, events: [{Type: volume, Action: destroy}], alerts: [R]}\n"


def test_results_of_tests_are_not_written_into_what_blocks_or_is_read(lanner, files):
    (files / "tests.yaml").write_text(TEST)
    for name, code, said in (
        ("fifo", 1, "cannot write fifo (--junit): it is a pipe that no process reads, or a socket"),
        ("dir", 1, "cannot write dir (--junit): Is a directory"),
        ("./tests.yaml", 2, "this command reads the test file tests.yaml, and would also write to it, as ./tests.yaml (--junit)"),
    ):
        done = lanner("rules", "test", "tests.yaml", "--junit", name, cwd=files)
        assert (done.code, done.out) == (code, b"")
        assert said in done.err
    assert (files / "tests.yaml").read_text() == TEST
    assert lanner("rules", "test", "tests.yaml", "--junit", "results.xml", cwd=files).code == 0


def test_a_test_file_that_is_no_text_is_told(lanner, files):
    done = lanner("rules", "test", "binary", cwd=files)
    assert done.code == 1
    assert "error: binary is not UTF-8: byte 0x80 at offset 128" in done.err


def test_explain_refuses_what_is_no_recording_as_run_does(lanner, files):
    for command in (("run", "docker", "-r", "r.yaml"), ("rules", "explain", "R", "-r", "r.yaml")):
        done = lanner(*command, "--replay", "other.yaml", cwd=files)
        assert (done.code, done.out) == (1, b"")
        assert "error: other.yaml is not a recording of docker: none of its lines is JSON" in done.err


@pytest.mark.parametrize(
    "command",
    [
        *(["run", "docker", "--replay", "example", option, "sock"] for option in ("-r", "-c")),
        ["rules", "check", "sock"],
        ["rules", "test", "sock"],
        ["inspect", "sock"],
    ],
    ids=" ".join,
)
def test_a_socket_is_no_file_to_read(lanner, files, command):
    done = lanner(*command, cwd=files)
    assert done.code == 1
    assert "it is a socket, not a regular file" in done.out.decode() + done.err
