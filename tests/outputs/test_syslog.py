"""Alerts to syslog: one line each whatever they hold, to this machine's daemon, and by RFC 5424 to others."""

import os
import re
import shutil
import socket
import threading
import time

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.syslog import SyslogOutput

from .servers import Server, certificate

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
        made.append(SyslogOutput(address, **options))
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
        listener.settimeout(10)
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
    """A syslog server by octet counting. After `most` messages it hangs up."""

    def __init__(self, tls=None, most=None):
        self.messages = []
        self._most = most
        self._changed = threading.Condition()
        self.server = Server(self._talk, tls)
        self.address = f"{'tls' if tls else 'tcp'}://localhost:{self.server.port}"

    def _talk(self, connection, _):
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
            assert self._changed.wait_for(lambda: len(self.messages) >= count, 10), self.messages
        return self.messages


@pytest.fixture
def collect():
    made = []

    def make(**options):
        made.append(Collector(**options))
        return made[-1]

    yield make
    for each in made:
        each.server.close()


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
        while not output._has_closed(output._socket):
            time.sleep(0.01)
    assert [message[-1] for message in server.messages] == list("0123")


def test_a_server_that_is_not_there_is_said(sink):
    with pytest.raises(OutputError, match=r"tcp://127\.0\.0\.1:1 \(\$\.syslog_output\) cannot be reached: Connection refused"):
        sink("tcp://127.0.0.1:1").send([alert("a")])


def test_a_server_that_reads_nothing_is_not_waited_for(sink):
    done = threading.Event()
    server = Server(lambda _connection, _number: done.wait(20))
    try:
        with pytest.raises(OutputError, match=r"did not take an alert within 0\.2 s"):
            sink(f"tcp://127.0.0.1:{server.port}", timeout=0.2).send([alert("x" * 20_000_000)])
    finally:
        done.set()
        server.close()


def test_a_server_is_believed_by_its_certificate(collect, sink, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    tls = certificate(tmp_path)
    server = collect(tls=tls)
    sink(server.address, ca_cert=tls[0]).send([alert("over TLS")])
    assert server.wait(1)[0].endswith("over TLS")
    with pytest.raises(OutputError, match=r"is not trusted: .*; name its authority \(\$\.lanner\.syslog\.ca_cert\)"):
        sink(server.address).send([alert("a")])


@pytest.mark.parametrize("address", ["localhost", "udp://x:1", "tcp://", "tcp://x:0", "tcp://x:y", "unix://relative"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(OutputError, match=r"write tcp://host:port, tls://host:port or unix:///path"):
        SyslogOutput(address)


def test_what_is_no_facility_is_refused():
    with pytest.raises(OutputError, match="write one of kern, user"):
        SyslogOutput(facility="nonsense")


def test_a_wait_can_be_interrupted(sink):
    done = threading.Event()
    server = Server(lambda _connection, _number: done.wait(20))
    try:
        output = sink(f"tcp://127.0.0.1:{server.port}", timeout=1000)
        thread = threading.Thread(target=refused, args=(output, [alert("x" * 50_000_000)]))
        thread.start()
        while output._socket is None:
            time.sleep(0.01)
        time.sleep(0.1)
        output.interrupt()
        thread.join(10)
        assert not thread.is_alive()
    finally:
        done.set()
        server.close()
