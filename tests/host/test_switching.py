"""A source that is replaced during a run: no event is lost, and commits reach the source that they are about."""

import threading

import pytest

import lanner
from lanner.host.switching import PositionTrack, SwitchingSource
from lanner.sdk.errors import SourceError
from lanner.sdk.hosting.batches import Batch


class Listed:
    """A source of given batches; then it waits until it is closed, ends or fails."""

    def __init__(self, *batches, then="wait"):
        self._batches, self._then = list(batches), then
        self._closed = threading.Event()
        self.counters, self.connections = {"batches": 0}, {"it": True}
        self.position, self.commits_itself, self.description = 0, True, "listed"
        self.committed = []

    def next_batch(self, timeout, *_):
        if self._batches:
            self.position += 1
            self.counters["batches"] += 1
            return Batch(self._batches.pop(0))
        if self._then == "fail" and not self._closed.is_set():
            raise SourceError("it broke")
        return Batch([], ended=self._then == "end" or self._closed.wait(timeout))

    def commit(self, position):
        self.committed.append(position)

    def close(self):
        self._closed.set()


def test_the_next_source_follows_after_the_events_of_the_old_one():
    old, new, told = Listed([b"a"], [b"b"]), Listed([b"c"]), []
    source = SwitchingSource(old, told.append)
    source.commits_itself = False
    assert source.next_batch(1).payloads == [b"a"]
    source.switch(lambda: new)
    assert source.next_batch(1).payloads == [b"b"]
    assert source.next_batch(1).payloads == []
    assert source.next_batch(1).payloads == [b"c"]
    assert (source.position, source.counters, new.commits_itself) == (3, {"batches": 3}, False)
    source.commit(1)
    source.commit(3)
    assert (old.committed, new.committed) == ([2], [1])
    assert told == []
    source.close()
    assert source.next_batch(10).ended


@pytest.mark.parametrize(("then", "says"), [("fail", "error: it broke"), ("end", "the event source has ended")])
def test_a_source_that_fails_or_ends_waits_for_the_next_one(then, says):
    told = []
    source = SwitchingSource(Listed(then=then), told.append)
    assert not source.next_batch(0).ended
    assert told == [f"{says}; the run waits for a change of the plugin"]
    assert not source.next_batch(0.01).ended
    threading.Timer(0.05, source.switch, (lambda: Listed([b"a"]),)).start()
    assert source.next_batch(30).payloads == [b"a"]


def test_a_next_source_that_cannot_be_opened_is_waited_for():
    def fail():
        raise lanner.SourceError("no way")

    told = []
    source = SwitchingSource(Listed(), told.append)
    source.switch(fail)
    source.next_batch(1)
    assert told == ["error: no way; the run waits for a change of the plugin"]
    source.switch(lambda: Listed([b"a"]))
    assert source.next_batch(1).payloads == [b"a"]


def test_closing_ends_it_in_each_state():
    for then in ("end", "fail"):
        waiting = SwitchingSource(Listed(then=then), lambda _: None)
        waiting.next_batch(0)
        threading.Timer(0.05, waiting.close).start()
        assert waiting.next_batch(30).ended
        assert waiting.next_batch(30).ended


def test_the_next_source_resumes_at_the_last_position():
    class Store:
        resumed, counters = 5, {"written": 1}

        def advance(self, position):
            stored.append(position)

    stored = []
    track = PositionTrack(Store())
    assert (track.resumed, track.counters) == (5, {"written": 1})
    track.advance(7)
    assert (track.resumed, stored) == (7, [7])
    alone = PositionTrack(None)
    alone.advance(1)
    assert (alone.resumed, alone.counters) == (1, {})


def test_a_switch_while_the_next_source_is_opened_is_the_one_that_counts():
    def open_first():
        source.switch(lambda: Listed([b"second"]))
        return Listed()

    source = SwitchingSource(Listed(), lambda _: None)
    source.switch(open_first)
    seen = [payload for _ in range(4) for payload in source.next_batch(5).payloads]
    assert seen == [b"second"]
