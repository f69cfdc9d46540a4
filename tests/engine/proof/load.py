"""Load on a real engine: volumes created and removed by raw requests, each with a unique name."""

import contextlib
import itertools
import socket
import threading

NUMBERS = itertools.count()


class Load:
    """Threads that create and remove volumes as fast as the engine takes them, whether or not it is there. A context manager.

    `pause` is how long (seconds) each thread waits between two requests.
    """

    def __init__(self, path, threads=2, pause=0.0):
        self._path, self._pause = str(path), pause
        self._ending = threading.Event()
        self.done = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._ending.is_set():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
                link.settimeout(20)
                link.connect(self._path)
                while not self._ending.is_set():
                    self._make_and_remove(link)
            self._ending.wait(0.05)

    def _make_and_remove(self, link):
        name = f"load-{next(NUMBERS)}"
        body = b'{"Name":"%s"}' % name.encode()
        self._ask(link, f"POST /volumes/create HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}", body)
        self._ask(link, f"DELETE /volumes/{name} HTTP/1.1\r\nContent-Length: 0")
        self.done += 2
        if self._pause:
            self._ending.wait(self._pause)

    @staticmethod
    def _ask(link, head, body=b""):
        link.sendall(head.encode() + b"\r\nHost: docker\r\n\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = link.recv(65536)
            if not more:
                raise ConnectionError
            answer += more
        head, _, rest = answer.partition(b"\r\n\r\n")
        _, found, size = head.lower().partition(b"content-length: ")
        left = int(size.partition(b"\r\n")[0]) - len(rest) if found else 0
        while left > 0:
            more = link.recv(left)
            if not more:
                raise ConnectionError
            left -= len(more)
