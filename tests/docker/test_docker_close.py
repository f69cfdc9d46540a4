"""A stream that is closed in any state ends, and leaves no thread, no descriptor and no connection."""

import gc
import threading
from collections import Counter
from pathlib import Path

import pytest

import lanner
from lanner.docker import Docker
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE
from .stand_in import NOW, STREAM, RememberingEngine, event
from .streaming import eventually, lines


class BusyEngine(RememberingEngine):
    """Describes containers when `free` is set, and not before."""

    def __init__(self, url):
        self.free = threading.Event()
        super().__init__(url)

    def respond(self, exchange, target):
        if "/containers/" in target:
            self.free.wait(PATIENCE)
        else:
            super().respond(exchange, target)

    def asked(self, part):
        """Wait until somebody has asked for that."""
        eventually(lambda: any(part in request for request in self.requests))


@pytest.fixture
def busy(stand_in, tmp_path):
    """`busy(number)`: one of several."""
    return lambda number=0: stand_in(f"unix://{tmp_path}/{number}.sock", BusyEngine)


def threads_and_descriptors():
    """Lanner's threads, and how many descriptors are open."""
    gc.collect()
    threads = Counter(thread.name for thread in threading.enumerate() if thread.name.startswith("lanner-"))
    return threads, len(list(Path("/proc/self/fd").iterdir()))


def check_nothing_is_left(before):
    """Wait until nothing is there that was not there before; what another test has left may end meanwhile."""

    def is_nothing_left():
        threads, descriptors = threads_and_descriptors()
        return threads <= before[0] and descriptors <= before[1]

    eventually(is_nothing_left)


def _reading(engine, source):
    engine.publish(*lines(0, 100))
    assert source.next_batch(10).payloads


def _full(engine, source):
    engine.publish(*lines(0, 5000))
    eventually(lambda: source.counters.get("events dropped"))


def _blocked(engine, source):
    stream = engine.stream()
    engine.publish(*lines(0, 100))
    stream.wait_until_read()


def _asking_about_a_container(engine, source):
    engine.publish(event(Actor={"ID": "4f2d" * 16, "Attributes": {}}))
    engine.asked("/containers/")


def _lost(engine, source):
    engine.version = None
    engine.cut()
    eventually(lambda: engine.requests.count("GET /version HTTP/1.1") == 2)


def _away(engine, source):
    engine.stop()
    eventually(lambda: source.counters.get("connections lost"))


def _listing(engine, source):
    engine.publish(*lines(0))
    assert source.next_batch(10).payloads
    engine.clock = lambda: NOW  # the list that is asked for up to the last event ends when that time has passed
    engine.publish(*lines(1))
    assert source.next_batch(10).payloads
    engine.cut()
    eventually(lambda: any("until" in request for request in engine.requests))


def _pinging(engine, source):
    engine.pong = None
    engine.asked("/_ping")


STAGES = {
    "at once": (lambda engine, source: None, {}),
    "reading": (_reading, {}),
    "full": (_full, {"queueEvents": 10}),
    "blocked": (_blocked, {"queueEvents": 1, "queuePolicy": "block"}),
    "asking about a container": (_asking_about_a_container, {"inspect": True, "inspectTimeout": 60_000}),
    "lost": (_lost, {}),
    "away": (_away, {}),
    "listing": (_listing, {}),
    "pinging": (_pinging, {"pingInterval": 1}),
}


@pytest.mark.parametrize(("reach", "config"), STAGES.values(), ids=STAGES)
def test_close_from_another_thread_ends_all_of_it(busy, no_pause, tmp_path, reach, config):
    before = threads_and_descriptors()
    engine = busy()
    source = open_source(
        init_plugin(Docker, {"inspect": False, "host": engine.url, "cursor": f"{tmp_path}/cursor", "cursorInterval": 10, **config})
    )
    reach(engine, source)
    closing = threading.Thread(target=source.close)
    closing.start()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert source.next_batch(3600).ended
    del source
    engine.free.set()
    engine.stop()
    check_nothing_is_left(before)


def test_of_fifty_engines_nothing_is_left(busy, no_pause):
    before = threads_and_descriptors()
    all_of_them = [busy(number) for number in range(50)]
    source = open_source(init_plugin(Docker, {"inspect": False, "hosts": [engine.url for engine in all_of_them]}))
    for engine in all_of_them:
        assert engine.stream().request.startswith("GET /v1.41/events")
    for engine in all_of_them[::2]:
        engine.cut()
    source.close()
    del source
    for engine in all_of_them:
        engine.stop()
    check_nothing_is_left(before)


def test_a_start_that_fails_leaves_nothing(busy, tmp_path):
    before = threads_and_descriptors()
    engine = busy()
    engine.events = STREAM.replace(b"200 OK", b"500 No")
    for _ in range(5):
        with pytest.raises(lanner.SourceError, match="500 No"):
            open_source(init_plugin(Docker, {"host": engine.url, "cursor": f"{tmp_path}/cursor", "inspect": True}))
    engine.stop()
    check_nothing_is_left(before)
