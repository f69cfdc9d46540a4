"""`lanner doctor` on engines, outputs and the system: findings, and what to do."""

import contextlib
import json
import os
import pty
import re
import resource
import socket
import subprocess
import sys
import threading
from email.utils import formatdate
from time import time

import pytest

from lanner.doctor.results import ok, run
from lanner.sdk.authoring.checks import Check, Level
from lanner.sdk.text.misspelt import find_near

from ..waiting import PATIENCE
from .conftest import ENVIRONMENT
from .doctoring import ENGINE, Engine, checked, only, problems

pytestmark = pytest.mark.slow


def test_where_all_is_well_it_says_so(examine, engine):
    code, found = examine()
    assert code == 0
    # what the machine's clock and Python are is not the tests' to say
    mine = {check: findings for check, findings in found.items() if check not in {"clock", "limits", "Python library"}}
    assert mine == {
        "configuration": [("ok", "no file: the defaults", "")],
        "plugin": [("ok", only(found["plugin"])[1], "")],
        "engine: rights": [("ok", f"{engine.path} (root:root 0660) may be used by root", "")]
        if os.geteuid() == 0
        else found["engine: rights"],
        "engine: answer": [("ok", "Docker Engine 20.10.24 (API 1.41)", ""), ("ok", "it sends events", "")],
        "engine: clock": [("ok", "the engine's clock matches this machine's", "")],
        "rules": found["rules"],
        "outputs": [("ok", "standard output", "")],
        "disk": [],
        "web server": [],
        "native module": [("ok", "the native module works", "")],
        "Falco": [("ok", "Falco is not installed; `lanner run` does not need it", "")],
        "sysdig": [],
    }
    assert only(found["rules"])[0] == "ok"


def test_it_only_reads(examine, engine):
    examine()
    assert {asked.partition("?")[0] for asked in engine.asked} == {"/version", "/_ping", "/v1.41/events"}


def test_a_person_gets_a_table(lanner, engine, path):
    done = lanner("doctor", "--host", engine.url, env=path(falco="exit 3"))
    lines = done.lines
    assert lines[0].split() == ["CHECK", "FOUND"]
    row = next(number for number, line in enumerate(lines) if "fails (3)" in line)
    assert lines[row].split()[:2] == ["warning", "Falco"]
    assert lines[row + 1].split()[:2] == ["->", "Reinstall"]
    assert lines[-1].startswith("0 problems, ")
    findings = [line for line in lines[1:] if line.split()[:1] in (["ok"], ["warning"], ["problem"])]
    checks = [line[9:].partition("  ")[0] for line in findings]
    assert checks[:3] == ["configuration", "plugin", "engine: rights"]
    assert all(checks)


def test_on_a_terminal_too(start, engine):
    master, slave = pty.openpty()
    process = start("doctor", "--host", engine.url, stdout=slave)
    os.close(slave)
    text = b""
    with contextlib.suppress(OSError):  # Linux's word for the end of a terminal
        while data := os.read(master, 65536):
            text += data
    os.close(master)
    process.communicate(timeout=PATIENCE)
    assert b"Docker Engine 20.10.24 (API 1.41)" in text


# the engine


def test_an_engine_that_is_not_there(examine, tmp_path):
    code, found = examine(host=f"unix://{tmp_path}/none.sock")
    assert code == 1
    level, text, fix = only(found["engine: rights"])
    assert (level, text) == ("problem", f"{tmp_path}/none.sock (from --host) does not exist")
    assert "systemctl start docker" in fix
    assert problems(found) == ["engine: rights"]


def test_a_socket_without_a_listener(examine, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    (tmp_path / "dead.sock").chmod(0o600)
    code, found = examine(host=f"unix://{tmp_path}/dead.sock")
    assert code == 1
    assert only(found["engine: rights"])[0] == "ok"
    assert "connection refused" in only(found["engine: answer"])[1]
    assert problems(found) == ["engine: answer"]


@pytest.mark.parametrize(("make", "what"), [("mkdir", "a directory"), ("touch", "no socket")])
def test_what_is_no_socket(examine, tmp_path, make, what):
    getattr(tmp_path / "docker.d", make)()
    code, found = examine(host=f"unix://{tmp_path}/docker.d")
    assert code == 1
    level, text, fix = only(found["engine: rights"])
    assert (level, text) == ("problem", f"{tmp_path}/docker.d (from --host) is {what}")
    assert ("in a container" in fix) == (what == "a directory")
    assert problems(found) == ["engine: rights"]


AS_ANOTHER = """
import os, sys
from lanner.cli.commands import commands
def look():
    return commands.main(["doctor", "--json", "--host", sys.argv[1]], standalone_mode=False)
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
look()  # as root: another user may not be able to read the modules to import
sys.stdout.flush()
os.dup2(out, 1)
os.setgroups([])
os.setegid(65534)
os.seteuid(65534)
sys.exit(look())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="trying it as another user takes root")
def test_a_user_without_rights(public_path, path):
    engine = Engine(public_path / "docker.sock")
    engine.path.chmod(0o660)
    os.chown(engine.path, 0, 4711)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER, engine.url], env=ENVIRONMENT | path(), capture_output=True, timeout=120, check=False
        )
    finally:
        engine.stop()
    code, found = checked(done.returncode, json.loads(done.stdout))
    assert code == 1
    level, text, fix = only(found["engine: rights"])
    assert (level, text) == ("problem", f"{engine.path} (root:4711 0660) may not be used by nobody")
    assert fix.startswith(
        "usermod -aG 4711 nobody, then log in again; in a container --group-add 4711. Know that every member of that group"
    )
    assert problems(found) == ["engine: rights"]


def test_a_socket_for_everybody(examine, engine):
    engine.path.chmod(0o666)
    code, found = examine()
    assert code == 0
    level, text, fix = found["engine: rights"][0]
    assert (level, fix) == ("warning", f"chmod o-rw {engine.path}, and find out what changed it")
    assert "every user of it is effectively root on this machine" in text


def test_an_engine_that_hangs(tmp_path):
    """Each check has its own timeout, and the findings of the others are printed."""
    hangs = threading.Event()
    found = run([Check("hangs", lambda: [hangs.wait()]), Check("other", lambda: [ok("fine")])], 0.2)
    hangs.set()
    assert [(result.check, [each.level for each in result.findings]) for result in found] == [
        ("hangs", [Level.PROBLEM]),
        ("other", [Level.OK]),
    ]
    assert found[0].findings[0].text == "no result after 0.2 s"


def test_a_check_that_fails(tmp_path):
    def fails():
        yield ok("so far")
        raise ZeroDivisionError("oops")

    found = run([Check("fails", fails), Check("other", lambda: [ok("fine")]), Check("ours", lambda: [ok(find_near(5, ()))])])
    assert [each.text.partition(" (")[0] for each in found[0].findings] == ["so far", "the check itself failed: ZeroDivisionError: oops"]
    assert found[2].findings[0].fix == "This is a bug in Lanner: please report it"
    assert [each.text for each in found[1].findings] == ["fine"]


def test_podman_is_reported(examine, engine):
    engine.answers["/version"] = (200, {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]})
    code, found = examine()
    assert code == 0
    assert found["engine: answer"][0][1] == "Podman 4.3.1 (API 1.41)"
    assert found["engine: answer"][1][:2] == (
        "warning",
        "this is podman, whose service exits when idle and has fewer kinds of events",
    )


def test_an_engine_of_long_ago(examine, engine):
    engine.answers["/version"] = (200, {"Version": "1.9.1", "ApiVersion": "1.21"})
    assert examine()[1]["engine: answer"][0][0] == "warning"


def test_another_service(examine, engine):
    engine.answers["/version"] = (404, "not here")
    code, found = examine()
    assert code == 1
    assert "is not a Docker engine" in only(found["engine: answer"])[1]


def test_a_proxy_that_keeps_events_back(examine, engine):
    engine.answers["/events"] = (403, {"message": "forbidden by policy"})
    code, found = examine()
    assert code == 1
    level, text, fix = found["engine: answer"][-1]
    assert (level, fix) == ("problem", "A proxy or an authorisation plugin in front of it must also allow GET /events")
    assert "forbidden by policy" in text


@pytest.mark.parametrize(
    ("offset", "level", "text"),
    [
        (0, "ok", "the engine's clock matches this machine's"),
        (10, "warning", "s ahead of ours"),
        (-10, "warning", "s behind ours"),
        (3600, "problem", "s ahead of ours"),
        (-3600, "problem", "s behind ours"),
    ],
)
def test_the_engines_clock(examine, engine, offset, level, text):
    engine.date = lambda: formatdate(time() + offset, usegmt=True)
    found = only(examine()[1]["engine: clock"])
    assert found[0] == level
    assert text in found[1]


def test_an_engine_without_a_clock(examine, engine):
    engine.date = None
    assert only(examine()[1]["engine: clock"])[:2] == ("warning", "the engine does not send its time")


def test_plain_tcp_is_reported(examine):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))  # and no process listens
        code, found = examine(host=f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert code == 1
    assert only(found["engine: rights"])[0] == "warning"
    assert "plain TCP" in only(found["engine: rights"])[1]


def test_passwords_in_addresses_are_shown_nowhere(examine, falco_yaml):
    text = (
        "http_output: {enabled: true, url: 'htp://user:hunter2@host/?hunter2'}\nsyslog_output: {enabled: true}\n"
        "lanner: {syslog: {address: 'tcp://user:hunter2@127.0.0.1:1'}}"
    )
    code, found = examine("-c", falco_yaml(text), host="tcp://user:hunter2@127.0.0.1:1")
    assert code == 1
    assert "hunter2" not in str(found)
    assert "tcp://***@127.0.0.1:1 (from --host) is plain TCP" in str(found)


def test_an_engine_that_begins_to_answer_with_its_first_event(examine, engine, monkeypatch):
    monkeypatch.setattr("lanner.docker.client.HEAD_PATIENCE", 0.1)
    done, wait = threading.Event(), engine.answers["/events"]

    class Late(dict):
        def items(self):
            for key, answer in super().items():
                if key == "/events" and "since" not in engine.asked[-1]:
                    done.wait(PATIENCE)
                yield key, answer

    engine.answers = Late(engine.answers)
    try:
        code, found = examine()
    finally:
        done.set()
    assert wait == (200, "")
    assert code == 0
    level, text, fix = found["engine: answer"][-1]
    assert level == "warning"
    assert "did not send the head of its answer within" in text
    assert "`lanner run` waits for that event" in fix


@pytest.mark.parametrize("there", [True, False])
def test_an_engine_over_ssh(examine, tmp_path, there):
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    program.chmod(0o755)
    code, found = examine(host="ssh://me@engine", env={"PATH": f"{tmp_path}:{os.environ['PATH']}" if there else "/nowhere"})
    assert code == 1
    level, text, fix = only(found["engine: rights"])
    if there:
        assert (level, text[: text.index(", as ")]) == (
            "ok",
            f"ssh://me@engine (from --host) is reached by {program}",
        )
        assert "ssh ended with status 255: Permission denied (publickey)" in only(found["engine: answer"])[1]
        assert "give ssh a key without a passphrase" in only(found["engine: answer"])[2]
    else:
        assert (level, text) == ("problem", "ssh://me@engine (from --host) is reached by ssh, which is not in PATH")
        assert fix == "Debian: apt-get install openssh-client"
        assert problems(found) == ["engine: rights"]


def test_an_address_that_is_none(examine):
    code, found = examine(host="npipe://somewhere")
    assert code == 1
    assert "npipe:// is not supported" in only(found["plugin"])[1]


def test_open_parameters_that_are_none(examine, falco_yaml):
    code, found = examine("-c", falco_yaml("json_output: true", "{}, open_params: sinc=1"))
    assert code == 1
    assert "the open parameters have 'sinc'" in only(found["plugin"])[1]


@pytest.mark.parametrize(
    ("text", "level", "part"),
    [
        ("", "warning", "no output is enabled"),
        (
            "file_output: {enabled: true, filename: TMP/no/alerts.log}",
            "problem",
            "the directory of the file TMP/no/alerts.log does not exist",
        ),
        ("file_output: {enabled: true, filename: TMP}", "problem", "is a directory"),
        ("file_output: {enabled: true, filename: TMP/open.log}", "warning", "everybody can read the file TMP/open.log"),
        ("program_output: {enabled: true, program: 'no-such-program --x'}", "problem", "the program no-such-program does not exist"),
        ("program_output: {enabled: true, program: '/bin/cat >> /tmp/x'}", "ok", "the program /bin/cat"),
        ("program_output: {enabled: true, program: 'exec /bin/cat'}", "ok", "the program exec"),
        ("program_output: {enabled: true, program: 'A=b /bin/cat'}", "ok", "which the shell interprets"),
        (
            "http_output: {enabled: true, url: 'http://127.0.0.1:1/'}",
            "problem",
            "127.0.0.1:1 does not accept connections: connection refused",
        ),
        ("http_output: {enabled: true, url: 'ftp://127.0.0.1/'}", "problem", "invalid URL 'ftp://127.0.0.1/'"),
        ("http_output: {enabled: true, url: 'https://[::1]:1/', insecure: true}", "warning", "the server's certificate is not verified"),
        (
            "http_output: {enabled: true, url: 'https://127.0.0.1:1/'}\nlanner: {http: {headers: {Authorization: TMP/none}}}",
            "problem",
            "TMP/none cannot be read",
        ),
        (
            "http_output: {enabled: true, url: 'https://127.0.0.1:1/'}\nlanner: {http: {headers: {Authorization: TMP/open.log}}}",
            "warning",
            "everybody can read the secret in TMP/open.log",
        ),
        (
            "syslog_output: {enabled: true}\nlanner: {syslog: {address: 'unix:///nonexistent/log'}}",
            "problem",
            "no syslog daemon listens at",
        ),
        (
            "syslog_output: {enabled: true}\nlanner: {syslog: {address: 'tcp://127.0.0.1:1'}}",
            "problem",
            "syslog at 127.0.0.1:1 does not accept",
        ),
    ],
)
def test_outputs_that_are_wrong(examine, falco_yaml, tmp_path, text, level, part):
    (tmp_path / "open.log").touch(0o644)
    (tmp_path / "open.log").chmod(0o644)
    found = examine("-c", falco_yaml(text.replace("TMP", str(tmp_path))))[1]["outputs"]
    assert any(each[0] == level and part.replace("TMP", str(tmp_path)) in each[1] for each in found), found


def test_outputs_that_answer(examine, falco_yaml, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        port = server.getsockname()[1]
        text = (
            f"http_output: {{enabled: true, url: 'http://127.0.0.1:{port}/'}}\nsyslog_output: {{enabled: true}}\n"
            f"lanner: {{syslog: {{address: 'unix://{tmp_path}/log'}}}}"
        )
        code, found = examine("-c", falco_yaml(text))
    assert code == 0
    assert [each[:2] for each in found["outputs"]] == [
        ("ok", f"syslog at {tmp_path}/log"),
        ("ok", f"the HTTP server at 127.0.0.1:{port} accepts connections"),
    ]


def test_a_spool_without_a_place(examine, falco_yaml, tmp_path):
    (tmp_path / "file").touch()
    code, found = examine("-c", falco_yaml("stdout_output: {enabled: true}\nlanner: {spool: {path: /proc/spool}}"))
    assert code == 1
    assert only(found["disk"])[0] == "problem"


def test_a_spool_that_is_larger_than_the_disk(examine, falco_yaml, tmp_path):
    text = f"stdout_output: {{enabled: true}}\nlanner: {{spool: {{path: {tmp_path}/spool, max_size_mb: 999999999}}}}"
    code, found = examine("-c", falco_yaml(text))
    assert code == 0
    assert only(found["disk"])[0] == "warning"


@pytest.mark.parametrize(
    ("webserver", "levels"),
    [
        ("{enabled: true}", ["ok"]),
        ("{enabled: true, listen_address: 0.0.0.0}", ["warning"]),
        ("{enabled: true, ssl_enabled: true, ssl_certificate: /nonexistent}", ["ok", "problem"]),
    ],
)
def test_the_web_server(examine, falco_yaml, webserver, levels):
    found = examine("-c", falco_yaml(f"stdout_output: {{enabled: true}}\nwebserver: {webserver}"))[1]["web server"]
    assert [each[0] for each in found] == levels


def test_few_descriptors_are_reported(examine):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        level, text, fix = only(examine()[1]["limits"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (level, fix) == ("warning", "ulimit -n 1024, or LimitNOFILE=1024 in the service's unit")
    assert text.startswith("256 open files at most (hard limit ")


def test_what_an_engine_says_cannot_talk_to_a_terminal(lanner, engine, path):
    engine.answers["/version"] = (200, ENGINE | {"Version": "20\x1b[2J\n"})
    done = lanner("doctor", "--host", engine.url, env=path())
    assert "Docker Engine 20\\x1b[2J\\n (API 1.41)" in done.out.decode()


WITHOUT_NATIVE = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "lanner.native._native":
            raise ImportError("libsimdjson.so.14: cannot open shared object file")
sys.meta_path.insert(0, Finder())
from lanner.cli.commands import commands
sys.exit(commands.main(["doctor", "--json"], standalone_mode=False))
"""


def test_a_lanner_that_does_not_load_is_reported_by_itself(path):
    done = subprocess.run([sys.executable, "-c", WITHOUT_NATIVE], env=ENVIRONMENT | path(), capture_output=True, timeout=120, check=False)
    code, found = checked(done.returncode, json.loads(done.stdout))
    assert code == 1
    assert only(found["Lanner"])[1] == "it does not load: libsimdjson.so.14: cannot open shared object file"
    level, text, fix = only(found["native module"])
    assert (level, text) == ("problem", "the native module does not load: libsimdjson.so.14: cannot open shared object file")
    assert fix.startswith("Install the library that the error names, if any, or reinstall Lanner with this Python")
    assert only(found["Falco"])[0] == "ok"


def test_a_plugin_brings_its_own_checks(lanner, plugin):
    code, found = checked_run(lanner, plugin("Checked"))
    assert (code, found["dictionary"]) == (1, [("problem", "there is no dictionary", "Install one")])
    assert not any(name.startswith("engine") for name in found)


def test_a_bug_in_a_plugins_checks_is_a_problem(lanner, plugin):
    code, found = checked_run(lanner, plugin("Unchecked"))
    assert (code, only(found["checks of the plugin"])[0]) == (1, "problem")
    assert "plugin unchecked: checks: KeyError: 'dictionary'" in only(found["checks of the plugin"])[1]


def test_a_bug_in_a_check_of_a_plugin_is_the_plugins(lanner, plugin):
    _, found = checked_run(lanner, plugin("Unlooked"))
    level, text, fix = only(found["dictionary"])
    assert level == "problem"
    assert re.fullmatch(r"the check itself failed: KeyError: 'dictionary' \(.*plugins\.py, line \d+\)", text)
    assert fix == "Correct the plugin's check `dictionary`"
    assert only(found["a word"]) == ("problem", "the check yielded str, not lanner.Finding", "Correct the plugin's check `a word`")
    assert only(found["its end"])[1].startswith("the check itself failed: SystemExit: 3 (")


def checked_run(lanner, target):
    done = lanner("doctor", target, "--json")
    return checked(done.code, json.loads(done.out))
