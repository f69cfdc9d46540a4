"""A live source: what ends it, and what its plugin may do wrong."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_summary(start, plugin, words, rules, number):
    process = start("run", plugin("Quiet"), "-r", rules("quiet"), "--open", words(b"one"))
    assert process.stdout.readline() == b"22:13:20.000000000: Notice got one\n"
    process.send_signal(number)
    out, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, b"")
    started, summary, alerts = told.decode().splitlines()[:3]
    assert started.startswith("lanner: watching quiet with 1 rule (")
    assert started.endswith("; Ctrl-C ends it")
    assert summary.startswith("lanner: 1 event, 1 alert in ")
    assert alerts.split() == ["1", "Something"]


@pytest.mark.parametrize("params", ["chunks", "items"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_a_plugin_that_does_not_close(start, plugin, rules, number, params):
    process = start("run", plugin("Stuck"), "-r", rules("stuck"), "--open", params)
    assert b"Notice got first" in process.stdout.readline()
    told = iter(process.stderr.readline, b"")
    assert b"waiting\n" in told
    process.send_signal(number)
    assert b"close() was called\n" in told
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(number)  # those that come at once are one with the first
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    assert process.returncode == 128 + number


@pytest.mark.parametrize(
    ("name", "params", "code", "says"),
    [
        (
            "Deaf",
            "chunks",
            1,
            rb"read_chunk did not return within 2 s of close\(\): it is in wait \(.*\), called from read \(.*plugins\.py, line \d+\)",
        ),
        ("Deaf", "generator", 0, rb"did not end within 2 s of being closed and is left running: it is in wait .*called from read "),
        ("Deaf", "async", 0, rb"did not end within 2 s of being closed and is left running: it is in wait .*called from read "),
        ("Stuck", "chunks", 1, rb"close\(\) did not return within 2 s and is left running: it is in wait .*called from close "),
        ("Stuck", "items", 0, rb"close\(\) did not return within 2 s and is left running: it is in wait .*called from close "),
    ],
)
def test_a_plugin_that_cannot_be_ended_does_not_keep_the_run_from_ending(start, plugin, rules, name, params, code, says):
    process = start("run", plugin(name), "-r", rules(name.lower()), "--open", params)
    assert b"Notice got first" in process.stdout.readline()
    told = iter(process.stderr.readline, b"")
    assert b"waiting\n" in told
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert re.search(says, rest), rest
    assert b"1 event, 1 alert in " in rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sent_twice_as_timeout_does_ends_the_run_with_a_summary(start, plugin, words, rules, number):
    for _ in range(5):
        process = start("run", plugin("Quiet"), "-r", rules("quiet"), "--open", words(b"one"))
        assert process.stdout.readline() == b"22:13:20.000000000: Notice got one\n"
        # half a second after the first signal, another one is a separate request
        begin = time.monotonic()
        while process.poll() is None and time.monotonic() < begin + 0.4:
            process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert b"1 event, 1 alert in " in process.stderr.read()


def test_the_time_limit_ends_the_run(lanner, plugin, words, rules):
    for seconds in (0.3, 3.0, 30.0):  # a busy machine may need more to come to the first event
        begin = time.monotonic()
        done = lanner("run", plugin("Quiet"), "-r", rules("quiet"), "--open", words(b"one"), "--duration", str(seconds))
        assert time.monotonic() - begin >= seconds
        if done.lines:
            break
    assert done.code == 0
    assert done.lines == ["22:13:20.000000000: Notice got one"]
    assert re.search(r"1 event, 1 alert in \d+\.\d s", done.err)


def test_max_events_ends_the_run_at_that_very_event(lanner, plugin, words, rules):
    done = lanner("run", plugin("Quiet"), "-r", rules("quiet"), "--open", words(b"one", b"two", b"three"), "--max-events", "2")
    assert done.code == 0
    assert [line.rpartition(" ")[2] for line in done.lines] == ["one", "two"]
    assert "2 events, 2 alerts in " in done.err


def test_while_nothing_happens_a_command_is_shown_that_would_raise_an_alert(start, plugin, rules):
    process = start("run", plugin("Nudging"), "-r", rules("nudging"))
    assert b"watching nudging" in process.stderr.readline()
    begin = time.monotonic()
    assert process.stderr.readline() == b"lanner: no events yet. This command would raise an alert:\n"
    assert time.monotonic() - begin > 1.5
    assert process.stderr.readline() == b"    say something\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"no events yet" not in told


def test_a_field_that_fails_costs_its_value_alone_and_is_counted(lanner, plugin, words, rules):
    done = lanner("run", plugin("Words"), "-r", rules("words"), "--open", words(b"one", b"fail", b"fail", b"two"))
    assert done.code == 0
    assert [line.rpartition(" ")[2] for line in done.lines] == ["one", "<NA>", "<NA>", "two"]
    assert "4 events, 4 alerts in " in done.err
    assert "lanner: words.text failed 2 times" in done.err
    # logged with its traceback once for each kind of failure, as docs/plugins.md says
    assert done.err.count("ValueError: no such word") == 1


@pytest.mark.parametrize("layout", ["text", "json"])
def test_text_of_a_plugin_that_no_encoding_has_does_not_end_the_run(lanner, plugin, words, rules, layout):
    path = rules("words", output="%evt.plugininfo")
    done = lanner("run", plugin("Words"), "-r", path, "--open", words(b"surrogate", b"two"), "--format", layout)
    assert done.code == 0
    assert len(done.lines) == 2
    assert "two" in done.lines[1]


def test_a_source_that_fails_is_said_after_the_alerts_before_it(lanner, plugin, words, rules):
    done = lanner("run", plugin("Broken"), "-r", rules("broken"), "--open", words(b"one"))
    assert done.code == 1
    assert done.lines == ["22:13:20.000000000: Notice got one"]
    assert "lanner: error: plugin broken: open: OSError: the wire was cut (" in done.err
    assert "1 event, 1 alert in " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_a_run_without_a_rule_is_an_error_unless_asked_for(lanner, plugin, words, rules, more):
    command = ["run", plugin("Words"), "-r", rules("quiet", output="nothing"), "--open", words(b"one"), *more]
    done = lanner(*command)
    assert (done.code, done.out) == (1, b"")
    assert (
        "error: no rule is enabled for source words, because the rules are for other event sources: run the plugin of their events, "
        in done.err
    )
    done = lanner(*command, "-o", "lanner.allow_no_rules=true")
    assert (done.code, done.out) == (0, b"")
    assert (
        "warning: no rule is enabled for source words, because the rules are for other event sources: no alerts will be raised" in done.err
    )


def error(done):
    """Return the only message of a run that could not open its source."""
    assert (done.code, done.out) == (3, b""), done.err
    assert "Traceback" not in done.err
    (line,) = done.err.splitlines()
    return line


def test_a_missing_socket_is_said_with_who_named_it_and_what_to_do(lanner, tmp_path):
    url = f"unix://{tmp_path}/docker.sock"
    advice = "Start the engine (systemctl start docker), or name its socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"
    said = f"lanner: error: no Docker engine at {url} (from {{}}): no such file or directory. {advice}"
    assert error(lanner("run", "docker", "--host", url)) == said.format("--host")
    assert error(lanner("run", "docker", env={"DOCKER_HOST": url})) == said.format("DOCKER_HOST")


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_what_stands_in_a_sockets_place_is_reported(lanner, tmp_path, make):
    path = tmp_path / "docker.sock"
    getattr(path, make)()
    done = lanner("run", "docker", "--host", f"unix://{path}")
    assert done.code == 3
    assert f"no Docker engine at unix://{path} (from --host): it is not a socket. Name the engine's socket: --host" in done.err


def test_a_socket_that_one_may_not_use_is_said_with_who_may(lanner, listen, tmp_path):
    url = listen(b"")
    (tmp_path / "engine.sock").chmod(0)
    prefix = ()
    if os.geteuid() == 0:
        # root without the right to pass by permissions
        prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
        if not shutil.which("setpriv"):
            pytest.skip("root may use any socket, and there is no setpriv to take that away")
    said = error(lanner("run", "docker", "--host", url, prefix=prefix))
    assert f"no Docker engine at {url} (from --host): permission denied. " in said
    assert "Run as root or as a member of the socket's group" in said


def test_ctrl_c_while_an_engine_does_not_answer_ends_at_once_and_quietly(start, tmp_path):
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        process = start("run", "docker", "--host", f"unix://{path}")
        with server.accept()[0] as connection:
            assert connection.recv(65536).startswith(b"GET /version")
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    assert told.strip() == b"lanner: error: ended by SIGINT"


def http(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nServer: x\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "is not a Docker engine: it closed the connection without an answer. Is another service listening there?"),
        (b"\x00\x1b[2Jgarbage\r\n\r\n", "is not a Docker engine: the answer begins with b'\\x00\\x1b[2Jgarbage"),
        (b"HTTP/1.1 200 OK\r\nCont", "is not a Docker engine: its answer broke off"),
        (http("<html>"), "is not a Docker engine: GET /version gives no JSON object. Is another service listening there?"),
        (http('{"version": 1}'), "is not a Docker engine: GET /version names no ApiVersion. Is another service listening there?"),
        (
            http("no such page", "404 Not\x1b[2J Found"),
            "is not a Docker engine: it answers GET /version with 404 Not\\x1b[2J Found. Is another",
        ),
        (http('{"message": "no\\u001b[2J"}', "403 Forbidden"), "the engine refuses GET /version: 403 no\\x1b[2J"),
    ],
    ids=["closes", "garbage", "half", "page", "json", "another", "refuses"],
)
def test_a_server_that_is_no_engine_is_said(lanner, listen, answer, problem):
    url = listen(answer)
    said = error(lanner("run", "docker", "--host", url))
    assert url in said
    assert problem in said


def test_an_engine_that_refuses_the_events_is_quoted(lanner, listen):
    url = listen(http('{"Version": "1", "ApiVersion": "1.40"}'), http('{"message": "bad since"}', "400 Bad Request"))
    assert error(lanner("run", "docker", "--host", url)) == f"lanner: error: {url}: the engine refuses GET /v1.40/events: 400 bad since"


def test_a_recorder_says_the_same_of_an_engine_and_leaves_the_recording_before_alone(lanner, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("precious\n")
    assert "no such file or directory" in error(lanner("record", "docker", "-o", path, "--host", f"unix://{tmp_path}/docker.sock"))
    assert path.read_text() == "precious\n"


def test_ctrl_c_is_heard_as_soon_as_it_is_offered(start, plugin, rules):
    for _ in range(5):
        process = start("run", plugin("Quiet"), "-r", rules("quiet"), "--open", "")
        assert process.stderr.readline().endswith(b"; Ctrl-C ends it\n")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert b" alert" in told
