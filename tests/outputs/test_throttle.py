"""Throttling and deduplication: so many and no more, the same one once, and all that is left out is counted."""

import pytest

from lanner.outputs import Alert, DirectDelivery
from lanner.outputs.throttle import Deduplicate, FilteredDelivery, Throttle

from .sinks import StandInSink, alert


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def passed(each, *alerts):
    return [each.passes(one) for one in alerts]


def test_a_burst_passes_and_then_so_many_a_second(clock):
    throttle = Throttle(2, 3, clock)
    one = alert("x")
    assert passed(throttle, *[one] * 5) == [True, True, True, False, False]
    clock.now += 0.5
    assert passed(throttle, one, one) == [True, False]
    clock.now += 100
    assert passed(throttle, *[one] * 4) == [True, True, True, False]


def test_each_rule_has_its_own_allowance(clock):
    throttle = Throttle(1, 1, clock)
    assert passed(throttle, alert("x", "a"), alert("x", "b"), alert("x", "a")) == [True, True, False]


def test_a_slow_rate_passes_one_now_and_then(clock):
    throttle = Throttle(0.1, 1, clock)
    seen = []
    for _ in range(60):
        seen.append(throttle.passes(alert("x")))
        clock.now += 1
    assert sum(seen) == 6


TEXT = "22:13:20.{}: Warning the same"
JSON = '{{"hostname":"h","output":"22:13:20.{0}: Warning x","output_fields":{{"evt.time":{0},"kv.a":1}},"rule":"r","time":"2023-11-14T22:13:20.{0}Z"}}'


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_alerts_that_differ_in_their_time_alone_are_the_same(clock, form):
    same = Deduplicate(10, clock)
    assert passed(same, alert(form.format(1)), alert(form.format(2)), alert(form.format(3).replace("h", "H"))) == [True, False, True]
    clock.now += 9.9
    assert passed(same, alert(form.format(4))) == [False]
    clock.now += 0.1
    assert passed(same, alert(form.format(5)), alert(form.format(6))) == [True, False]


def test_the_same_words_of_another_rule_are_another_alert(clock):
    same = Deduplicate(10, clock)
    assert passed(same, alert("t: Notice x", "a"), alert("t: Notice x", "b")) == [True, True]


@pytest.mark.parametrize("line", ["{", "{}", '{"output":1}', "", "no separator", "[1]"])
def test_any_line_can_be_told_from_others(clock, line):
    same = Deduplicate(10, clock)
    assert passed(same, alert(line), alert(line)) == [True, False]


def test_what_is_remembered_is_bounded(clock, monkeypatch):
    monkeypatch.setattr("lanner.outputs.throttle._MOST_REMEMBERED", 10)
    same = Deduplicate(1e9, clock)
    assert all(same.passes(alert(f"t: Notice {number}")) for number in range(1000))
    assert passed(same, alert("t: Notice 0"), alert("t: Notice 999")) == [True, False]


def test_what_is_left_out_is_counted_settled_and_told(clock, caplog):
    sink = StandInSink()
    delivery = FilteredDelivery(DirectDelivery([sink]), [Throttle(1, 2, clock)], clock)
    for number in range(5):
        delivery.write(Alert(str(number), "often", "Notice", "kv", 1))
    delivery.write(alert("x", "seldom"))
    delivery.flush()
    assert (sink.lines, delivery.suppressed) == (["0", "1", "x"], {"often": 3})
    assert (delivery.accepted, delivery.settled) == (3, 3)
    clock.now += 61
    delivery.write(Alert("a", "often", "Notice", "kv", 1))
    delivery.write(Alert("b", "often", "Notice", "kv", 1))
    delivery.write(Alert("c", "often", "Notice", "kv", 1))
    delivery.close()
    assert [record.message.partition(",")[0] for record in caplog.records] == ["4 alerts left out"]
    assert sink.closed == 1
