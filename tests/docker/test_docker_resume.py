"""A lost stream resumes: each event that the engine still has arrives once, in any order and form."""

import random

import pytest

from .stand_in import NOW, SECOND, STREAM, answer, chunk, event
from .streaming import is_gap, lines, payloads, watching

pytestmark = pytest.mark.slow


def test_what_happens_while_the_connection_is_lost_comes_once_and_without_a_gap(remembering, no_pause):
    with watching(remembering) as host:
        for number in range(0, 200, 20):
            remembering.stream()
            remembering.publish(*lines(number, 10))
            remembering.cut()
            remembering.publish(*lines(number + 10, 10))
        assert payloads(host, 200) == lines(0, 200)
        assert "gaps" not in host.source.counters


def test_a_burst_comes_whole_and_in_order(remembering):
    with watching(remembering) as host:
        for number in range(0, 10_000, 2000):
            remembering.publish(*lines(number, 2000))
        assert payloads(host, 10_000) == lines(0, 10_000)


def test_the_last_one_is_that_which_arrived_last(remembering, no_pause):
    """Lanner asks for events since two seconds before the last event, even if earlier events have later times."""
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(event(NOW + 5 * SECOND), event(NOW))
        remembering.cut()
        remembering.publish(event(NOW + 1))
        assert payloads(host, 3) == [event(NOW + 5 * SECOND), event(NOW), event(NOW + 1)]
        remembering.stream()
    assert "/events?since=1795426343.000000000 " in remembering.requests[3]


def test_events_that_come_again_or_out_of_order_come_once(engine):
    sent = lines(0, 300)
    shuffled = random.Random(7).choices(sent, k=2000) + sent
    with watching(engine) as host:
        connection = engine.stream()
        for line in shuffled:
            connection.send(chunk(line))
        assert payloads(host, 300) == list(dict.fromkeys(shuffled))
        connection.send(chunk(event(NOW + 1000)))
        assert payloads(host, 1) == [event(NOW + 1000)]
        assert host.source.counters == {"events repeated": 2000}


def test_two_events_of_one_moment_are_two(engine):
    with watching(engine) as host:
        engine.stream().send(chunk(event(Action="create") + event(Action="start")))
        assert payloads(host, 2) == [event(Action="create"), event(Action="start")]


def test_lines_that_tell_no_time_are_passed_on_each_time(engine):
    with watching(engine) as host:
        engine.stream().send(chunk(b"{}\n{broken\n" * 2))
        assert payloads(host, 4) == [b"{}\n", b"{broken\n"] * 2


@pytest.mark.parametrize("back", [0, 1, 3600, 86_400])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clock_that_was_set_back_loses_and_doubles_nothing(remembering, no_pause, back, when):
    """Whether it was set back before the connection was lost or after it."""
    clock = NOW
    remembering.clock = lambda: clock

    def happens(count):
        nonlocal clock
        for _ in range(count):
            clock += 1
            happened.append(event(clock))
            remembering.publish(happened[-1])

    happened = []
    with watching(remembering) as host:
        remembering.stream()
        happens(3)
        if when == "before":
            clock -= back * SECOND
            happens(3)
        assert payloads(host, len(happened)) == happened
        remembering.cut()
        if when == "after":
            clock -= back * SECOND
        happens(3)
        remembering.stream()
        happens(3)
        told = payloads(host, len(happened) - (3 if when == "after" else 6))
        assert told == happened[-len(told) :]


@pytest.mark.parametrize("lie", [b"10\r\n", b"ffffffff\r\n", b"-5\r\n", b"5;x\r\n\r\n", b"0x5\r\n", b"\r\n"])
def test_a_chunk_of_a_wrong_size_costs_no_event(remembering, no_pause, lie):
    with watching(remembering) as host:
        connection = remembering.stream()
        remembering.publish(*lines(0, 3))
        seen = payloads(host, 3)
        remembering.miss(*lines(3, 3))
        connection.send(lie + event(NOW + 3))
        remembering.cut()
        remembering.publish(*lines(6))
        while seen[-1] != event(NOW + 6):
            seen += payloads(host, 1)
        assert [line for line in seen if line in lines(0, 7)] == lines(0, 7)
        assert not any(map(is_gap, seen))


@pytest.mark.parametrize("place", [1, 40, -2])
def test_an_event_that_was_cut_off_comes_whole(remembering, no_pause, place):
    with watching(remembering) as host:
        connection = remembering.stream()
        remembering.publish(*lines(0, 1))
        connection.send(chunk(event(NOW + 1)[:place]))
        remembering.miss(*lines(1))
        remembering.cut()
        assert payloads(host, 2) == lines(0, 2)
        assert host.source.counters["dropped tails"] == 1


def test_an_engine_that_answers_with_errors_for_a_while_loses_nothing(remembering, no_pause):
    error = answer({"message": "no"}, "500 Internal Server Error")
    with watching(remembering) as host:
        remembering.stream()
        remembering.publish(*lines(0, 2))
        assert payloads(host, 2) == lines(0, 2)
        remembering.events, tried = error, len(remembering.exchanges)
        remembering.cut()
        while len(remembering.exchanges) < tried + 6:
            host.source.next_batch(0.01)
        remembering.publish(*lines(2, 2))
        remembering.events = STREAM
        assert payloads(host, 2) == lines(2, 2)


def test_filters_are_asked_for_each_time(remembering, no_pause):
    with watching(remembering, filters={"type": ["container"]}) as host:
        remembering.stream()
        remembering.publish(*lines(0))
        assert payloads(host, 1) == lines(0)
        remembering.cut()
        remembering.stream()
        remembering.publish(*lines(1))
        assert payloads(host, 1) == lines(1)
    asked = [request for request in remembering.requests if "/events" in request]
    assert len(asked) == 3
    assert all("filters=%7B%22type%22%3A%5B%22container%22%5D%7D" in request for request in asked)
