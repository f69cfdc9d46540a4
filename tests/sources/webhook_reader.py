"""Webhooks in tests: a reader in the role of the host, and HTTP clients."""

import http.client
import queue
import threading
from contextlib import contextmanager

from lanner.sdk.authoring.events import Nothing

from ..waiting import PATIENCE


class Reader:
    """A host: reads an open webhook in a thread, and commits what it has read as soon as the gate `commits` is open."""

    def __init__(self, source):
        self.source = source
        self.payloads = queue.Queue()
        self.commits, self.reads = threading.Event(), threading.Event()
        self.commits.set()
        self.reads.set()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def next(self):
        return self.payloads.get(timeout=PATIENCE)

    def close(self):
        self.source.close()
        self.reads.set()
        self.commits.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def _run(self):
        count = 0
        while True:
            self.reads.wait(PATIENCE)
            chunk = self.source.read_chunk(3600)
            if chunk == b"":
                return
            if not isinstance(chunk, Nothing):
                count += 1
                for payload in chunk:
                    self.payloads.put(payload)
                self.commits.wait(PATIENCE)
                self.source.commit(count)


@contextmanager
def reading(source):
    reader = Reader(source)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def client(source, *, timeout=PATIENCE, context=None):
    """An HTTP client with one kept connection to the webhook."""
    if context is None:
        connection = http.client.HTTPConnection("127.0.0.1", source.port, timeout=timeout)
    else:
        connection = http.client.HTTPSConnection("localhost", source.port, timeout=timeout, context=context)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection, method="POST", path="/", body=b"{}", headers=()):
    """The status and text of the answer."""
    connection.request(method, path, body, {"Content-Type": "application/json", **dict(headers)})
    response = connection.getresponse()
    return response.status, response.read().decode().strip()
