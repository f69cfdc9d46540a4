"""A feed logs the first warning of a kind at once, and later at most one per minute, each with the number of its cases."""

import pytest

from lanner import sources


class Ticks(sources.Feed):
    """A feed for its warnings."""

    def events(self):
        yield from ()


@pytest.fixture
def clock(monkeypatch):
    """The time in `clock[0]`."""
    now = [100.0]
    monkeypatch.setattr("lanner.sources.feed.time.monotonic", lambda: now[0])
    return now


def test_warnings_are_counted(clock, caplog):
    feed = Ticks("ticks")
    for _ in range(5):
        feed.warn("drop", "%s: dropped an event", feed.name)
    feed.warn("other", "100%% other")
    clock[0] += 61
    feed.warn("drop", "%s: dropped an event", feed.name)
    clock[0] += 61
    feed.warn("drop", "%s: dropped an event", feed.name)
    assert [record.getMessage() for record in caplog.records] == [
        "ticks: dropped an event",
        "100% other",
        "ticks: dropped an event (5 such cases since the last warning)",
        "ticks: dropped an event",
    ]


def test_a_warning_may_be_about_several_cases(clock, caplog):
    feed = Ticks("ticks")
    feed.warn("drop", "dropped a line", count=1200)
    feed.warn("drop", "dropped a line", count=2)
    clock[0] += 61
    feed.warn("drop", "dropped a line", count=3)
    assert [record.getMessage() for record in caplog.records] == [
        "dropped a line (1,200 such cases)",
        "dropped a line (5 such cases since the last warning)",
    ]


def test_a_closed_queue_logs_what_it_drops(caplog):
    queue = sources.queue("broker")
    for _ in range(3):
        queue.put("x")
    queue.close()
    assert [record.getMessage() for record in caplog.records] == ["broker: the source was closed: dropped 3 events that waited"]
    assert queue.counters == {"events dropped": 3}


def test_a_program_that_writes_many_messages_is_logged(caplog):
    program = sources.program(["sh", "-c", "seq 150 >&2; echo done"], restart="never")
    assert [event.payload for event in program] == [b"done"]
    assert program.counters["messages dropped"] == 50
    dropped = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert len(dropped) == 1
    assert "dropped a message: more than 100 within 10 s" in dropped[0]
