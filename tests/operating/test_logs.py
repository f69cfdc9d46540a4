"""Lanner's own messages: in the configured form, to the configured destinations, and without secrets."""

import json
import logging
import re
import socket

import pytest

from lanner.operating.logs import setup_logs

from ..waiting import PATIENCE


@pytest.fixture(autouse=True)
def as_before():
    """Python's logging is the whole process's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)


@pytest.fixture
def daemon(tmp_path):
    """`daemon()`: a socket as a syslog daemon has it."""
    opened = []

    def listen():
        path = tmp_path / "log"
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        server.bind(str(path))
        server.settimeout(PATIENCE)
        opened.append(server)
        return server

    yield listen
    for server in opened:
        server.close()


def test_text_is_as_it_always_was(capfd):
    setup_logs("info", "text")
    logging.getLogger("lanner.docker").warning("the engine has gone: %s", "reset")
    assert capfd.readouterr() == ("", "lanner: WARNING: lanner.docker: the engine has gone: reset\n")


def test_json_is_a_line_each(capfd):
    setup_logs("info", "json")
    logging.getLogger("lanner.docker").warning("the engine has gone: %s", "reset")
    out, err = capfd.readouterr()
    document = json.loads(err)
    assert out == ""
    assert err.endswith("}\n")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document.pop("time"))
    assert document == {"level": "warning", "logger": "lanner.docker", "message": "the engine has gone: reset"}


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("emergency", ["critical"]),
        ("alert", ["critical"]),
        ("critical", ["critical"]),
        ("error", ["critical", "error"]),
        ("warning", ["critical", "error", "warning"]),
        ("notice", ["critical", "error", "warning", "info"]),
        ("info", ["critical", "error", "warning", "info"]),
        ("debug", ["critical", "error", "warning", "info", "debug"]),
    ],
)
def test_levels_are_falcos(capfd, level, said):
    setup_logs(level, "json")
    for each in ("critical", "error", "warning", "info", "debug"):
        getattr(logging.getLogger("lanner"), each)("something")
    assert [json.loads(line)["level"] for line in capfd.readouterr().err.splitlines()] == said


HOSTILE = "name\nlanner: ERROR: forged\r\x1b[2J\x9b1m\u202e\udcff end"


def test_what_events_hold_cannot_end_a_line_or_talk_to_a_terminal(capfd):
    setup_logs("info", "text")
    logging.getLogger("lanner").warning("container %s", HOSTILE)
    assert capfd.readouterr().err == ("lanner: WARNING: lanner: container name\\nlanner: ERROR: forged\\r\\x1b[2J\\x9b1m\\u202e\\xff end\n")


def test_nor_in_json(capfd):
    setup_logs("info", "json")
    logging.getLogger("lanner").warning("container %s", HOSTILE)
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert json.loads(err)["message"] == f"container {HOSTILE}"


@pytest.mark.parametrize("form", ["text", "json"])
def test_nor_by_an_exception(capfd, form):
    def fail():
        raise ValueError("bad\nlanner: ERROR: forged\x1b[2J")

    setup_logs("info", form)
    try:
        fail()
    except ValueError:
        logging.getLogger("lanner").exception("it failed")
    lines = capfd.readouterr().err.splitlines()
    if form == "json":
        (line,) = lines
        assert json.loads(line)["exception"].endswith("ValueError: bad\nlanner: ERROR: forged\x1b[2J")
        return
    assert lines[:2] == ["lanner: ERROR: lanner: it failed", "    Traceback (most recent call last):"]
    assert lines[-2:] == ["    ValueError: bad", "    lanner: ERROR: forged\\x1b[2J"]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("form", ["text", "json"])
def test_passwords_in_addresses_are_left_out(capfd, form):
    setup_logs("info", form)
    logging.getLogger("lanner").warning("cannot reach https://user:secret@example.com/x and tcp://token@10.0.0.1:1")
    err = capfd.readouterr().err
    assert "cannot reach https://***@example.com/x and tcp://***@10.0.0.1:1" in err
    assert "secret" not in err


def test_syslog_gets_what_standard_error_gets(capfd, daemon, tmp_path):
    server = daemon()
    setup_logs("debug", "text", to_stderr=False, to_syslog=True, syslog=str(tmp_path / "log"))
    log = logging.getLogger("lanner.docker")
    for severity, say in ((2, log.critical), (3, log.error), (4, log.warning), (6, log.info), (7, log.debug)):
        say("something\x00\n")
        found = server.recv(65536).decode()
        assert re.fullmatch(rf"<{24 + severity}>lanner\[\d+\]: lanner: [A-Z]+: lanner\.docker: something\\x00\\n", found)
    assert capfd.readouterr() == ("", "")


def test_a_syslog_daemon_may_come_later_and_be_restarted(daemon, tmp_path):
    setup_logs("info", "text", to_stderr=False, to_syslog=True, syslog=str(tmp_path / "log"))
    log = logging.getLogger("lanner")
    log.info("this goes nowhere")
    for _ in range(2):
        server = daemon()
        log.info("but this")
        assert server.recv(65536).endswith(b"but this")
        server.close()


def test_a_syslog_daemon_that_does_not_read_delays_no_record(daemon, tmp_path):
    server = daemon()
    setup_logs("info", "text", to_stderr=False, to_syslog=True, syslog=str(tmp_path / "log"))
    for number in range(2000):
        logging.getLogger("lanner").info("%d", number)
    assert server.recv(65536).endswith(b": 0")


def test_the_second_setup_takes_the_place_of_the_first(capfd):
    setup_logs("info", "text")
    setup_logs("error", "json")
    logging.getLogger("lanner").error("once")
    logging.getLogger("lanner").info("not at all")
    assert [json.loads(line)["message"] for line in capfd.readouterr().err.splitlines()] == ["once"]


def test_nowhere_is_a_place_too(capfd):
    setup_logs("info", "text", to_stderr=False)
    logging.getLogger("lanner").critical("this goes nowhere")
    assert capfd.readouterr() == ("", "")
