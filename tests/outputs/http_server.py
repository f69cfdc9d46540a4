"""A server that keeps what was posted to it, for tests of the HTTP sink."""

import pytest

from lanner.outputs import Alert, OutputError

from .servers import Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def alerts(*lines):
    return [Alert(line, "a rule", "Warning", "kv", 1) for line in lines]


def read_request(connection):
    """The head's first line, the headers and the body of a request; None at the end, or where it is cut."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return first, headers, body


class Http:
    """A server that answers each request with `answer`: bytes, or a function of the request's number that gives them."""

    def __init__(self, answer=OK, tls=None):
        self.answer = answer
        self.requests = []
        self.server = Server(self._talk, tls)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server.port}/alerts?token=secret"

    def _talk(self, connection, _number):
        while (request := read_request(connection)) is not None:
            self.requests.append(request)
            answer = self.answer(len(self.requests)) if callable(self.answer) else self.answer
            connection.sendall(answer)
            if b"Content-Length" not in answer:
                return


def refused(sink, some):
    with pytest.raises(OutputError):
        sink.send(some)


def status(number, reason="Because", headers=""):
    return f"HTTP/1.1 {number} {reason}\r\n{headers}Content-Length: 0\r\n\r\n".encode()
