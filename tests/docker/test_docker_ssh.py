"""Engines over SSH, through a real ssh and sshd: what a user relies on with a connection that is a child process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lanner
from lanner.docker import Docker, client, ssh
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE, is_running
from .ssh_server import SshServer, why_not, write_dial, write_program
from .stand_in import NOW, SECOND, answer, event
from .streaming import eventually, is_gap, lines, payloads, watching

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=f"no SSH server: {why_not()}")]


@pytest.fixture(scope="module")
def _server(tmp_path_factory):
    with SshServer(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def server(_server, remembering, monkeypatch):
    """The server, in front of the engine `remembering`."""
    monkeypatch.setenv("PATH", f"{_server.programs}:{os.environ['PATH']}")
    (_server.root / "ssh.log").write_text("")
    _server.dials = write_dial(_server.remote, remembering.url.removeprefix("unix://"))
    _server.dials.write_text("")
    remembering.keeps_alive = True  # as engines do
    yield _server
    eventually(lambda: not [pid for pid, _ in _server.started() if is_running(pid)])  # no test leaves a process


def at(server):
    """An engine for `watching`."""
    return type("Engine", (), {"url": server.url})


def failure(url, **config):
    with pytest.raises(lanner.SourceError) as caught:
        Docker.open(init_plugin(Docker, {"inspect": False, "host": url, **config}), "")
    return str(caught.value)


def alive(server):
    return [pid for pid, _ in server.started() if is_running(pid)]


def test_events_come_over_ssh(server, remembering):
    with watching(at(server)) as host:
        assert list(host.source.connections) == [server.url]
        remembering.stream()
        remembering.publish(*lines(0, 3))
        assert payloads(host, 3) == lines(0, 3)
        big = event(NOW + 9, Action="x" * 1_000_000)
        remembering.publish(big)
        assert payloads(host, 1) == [big]
        # one connection for the question and the stream, in the form that Docker's client has it
        ((_, arguments),) = server.started()
        assert arguments == (
            f"-T -o BatchMode=yes -o ConnectTimeout=10 -l {server.user} -p {server.port} -- 127.0.0.1 docker system dial-stdio".split()
        )
        assert [line.split()[1:] for line in server.dials.read_text().splitlines()] == [["system", "dial-stdio"]]
    assert alive(server) == []


def test_the_environment_and_a_context_may_say_so(server, remembering, monkeypatch, tmp_path):
    from hashlib import sha256

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", server.url)
    with watching(type("Engine", (), {"url": ""})) as host:
        assert server.url in host.source.connections
    monkeypatch.delenv("DOCKER_HOST")
    meta = tmp_path / "contexts" / "meta" / sha256(b"lab").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "lab", "Endpoints": {"docker": {"Host": "ssh://engine"}}}))
    monkeypatch.setenv("DOCKER_CONTEXT", "lab")
    with watching(type("Engine", (), {"url": ""})) as host:  # an alias out of ssh's own configuration
        assert "ssh://engine" in host.source.connections


def test_the_path_of_the_engines_socket_is_one_word_for_the_other_machine(server, remembering):
    with watching(type("Engine", (), {"url": f"{server.url}/run/a%20b;touch%20$HOME/'x"})):
        pass
    (line,) = server.dials.read_text().splitlines()
    assert line.split(" ", 1)[1] == "--host unix:///run/a b;touch $HOME/'x system dial-stdio"


@pytest.mark.parametrize("who", ["ssh", "docker"])
def test_a_connection_that_breaks_is_made_again_without_a_loss(server, remembering, no_pause, who):
    with watching(at(server)) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        victim = server.started()[0][0] if who == "ssh" else int(server.dials.read_text().split()[0])
        remembering.mute = True
        os.kill(victim, signal.SIGKILL)
        remembering.miss(*lines(1))
        eventually(lambda: host.source.counters.get("connections lost"))
        remembering.mute = False
        assert payloads(host, 1) == lines(1)
        assert "gaps" not in host.source.counters
        eventually(lambda: not is_running(victim))


def test_an_engine_that_restarts_behind_it_is_a_gap(server, remembering, no_pause, caplog):
    with watching(at(server)) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.restart()
        remembering.stream()
        assert is_gap(host.next().payload)


def test_pings_and_listings_share_one_more_connection(server, remembering):
    remembering.clock = lambda: NOW + 3 * SECOND
    with watching(at(server), pingInterval=1) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        eventually(lambda: remembering.requests.count("GET /_ping HTTP/1.1") >= 2)
        assert "connections lost" not in host.source.counters
        assert len(alive(server)) <= 2
    assert alive(server) == []


def test_containers_are_described_over_it(server, remembering):
    remembering.pong = answer(b"OK")
    identity = "ab" * 32
    known = remembering.respond

    def respond(exchange, target):
        if "/containers/" in target:
            exchange.send(answer({"Id": identity, "HostConfig": {"Privileged": True}}))
        else:
            known(exchange, target)

    remembering.respond = respond
    with watching(at(server), inspect=True) as host:
        remembering.stream()
        for number in range(3):
            remembering.publish(event(NOW + number, Actor={"ID": identity[:-1] + str(number), "Attributes": {}}))
            assert json.loads(host.next().payload)["lanner"]["inspect"]["privileged"] == "true"


def test_several_engines_of_which_one_is_unreachable(server, remembering, no_pause):
    away = server.url.replace(str(server.port), "1")
    hosts = [{"url": server.url, "name": "far"}, {"url": remembering.url, "name": "near"}, {"url": away, "name": "away"}]
    with watching(type("Engine", (), {"url": ""}), hosts=hosts) as host:
        eventually(lambda: host.source.connections == {"far": True, "near": True, "away": False})
        remembering.stream()
        remembering.stream()
        remembering.publish(*lines(0))
        found = {json.loads(host.next().payload)["lanner"]["host"] for _ in range(2)}
        assert found == {"far", "near"}


def test_a_run_ends_with_its_connections(server, remembering, tmp_path):
    """Cleanly on SIGTERM; and after SIGKILL, ssh notices that its parent is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        (server.root / "ssh.log").write_text("")
        command = [str(Path(sys.executable).with_name("lanner")), "run", "docker", "--host", server.url]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
            said = ""
            while "Ctrl-C ends it" not in said:
                line = run.stderr.readline()
                assert line, said
                said += line
            assert alive(server)
            run.send_signal(number)
            said += run.communicate(timeout=PATIENCE)[1]
        assert run.returncode == (0 if number == signal.SIGTERM else -number), said
        eventually(lambda: alive(server) == [])


# what goes wrong


@pytest.fixture
def no_key(server, tmp_path, monkeypatch):
    """The server wants a password."""
    server.key.rename(server.key.with_name("away"))
    yield
    server.key.with_name("away").rename(server.key)


def test_a_password_is_not_asked_for(server, no_key):
    started = time.monotonic()
    told = failure(server.url)
    assert time.monotonic() - started < PATIENCE
    assert told.startswith(f"no Docker engine at {server.url} (from `$.host` of the configuration): ssh ended with status 255: ")
    assert "Permission denied (publickey" in told
    assert told.endswith("give ssh a key without a passphrase, or an agent (SSH_AUTH_SOCK), for this user")


def test_an_unknown_host_is_reported(server):
    known = server.known_hosts.read_text()
    server.known_hosts.write_text("")
    try:
        told = failure(server.url)
    finally:
        server.known_hosts.write_text(known)
    assert "Host key verification failed" in told
    assert told.endswith("to accept the host's key into its known_hosts")


def test_a_machine_without_docker_is_reported(server):
    (server.remote / "docker").rename(server.remote / "no-docker")
    write_program(server.remote / "docker", "#!/bin/sh\nexec docker-is-not-here\n")
    told = failure(server.url)
    assert "ssh ended with status 127: " in told
    assert "not found" in told
    assert told.endswith("docker version; `docker` must be in the PATH of commands that ssh runs")


def test_an_engine_that_is_unreachable_there_is_reported(server, remembering):
    remembering.stop()
    told = failure(server.url)
    assert "failed to open the raw stream connection" in told
    assert "Start the engine on the other machine" in told
    remembering.start()


def test_a_machine_that_is_unreachable_is_reported(server):
    told = failure(server.url.replace(str(server.port), "1"))
    assert "ssh ended with status 255: ssh: connect to host 127.0.0.1 port 1: Connection refused. Check that the user" in told
    assert "ssh -p 1 " in told


@pytest.mark.parametrize("away", ["machine", "engine"])
def test_a_machine_or_an_engine_that_is_unreachable_is_waited_for(server, remembering, away):
    url = server.url.replace(str(server.port), "1") if away == "machine" else server.url
    remembering.stop()
    try:
        Docker.open(init_plugin(Docker, {"host": url, "waitForEngine": True}), "").close()
    finally:
        remembering.start()


def test_a_login_that_is_refused_is_not_waited_for(server, no_key):
    with pytest.raises(lanner.SourceError, match="Permission denied"):
        Docker.open(init_plugin(Docker, {"host": server.url, "waitForEngine": True}), "")


def test_a_shell_that_prints_something_is_reported(server):
    write_program(server.remote / "docker", "#!/bin/sh\necho Welcome\nexec cat\n")
    told = failure(server.url)
    assert "the answer begins with b'Welcome" in told
    assert told.endswith("Does the start-up file of the shell on the other machine print something?")


def test_a_remote_command_that_ends_without_a_word_is_reported(server):
    write_program(server.remote / "docker", "#!/bin/sh\n")
    assert "ssh ended without a message. Check that the user that Lanner runs as can run `docker` on the other" in failure(server.url)


def test_what_ssh_says_is_one_printable_line(server):
    write_program(server.remote / "docker", "#!/bin/sh\nprintf '\\033[31mred\\nlanner: forged\\r\\n' >&2\nexit 3\n")
    assert "ssh ended with status 3: \\x1b[31mred; lanner: forged. Check" in failure(server.url)


def test_much_on_standard_error_stops_nothing(server, remembering):
    known = (server.remote / "docker").read_text()
    write_program(server.remote / "docker", known.replace("poll = select.poll()", "os.write(2, b'x' * 1_000_000); poll = select.poll()"))
    with watching(at(server)) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)


def test_a_host_that_does_not_answer_ends_in_time_with_what_ssh_said(server, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    monkeypatch.setattr(client, "SSH_TIMEOUT", 0.2)
    write_program(server.remote / "docker", "#!/bin/sh\necho slow >&2\nexec sleep 60\n")
    told = failure(server.url)
    assert "the engine did not answer GET /version: no answer within 0.4 s" in told


def test_without_the_program_ssh_that_is_reported(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert failure("ssh://engine") == (
        "no Docker engine at ssh://engine (from `$.host` of the configuration): cannot start ssh: there is no such program in PATH. "
        "Install it (Debian: apt-get install openssh-client)"
    )


# the child


@pytest.fixture
def stubborn(server, monkeypatch):
    """An ssh that neither reads nor ends, and a file with what it found when it started."""
    found = server.root / "found"
    write_program(
        server.root / "stubborn" / "ssh",
        f"#!/bin/bash\ntrap '' TERM\nls -l /proc/$$/fd >{found}\ngrep Sig /proc/self/status >>{found}\nps -o sid= $$ >>{found}\n"
        f"echo $$ x >>{server.root}/ssh.log\nenv >>{found}; echo whole >>{found}\nwhile :; do sleep 1; done\n",
    )
    monkeypatch.setenv("PATH", f"{server.root}/stubborn:{os.environ['PATH']}")
    return found


def test_the_child_gets_nothing_of_the_hosts_process(server, stubborn, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 1.0)
    monkeypatch.setattr(client, "SSH_TIMEOUT", 1.0)
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # as those of another program's library are
    try:
        failure("ssh://engine")
    finally:
        os.close(descriptor)
    text = stubborn.read_text()
    assert text.endswith("whole\n")
    assert "/dev/null" not in text
    assert "SigBlk:\t0000000000000000" in text
    assert "SSH_ASKPASS_REQUIRE=never" in text
    assert f"\n{os.getsid(0)}\n" not in text


def test_a_child_that_ignores_its_end_is_killed(server, stubborn, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    monkeypatch.setattr(client, "SSH_TIMEOUT", 0.2)
    monkeypatch.setattr(ssh, "_GRACE", 0.2)
    failure("ssh://engine")
    assert alive(server) == []
