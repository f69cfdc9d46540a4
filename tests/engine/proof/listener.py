"""A listener of an engine's events that shares no code with Lanner's: what it received, line by line."""

import contextlib
import http.client
import socket
import threading
import urllib.parse


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def listing(path, since, until):
    """The lines of the events that the engine still has between two times (seconds)."""
    connection = _Connection(str(path))
    query = urllib.parse.urlencode({"since": f"{since:.9f}", "until": f"{until:.9f}"})
    connection.request("GET", f"/v1.41/events?{query}")
    lines = connection.getresponse().read().splitlines()
    connection.close()
    return lines


class Listener:
    """Receives until it is closed; connects again by itself, without asking for what it missed. A context manager."""

    def __init__(self, path):
        self._path = str(path)
        self._ending = threading.Event()
        self._connection = None
        self.lines = []
        self.connected = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        assert self.connected.wait(30)
        return self

    def __exit__(self, *_):
        self._ending.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _run(self):
        while not self._ending.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._listen()
            self._ending.wait(0.01)

    def _listen(self):
        connection = self._connection = _Connection(self._path)
        try:
            connection.request("GET", "/v1.41/events")
            response = connection.getresponse()
            self.connected.set()
            while line := response.readline():
                if line.endswith(b"\n"):
                    self.lines.append(line.rstrip(b"\n"))
        finally:
            connection.close()
