"""The stand-in engine: what tests of the stream rely on when the client goes first."""

import socket

from ..waiting import PATIENCE
from .stand_in import chunk, event


def _asks_for_events(engine):
    client = socket.socket(socket.AF_UNIX)
    client.connect(engine.url.removeprefix("unix://"))
    client.sendall(b"GET /events HTTP/1.1\r\n\r\n")
    return client


def test_waiting_for_a_client_that_has_read_all_and_closed_ends(engine):
    with _asks_for_events(engine) as client:
        stream = engine.stream()
        assert client.recv(65536)
    assert stream.ended.wait(PATIENCE)
    stream.wait_until_read()


def test_waiting_for_a_client_that_closes_without_reading_ends(engine):
    with _asks_for_events(engine):
        stream = engine.stream()
        stream.send(chunk(event()))
    stream.wait_until_read()
