"""TLS and waiting: each handshake, connection and look-up ends with its time or by close, and no host process notices."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from lanner import Address
from lanner.docker import client
from lanner.docker.client import find_engine, open_events
from lanner.docker.endpoint import Endpoint
from lanner.docker.engine_link import open_link
from lanner.net.dial import Timer
from lanner.net.link import Link

from ..waiting import PATIENCE, check_descriptors, count_descriptors
from .certificates import OPENSSL
from .tls_engines import endpoint, failure, listening

pytestmark = [pytest.mark.slow, pytest.mark.skipif(OPENSSL is None, reason="certificates are made by openssl, which is not installed")]


# no wait without end


def test_a_handshake_that_is_not_answered_ends_with_the_time(certificates, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    with listening() as (_, port):
        where = Endpoint(Address("tcp://engine"), "DOCKER_HOST", host="127.0.0.1", port=port, tls=certificates.good)
        told = failure(lambda: find_engine(where))
    assert told.startswith("no Docker engine at tcp://engine (from DOCKER_HOST): no answer within 0.2 s. ")


def test_close_ends_a_handshake(certificates, monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT", 3600.0)
    wake = os.eventfd(0)
    told = []
    with listening() as (listener, port):
        where = Endpoint(Address("tcp://engine"), "DOCKER_HOST", host="127.0.0.1", port=port, tls=certificates.good)
        asking = threading.Thread(target=lambda: told.append(failure(lambda: find_engine(where, wake))), daemon=True)
        asking.start()
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(3) == b"\x16\x03\x01"  # the handshake has begun
            os.eventfd_write(wake, 1)
            asking.join(PATIENCE)
    os.close(wake)
    assert told == ["tcp://engine: closed before the engine answered"]


def test_close_ends_a_wait_for_a_connection(monkeypatch):
    """A listener whose queue is full takes no more: the system tries repeatedly."""
    monkeypatch.setattr(client, "TIMEOUT", 3600.0)
    wake = os.eventfd(1)
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            filling = open_sockets.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(address)
        where = Endpoint(Address("tcp://engine"), "DOCKER_HOST", host=address[0], port=address[1])
        assert failure(lambda: find_engine(where, wake)) == "tcp://engine: closed before the engine answered"
    os.close(wake)


@pytest.mark.parametrize("host", ["a..b", "a\0b", "x" * 70, "no-such-host.invalid"])
def test_a_name_that_no_host_has_is_reported(host):
    told = failure(lambda: find_engine(Endpoint(Address("tcp://engine"), "DOCKER_HOST", host=host, port=2375)))
    assert told.startswith("no Docker engine at tcp://engine (from DOCKER_HOST): ")


def test_close_ends_the_look_up_of_a_name(monkeypatch):
    answered, ask = threading.Event(), socket.getaddrinfo

    def slow(*args, flags=0, **kwargs):
        if not flags:
            answered.wait(PATIENCE)
        return ask(*args, flags=flags, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr(client, "TIMEOUT", 3600.0)
    wake = os.eventfd(1)
    where = Endpoint(Address("tcp://engine"), "DOCKER_HOST", host="localhost", port=1)
    assert failure(lambda: find_engine(where, wake)) == "tcp://engine: closed before the engine answered"
    answered.set()
    os.close(wake)


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "TLS"])
def test_a_peer_that_is_gone_without_a_word_is_noticed_by_the_system(certificates, tls_engine, tcp_engine, secure):
    engine = tls_engine() if secure else tcp_engine
    connection = open_events(endpoint(engine, certificates.good if secure else None), "/v1.41/events")
    engine.stream()
    options = {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 30,
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 10,
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 3,
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): 60_000,
    }
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        assert {option: same.getsockopt(*option) for option in options} == options
    connection.close()


# what a host must not notice


def test_an_engine_that_has_closed_raises_no_signal(certificates, tls_engine):
    """Python ignores SIGPIPE, and so this would not be seen; a host of plugins need not."""
    engine = tls_engine()
    links = [open_link(endpoint(engine, certificates.good), Timer(10.0))]
    mine, other = socket.socketpair()
    mine.setblocking(False)
    links.append(Link(mine))
    links[0].send(b"GET /v1.41/events HTTP/1.1\r\n\r\n", Timer(10.0))
    engine.stream()
    engine.stop()
    other.close()
    raised = []
    before = signal.signal(signal.SIGPIPE, lambda *_: raised.append("SIGPIPE"))
    try:
        for link in links:
            for _ in range(3):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    link.send(b"GET / HTTP/1.1\r\n", Timer(10.0))
            link.close()
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert raised == []


def test_without_tls_openssl_is_not_loaded(engine):
    script = "import sys; from lanner.docker import client, endpoint; client.find_engine(endpoint.parse_endpoint(sys.argv[1], 'test')); "
    script += "print(sorted({'ssl', '_ssl', 'hashlib', 'logging'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script, engine.url], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_no_descriptor_is_left_open_after_any_failure(certificates, tls_engine):
    engine = tls_engine()
    cases = [certificates.other_ca, certificates.bare, certificates.strange, certificates.locked, certificates.mixed, None]
    before = count_descriptors()
    for tls in cases:
        failure(lambda tls=tls: find_engine(endpoint(engine, tls)))
    find_engine(endpoint(engine, certificates.good))
    engine.wait_until_idle()
    check_descriptors(before)
