"""Blocked links: a pipe without a reader after the host, and a TCP path to the engine that is cut or drops everything."""

import contextlib
import socket
import threading
from collections import Counter

import pytest

from .proof.listener import Listener
from .proof.load import Load
from .proof.watcher import Watcher

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


class UnreadWatcher(Watcher):
    """A run whose standard output is not read before `reading` is set."""

    def __init__(self, *arguments, **config):
        super().__init__(*arguments, **config)
        self.reading = threading.Event()

    def _read_alerts(self, stream):
        self.reading.wait()
        super()._read_alerts(stream)


class Path:
    """A TCP way to a unix socket, whose open connections can be cut, or held open and no longer served."""

    def __init__(self, target):
        self._target, self._lock, self._links = str(target), threading.Lock(), []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self):
        """Close what is open."""
        with self._lock:
            for client, engine, _ in self._links:
                for end in (client, engine):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def hold(self):
        """Forward nothing more over what is open, and close nothing."""
        with self._lock:
            for _, _, held in self._links:
                held.set()

    def close(self):
        """End all of it."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for client, engine, _ in self._links:
            client.close()
            engine.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._target)
                held = threading.Event()
                with self._lock:
                    self._links.append((client, engine, held))
                for ends in ((client, engine), (engine, client)):
                    self._threads.append(threading.Thread(target=self._forward, args=(*ends, held)))
                    self._threads[-1].start()

    @staticmethod
    def _forward(source, to, held):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not held.is_set():
                    to.sendall(data)
        if not held.is_set():
            with contextlib.suppress(OSError):
                to.shutdown(socket.SHUT_WR)


def compare(watcher, listener):
    """Check that Lanner has seen each event of the listener exactly once."""
    received = [line for line in listener.lines if b'"ID":"load-' in line]
    assert received
    assert set(received) - set(watcher.lines) == set()
    assert [line for line, count in Counter(watcher.lines).items() if count > 1] == []
    assert watcher.gaps == []


def come_to_an_end(engine, watcher, listener):
    """Wait until both have the last event."""
    engine.docker("volume", "create", "load-end")
    watcher.wait_for(lambda watcher: watcher.lines and b'"ID":"load-end"' in watcher.lines[-1])
    ending = threading.Event()
    for _ in range(1000):
        if b'"ID":"load-end"' in listener.lines[-1]:
            return
        ending.wait(0.02)
    pytest.fail("the listener did not receive the last event")


def pass_events(load, count):
    """Wait until the load has done this number of further rounds."""
    before, pause = load.done, threading.Event()
    for _ in range(3000):
        if load.done >= before + count:
            return
        pause.wait(0.02)
    pytest.fail("the engine is blocked")


def test_a_pipe_without_a_reader_delays_neither_the_engine_nor_an_event(engine, tmp_path):
    watcher = UnreadWatcher(tmp_path, engine.host).start()
    try:
        with Listener(engine.socket) as listener:
            with Load(engine.socket, 2) as load:
                pass_events(load, 3000)  # many times what a pipe holds
            watcher.reading.set()
            come_to_an_end(engine, watcher, listener)
        assert watcher.end() == 0
    finally:
        watcher.reading.set()
        watcher.process.kill()
    compare(watcher, listener)


@pytest.mark.parametrize("fault", ["cut", "hold"])
def test_a_path_that_fails_is_replaced_and_nothing_is_missed(engine, tmp_path, fault):
    path = Path(engine.socket)
    watcher = None
    try:
        watcher = Watcher(tmp_path, path.address, pingInterval=1).start()
        with Listener(engine.socket) as listener:
            with Load(engine.socket, 1, pause=0.1) as load:
                for _ in range(2):
                    pass_events(load, 10)
                    count = len(watcher.lines)
                    getattr(path, fault)()
                    watcher.wait_for(lambda watcher, count=count: len(watcher.lines) > count + 20)
            come_to_an_end(engine, watcher, listener)
        assert watcher.end() == 0
    finally:
        if watcher is not None and watcher.process.poll() is None:
            watcher.process.kill()
        path.close()
    compare(watcher, listener)
