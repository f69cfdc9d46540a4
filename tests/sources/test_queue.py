"""`queue` takes events from callbacks in any thread, up to a bound."""

import threading

import pytest

import lanner
from lanner import sources

from ..waiting import PATIENCE
from .conftest import eventually


@pytest.fixture
def queued(reading):
    """`queued(**options)`: a queue, and the run that reads it."""

    def begin(**options):
        made = []

        def opening(self, params):
            made.append(sources.queue("broker", **options))
            return made[0]

        run = reading(opening)
        return made[0], run

    return begin


def test_events_come_in_order_from_any_thread(queued):
    queue, run = queued()
    assert queue.put("one")
    threading.Thread(target=lambda: [queue.put(b"two"), queue.put(lanner.Event("three", 5))]).start()
    assert run.read(3) == ["one", "two", "three"]


def test_positions_come_with_the_events(reading):
    queue = []

    def opening(self, params, position):
        queue.append(sources.queue())
        queue[0].put(lanner.Event("x", position=7))
        yield from queue[0]

    run = reading(opening)
    run.read(1)
    assert run.kept.position == 7


@pytest.fixture
def full():
    """`full(**options)`: a queue without a reader, with two events of five bytes."""

    def make(**options):
        queue = sources.queue(**options)
        for text in ("one__", "two__"):
            assert queue.put(text)
        return queue

    return make


BOUNDS = [{"max_events": 2}, {"max_bytes": 12}]


def left(queue):
    queue.end()
    return [event.payload.decode() for event in queue.events()]


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_full_queue_drops_the_newest(full, bound, caplog):
    queue = full(policy="drop_newest", **bound)
    assert not queue.put("three")
    assert not queue.put("four_")
    assert queue.counters == {"events dropped": 2}
    assert len(caplog.records) == 1
    assert left(queue) == ["one__", "two__"]


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_full_queue_drops_the_oldest(full, bound):
    queue = full(policy="drop_oldest", **bound)
    assert queue.put("three")
    assert queue.counters == {"events dropped": 1}
    assert left(queue) == ["two__", "three"]


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_full_queue_blocks_until_there_is_room(full, bound):
    queue = full(**bound)
    assert not queue.put("late_", timeout=0.01)
    putting = threading.Thread(target=queue.put, args=["three"])
    putting.start()
    events = iter(queue)
    assert [next(events).payload for _ in range(3)] == [b"one__", b"two__", b"three"]
    putting.join(PATIENCE)
    assert queue.counters == {}


def test_closing_ends_a_put_that_waits_and_counts_what_was_not_read(full):
    queue = full(max_events=2)
    results = []
    putting = threading.Thread(target=lambda: results.append(queue.put("three")))
    putting.start()
    queue.close()
    putting.join(PATIENCE)
    assert results == [False]
    assert not queue.put("four")
    assert queue.counters == {"events dropped": 2}


def test_an_empty_queue_takes_an_event_of_any_size():
    queue = sources.queue(max_bytes=10, policy="drop_newest")
    assert queue.put("x" * 100)
    assert not queue.put("y")
    assert left(queue) == ["x" * 100]


def test_the_client_ends_or_fails_the_source_after_what_it_has_put(queued):
    queue, run = queued()
    queue.put("one")
    queue.end()
    assert run.read(1) == ["one"]
    assert run.source.next_batch(PATIENCE).ended
    queue, run = queued()
    queue.put("one")
    queue.fail("the broker refuses the password")
    assert run.read(1) == ["one"]
    with pytest.raises(lanner.SourceError, match="the broker refuses the password"):
        run.source.next_batch(PATIENCE)


def test_the_client_tells_whether_it_is_connected(queued):
    queue, run = queued()
    assert run.source.connections == {}
    queue.set_connected(False)
    assert run.source.connections == {"broker": False}
    queue.set_connected(True)
    assert run.source.connections == {"broker": True}


def test_it_stops_at_once(queued):
    queue, run = queued()
    queue.put("x")
    run.read(1)
    assert run.close() < 20
    eventually(lambda: not queue.put("y"))


@pytest.mark.parametrize(
    ("options", "says"),
    [({"max_events": 0}, "at least 1"), ({"max_bytes": 0}, "at least 1"), ({"policy": "wait"}, "policy is 'wait'; it must be")],
)
def test_invalid_arguments_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        sources.queue(**options)
    with pytest.raises(TypeError, match="the payload of an event must be bytes or str, not int"):
        sources.queue().put(5)
