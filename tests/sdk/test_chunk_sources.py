"""Sources that return chunks: lines from bytes, a tail for each stream, failures after the events before them."""

import logging
import subprocess
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import lanner
from lanner import NOTHING, Chunk
from lanner.sdk.hosting import framing
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.event_source import Source
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE


def plugin_of(open_instance: Callable[[str], Any]) -> lanner.Plugin:
    class Doors(lanner.Plugin):
        """Doors."""

        id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
        contact = "github.com/you/doors"

        def open(self, params: str) -> Any:
            return open_instance(params)

    return init_plugin(Doors)


class Script:
    """An open instance that returns or raises the given results, call by call."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.timeouts: list[float] = []
        self.closed = 0

    def read_chunk(self, timeout: float) -> Any:
        self.timeouts.append(timeout)
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1


def source_of(*steps: Any) -> Source:
    return open_source(plugin_of(lambda _: Script(*steps)))


def batches(source: Source) -> Iterable[Batch]:
    while True:
        batch = source.next_batch(1.0)
        yield batch
        if batch.ended:
            return


def payloads(source: Source) -> list[list[bytes]]:
    return [batch.payloads for batch in batches(source)]


def test_lines_of_a_chunk_are_a_batch_and_the_tail_waits_for_the_next():
    assert payloads(source_of(b"a\nb\nc", b"d\n\n", b"")) == [[b"a", b"b"], [b"cd"], []]


def test_the_tail_is_delivered_at_the_end():
    assert payloads(source_of(b"a\nb", b"")) == [[b"a"], [b"b"]]


def test_nothing_is_an_empty_batch_and_no_end():
    assert payloads(source_of(NOTHING, b"a\n", b"")) == [[], [b"a"], []]


def test_after_the_end_there_is_no_further_call():
    source = source_of(b"")
    assert [source.next_batch(1.0).ended for _ in range(3)] == [True, True, True]


def test_the_timeout_of_the_host_is_that_of_read_chunk():
    script = Script(NOTHING, b"")
    source = open_source(plugin_of(lambda _: script))
    source.next_batch(12.5)
    source.next_batch(0)
    assert script.timeouts == [12.5, 0]


def test_an_instance_without_close_cannot_be_woken_so_it_waits_for_short_times():
    class Deaf:
        def read_chunk(self, timeout: float) -> bytes | lanner.Nothing:
            waits.append(timeout)
            return NOTHING

    waits: list[float] = []
    source = open_source(plugin_of(lambda _: Deaf()))
    source.next_batch(3600)
    assert waits[0] < 1
    source.close()
    assert source.next_batch(3600).ended


def test_each_stream_has_its_own_tail():
    source = source_of(
        Chunk(b"a1", stream=1), Chunk(b"b1", stream="two"), b"c1", Chunk(b"a2\n", stream=1), Chunk(b"b2\nb3", stream="two"), b"c2\n", b""
    )
    assert payloads(source) == [[], [], [], [b"a1a2"], [b"b1b2"], [b"c1c2"], [b"b3"]]


def test_a_reset_drops_the_broken_tail_of_its_stream_alone_and_counts_it():
    source = source_of(Chunk(b"a1", stream=1), Chunk(b"b1", stream=2), Chunk(b"a2\n", stream=1, reset=True), Chunk(b"b2\n", stream=2), b"")
    assert payloads(source) == [[], [], [b"a2"], [b"b1b2"], []]
    assert source.counters == {"dropped tails": 1}


def test_a_reset_without_a_tail_counts_nothing():
    source = source_of(b"a\n", Chunk(b"", reset=True), b"b\n", b"")
    assert payloads(source) == [[b"a"], [], [b"b"], []]
    assert source.counters == {}


def test_streams_that_have_ended_their_lines_are_forgotten():
    """A source may give each connection its own name, without end."""
    source = source_of(*(Chunk(b"%d\n" % number, stream=number) for number in range(1, 1001)))
    assert [len(source.next_batch(1.0).payloads) for _ in range(1000)] == [1] * 1000
    assert source._others == {}


@pytest.mark.parametrize(("data", "stream"), [("text", ""), (None, ""), (b"", None), (b"", ["a"])])
def test_a_chunk_is_bytes_of_a_named_stream(data, stream):
    with pytest.raises(TypeError, match="a Chunk needs bytes and a stream named by str or int"):
        Chunk(data, stream)


def test_a_line_without_end_is_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(framing, "MAX_LINE", 10)
    source = source_of(b"x" * 11, b"x" * 11, b"x\ngood\n", b"")
    assert payloads(source) == [[], [], [b"good"], []]
    assert source.counters == {"lines too long": 1}


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (None, 'read_chunk returned None; it must return bytes, Chunk, NOTHING for no data, or b"" at the end'),
        ("text", "read_chunk returned str;"),
        (5, "read_chunk returned int;"),
    ],
)
def test_anything_else_is_an_error_that_says_so(returned, says):
    with pytest.raises(lanner.SourceError) as caught:
        source_of(returned).next_batch(1.0)
    assert str(caught.value).startswith("plugin doors: ")
    assert says in str(caught.value)


def test_an_exception_comes_after_the_events_before_it_and_tells_where_it_was_raised():
    source = source_of(b"a\nb", OSError("the door fell"))
    assert source.next_batch(1.0).payloads == [b"a"]
    assert source.next_batch(1.0).payloads == [b"b"]
    for _ in range(2):
        with pytest.raises(
            lanner.SourceError, match=r"plugin doors: read_chunk: OSError: the door fell \(.*test_chunk_sources\.py, line \d+\)"
        ):
            source.next_batch(1.0)


def test_a_plugins_own_source_error_keeps_its_words():
    with pytest.raises(lanner.SourceError, match=r"^no door at /dev/door$"):
        source_of(lanner.SourceError("no door at /dev/door")).next_batch(1.0)


def test_a_plugin_that_wants_to_exit_ends_its_source_only():
    with pytest.raises(lanner.SourceError, match="SystemExit: 3"):
        source_of(SystemExit(3)).next_batch(1.0)


def test_close_calls_the_instances_close_once():
    script = Script()
    source = open_source(plugin_of(lambda _: script))
    source.close()
    source.close()
    assert script.closed == 1
    assert source.next_batch(1.0) == Batch([], ended=True)


class Waiting:
    """Waits in read_chunk until close(), then returns the given result."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.reading = threading.Event()
        self.woken = threading.Event()
        self.first = True

    def read_chunk(self, timeout: float) -> bytes:
        if self.first:
            self.first = False
            return b"whole\nbroken"
        self.reading.set()
        assert self.woken.wait(timeout)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.woken.set()


@pytest.mark.parametrize("answer", [b"", OSError("closed")])
def test_close_from_another_thread_wakes_the_host_and_an_unfinished_line_is_no_payload(answer):
    waiting = Waiting(answer)
    source = open_source(plugin_of(lambda _: waiting))
    assert source.next_batch(60).payloads == [b"whole"]

    def close() -> None:
        waiting.reading.wait(PATIENCE)
        source.close()

    closer = threading.Thread(target=close)
    closer.start()
    assert source.next_batch(60) == Batch([], ended=True)
    closer.join()
    assert source.counters == {"dropped tails": 1}


def test_an_exception_of_close_is_logged_and_goes_no_further(caplog):
    class Stuck(Script):
        def close(self) -> None:
            raise OSError("stuck")

    with caplog.at_level(logging.ERROR, "lanner.plugin.doors"):
        open_source(plugin_of(lambda _: Stuck())).close()
    assert "close failed" in caplog.text
    assert "stuck" in caplog.text


def test_open_gets_the_parameters():
    seen = []
    open_source(plugin_of(lambda params: seen.append(params) or Script()), "since=1h")
    assert seen == ["since=1h"]


@pytest.mark.parametrize("returned", [None, 5, "text", b"bytes", {}, object()])
def test_open_that_returns_no_source_is_an_error_that_says_so(returned):
    with pytest.raises(lanner.SourceError, match=rf"plugin doors: open returned {type(returned).__name__}; it must yield events"):
        open_source(plugin_of(lambda _: returned))


def test_an_async_open_that_yields_nothing_is_an_error_that_says_so():
    async def coroutine() -> None: ...

    with pytest.raises(lanner.SourceError, match="must be a generator"):
        open_source(plugin_of(lambda _: coroutine()))


def test_a_failure_within_pythons_library_stands_where_the_plugin_called_it():
    with pytest.raises(lanner.SourceError, match=r"plugin doors: open: FileNotFoundError: .*\(\S+test_chunk_sources\.py, line \d+\)$"):
        open_source(plugin_of(lambda _: subprocess.Popen(["/nonexistent"])))


def test_an_exception_of_open_names_plugin_and_call():
    def fail(_: str) -> None:
        raise ValueError("no such door")

    with pytest.raises(lanner.SourceError, match=r"plugin doors: open: ValueError: no such door"):
        open_source(plugin_of(fail))


def test_a_plugin_that_only_extracts_has_nothing_to_open():
    class Extractor(lanner.Plugin):
        """An extractor."""

        name, version, contact, extract_sources = "extractor", "0.1.0", "github.com/you", ("syscall",)
        fields = (lanner.field("doors.name", lanner.payload["name"], "The door"),)

    with pytest.raises(lanner.SourceError, match="the plugin extractor has no event source: it extracts fields of syscall"):
        open_source(init_plugin(Extractor))


def test_a_source_tells_in_the_open_instances_words_what_it_watches():
    class Named(Script):
        def describe(self) -> str:
            return "the front door"

    assert open_source(plugin_of(lambda _: Named())).description == "the front door"
    assert open_source(plugin_of(lambda _: Script())).description == ""


@pytest.mark.parametrize("found", [7, -1])
def test_a_host_may_wait_on_the_instances_descriptor(found: int) -> None:
    instance = Script(b"a\n")
    instance.fileno = lambda: found  # type: ignore[attr-defined]
    source = open_source(plugin_of(lambda params: instance))
    source.next_batch(1)
    assert source.fileno() == found  # type: ignore[attr-defined]
    source.close()
    assert source.fileno() == -1  # type: ignore[attr-defined]


@pytest.mark.parametrize("found", [None, "7", OSError("gone")])
def test_an_instance_without_a_descriptor_is_waited_for_by_its_read_chunk(found: Any, caplog: pytest.LogCaptureFixture) -> None:
    instance = Script(b"a\n", b"b\n")

    def fileno() -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    instance.fileno = fileno  # type: ignore[attr-defined]
    source = open_source(plugin_of(lambda params: instance))
    assert [source.fileno(), source.fileno()] == [-1, -1]  # type: ignore[attr-defined]
    assert source.next_batch(1).payloads == [b"a"]
    assert [record.getMessage() for record in caplog.records] == (["fileno failed"] if isinstance(found, Exception) else [])


class Committed(Script):
    """An instance that records which of its chunks were processed."""

    def __init__(self, *steps: Any) -> None:
        super().__init__(*steps)
        self.commits: list[int] = []
        self.counters = {"doors lost": 3}

    def commit(self, count: int) -> None:
        self.commits.append(count)


def test_the_next_call_says_that_the_chunks_before_it_are_processed():
    instance = Committed(b"a\nb\n", NOTHING, Chunk(b"c\n"), b"")
    source = open_source(plugin_of(lambda _: instance))
    for _ in range(4):
        source.next_batch(1.0)
    assert instance.commits == [0, 1, 1, 2]
    source.close()
    assert instance.commits == [0, 1, 1, 2]


def test_a_host_that_commits_says_itself_how_far_it_is():
    instance = Committed(b"a\n", b"b\n", b"")
    source = open_source(plugin_of(lambda _: instance))
    source.commits_itself = False
    source.next_batch(1.0)
    first = source.position
    source.next_batch(1.0)
    source.commit(first)
    assert instance.commits == [1]


def test_what_a_class_does_not_override_of_the_declared_members_is_not_there():
    class Plain(lanner.OpenInstance):
        def read_chunk(self, timeout):
            waits.append(timeout)
            return b""

    waits: list[float] = []
    source = open_source(plugin_of(lambda _: Plain()))
    assert (source.description, source.fileno(), source.commits_itself, dict(source.connections)) == ("", -1, False, {})
    assert source.next_batch(10.0).ended
    assert waits == [0.25]  # nothing could wake it for a close

    class Full(Plain):
        def __init__(self):
            self.counters, self.connections = {"doors lost": 1}, {"door": True}

        def describe(self):
            return "doors"

        def close(self):
            waits.append(0.0)

    source = open_source(plugin_of(lambda _: Full()))
    assert (source.description, dict(source.counters), dict(source.connections)) == ("doors", {"doors lost": 1}, {"door": True})
    source.next_batch(10.0)
    source.close()
    assert waits == [0.25, 10.0, 0.0]


def test_a_commit_that_fails_is_logged_and_ends_nothing(caplog):
    instance = Committed(b"a\n", b"b\n", b"")
    instance.commit = lambda count: 1 / 0  # type: ignore[method-assign]
    source = open_source(plugin_of(lambda _: instance))
    assert [list(batch.payloads) for batch in batches(source)] == [[b"a"], [b"b"], []]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_what_the_instance_counts_stands_among_the_counters():
    source = open_source(plugin_of(lambda _: Committed(b"a\n")))
    assert source.counters == {"doors lost": 3}
