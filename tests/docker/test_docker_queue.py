"""The bounded queue between reading and the host: the reader continues, and dropped events are counted and reported in their position."""

import select
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.docker import intake
from lanner.docker.buffer import Buffer, put_all
from lanner.docker.gaps import Host, Part
from lanner.native import Events
from lanner.sources import Counters, Flag

from ..waiting import PATIENCE
from . import reference
from .stand_in import NOW
from .streaming import eventually, gap_of, is_gap, lines, payloads, source_of, watching

pytestmark = pytest.mark.slow

HOST, OTHER = Host("a", named=False), Host("b", named=False)


def part(first, count, host=HOST):
    return Part(host, Events(plain(first, count)))


def taken(buffer):
    """Return the contents of the queue, and the times of gaps."""
    found = []
    while more := buffer.take():
        found += [each for part in more for each in contents(part)]
    return found


def contents(part):
    if part.gap is None:
        return list(part.events)
    (line,) = part.events
    told = gap_of(line)
    assert part.gap == (told["from"], told["until"])
    return [(part.host.label, told["from"] - NOW, told["until"] - NOW)]


def plain(first, count):
    return [line[:-1] for line in lines(first, count)]


def full_of(policy, first=0, count=10):
    counters = Counters()
    buffer = Buffer(10, 1_000_000, policy, counters)
    buffer.put(part(first, count))
    return buffer, counters


def test_the_newest_that_have_no_room_are_dropped_and_told_of_after_those_before_them():
    buffer, counters = full_of("drop_newest")
    buffer.put(part(10, 5))
    buffer.put(part(15, 2))
    assert taken(buffer) == [*plain(0, 10), ("a", 10, 16)]
    buffer.put(part(17, 3))
    assert taken(buffer) == plain(17, 3)
    assert counters.counts == {"events dropped": 7, "gaps": 1}


def test_the_oldest_are_dropped_and_told_of_in_front_of_those_after_them():
    buffer, counters = full_of("drop_oldest")
    buffer.put(part(10, 5))
    buffer.put(part(15, 2))
    assert taken(buffer) == [("a", 0, 6), *plain(7, 10)]
    assert counters.counts == {"events dropped": 7, "gaps": 1}


def test_of_several_engines_each_is_reported():
    buffer, _ = full_of("drop_newest")
    buffer.put(part(10, 2))
    buffer.put(part(12, 2, OTHER))
    assert taken(buffer)[10:] == [("a", 10, 11), ("b", 12, 13)]


def test_a_gap_stands_where_the_queue_was_full_though_it_is_taken_from_in_parts():
    buffer = Buffer(5000, 10**9, "drop_newest", Counters())
    buffer.put(part(0, 5000))
    buffer.put(part(5000, 10))  # dropped
    assert [len(part.events) for part in buffer.take()] == [4096]
    buffer.put(part(5010, 10))
    assert taken(buffer) == [*plain(4096, 904), ("a", 5000, 5009), *plain(5010, 10)]


def test_a_gap_that_has_no_room_is_part_of_the_one_that_is_reported():
    """Missing lines are reported with their whole time span, regardless of the cause."""
    for policy in ("drop_newest", "drop_oldest"):
        buffer, _ = full_of(policy, 100)
        buffer.put(HOST.gap("engine restarted or out of reach", NOW + 20, NOW + 90))
        buffer.put(part(120, 20))
        (gap,) = [each for each in taken(buffer) if isinstance(each, tuple)]
        assert gap == ("a", 20, 139 if policy == "drop_newest" else 129), policy


def test_bytes_count_as_well_as_events():
    counters = Counters()
    buffer = Buffer(1000, 3 * len(plain(0, 1)[0]), "drop_newest", counters)
    buffer.put(part(0, 5))
    assert taken(buffer) == [*plain(0, 3), ("a", 3, 4)]
    assert counters.counts["events dropped"] == 2


def test_a_line_larger_than_the_queue_is_taken_if_the_queue_is_empty():
    for policy in ("drop_newest", "drop_oldest", "block"):
        buffer = Buffer(1000, 10, policy, Counters())
        assert buffer.put(part(0, 1)) == 1
        assert taken(buffer) == plain(0, 1)


def test_where_the_policy_is_to_block_the_rest_waits_for_room():
    buffer, counters = full_of("block")
    assert buffer.put(part(10, 3)) == 0
    closing, room = Flag(), Flag()
    writer = threading.Thread(target=put_all, args=[buffer, part(10, 30), room, closing])
    writer.start()
    found = []
    while len(found) < 40:
        found += taken(buffer)
    writer.join()
    assert found == plain(0, 40)
    assert counters.counts == {}


def test_who_waits_for_room_is_let_go_when_the_stream_is_closed():
    buffer, _ = full_of("block")
    closing = Flag()
    writer = threading.Thread(target=put_all, args=[buffer, part(10, 3), Flag(), closing])
    writer.start()
    closing.set()
    writer.join(PATIENCE)
    assert not writer.is_alive()
    assert taken(buffer) == plain(0, 10)


NUMBERS = {line: number for number, line in enumerate(plain(0, 1000))}
STEPS = st.lists(st.integers(1, 30) | st.none(), max_size=30)


@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest"])
@given(STEPS)
def test_all_that_is_missing_is_reported_and_all_else_comes_in_order(policy, steps):
    """A number is that of events put at once, None a host that takes what is there."""
    counters = Counters()
    buffer = Buffer(20, 1_000_000, policy, counters)
    put, found = 0, []
    for step in [*steps, None]:
        if step is None:
            found += taken(buffer)
        else:
            buffer.put(part(put, step))
            put += step
    seen, missing = [], []
    for each in found:
        if isinstance(each, tuple):
            missing += range(each[1], each[2] + 1)
            seen += range(each[1], each[2] + 1)
        else:
            seen.append(NUMBERS[each])
    assert seen == list(range(put))
    assert counters.counts.get("events dropped", 0) == len(missing)


def gap(since, until):
    return since, until, HOST.gap("queue full", since, until).events[0]


SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=12)


@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest", "block"])
@given(st.lists(SIZES | st.none(), max_size=25), st.integers(1, 15), st.integers(60, 1000))
def test_bounds_and_order_hold_and_all_that_was_dropped_is_counted(policy, steps, most, most_bytes):
    """A list is that of the sizes of events put at once, None a host that takes what is there."""
    counters = Counters()
    buffer, model = Buffer(most, most_bytes, policy, counters), reference.Queue(most, most_bytes, policy, gap)
    put = 0
    for step in [*steps, None]:
        if step is None:
            assert [each for part in iter(buffer.take() or []) for each in inside(part)] == model.take()
            continue
        events = [b'{"%b":0,"timeNano":%d}' % (b"x" * size, NOW + put + number) for number, size in enumerate(step)]
        put += buffer.put(Part(HOST, Events(events)), Flag())
        model.put(events)
        assert put == model.put_so_far
        held = [len(line) for part in buffer._parts if part.gap is None for line in part.events]
        assert len(held) <= most
        assert sum(held) <= most_bytes or len(held) == 1
    assert counters.counts.get("events dropped", 0) == model.dropped_so_far


def inside(part):
    return list(part.events) if part.gap is None else [(*part.gap, part.events[0])]


def test_a_reader_learns_that_the_host_is_more_than_one_batch_behind():
    """The reader then leaves time to the host, so that a burst neither fills the memory nor is dropped."""
    buffer = Buffer(65_536, 10**9, "drop_newest", Counters())
    buffer.put(part(0, 4096))
    assert not buffer.is_crowded
    buffer.put(part(4096, 1))
    assert buffer.is_crowded
    buffer.take()
    assert not buffer.is_crowded


# with an engine


def readable(source):
    poll = select.poll()
    poll.register(source.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def test_a_descriptor_tells_whether_there_is_something(remembering):
    source = source_of(remembering)
    assert not readable(source)
    remembering.publish(*lines(0))
    eventually(lambda: readable(source))
    assert source.next_batch(10).payloads == plain(0, 1)
    assert not readable(source)
    source.close()
    assert source.next_batch(10).ended


@pytest.mark.parametrize(("policy", "first"), [("drop_newest", 0), ("drop_oldest", 90)])
def test_the_reader_continues_while_the_host_does_not(remembering, policy, first):
    with watching(remembering, queueEvents=10, queuePolicy=policy) as host:
        for number in range(100):
            remembering.publish(*lines(number))
        eventually(lambda: host.source.counters.get("events dropped") == 90)
        seen = payloads(host, 11)
        assert [line for line in seen if not is_gap(line)] == lines(first, 10)
        (gap,) = filter(is_gap, seen)
        assert gap_of(gap)["reason"] == "queue full"
        remembering.publish(*lines(100))
        assert payloads(host, 1) == lines(100)


def test_a_reader_that_has_to_wait_loses_nothing_itself_and_tells_of_it(remembering, monkeypatch):
    monkeypatch.setattr(intake, "_PATIENCE", 0.0)
    with watching(remembering, queueEvents=10, queuePolicy="block") as host:
        remembering.publish(*lines(0, 100))
        seen = []
        while len(seen) < 100:
            seen += [line for line in payloads(host, 1) if not is_gap(line)]
        assert seen == lines(0, 100)
        assert gap_of(host.next().payload)["reason"] == "blocked"
        assert "events dropped" not in host.source.counters


def test_close_ends_a_reader_that_waits_for_room(remembering):
    with watching(remembering, queueEvents=1, queuePolicy="block"):
        remembering.publish(*lines(0, 100))
    remembering.wait_until_idle()
