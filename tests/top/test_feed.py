"""The feed and its counts: each alert once, in order, with any changes between two polls; and figures of a sliding window."""

import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.alerts.filters import parse_filter
from lanner.alerts.stored import StoredAlert
from lanner.top import newest
from lanner.top import rate_window as windows
from lanner.top import store_feed as feeds
from lanner.top.rate_window import LENGTH, SECOND, Window
from lanner.top.store_feed import Feed

from ..waiting import PATIENCE, until

NOW = 1_795_000_000


def stored(second, rule="r", subject="s", priority=4):
    return StoredAlert(0, "0badcafe-1", second * SECOND, 0, rule, priority, "docker", subject, b"{}")


@given(st.lists(st.tuples(st.integers(0, 2 * LENGTH), st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 7))))
def test_a_window_counts_what_is_in_it(alerts):
    window, alerts = Window(), sorted(alerts)
    for second, rule, subject, priority in alerts:
        window.add(stored(NOW + second, rule, subject, priority))
    end = NOW + 2 * LENGTH
    inside = [each for each in alerts if NOW + each[0] > end - LENGTH]
    assert dict(window.rules(end * SECOND, 99)) == Counter((rule, priority) for _, rule, _, priority in inside)
    assert dict(window.subjects(end * SECOND, 99)) == Counter(subject for _, _, subject, _ in inside)
    assert window.priorities(end * SECOND) == Counter(priority for *_, priority in inside)
    seconds = Counter(second for second, *_ in inside)
    assert window.rates(end * SECOND, 60) == [seconds[2 * LENGTH - 60 + place] for place in range(60)]


def test_after_a_clock_that_was_set_back_alerts_count_for_the_newest_second():
    window = Window()
    for second in (NOW, NOW - 1000, NOW):
        window.add(stored(second))
    assert window.subjects(NOW * SECOND, 9) == [("s", 3)]


def test_many_names_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(windows, "_MOST_VALUES", 3)
    window = Window()
    for number in range(10):
        window.add(stored(NOW, subject=f"s{number}", rule=f"r{number}"))
    assert dict(window.subjects(NOW * SECOND, 99)) == {"s0": 1, "s1": 1, "s2": 1, "(others)": 7}
    assert sum(count for _, count in window.rules(NOW * SECOND, 99)) == 10
    assert window.subjects((NOW + LENGTH) * SECOND, 99) == []


class Taker:
    """An application that takes what a feed has."""

    def __init__(self, path, **options):
        self.fresh = threading.Event()
        self.feed = Feed(path, self.fresh.set, **options)
        self.feed.interval = 0.01
        self.alerts = []
        self.last = None
        self.feed.start()

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition(self):
            assert self.fresh.wait(max(0.0, deadline - time.monotonic())), self.alerts
            self.fresh.clear()
            self.last = self.feed.take()
            if self.last.resets:
                self.alerts = []
            self.alerts += [int(alert.key.partition("-")[2]) for alert in self.last.alerts]


@pytest.fixture
def take(run):
    made = []

    def start(**options):
        made.append(Taker(run.path, **options))
        return made[-1]

    yield start
    for each in made:
        each.feed.close()


def test_each_alert_comes_once_and_in_order(run, take):
    run.raise_alerts(*["x"] * 100)
    taker = take()
    for _ in range(20):
        run.raise_alerts(*["x"] * 10)
    taker.until(lambda taker: len(taker.alerts) >= 300)
    assert taker.alerts == list(range(1, 301))


def test_a_change_of_the_filter_while_alerts_come_loses_none(run, take):
    taker = take()
    writing = threading.Thread(target=lambda: [run.raise_alerts("even" if number % 2 else "odd") for number in range(400)])
    writing.start()
    try:
        for text in ("even", "odd", "", "even"):
            taker.feed.narrow(parse_filter(text, time.time_ns()))
            taker.until(lambda taker: taker.last and taker.last.resets)
    finally:
        writing.join()
    taker.until(lambda taker: len(taker.alerts) >= 200)
    assert taker.alerts == list(range(2, 401, 2))
    assert sum(taker.last.figures.priorities.values()) == 200


def test_only_the_newest_are_kept(run, take, monkeypatch):
    monkeypatch.setattr(feeds, "MOST_ALERTS", 50)
    monkeypatch.setattr(newest, "MOST_ALERTS", 50)
    run.raise_alerts(*["x"] * 120)
    taker = take()
    taker.until(lambda taker: taker.alerts)
    assert taker.alerts == list(range(71, 121))
    assert taker.last.figures.span < LENGTH  # earlier alerts are not counted
    run.raise_alerts(*["x"] * 120)
    taker.until(lambda taker: taker.alerts[-1] == 240)


def test_long_lines_are_limited_by_their_bytes(run, take, monkeypatch):
    monkeypatch.setattr(newest, "MOST_BYTES", 100_000)
    run.raise_alerts(*["x" * 30_000] * 10)
    taker = take()
    taker.until(lambda taker: taker.alerts)
    assert taker.alerts == [10]  # the message is in the output, too


def test_an_application_that_does_not_take_is_not_told_again(run, take):
    run.raise_alerts("x")
    taker = take()
    assert taker.fresh.wait(PATIENCE)
    taker.fresh.clear()
    run.raise_alerts("y")
    assert not taker.fresh.wait(0.3)
    keys = []
    until(lambda: keys.extend(alert.key for alert in taker.feed.take().alerts) or len(keys) > 1)
    assert keys == ["0badcafe-1", "0badcafe-2"]


def test_a_quiet_store_is_not_told_of(run, take):
    taker = take()
    taker.until(lambda taker: taker.last is not None)
    assert not taker.fresh.wait(0.5)


def test_a_bug_is_shown_and_the_feed_continues(run, take, monkeypatch):
    taker = take()
    run.raise_alerts("x")
    taker.until(lambda taker: taker.alerts)
    with monkeypatch.context() as patched:
        patched.setattr(feeds.AlertStore, "after", lambda *_, **__: 1 / 0)
        taker.until(lambda taker: taker.last.problem == "this is a bug in Lanner: ZeroDivisionError: division by zero")
    run.raise_alerts("y")
    taker.until(lambda taker: not taker.last.problem and taker.alerts[-1:] == [2])


def test_a_damaged_day_is_said_and_the_others_are_shown(run, take):
    run.raise_alerts("x")
    (run.path / "alerts-2020-01-01.db").write_bytes(b"no database" * 1000)
    taker = take()
    taker.until(lambda taker: taker.alerts == [1])
    taker.until(lambda taker: "alerts-2020-01-01.db" in taker.last.problem)


def test_the_newest_alerts_stay_within_their_limits():
    kept = newest.NewestAlerts(stored(NOW)._replace(line=b"x" * 1_000_000) for _ in range(100))
    assert len(kept) == newest.MOST_BYTES // 1_000_000
    kept.add([stored(NOW)] * 6000)
    assert len(kept) == newest.MOST_ALERTS
    kept.add([stored(NOW)._replace(line=b"x" * (newest.MOST_BYTES + 1))])
    assert len(kept) == 1
    assert len(kept.take()) == 1
    assert len(kept) == 0
