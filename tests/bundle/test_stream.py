"""The Docker plugin's .so in a host: an engine that restarts, and a host that is ended and started again."""

import json
import threading

import pytest

from ..docker.stand_in import LAST_CHUNK, NOW, SECOND, RememberingEngine, chunk, event
from ..docker.streaming import eventually, gap_of, is_gap, lines

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(tmp_path):
    running = RememberingEngine(f"unix://{tmp_path}/docker.sock")
    yield running
    running.stop()


@pytest.fixture
def events_of(built, run_host, engine, tmp_path):
    """`events_of(happens, count)`: the events that a host with a cursor reads, up to `count`, while `happens()`."""

    def run(happens, count, **engines):
        config = {**(engines or {"host": engine.url}), "cursor": f"{tmp_path}/cursor", "cursorInterval": 10, "inspect": False}
        library = built("docker")  # first, so that the host begins while things happen
        happening = threading.Thread(target=happens)
        happening.start()
        report = run_host(library, "--init", json.dumps(config), "--events", str(count))
        happening.join()
        assert report["violations"] == [], report
        (seen,) = report["runs"]
        assert seen["count"] == count, seen
        return seen["events"]

    return run


@pytest.fixture
def watch(events_of):
    """The same, as lines."""
    return lambda happens, count: [event["payload"].encode() + b"\n" for event in events_of(happens, count)]


def test_an_engine_that_restarts_is_a_gap_and_each_event_comes_once(engine, watch):
    def restart_twice():
        for number in range(0, 30, 10):
            stream = engine.stream()
            engine.publish(*lines(number, 10))
            stream.wait_until_read()
            if number < 20:
                engine.restart()

    seen = watch(restart_twice, 32)
    assert [line for line in seen if not is_gap(line)] == lines(0, 30)
    gaps = [gap_of(line) for line in seen if is_gap(line)]
    assert [(gap["reason"], gap["from"]) for gap in gaps[:1]] == [("engine restarted or out of reach", NOW + 9)]
    assert len(gaps) == 2


def test_with_a_cursor_the_next_host_continues(engine, watch, tmp_path):
    cursor = tmp_path / "cursor"

    def one_after_the_other():
        stream = engine.stream()
        engine.publish(*lines(0, 10))
        # a host of plugins has processed events when it asks for more
        eventually(lambda: cursor.exists() and f"{NOW + 9}-" in cursor.read_text())
        stream.wait_until_read()
        engine.publish(*lines(10))

    assert watch(one_after_the_other, 11) == lines(0, 11)
    engine.miss(*lines(11, 4))
    # the last one was read, and the host did not come back for more
    assert watch(engine.stream, 5) == lines(10, 5)


def test_events_of_each_kind_come_once_and_in_order(engine, watch):
    """Singly and together, whole and in parts, long, repeated, without a time, with a member that only Lanner writes."""
    alone = [event(NOW + number, Type="volume", Action="prune") for number in range(20)]
    kinds = [
        event(NOW + 100, Action="exec_create: " + "x" * 100_000),
        event(NOW + 101),
        b'{"Type":"volume","Action":"prune"}\n',
        event(NOW + 102, lanner={"host": "forged"}),
        event(NOW + 103, Type="volume"),
    ]

    def happen():
        stream = engine.stream()
        for line in alone:
            engine.publish(line)
            stream.wait_until_read()
        stream.send(chunk(kinds[0][:50_000]))
        stream.wait_until_read()
        stream.send(chunk(kinds[0][50_000:]) + chunk(alone[-1] + kinds[1] + alone[3] + kinds[1]))
        for line in kinds[2:]:
            stream.wait_until_read()
            stream.send(chunk(line))

    found = watch(happen, 25)
    assert found[:23] == alone + kinds[:3]
    # the event that claims Lanner's member gets an empty one, which counts
    assert found[23] == kinds[3].replace(b"}\n", b',"lanner":{}}\n')
    assert found[24] == kinds[4]


@pytest.mark.parametrize("named", [False, True], ids=["one engine", "named engines"])
def test_an_event_has_the_time_that_its_time_nano_tells_wherever_it_is(engine, events_of, named):
    """The stream knows an event by the last number of that name, which may be another member's."""
    ends = [
        b'"timeNano":%d}',
        b'"timeNano": %d}',
        b'"timeNano":%d }',
        b'"timeNano":%d,"x":{}}',
        b'"timeNano":%d,"Actor":{"timeNano":7}}',
        b'"timeNano":1,"timeNano":%d}',
    ]
    times = [NOW + 10 + number for number in range(len(ends))]
    kinds = [b'{"Type":"volume",' + end % time + b"\n" for end, time in zip(ends, times, strict=True)]
    others = [(b'{"timeNano":17}\n', 17), (b'{"a":{"timeNano":%d},"time":5}\n' % NOW, 5 * SECOND), (b'{"time":6,"timeNano":0}\n', 0)]

    def happen():
        stream = engine.stream()
        engine.publish(event(NOW))
        for line in [*kinds, *(line for line, _ in others)]:
            stream.wait_until_read()
            engine.publish(line)

    engines = {"hosts": [{"name": "a", "url": engine.url}]} if named else {}
    found = events_of(happen, 1 + len(kinds) + len(others), **engines)
    assert [event["ts"] for event in found] == [NOW, *times, *(time for _, time in others)]
    assert all(('"lanner":{"host":"a"' in event["payload"]) is named for event in found)


@pytest.mark.parametrize("end", [b"nonsense\r\n", LAST_CHUNK, None], ids=["invalid chunk", "last chunk", "closed"])
def test_after_the_end_of_a_connection_the_next_one_continues(engine, watch, end):
    def happen():
        stream = engine.stream()
        for line in lines(0, 5):
            engine.publish(line)
            stream.wait_until_read()
        if end is not None:
            stream.send(end)
        engine.miss(*lines(5, 5))
        engine.cut()
        engine.stream()
        engine.publish(*lines(10, 5))

    assert watch(happen, 15) == lines(0, 15)
