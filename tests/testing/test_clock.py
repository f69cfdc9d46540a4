"""The clock of tests: time passes for a plugin only when the test says so."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import lanner
import lanner.testing

from ..waiting import PATIENCE


class Poller(lanner.Plugin):
    """A source that pauses between events."""

    id, name, version, event_source, contact = 4242, "poller", "0.1.0", "poller", "github.com/you/poller"
    fields = (lanner.field("poller.at", lanner.payload["at"].integer(), "When"),)

    def open(self, _params: str) -> Iterator[str]:
        while True:
            yield f'{{"at": {int(time.time())}}}'
            time.sleep(60)


def test_time_passes_only_when_the_test_moves_it():
    with lanner.testing.clock(1000) as clock, lanner.testing.host(Poller) as host:
        first = host.next()
        assert host.extract(first, "poller.at") == 1000
        assert first.timestamp == 1000 * 10**9
        clock.advance(30)
        with pytest.raises(TimeoutError):
            host.next(timeout=0.05)
        clock.advance(30)
        assert host.extract(host.next(), "poller.at") == 1060
        clock.advance(3600)
        assert host.extract(host.next(), "poller.at") == 4660
        assert clock.pauses[:2] == [60, 60]
        assert clock.now == 4660


def test_advance_waits_until_the_plugin_pauses():
    begun, woken = threading.Event(), threading.Event()

    def sleeper():
        begun.wait()
        time.sleep(5)
        woken.set()

    with lanner.testing.clock() as clock:
        thread = threading.Thread(target=sleeper)
        thread.start()
        with pytest.raises(TimeoutError, match=r"0 instead of 1 thread of the plugin pause after 0\.01 s"):
            clock.advance(5, timeout=0.01)
        begun.set()
        clock.advance(5)
        assert woken.wait(PATIENCE)
        thread.join()


def test_a_sleep_of_the_test_itself_moves_the_clock():
    with lanner.testing.clock(datetime(2026, 1, 2, tzinfo=UTC)) as clock:
        begin, steady = time.time_ns(), time.monotonic()
        time.sleep(100)
        assert time.time_ns() - begin == 100 * 10**9
        assert time.monotonic() - steady >= 100
        assert time.time() == clock.now == datetime(2026, 1, 2, 0, 1, 40, tzinfo=UTC).timestamp()


def test_the_end_of_the_context_ends_pauses_and_restores_the_clock():
    with lanner.testing.clock(1000) as clock:
        thread = threading.Thread(target=time.sleep, args=(10**6,))
        thread.start()
        clock.advance(1)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert time.time() > 1_700_000_000


def test_another_descriptor_ends_a_pause():
    import os

    flag = os.eventfd(0)
    with lanner.testing.clock() as clock:
        thread = threading.Thread(target=clock.pause, args=(10**6, [flag]))
        thread.start()
        clock.advance(0)
        os.eventfd_write(flag, 1)
        thread.join(PATIENCE)
        assert not thread.is_alive()
    os.close(flag)


class Ticks(lanner.sources.Feed):
    """A feed that pauses between events, as those of `lanner.sources` do."""

    def events(self) -> Iterator[lanner.Event]:
        while not self.closing.is_set:
            yield lanner.Event(str(int(time.time())))
            self.wait(60)


class Ticker(lanner.Plugin):
    """A plugin whose source is a feed."""

    id, name, version, event_source, contact = 4243, "ticker", "0.1.0", "ticker", "github.com/you/ticker"

    def open(self, _params: str) -> Ticks:
        return Ticks("ticks")


def test_a_feed_pauses_on_the_clock_and_is_closed_at_once():
    with lanner.testing.clock(1000) as clock:
        with lanner.testing.host(Ticker) as host:
            assert host.next().payload == b"1000"
            clock.advance(60)
            assert host.next().payload == b"1060"
            begin = time.perf_counter()
        assert time.perf_counter() - begin < PATIENCE
