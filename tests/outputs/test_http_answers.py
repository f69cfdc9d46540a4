"""Answers of HTTP servers: which alerts they settle, which are sent again and which are dropped."""

import os
import threading

import pytest

from lanner.outputs import OutputError, exchange

from ..waiting import PATIENCE
from .http_server import OK, alerts, read_request, status
from .servers import Server


@pytest.mark.parametrize(
    ("answer", "permanent", "retry_after"),
    [
        (status(500), False, 0),
        (status(503, headers="Retry-After: 7\r\n"), False, 7),
        (status(429, headers="Retry-After: 999999\r\n"), False, 300),
        (status(429, headers="Retry-After: soon\r\n"), False, 0),
        (status(408), False, 0),
        (status(400), True, 0),
        (status(404), True, 0),
        (status(302, headers="Location: http://127.0.0.1:1/\r\n"), True, 0),
    ],
)
def test_the_status_says_what_becomes_of_an_alert(serve, post, answer, permanent, retry_after):
    server = serve(lambda number: OK if number == 1 else answer)
    with pytest.raises(OutputError) as caught:
        post(server).send(alerts("a", "b", "c"))
    assert (caught.value.delivered, caught.value.permanent, caught.value.retry_after) == (1, permanent, retry_after)
    assert answer.split(b" ")[1].decode() in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"]
)
def test_garbage_is_no_success(serve, post, garbage):
    server = serve(garbage)
    with pytest.raises(OutputError, match=r"\$\.http_output\.url") as caught:
        post(server).send(alerts("a"))
    assert (caught.value.delivered, caught.value.permanent) == (0, False)


def test_no_more_than_the_beginning_of_an_answer_is_read(post):
    done = threading.Event()

    def talk(connection, _):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
        done.wait(PATIENCE)

    server = Server(talk)
    try:
        post(f"http://127.0.0.1:{server.port}/", timeout=PATIENCE).send(alerts("a"))
    finally:
        done.set()
        server.close()


@pytest.fixture
def say():
    """Servers that read only a request's head, or all of it, send something, and wait for the test's end or hang up."""
    done, made = threading.Event(), []

    def make(answer, *, reads=True, hangs_up=False, tls=None):
        def talk(connection, _):
            if reads:
                read_request(connection)
            else:
                connection.recv(100)
            connection.sendall(answer)
            if not hangs_up:
                done.wait(PATIENCE)

        made.append(Server(talk, tls))
        return f"http{'s' if tls else ''}://localhost:{made[-1].port}/"

    yield make
    done.set()
    for each in made:
        each.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
@pytest.mark.parametrize("keep_alive", [False, True])
def test_an_alert_that_was_taken_is_not_sent_again_for_what_follows_the_status(say, post, answer, keep_alive, monkeypatch):
    def read_head(link, response, timer):
        first = exchange_read_head(link, response, timer)
        monkeypatch.setattr(timer, "_deadline", 0.0)  # the time is over once the status has come
        return first

    exchange_read_head = exchange.read_head
    monkeypatch.setattr(exchange, "read_head", read_head)
    sink = post(say(answer), keep_alive=keep_alive)
    sink.send(alerts("a"))
    sink.send(alerts("b"))


@pytest.mark.parametrize("secured", [False, True])
def test_a_server_that_refuses_an_alert_before_it_has_read_it_is_heard(say, post, secured, tls):
    url = say(status(413), reads=False, hangs_up=True, tls=tls if secured else None)
    sink = post(url, insecure=True, keep_alive=True)
    for _ in range(3):
        with pytest.raises(OutputError, match="answers 413") as caught:
            sink.send(alerts("x" * 8_000_000))
        assert caught.value.permanent


def test_a_server_that_has_not_read_an_alert_does_not_have_it(say, post):
    with pytest.raises(OutputError, match="cannot be reached") as caught:
        post(say(OK, reads=False, hangs_up=True)).send(alerts("x" * 8_000_000))
    assert not caught.value.permanent


def test_what_a_server_says_in_between_is_not_its_answer(serve, post):
    server = serve(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK)
    sink = post(server, keep_alive=True)
    sink.send(alerts("a", "b"))
    assert (len(server.requests), server.server.count) == (2, 1)


def test_answers_are_printed_where_that_is_wanted(serve, post, capfd):
    post(serve(), echo=True).send(alerts("a"))
    assert capfd.readouterr().out == "ok\n"


@pytest.mark.parametrize("is_read", [False, True])
def test_an_answer_that_cannot_be_printed_is_not_waited_for_and_no_failure(serve, post, is_read):
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000)
    reader, writer = os.pipe()
    stdout = os.dup(1)
    os.dup2(writer, 1)
    try:
        if not is_read:
            os.close(reader)
        post(server, echo=True).send(alerts(*"abcdefghijklmnopqrstuvwxyz"))
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(writer)
        if is_read:
            os.close(reader)
    assert len(server.requests) == 26
