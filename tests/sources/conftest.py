"""Sources in a plugin, read as a host reads them."""

import contextlib
import queue
import subprocess
import threading
import time
from typing import Any

import pytest

import lanner
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sources import polling, tailing

from ..waiting import PATIENCE
from .log_lines import looped, returned, yielded
from .polling_api import QUICK


class Kept:
    """A store of positions in memory."""

    def __init__(self, resumed=None):
        self.resumed = self.position = resumed
        self.counters = {}

    def advance(self, position):
        self.position = position


class Reader:
    """An open source of a plugin that uses a feed; the host commits each batch that it has read."""

    def __init__(self, opening, position=None):
        class Lines(lanner.Plugin):
            """Lines."""

            id, name, version, event_source, contact = 4242, "lines", "0.1.0", "lines", "github.com/you/lines"
            open = opening

        self.kept = Kept(position)
        self.source = open_source(init_plugin(Lines), "", self.kept)
        self.source.commits_itself = False
        self.seen = []

    def read(self, count, most=1 << 20):
        """The next `count` lines; they are committed."""
        deadline = time.monotonic() + PATIENCE
        while len(self.seen) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"{count} lines expected, {self.seen} read"
            batch = self.source.next_batch(left, most)
            self.seen += batch.payloads
            self.commit()
            if batch.ended:
                assert len(self.seen) >= count, self.seen
        found, self.seen = self.seen[:count], self.seen[count:]
        return [line.decode() for line in found]

    def is_silent(self, seconds=0.3):
        """Whether no line comes within this number of seconds."""
        deadline = time.monotonic() + seconds
        while not self.seen and (left := deadline - time.monotonic()) > 0:
            self.seen += self.source.next_batch(left).payloads
        return not self.seen

    def commit(self):
        self.source.commit(self.source.position)

    def close(self):
        begin = time.monotonic()
        self.source.close()
        with contextlib.suppress(lanner.SourceError):
            self.source.next_batch(0)
        return time.monotonic() - begin


@pytest.fixture
def reading():
    """`reading(opening, position)`: an open source, closed after the test."""
    opened = []

    def begin(opening: Any, position: Any = None) -> Reader:
        opened.append(Reader(opening, position))
        return opened[-1]

    yield begin
    for reader in opened:
        reader.close()


def eventually(holds):
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The files of a certificate for localhost, which is its own authority, and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-days", "2", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def in_background():
    """`in_background(function, *arguments)` runs it in a thread; the result of `()` is what it returned."""
    threads = []

    def start(function, *arguments, **options):
        results = queue.Queue()

        def run():
            try:
                results.put((function(*arguments, **options), None))
            except BaseException as error:  # noqa: BLE001 - the test gets it
                results.put((None, error))

        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()

        def result():
            value, error = results.get(timeout=PATIENCE)
            if error is not None:
                raise error
            return value

        return result

    yield start
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def short_pauses(monkeypatch):
    """A poller waits hundredths of a second between polls."""
    monkeypatch.setattr(polling, "_FIRST_PAUSE", QUICK)
    monkeypatch.setattr(polling, "_SHORTEST_PAUSE", QUICK)


@pytest.fixture
def short_grace(monkeypatch):
    """A rotated file is complete after 50 ms of silence."""
    monkeypatch.setattr(tailing, "_GRACE", 0.05)


@pytest.fixture
def log(tmp_path):
    (tmp_path / "var").mkdir()
    return tmp_path / "var" / "access.log"


@pytest.fixture(params=[returned, yielded, looped])
def following(request, reading, log):
    """`following(position)`: a run that follows the log."""

    def begin(position=None, path=log, **options):
        return reading(request.param(path, **options), position)

    return begin
