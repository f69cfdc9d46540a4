"""Alerts to syslog: one line for each, with any content, to this machine's daemon, and by RFC 5424 to others."""

import os
import re
import select
import shutil
import socket
import threading
import time

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.syslog_output import SyslogOutput

from ..waiting import PATIENCE, until
from .servers import Server, certificate, resolve_as, silent_address, watch_connecting

MOMENT = 1_700_000_000_123_456_789


def alert(line, priority="Warning", rule="a rule"):
    return Alert(line, rule, priority, "kv", MOMENT)


def refused(sink, some):
    with pytest.raises(OutputError):
        sink.send(some)


@pytest.fixture(autouse=True)
def zone(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def sink():
    made = []

    def make(address, **options):
        made.append(SyslogOutput(address, **{"timeout": PATIENCE, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def daemon(tmp_path):
    """A datagram socket as a daemon has it, and its address."""
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(PATIENCE)
        yield listener, f"unix://{path}"


def test_a_message_is_what_libcs_syslog_makes_of_it(daemon, sink):
    listener, address = daemon
    sink(address).send([alert("hello é")])
    assert listener.recv(65536) == f"<12>Nov 14 22:13:20 lanner[{os.getpid()}]: hello é".encode()


@pytest.mark.parametrize(
    ("priority", "facility", "number"),
    [("Emergency", "user", 8), ("Critical", "user", 10), ("Notice", "user", 13), ("Informational", "daemon", 30), ("Debug", "local7", 191)],
)
def test_priorities_are_severities(daemon, sink, priority, facility, number):
    listener, address = daemon
    sink(address, facility=facility).send([alert("x", priority)])
    assert listener.recv(65536).startswith(b"<%d>" % number)


def test_no_alert_can_be_two_or_drive_a_terminal(daemon, sink):
    listener, address = daemon
    sink(address).send([alert("a\n<8>Nov 14 22:13:20 root: fake\x1b[31m\0\udcff")])
    message = listener.recv(65536)
    assert message.endswith(b"a\\n<8>Nov 14 22:13:20 root: fake\\u001b[31m\\u0000\\xff")


def test_what_does_not_fit_into_a_datagram_is_cut(daemon, sink):
    listener, address = daemon
    sink(address).send([alert("é" * 500_000), alert("next")])
    assert listener.recv(1 << 20).endswith("é...".encode())
    assert listener.recv(65536).endswith(b"next")


def test_a_daemon_that_was_restarted_is_found_again(tmp_path, sink):
    path = tmp_path / "log"
    output = sink(f"unix://{path}")
    with pytest.raises(OutputError, match=r"cannot be reached: No such file or directory\. Is a syslog daemon running") as caught:
        output.send([alert("zero")])
    assert caught.value.delivered == 0
    for line in ("one", "two"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(path))
            output.send([alert(line)])
            assert listener.recv(65536).endswith(line.encode())
        path.unlink()


def test_a_daemon_may_listen_to_streams(tmp_path, sink):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "log"))
        listener.listen()
        sink(f"unix://{tmp_path}/log").send([alert("a"), alert("b")])
        connection, _ = listener.accept()
        with connection:
            assert re.fullmatch(rb"<12>.*: a\0<12>.*: b\0", connection.recv(65536))


class Collector:
    """A syslog server by octet counting. It says `greeting`, reads from when `reading` is set, and after `most` messages it hangs up."""

    def __init__(self, tls=None, most=None, greeting=b"", reads=True):
        self.messages = []
        self.reading = threading.Event()
        if reads:
            self.reading.set()
        self._most, self._greeting = most, greeting
        self._changed = threading.Condition()
        self.server = Server(self._talk, tls)
        self.address = f"{'tls' if tls else 'tcp'}://localhost:{self.server.port}"

    def _talk(self, connection, _):
        connection.sendall(self._greeting)
        self.reading.wait(PATIENCE)
        with connection.makefile("rb") as file:
            count = 0
            while count != self._most:
                digits = b""
                while (byte := file.read(1)) not in {b" ", b""}:
                    digits += byte
                if not digits:
                    return
                with self._changed:
                    self.messages.append(file.read(int(digits)).decode())
                    self._changed.notify_all()
                count += 1

    def wait(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, PATIENCE), self.messages
        return self.messages


@pytest.fixture
def collect():
    made = []

    def make(**options):
        made.append(Collector(**options))
        return made[-1]

    yield make
    for each in made:
        each.reading.set()
        each.server.close()


@pytest.fixture
def tls(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    return certificate(tmp_path)


def test_a_message_elsewhere_is_one_of_rfc_5424(collect, sink):
    server = collect()
    sink(server.address, hostname="my host").send([alert('say "hi"\n]', rule='a "rule" \\ ]'), alert("b")])
    first, second = server.wait(2)
    assert first == (
        f"<12>1 2023-11-14T22:13:20.123456Z myhost lanner {os.getpid()} - "
        '[lanner@32473 rule="a \\"rule\\" \\\\ \\]" source="kv"] say "hi"\\n]'
    )
    assert second.endswith("] b")


def test_a_server_that_has_closed_is_connected_again_before_the_next_alert(collect, sink):
    server = collect(most=1)
    output = sink(server.address)
    for number in range(4):
        output.send([alert(str(number))])
        server.wait(number + 1)
        until(output._connection.link.has_closed)
    assert [message[-1] for message in server.messages] == list("0123")


def test_a_server_that_is_not_there_is_said(sink):
    with pytest.raises(OutputError, match=r"tcp://127\.0\.0\.1:1 \(\$\.syslog_output\) cannot be reached: Connection refused"):
        sink("tcp://127.0.0.1:1").send([alert("a")])


def test_a_server_that_reads_nothing_is_not_waited_for(sink):
    done = threading.Event()
    server = Server(lambda _connection, _number: done.wait(PATIENCE))
    try:
        with pytest.raises(OutputError, match=r"did not take an alert within 0\.2 s"):
            sink(f"tcp://127.0.0.1:{server.port}", timeout=0.2).send([alert("x" * 20_000_000)])
    finally:
        done.set()
        server.close()


def test_a_server_is_believed_by_its_certificate(collect, sink, tls):
    server = collect(tls=tls)
    sink(server.address, ca_cert=tls[0]).send([alert("over TLS")])
    assert server.wait(1)[0].endswith("over TLS")
    with pytest.raises(OutputError, match=r"is not trusted: .*; name its authority \(\$\.lanner\.syslog\.ca_cert\)"):
        sink(server.address).send([alert("a")])


@pytest.mark.parametrize("address", ["localhost", "udp://x:1", "tcp://", "tcp://x:0", "tcp://x:y", "unix://relative"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(OutputError, match=r"write tcp://host:port, tls://host:port or unix:///path"):
        SyslogOutput(address)


def test_what_can_be_no_host_is_refused():
    with pytest.raises(OutputError, match=r"address is 'tcp://a\.\.b:514', with the invalid host name 'a\.\.b'"):
        SyslogOutput("tcp://a..b:514")


@pytest.mark.parametrize("address", ["tcp://user:hunter2@host:1", "tls://hunter2@host", "tpc://user:hunter2@host", "tcp://user:hunter2@"])
def test_a_password_in_an_address_is_of_no_use_and_not_shown(address):
    with pytest.raises(OutputError) as caught:
        SyslogOutput(address)
    assert "hunter2" not in str(caught.value)
    assert "://***@" in str(caught.value)


def test_what_is_no_facility_is_refused():
    with pytest.raises(OutputError, match="write one of kern, user"):
        SyslogOutput(facility="nonsense")


def test_what_a_server_says_is_not_taken_for_its_end(collect, sink, tls):
    # by TLS 1.3 each server says something: session tickets
    for server in (collect(tls=tls), collect(greeting=b"220 syslog at your service\r\n")):
        output = sink(server.address, ca_cert=tls[0])
        for number in range(4):
            output.send([alert(str(number))])
            server.wait(number + 1)
        assert server.server.count == 1


@pytest.mark.parametrize("secured", [False, True])
def test_what_was_sent_before_the_end_arrives_though_the_server_is_busy(collect, sink, tls, secured):
    server = collect(tls=tls if secured else None, greeting=b"220 syslog at your service\r\n", reads=False)
    output = sink(server.address, ca_cert=tls[0], timeout=0.5)
    output.send([alert("x" * 10_000) for _ in range(50)])
    output.close()
    server.reading.set()
    server.wait(50)


def test_what_was_sent_before_a_reopening_arrives(collect, sink, tls):
    server = collect(tls=tls)
    output = sink(server.address, ca_cert=tls[0])
    for _ in range(20):
        output.send([alert("x" * 10_000) for _ in range(10)])
        output.reopen()
    server.wait(200)


@pytest.mark.slow
def test_an_address_that_does_not_answer_leaves_time_for_the_next(collect, sink, monkeypatch):
    server = collect()
    with silent_address() as silent:
        resolve_as(monkeypatch, [silent, ("127.0.0.1", server.server.port)])
        sink("tcp://both:1").send([alert("a")])
    server.wait(1)


def test_all_addresses_together_have_the_time_of_one(sink, monkeypatch):
    with silent_address() as silent:
        resolve_as(monkeypatch, [silent] * 1000)
        with pytest.raises(OutputError, match=r"did not take an alert within 0\.5 s"):
            sink("tcp://many:1", timeout=0.5).send([alert("a")])


def test_a_wait_can_be_interrupted(sink):
    begun, done = threading.Event(), threading.Event()

    def talk(_connection, _number):
        begun.set()
        done.wait(PATIENCE)

    server = Server(talk)
    try:
        interrupted(sink(f"tcp://127.0.0.1:{server.port}", timeout=1000), lambda: begun.wait(PATIENCE))
    finally:
        done.set()
        server.close()


def test_a_wait_for_a_connection_can_be_interrupted(sink, monkeypatch):
    with silent_address() as (host, port):
        begun = watch_connecting(monkeypatch)
        output = sink(f"tcp://{host}:{port}", timeout=1000)
        interrupted(output, lambda: begun.wait(PATIENCE))


def interrupted(output, begun):
    thread = threading.Thread(target=refused, args=(output, [alert("x" * 50_000_000)]))
    thread.start()
    assert begun()
    output.interrupt()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    refused(output, [alert("b")])


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_wait_for_a_daemon_can_be_interrupted(tmp_path, sink, kind):
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(str(tmp_path / "log"))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        output = sink(f"unix://{tmp_path}/log", timeout=1000)
        thread = threading.Thread(target=refused, args=(output, [alert("x" * 100_000)] * 1000))
        thread.start()
        until(lambda: output._daemon._socket)
        until(lambda: is_full(output._daemon._socket))
        output.interrupt()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def is_full(connection):
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    return not poll.poll(100)


def test_a_daemon_that_reads_nothing_is_waited_for_once(daemon, sink, monkeypatch):
    waits = []

    def put(message):
        waits.append(message)
        raise TimeoutError

    output = sink(daemon[1], timeout=0.1)
    monkeypatch.setattr(output._daemon, "_put", put)
    with pytest.raises(OutputError, match=r"did not take an alert within 0\.1 s"):
        output.send([alert("x")])
    assert len(waits) == 1


def test_an_interrupted_output_sends_nothing_more(collect, sink, tls):
    server = collect(tls=tls)
    output = sink(server.address, ca_cert=tls[0])
    output.send([alert("a")])
    output.interrupt()
    with pytest.raises(OutputError, match="the run has ended"):
        output.send([alert("b")])
    output.close()
    assert [message[-1] for message in server.wait(1)] == ["a"]
