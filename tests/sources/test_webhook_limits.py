"""A webhook has limits: of its queue, of bodies, of connections and of time; and it closes at once."""

import socket
import time
from contextlib import closing

import pytest

import lanner
from lanner import sources

from ..waiting import PATIENCE
from .webhook_reader import ask, client, reading
from .webhook_signing import SECRET, opened, signed


def test_a_request_is_answered_once_its_event_is_processed(in_background):
    with opened() as source, reading(source) as reader, client(source) as connection:
        reader.commits.clear()
        answer = in_background(ask, connection, headers=signed(b"{}"))
        assert reader.next() == b"{}"
        with pytest.raises(TimeoutError), client(source, timeout=0.05) as other:
            ask(other, headers=signed(b"{}"))
        reader.commits.set()
        assert answer() == (200, "processed")


def test_a_host_that_is_slow_has_its_event_nevertheless():
    with opened(answer_after=0.05) as source, reading(source) as reader, client(source) as connection:
        reader.commits.clear()
        assert ask(connection, headers=signed(b"{}")) == (202, "accepted, and not processed yet")
        assert reader.next() == b"{}"
        assert source.counters == {"requests answered before their events were processed": 1}


def test_a_host_that_does_not_read_does_not_get_the_event():
    """The sender tries again, so the event must not come twice."""
    with opened(answer_after=0.05) as source, client(source) as connection:
        assert ask(connection, headers=signed(b"{}"))[0] == 503
        assert source.read_chunk(0) is lanner.NOTHING
        assert source.counters == {"refused requests, host busy or closing": 1}


def test_a_full_queue_refuses(in_background):
    with opened(max_events=1) as source, client(source) as first, client(source) as second:
        answer = in_background(ask, first, headers=signed(b"{}"))
        assert source._poll.poll(PATIENCE * 1000)
        second.request("POST", "/", b"[]", {"Content-Type": "application/json", **signed(b"[]")})
        response = second.getresponse()
        assert (response.status, response.getheader("Retry-After")) == (503, "1")
        assert list(source.read_chunk(0)) == [b"{}"]
        source.commit(1)
        assert answer()[0] == 200
        assert source.counters == {"refused requests, queue full": 1}


def test_bodies_count_until_their_requests_are_answered(in_background):
    body = b'"' + b"x" * 600 + b'"'
    with opened(max_body=1000, max_bytes=1000) as source, client(source) as first, client(source) as second:
        for _ in range(3):
            answer = in_background(ask, first, body=body, headers=signed(body))
            assert source._poll.poll(PATIENCE * 1000)
            assert list(source.read_chunk(0)) == [body]
            with client(source) as other:
                assert ask(other, body=body, headers=signed(body)) == (503, "too many requests at once")
            assert ask(second, method="GET")[0] == 405
            second.close()
            source.commit(source._given)
            assert answer()[0] == 200


def test_an_event_larger_than_the_queue_is_taken_by_an_empty_one():
    with opened(max_bytes=10) as source, reading(source) as reader, client(source) as connection:
        body = b'"' + b"x" * 100 + b'"'
        assert ask(connection, body=body, headers=signed(body))[0] == 200
        assert reader.next() == body


def test_the_descriptor_is_readable_while_there_is_something_to_do(in_background):
    def is_readable():
        descriptor = source.fileno()
        import select

        return bool(select.select([descriptor], [], [], 0)[0])

    with opened() as source, client(source) as connection:
        assert not is_readable()
        answer = in_background(ask, connection, headers=signed(b"{}"))
        assert source._poll.poll(PATIENCE * 1000)
        assert is_readable()
        assert len(source.read_chunk(0)) == 1
        assert is_readable()  # for the commit
        source.commit(1)
        assert not is_readable()
        assert answer()[0] == 200
        source.close()
        assert is_readable()
        assert source.read_chunk(10) == b""


def test_close_refuses_what_the_host_does_not_have_yet_and_answers_the_rest(in_background):
    with opened() as source, client(source) as first, client(source) as second, client(source) as idle:
        idle.connect()
        taken = in_background(ask, first, headers=signed(b"{}"))
        assert source._poll.poll(PATIENCE * 1000)
        assert len(source.read_chunk(0)) == 1
        waiting = in_background(ask, second, headers=signed(b"{}"))
        assert source._poll.poll(PATIENCE * 1000)
        begun = time.monotonic()
        source.close()
        assert time.monotonic() - begun < 20  # 0.1 on an idle machine
        assert source.read_chunk(10) == b""
        assert waiting()[0] == 503
        assert source.connections == {f"webhook http://127.0.0.1:{source.port}/": False}
        source.commit(1)
        assert taken()[0] == 200
        assert idle.sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", source.port))


def test_a_slow_client_has_one_deadline_for_its_whole_request():
    with opened(timeout=0.5) as source:
        for head in (
            b"POST / HT",
            b"POST / HTTP/1.1\r\nX: y\r\n",
            b"POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        ):
            begun = time.monotonic()
            with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
                connection.sendall(head)
                answer = b""
                connection.settimeout(0.1)
                while time.monotonic() - begun < PATIENCE:
                    try:
                        answer = connection.recv(4096)
                        break
                    except TimeoutError:
                        connection.sendall(b"x")  # it drips
            assert answer.startswith(b"HTTP/1.1 408 ")


def test_silent_clients_give_way_to_new_ones():
    with opened(max_connections=4) as source, reading(source) as reader:
        silent = [socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE) for _ in range(10)]
        try:
            with client(source) as connection:
                assert ask(connection, headers=signed(b"{}"))[0] == 200
                assert reader.next() == b"{}"
            assert silent[0].recv(1) == b""
            assert source.counters["ended connections"] >= 6
        finally:
            for each in silent:
                each.close()


def test_a_thousand_silent_clients_hold_up_nothing():
    with opened() as source, reading(source) as reader:
        silent = [socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE) for _ in range(300)]
        try:
            with client(source) as connection:
                for _ in range(3):
                    assert ask(connection, headers=signed(b"{}"))[0] == 200
                    assert reader.next() == b"{}"
            assert len(source._receiver._clients) <= 64
        finally:
            for each in silent:
                each.close()


def test_requests_may_follow_each_other_without_a_wait_for_the_answers():
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    request += f"X-Hub-Signature-256: {signed(b'{}')['X-Hub-Signature-256']}\r\n\r\n{{}}".encode()
    with (
        opened() as source,
        reading(source) as reader,
        closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection,
    ):
        connection.sendall(request * 3 + request.replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = b""
        while data := connection.recv(4096):  # HTTP/1.0 ends the connection
            answer += data
        assert answer.count(b"HTTP/1.1 200 OK\r\n") == 4
        assert [reader.next() for _ in range(4)] == [b"{}"] * 4


def test_close_ends_all_threads():
    with opened() as source, closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
        while not source._receiver._clients:
            time.sleep(0.001)
        source.close()
        assert connection.recv(1) == b""
        while source._receiver._clients:
            time.sleep(0.001)
        with closing(sources.webhook(f"127.0.0.1:{source.port}", secret=SECRET)) as again:
            assert again.port == source.port


def test_close_while_a_request_is_answered_ends_its_connection(monkeypatch):
    with opened() as source, closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
        mark = source._receiver.mark

        def close_first(answered, *, is_answering):
            if not is_answering:
                source.close()
            mark(answered, is_answering=is_answering)

        monkeypatch.setattr(source._receiver, "mark", close_first)
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        answer = b""
        while data := connection.recv(4096):
            answer += data
        assert answer.startswith(b"HTTP/1.1 401 ")


def test_a_connection_that_comes_while_the_source_is_closed_is_closed():
    with opened() as source:
        source.close()
        ours, theirs = socket.socketpair()
        with ours:
            ours.settimeout(PATIENCE)
            source._receiver._take(theirs)
            assert ours.recv(1) == b""


def test_connections_whose_events_are_being_processed_stay(in_background):
    with opened(max_connections=2) as source, reading(source) as reader, client(source) as first, client(source) as second:
        reader.commits.clear()
        answers = [in_background(ask, each, headers=signed(b"{}")) for each in (first, second)]
        reader.next()
        while sum(each.is_answering for each in list(source._receiver._clients)) < 2:
            time.sleep(0.001)
        with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as third:
            assert third.recv(1) == b""
        reader.commits.set()
        assert [answer()[0] for answer in answers] == [200, 200]
        assert source.counters == {"refused connections": 1}
