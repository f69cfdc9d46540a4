"""Throttling and deduplication: only what is too many, or the same again, is left out, and that is counted."""

import json
import logging
import threading

import pytest

from lanner.outputs import Alert
from lanner.outputs.delivery import QueuedDelivery
from lanner.outputs.throttle import Deduplicator, FilterChain, Throttle

from ..waiting import PATIENCE
from .standins import StandInSink


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def text(message, rule="a rule", time="12:00:00.000000001"):
    return Alert(f"{time}: Warning {message}", rule, "Warning", "kv", 1)


def structured(rule="a rule", **fields):
    fields = {name.replace("__", "."): value for name, value in fields.items()}
    line = {"output": f"12:00: Warning {fields}", "output_fields": fields, "rule": rule, "time": str(fields.get("evt.time"))}
    return Alert(json.dumps(line), rule, "Warning", "kv", 1)


def test_a_burst_goes_through_and_then_this_many_a_second(clock):
    throttle = Throttle(2, 5, clock)
    assert [throttle.admits(text("x")) for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 1
    assert [throttle.admits(text("x")) for _ in range(3)] == [True, True, False]
    clock.now += 0.25
    assert not throttle.admits(text("x"))
    clock.now += 0.25
    assert throttle.admits(text("x"))
    clock.now += 3600
    assert [throttle.admits(text("x")) for _ in range(7)] == [True] * 5 + [False] * 2


def test_every_rule_has_its_own_measure(clock):
    throttle = Throttle(1, 1, clock)
    assert [throttle.admits(text("x", rule)) for rule in "abab"] == [True, True, False, False]


def test_at_less_than_one_a_second(clock):
    throttle = Throttle(0.1, 1, clock)
    admitted = 0
    for _ in range(1000):
        admitted += throttle.admits(text("x"))
        clock.now += 0.125
    assert admitted == 13  # at once, and every tenth of 125 seconds


SAME = [
    (text("one"), text("one", time="2026-01-31T12:00:01.5+0000"), True),
    (text("one"), text("two"), False),
    (text("one"), text("one", rule="another"), False),
    (text("a: b"), text("a: c"), False),
    (text("bytes \udcff"), text("bytes \udcff", time="13:00"), True),
    (text("bytes \udcff"), text("bytes \udcfe"), False),
    (structured(docker__id="1", evt__time=5), structured(docker__id="1", evt__time=6), True),
    (structured(docker__id="1", evt__time=5), structured(docker__id="2", evt__time=5), False),
    (structured(evt__num=1, evt__rawtime=1), structured(evt__num=2, evt__rawtime=2), True),
    (structured(rule="a"), structured(rule="b"), False),
    (Alert('{"output":"12:00: W x"}', "r", "", "", 1), Alert('{"output":"13:00: W x"}', "r", "", "", 1), True),
    (Alert('{"output":"12:00: W x"}', "r", "", "", 1), Alert('{"output":"13:00: W y"}', "r", "", "", 1), False),
    (Alert('{"message":"x","time":"1"}', "r", "", "", 1), Alert('{"message":"x","time":"2"}', "r", "", "", 1), True),
    (Alert("{no json: 1", "r", "", "", 1), Alert("{no json: 2", "r", "", "", 1), False),
    (Alert("{no json: \udcff", "r", "", "", 1), Alert("{no json: \udcff", "r", "", "", 1), True),
]


@pytest.mark.parametrize(("before", "alert", "same"), SAME)
def test_what_is_the_same(before, alert, same, clock):
    deduplicate = Deduplicator(10, clock=clock)
    assert deduplicate.admits(before)
    assert deduplicate.admits(alert) is not same


def test_some_fields_may_be_all_that_counts(clock):
    deduplicate = Deduplicator(10, ["docker.id"], clock=clock)
    assert deduplicate.admits(structured(docker__id="1", docker__name="a"))
    assert not deduplicate.admits(structured(docker__id="1", docker__name="b"))
    assert deduplicate.admits(structured(docker__id="2", docker__name="a"))


def test_where_none_of_those_fields_is_all_others_count(clock):
    deduplicate = Deduplicator(60, {"proc.name"}, clock=clock)
    alerts = [structured(evt__time="1", fd__name=name) for name in ("shadow", "passwd", "shadow")]
    assert [deduplicate.admits(alert) for alert in alerts] == [True, True, False]


def test_what_says_nothing_is_never_the_same(clock):
    deduplicate = Deduplicator(60, clock=clock)
    alerts = [Alert(json.dumps({"rule": "a rule", "time": time}), "a rule", "Warning", "kv", 1) for time in "12"]
    assert [deduplicate.admits(alert) for alert in alerts] == [True, True]


def test_a_window_begins_with_an_alert_and_is_not_prolonged(clock):
    deduplicate = Deduplicator(10, clock=clock)
    admitted = []
    for second in range(25):
        clock.now = 1000.0 + second
        if deduplicate.admits(text("x")):
            admitted.append(second)
    assert admitted == [0, 10, 20]


def test_memory_is_bounded_and_the_oldest_is_forgotten(clock):
    deduplicate = Deduplicator(1e9, most=100, clock=clock)
    for number in range(1000):
        assert deduplicate.admits(text(str(number)))
        assert len(deduplicate._until) <= 100
    assert not deduplicate.admits(text("999"))
    assert not deduplicate.admits(text("900"))
    assert deduplicate.admits(text("899"))


def test_what_is_over_is_forgotten(clock):
    deduplicate = Deduplicator(10, clock=clock)
    for number in range(1000):
        deduplicate.admits(text(str(number)))
    clock.now += 10
    deduplicate.admits(text("new"))
    assert len(deduplicate._until) == 1


def test_a_delivery_behind_filters_counts_by_rule_and_settles(clock, caplog):
    sink = StandInSink()
    delivery = QueuedDelivery([sink])
    filtered = FilterChain(delivery, [Deduplicator(10, clock=clock), Throttle(1, 3, clock)])
    with caplog.at_level(logging.INFO, "lanner.outputs"):
        for _ in range(5):
            filtered.write(text("the same", "twin"))
        for number in range(5):
            filtered.write(text(str(number), "many"))
        filtered.flush()
        assert delivery.wait_settled(4, PATIENCE)
        assert filtered.suppressed == {"twin": 4, "many": 2}
        assert (filtered.accepted, filtered.settled) == (4, 4)
        assert filtered.counts()[sink.name].delivered == 4
        said = "suppressed 4 of rule twin: too many, or the same as before"
        assert said in caplog.text
        filtered.write(text("the same", "twin"))
        filtered.flush()
        filtered.reopen()
        assert caplog.text.count("suppressed") == 2  # once a minute
        filtered.close()
        assert caplog.text.count("suppressed") == 3
    assert [alert.rule for alert in sink.alerts] == ["twin", "many", "many", "many"]


def test_threads_may_write_at_the_same_time(clock):
    sink = StandInSink()
    filtered = FilterChain(QueuedDelivery([sink]), [Throttle(1, 100, clock)])
    threads = [threading.Thread(target=lambda: [filtered.write(text("x")) for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    filtered.close()
    assert (len(sink.alerts), filtered.suppressed) == (100, {"a rule": 3900})
