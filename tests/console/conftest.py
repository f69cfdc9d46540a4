"""Consoles over generated alerts, and clients that write every header themselves."""

import contextlib
import http.client
import json
import socket

import pytest
from tests.console.generated import GeneratedStore, serving

from ..waiting import PATIENCE


class Client:
    """A client of one console; `login` gets it the cookie."""

    def __init__(self, console):
        self.console, self.cookie = console, ""

    def ask(self, path, method="GET", body=None, **headers):
        """Status, headers and body. Headers are written with _ for -; None leaves one out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=PATIENCE)
        given = {"Host": f"127.0.0.1:{self.console.port}", "Cookie": self.cookie or None}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def get(self, path, **headers):
        """Status and JSON."""
        status, _, body = self.ask(path, **headers)
        return status, json.loads(body)

    def login(self, token=None, **headers):
        sent = json.dumps({"token": self.console.token if token is None else token}).encode()
        status, given, body = self.ask("/login", "POST", sent, **{"Content_Type": "application/json"} | headers)
        if status == 204:
            self.cookie = given["Set-Cookie"].partition(";")[0]
        return status, given, body

    def say(self, data):
        """Return the console's answer to these bytes."""
        with socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The directory of a store with 1,000 alerts."""
    directory = tmp_path_factory.mktemp("store")
    with contextlib.closing(GeneratedStore(directory, 1000)):
        yield directory


@pytest.fixture
def serve(generated):
    """`serve(directory, **options)`: a client of a console over a store, by default with generated alerts."""
    with contextlib.ExitStack() as stack:

        def begin(directory=generated, **options):
            return Client(stack.enter_context(serving(directory, **options)))

        yield begin


@pytest.fixture
def client(serve):
    """A client that is logged in."""
    client = serve()
    assert client.login()[0] == 204
    return client
