"""Slow and silent HTTP servers: no post takes longer than its timeout, and each wait can be interrupted."""

import contextlib
import socket
import threading
import time

import pytest

from lanner.outputs import OutputError, exchange

from ..waiting import PATIENCE
from .http_server import alerts, read_request, refused
from .servers import Server, resolve_as, silent_address, watch_connecting


@pytest.mark.parametrize("secured", [False, True])
def test_a_server_that_reads_slowly_takes_no_longer_than_it_may(post, tls, secured):
    """A slow reader times out, however much of an alert it takes meanwhile: over TLS each record has a new timeout."""
    done = threading.Event()

    def talk(connection, _):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(OSError):
            while not done.wait(0.05):
                connection.recv(16384)

    server = Server(talk, tls if secured else None)
    try:
        sink = post(f"http{'s' if secured else ''}://localhost:{server.port}/", insecure=True, timeout=1.0)
        begun = time.monotonic()
        with pytest.raises(OutputError, match="did not answer within 1 s"):
            sink.send(alerts("x" * 32_000_000))
        assert time.monotonic() - begun < 60  # it would take 100
    finally:
        done.set()
        server.close()


def test_a_name_server_that_does_not_answer_takes_no_longer_than_it_may(post, monkeypatch):
    answered, ask = threading.Event(), socket.getaddrinfo

    def slow(*arguments, flags=0, **options):
        if not flags:  # a name, not a number
            answered.wait(PATIENCE)
        return ask(*arguments, flags=flags, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    sink = post("http://localhost:1/", timeout=0.2)
    begun = time.monotonic()
    try:
        with pytest.raises(OutputError, match=r"did not answer within 0\.2 s"):
            sink.send(alerts("a"))
        assert time.monotonic() - begun < PATIENCE
    finally:
        answered.set()


def drip(connection, parts, pause):
    for part in parts:
        time.sleep(pause)
        connection.sendall(part)


@pytest.mark.parametrize("silent", [True, False])
def test_a_slow_server_takes_no_longer_than_it_may(post, silent):
    done = threading.Event()

    def talk(connection, _):
        read_request(connection)
        if silent:
            done.wait(PATIENCE)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not done.wait(0.05):
            connection.sendall(b"H")

    server = Server(talk)
    try:
        begin = time.monotonic()
        with pytest.raises(OutputError, match=r"did not answer within 0\.3 s"):
            post(f"http://127.0.0.1:{server.port}/", timeout=0.3).send(alerts("a"))
        assert time.monotonic() - begin < PATIENCE
    finally:
        done.set()
        server.close()


def test_this_many_timeouts_in_a_row_are_usual(serve, post, monkeypatch):
    sink = post(serve(), timeout=0, max_consecutive_timeouts=2)

    def is_usual():
        with pytest.raises(OutputError, match="did not answer") as caught:
            sink.send(alerts("a"))
        return caught.value.is_usual

    assert [is_usual() for _ in range(4)] == [True, True, False, False]
    with monkeypatch.context() as patch:
        patch.setattr(sink, "_timeout", PATIENCE)
        sink.send(alerts("a"))
    assert is_usual()


def test_a_wait_can_be_interrupted(post):
    asked, done = threading.Event(), threading.Event()

    def talk(connection, _):
        read_request(connection)
        asked.set()
        done.wait(PATIENCE)

    server = Server(talk)
    try:
        sink = post(f"http://127.0.0.1:{server.port}/", timeout=1000)
        thread = threading.Thread(target=refused, args=(sink, alerts("a")))
        thread.start()
        assert asked.wait(PATIENCE)
        sink.interrupt()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        with pytest.raises(OutputError):
            sink.send(alerts("b"))
    finally:
        done.set()
        server.close()


def test_a_wait_for_the_rest_of_an_answer_can_be_interrupted(post, monkeypatch):
    answered, head_read, done = threading.Event(), threading.Event(), threading.Event()
    read_head = exchange.read_head

    def noticed(*arguments):
        first = read_head(*arguments)
        head_read.set()
        return first

    monkeypatch.setattr(exchange, "read_head", noticed)

    def talk(connection, _):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\nabc")
        answered.set()
        done.wait(PATIENCE)

    server = Server(talk)
    try:
        sink = post(f"http://127.0.0.1:{server.port}/", timeout=1000)
        thread = threading.Thread(target=sink.send, args=(alerts("a"),))
        thread.start()
        assert answered.wait(PATIENCE)
        assert head_read.wait(PATIENCE)
        sink.interrupt()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    finally:
        done.set()
        server.close()


def test_a_wait_for_a_connection_can_be_interrupted(post, monkeypatch):
    with silent_address() as (host, port):
        begun = watch_connecting(monkeypatch)
        sink = post(f"http://{host}:{port}/", timeout=1000)
        thread = threading.Thread(target=refused, args=(sink, alerts("a")))
        thread.start()
        assert begun.wait(PATIENCE)
        sink.interrupt()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_all_addresses_together_have_the_time_of_one(post, monkeypatch):
    with silent_address() as silent:
        resolve_as(monkeypatch, [silent] * 1000)
        with pytest.raises(OutputError, match=r"did not answer within 0\.5 s"):
            post("http://many/", timeout=0.5).send(alerts("a"))


@pytest.mark.parametrize("secured", [False, True])
def test_an_interrupted_output_posts_nothing_more(serve, post, tls, secured):
    server = serve(tls=tls if secured else None)
    sink = post(server, insecure=True, keep_alive=True)
    sink.send(alerts("a"))
    sink.interrupt()
    with pytest.raises(OutputError, match="the run has ended"):
        sink.send(alerts("b"))
    assert [body for _, _, body in server.requests] == [b"a"]
