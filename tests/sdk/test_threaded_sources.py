"""Sources that yield events one by one and may block between them are run by a reader thread."""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any

import pytest

import lanner
from lanner import NOTHING, Event
from lanner.sdk.hosting import reading
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.event_source import Source
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE, until


@pytest.fixture(autouse=True)
def no_source_is_left(monkeypatch):
    """`close` waits for a slow source, unless a test wants it to be left."""
    monkeypatch.setattr(reading, "LEAVE_AFTER", PATIENCE)


def opened(open_instance: Callable[[], Any]) -> Source:
    class Doors(lanner.Plugin):
        """Doors."""

        id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
        contact = "github.com/you/doors"

        def open(self, _params: str) -> Any:
            return open_instance()

    return open_source(init_plugin(Doors))


def drain(source: Source) -> list[tuple[bytes, int | None]]:
    """Return all events up to the end."""
    events: list[tuple[bytes, int | None]] = []
    while True:
        batch = source.next_batch(PATIENCE)
        events += zip(batch.payloads, batch.timestamps or [None] * len(batch.payloads), strict=True)
        if batch.ended:
            return events


def an_event(source: Source) -> bytes:
    """Return the first event of the next batch that has one."""
    while True:
        batch = source.next_batch(PATIENCE)
        if batch.payloads:
            return batch.payloads[0]


# half of a surrogate pair, which json.loads makes of an escape, ends no run
ITEMS = [b"a", "é", "\udcff", "\ud83d", NOTHING, Event(b"b", timestamp=5), Event("c\ude00")]
EVENTS = [(b"a", None), (b"\xc3\xa9", None), (b"\xff", None), (b"?", None), (b"b", 5), (b"c?", None)]


def generator() -> Iterator[Any]:
    yield from ITEMS


async def async_generator() -> AsyncIterator[Any]:
    for item in ITEMS:
        await asyncio.sleep(0)
        yield item


class AsyncIterable:
    def __aiter__(self) -> AsyncIterator[Any]:
        return async_generator()


@pytest.mark.parametrize(
    "open_instance", [generator, lambda: iter(ITEMS), lambda: ITEMS, lambda: chain(ITEMS), async_generator, AsyncIterable]
)
def test_all_that_can_be_iterated_is_a_source_of_payloads_and_events(open_instance):
    source = opened(open_instance)
    assert drain(source) == EVENTS
    assert source.next_batch(PATIENCE) == Batch([], ended=True)
    source.close()


@pytest.mark.parametrize("item", [None, 5, {"a": 1}, bytearray(b"a"), lanner.Chunk(b"a")])
def test_anything_else_is_an_error_that_says_so_after_the_events_before_it(item):
    source = opened(lambda: iter([b"a", item, b"b"]))
    assert an_event(source) == b"a"
    with pytest.raises(
        lanner.SourceError, match=rf"plugin doors: open yielded {type(item).__name__}; it must yield bytes, str, lanner.Event"
    ):
        drain(source)


def test_an_exception_comes_after_the_events_before_it_and_tells_where_it_was_raised():
    def failing() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the door fell")

    source = opened(failing)
    assert an_event(source) == b"a"
    for _ in range(2):
        with pytest.raises(
            lanner.SourceError, match=r"plugin doors: open: OSError: the door fell \(.*test_threaded_sources\.py, line \d+\)"
        ):
            drain(source)


def test_a_plugins_own_source_error_keeps_its_words():
    def failing() -> Iterator[bytes]:
        raise lanner.SourceError("no door at /dev/door")
        yield b""

    with pytest.raises(lanner.SourceError, match=r"^no door at /dev/door$"):
        drain(opened(failing))


def test_a_plugin_that_wants_to_exit_ends_its_source_only():
    def leaving() -> Iterator[bytes]:
        raise SystemExit(3)
        yield b""

    with pytest.raises(lanner.SourceError, match="SystemExit: 3"):
        drain(opened(leaving))


def test_a_batch_is_handed_over_while_the_source_blocks_for_more():
    go_on = threading.Event()

    def blocking() -> Iterator[bytes]:
        yield b"a"
        go_on.wait(PATIENCE)
        yield b"b"

    source = opened(blocking)
    assert an_event(source) == b"a"
    go_on.set()
    assert an_event(source) == b"b"


def test_what_is_there_comes_in_one_batch():
    waiting = threading.Event()

    def many() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x"
        waiting.set()

    source = opened(many)
    assert waiting.wait(PATIENCE)
    assert len(source.next_batch(PATIENCE).payloads) == 100


def test_no_event_within_the_timeout_is_an_empty_batch():
    forever = threading.Event()

    def silent() -> Iterator[bytes]:
        forever.wait(PATIENCE)
        yield b""

    source = opened(silent)
    assert source.next_batch(0.01) == Batch([])
    forever.set()


def test_a_source_that_is_faster_than_the_host_waits_with_a_full_queue(monkeypatch):
    monkeypatch.setattr(reading, "MAX_QUEUED", 10)
    made = []

    def fast() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield b"%d" % number

    source = opened(fast)
    first = an_event(source)
    assert first == b"0"
    # at most: the batch just taken, a full queue, and the one that waits for space
    assert len(made) <= 10 + 10 + 1
    assert [payload for payload, _ in drain(source)][-1] == b"99"


def test_the_queue_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(reading, "MAX_QUEUED_BYTES", 10)
    source = opened(lambda: iter([b"x" * 100] * 5))
    assert [len(payload) for payload, _ in drain(source)] == [100] * 5


def in_wait(source: Source) -> threading.Thread:
    """A host that waits in next_batch. The thread ends when the source has ended."""
    host = threading.Thread(target=drain, args=(source,))
    host.start()
    return host


def test_close_releases_the_host_while_the_generator_still_blocks(monkeypatch, caplog):
    monkeypatch.setattr(reading, "LEAVE_AFTER", 0.05)
    blocked, go_on = threading.Event(), threading.Event()
    after_close = []

    def stubborn() -> Iterator[bytes]:
        blocked.set()
        go_on.wait(PATIENCE)
        after_close.append("still running")
        yield b"late"

    source = opened(stubborn)
    host = in_wait(source)
    assert blocked.wait(PATIENCE)
    until(lambda: go_on._cond._waiters)
    with caplog.at_level(logging.WARNING, "lanner.plugin.doors"):
        source.close()
        source.close()
    host.join(PATIENCE)
    assert not host.is_alive()
    assert after_close == []
    (told,) = [record.message for record in caplog.records]
    assert re.fullmatch(
        r"the event source did not end within 0\.05 s of being closed and is left running: it is in wait \(.*threading\.py, line \d+\), "
        r"called from stubborn \(.*test_threaded_sources\.py, line \d+\); "
        r"a waiting generator ends at once if it does `yield lanner\.NOTHING` now and then",
        told,
    ), told
    go_on.set()
    assert drain(source) == []  # late events are dropped


def test_close_runs_the_generators_own_clean_up():
    cleaned, yielded = threading.Event(), threading.Event()

    def tidy() -> Iterator[Any]:
        try:
            while True:
                yield NOTHING
                yielded.set()
        finally:
            cleaned.set()

    source = opened(tidy)
    assert yielded.wait(PATIENCE)
    source.close()
    assert cleaned.is_set()


def test_close_ends_a_source_that_waits_for_room_in_the_queue(monkeypatch):
    monkeypatch.setattr(reading, "MAX_QUEUED", 1)
    cleaned, full = threading.Event(), threading.Event()

    def fast() -> Iterator[bytes]:
        try:
            yield b"a"
            full.set()
            yield b"b"
            yield b"c"
        finally:
            cleaned.set()

    source = opened(fast)
    assert full.wait(PATIENCE)
    source.close()
    assert cleaned.is_set()


class Blocking:
    """An iterator with its own close(), which ends the blocking call."""

    def __init__(self) -> None:
        self.blocked, self.woken = threading.Event(), threading.Event()
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.blocked.set()
        self.woken.wait(PATIENCE)
        raise OSError("closed under me")

    def close(self) -> None:
        self.closed += 1
        self.woken.set()


def test_close_calls_the_close_of_the_open_instance_which_ends_the_blocking_call(caplog):
    blocking = Blocking()
    source = opened(lambda: blocking)
    host = in_wait(source)
    assert blocking.blocked.wait(PATIENCE)
    source.close()
    source.close()
    host.join(PATIENCE)
    assert not host.is_alive()
    assert blocking.closed == 1
    assert "left alone" not in caplog.text


def test_close_reaches_an_instance_that_has_ended_by_itself():
    class Short(Blocking):
        def __next__(self) -> bytes:
            raise StopIteration

    short = Short()
    source = opened(lambda: short)
    assert drain(source) == []
    source.close()
    assert short.closed == 1


@pytest.mark.parametrize("closed_at_once", [True, False])
def test_close_cancels_an_async_source_wherever_it_waits(closed_at_once, caplog):
    waiting, cleaned = threading.Event(), threading.Event()

    async def waits() -> AsyncIterator[bytes]:
        try:
            waiting.set()
            await asyncio.get_running_loop().create_future()
            yield b"never"
        finally:
            cleaned.set()

    source = opened(waits)
    if not closed_at_once:
        assert waiting.wait(PATIENCE)
    source.close()
    assert drain(source) == []
    assert cleaned.is_set() == waiting.is_set()
    assert "left alone" not in caplog.text


def test_an_async_instance_is_closed_in_its_own_loop():
    class Feed:
        def __init__(self) -> None:
            self.closed_in: list[asyncio.AbstractEventLoop] = []
            self.waiting = threading.Event()

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            self.loop = asyncio.get_running_loop()
            self.waiting.set()
            return await self.loop.create_future()

        def close(self) -> None:
            self.closed_in.append(asyncio.get_running_loop())

    feed = Feed()
    source = opened(lambda: feed)
    assert feed.waiting.wait(PATIENCE)
    source.close()
    assert feed.closed_in == [feed.loop]


def test_sources_leave_no_threads():
    before = threading.active_count()
    for _ in range(5):
        source = opened(generator)
        drain(source)
        source.close()
    until(lambda: threading.active_count() <= before)
