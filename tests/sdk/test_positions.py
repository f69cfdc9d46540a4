"""A source gives its position. The host stores that once it has processed the event, and the next run begins there."""

import functools
import json
import logging
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

import lanner
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.authoring.positions import Marks
from lanner.sdk.hosting import positionfile
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.hosting.positionfile import PositionFile, state_directory

from ..waiting import PATIENCE


class Kept:
    """A store in memory."""

    def __init__(self, resumed=None):
        self.resumed = resumed
        self.stored = []
        self.counters = {}

    def advance(self, position):
        self.stored.append(position)


def doors(opening, version_="0.1.0", number=4242):
    class Doors(lanner.Plugin):
        """Doors."""

        id, name, version, event_source, contact = number, "doors", version_, "doors", "github.com/you/doors"
        open = opening

    return Doors


def opened(opening, kept):
    return open_source(init_plugin(doors(opening)), "the params", kept)


def taken(source, count):
    """The next batches up to this number of events."""
    found = []
    while len(found) < count:
        found += source.next_batch(PATIENCE).payloads
    return found


# what open is called with


def whole(self, params, position):
    yield json.dumps([params, position])


def with_default(self, params, position=None):
    return whole(self, params, position)


def unused(self, params, _position):
    return whole(self, params, _position)


@functools.wraps(whole)
def wrapped(*args, **kwargs):
    return whole(*args, **kwargs)


@pytest.mark.parametrize(
    "opening", [whole, with_default, unused, wrapped, staticmethod(lambda params, position: whole(None, params, position))]
)
@pytest.mark.parametrize("position", [None, "12", 5, 1.5, True, [1, "a"], {"a": {"b": None}}])
def test_open_gets_the_stored_position(opening, position):
    source = opened(opening, Kept(position))
    assert json.loads(taken(source, 1)[0]) == ["the params", position]
    source.close()


def test_without_a_store_the_position_is_none():
    source = opened(whole, None)
    assert json.loads(taken(source, 1)[0]) == ["the params", None]
    source.close()


@pytest.mark.parametrize(
    "opening", [lambda self, params: iter([params]), lambda self, params, other="x": iter([other]), lambda self, *args: iter(args)]
)
def test_an_open_without_a_position_is_called_as_before(opening):
    source = opened(opening, Kept(5))
    assert taken(source, 1) in ([b"the params"], [b"x"])
    source.close()
    assert not plugin_info(doors(opening)).resumes


def test_a_position_that_only_a_name_could_pass_is_refused():
    with pytest.raises(
        lanner.DefinitionError, match=r"write def open\(self, params: str\), or def open\(self, params: str, position: Any\)"
    ):
        doors(lambda self, params, *, position=None: iter(()))


# which position is stored, and when


def numbered(*positions):
    def opening(self, params, position):
        for at in positions:
            yield lanner.Nothing(at[0]) if isinstance(at, tuple) else lanner.Event("x", position=at)

    return opening


def test_a_position_is_stored_once_the_host_has_processed_its_event():
    kept = Kept()
    source = opened(numbered(1, 2, 3), kept)
    source.commits_itself = False
    taken(source, 3)
    assert kept.stored == []
    source.commit(source.position)
    assert kept.stored == [3]
    source.close()


def test_a_host_that_commits_nothing_itself_stores_with_its_next_call():
    kept = Kept()
    source = opened(numbered(1), kept)
    assert source.commits_itself
    taken(source, 1)
    assert kept.stored == []
    source.next_batch(0)
    assert kept.stored == [1]
    source.close()


def test_a_host_that_wants_few_events_stores_the_position_of_the_last_one():
    kept = Kept()
    finished = threading.Event()

    def opening(self, params, position):
        yield from numbered(1, 2, 3, 4)(self, params, position)
        finished.set()

    source = opened(opening, kept)
    source.commits_itself = False
    assert finished.wait(PATIENCE)
    assert len(source.next_batch(PATIENCE, 3).payloads) == 3
    source.commit(source.position)
    source.close()
    assert kept.stored == [3]


@pytest.mark.parametrize(("steps", "stored"), [([(7,)], [7]), ([1, (7,)], [7]), ([(7,), 1], [1]), ([None, 2, None], [2]), ([None], [])])
def test_a_source_can_move_on_without_an_event(steps, stored):
    kept = Kept()
    source = opened(numbered(*steps), kept)
    while not source.next_batch(PATIENCE).ended:
        pass
    source.next_batch(0)
    source.close()
    assert kept.stored[-1:] == stored


def test_a_value_that_its_author_changes_later_is_stored_as_it_was():
    kept = Kept()
    go_on = threading.Event()

    def opening(self, params, position):
        at = {"a": [1]}
        yield lanner.Event("x", position=at)
        assert go_on.wait(PATIENCE)
        at["a"].append(2)
        yield lanner.NOTHING

    source = opened(opening, kept)
    taken(source, 1)
    go_on.set()
    while not source.next_batch(PATIENCE).ended:
        pass
    source.close()
    assert kept.stored == [{"a": [1]}]


NESTED: list[Any] = []
NESTED.append(NESTED)


@pytest.mark.parametrize(
    ("position", "says"),
    [
        ({1, 2}, "it contains set"),
        (b"x", "it contains bytes"),
        ({5: 1}, "it has the key 5, and keys are strings"),
        (float("nan"), "nan is not a JSON number"),
        (NESTED, "it is nested too deeply"),
        ("x" * (2 << 20), "it has more than 1 MiB"),
        (["x"] * (2 << 20), "it has more than 1 MiB"),
    ],
    ids=["set", "bytes", "key", "nan", "nested", "text", "list"],
)
def test_a_position_that_json_cannot_represent_ends_the_source_with_the_reason(position, says):
    source = opened(numbered(1, position), Kept())
    with pytest.raises(lanner.SourceError) as caught:
        taken(source, 2)
    assert str(caught.value).startswith(f"plugin doors: open yielded an event with an invalid position: {says}. A position is a JSON value")


def test_positions_that_open_does_not_take_are_reported_once(caplog):
    source = opened(lambda self, params: numbered(1, 2)(self, params, None), None)
    taken(source, 2)
    source.close()
    (told,) = caplog.records
    assert told.getMessage() == "its events have positions, but it cannot resume there: write def open(self, params: str, position: Any)"


class Chunks:
    """A chunk each time, with the position after it."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.position = None

    def read_chunk(self, timeout):
        if not self.steps:
            return b""
        chunk, self.position = self.steps.pop(0)
        return chunk


def chunks(*steps):
    return lambda self, params, position: Chunks(*steps)


def test_chunks_have_positions_too():
    kept = Kept()
    source = opened(chunks((b"a\nb\n", 1), (b"c\n", 2), (lanner.NOTHING, 3)), kept)
    source.commits_itself = False
    assert taken(source, 3) == [b"a", b"b", b"c"]
    first = source.position
    source.next_batch(PATIENCE)
    assert kept.stored == []
    source.commit(1)
    assert kept.stored == [1]
    source.commit(first)
    assert kept.stored == [1, 3]
    source.close()


def test_within_an_unfinished_line_no_position_is_stored():
    kept = Kept()
    source = opened(chunks((b"a\nb", 1), (b"c", 2), (b"\n", 3)), kept)
    for _ in range(3):
        source.next_batch(PATIENCE)
        source.commit(source.position)
    assert kept.stored == [3]
    source.close()


def test_marks_in_any_order_of_commits_never_go_beyond_them():
    kept = Kept()
    marks = Marks(kept)
    for count in range(1, 6):
        marks.mark(count, f"after {count}")
    for count in (0, 2, 1, 2, 4):
        marks.commit(count)
    assert kept.stored == ["after 2", "after 4"]


# the file


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(positionfile, "_INTERVAL", 0.0)


@pytest.fixture
def info():
    return plugin_info(doors(whole))


def stored(directory, info, *positions):
    file = PositionFile(str(directory), info)
    for position in positions:
        file.advance(position)
    file.close()
    return file


@pytest.mark.parametrize("position", ["a", "\udcff\u20ac", 2**70, -1, 0, False, 0.1, [1, [2]], {"a": {"b": [None, "\n"]}}, None])
def test_what_is_stored_comes_back(tmp_path, info, position):
    stored(tmp_path / "new" / "state", info, 1, position)
    found = PositionFile(str(tmp_path / "new" / "state"), info)
    assert (found.resumed, type(found.resumed)) == (position, type(position))
    found.close()


def test_the_file_is_private_and_names_its_plugin(tmp_path, info):
    file = stored(tmp_path / "state", info, "x")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    path = Path(file.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"version": 1, "plugin": "doors", "id": 4242, "plugin_version": "0.1.0", "position": "x"}
    assert {each.name for each in path.parent.iterdir()} == {"doors.position", "doors.position.lock"}


def test_a_run_without_an_event_leaves_the_file_as_it_was(tmp_path, info):
    file = stored(tmp_path, info, "x")
    before = Path(file.path).stat()
    stored(tmp_path, info)
    assert Path(file.path).stat().st_mtime_ns == before.st_mtime_ns


def test_a_forgotten_position_stays_until_there_is_another(tmp_path, info):
    stored(tmp_path, info, "x")
    file = PositionFile(str(tmp_path), info, forget=True)
    assert file.resumed is None
    file.close()
    again = PositionFile(str(tmp_path), info)
    assert again.resumed == "x"
    again.close()


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "cut off": b'{"version": 1, "plugin": "doors", "id": 4242, "posi',
    "no UTF-8": b'{"position": "\xff"}',
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "many digits": b'{"version": 1, "plugin": "doors", "id": 4242, "position": ' + b"1" * 5000 + b"}",
    "no position": b'{"version": 1, "plugin": "doors", "id": 4242}',
    "newer": b'{"version": 2, "plugin": "doors", "id": 4242, "position": 1}',
    "another plugin": b'{"version": 1, "plugin": "gates", "id": 4242, "position": 1}',
    "another of that name": b'{"version": 1, "plugin": "doors", "id": 1, "position": 1}',
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_used_is_set_aside_and_told_of(tmp_path, info, caplog, content):
    path = tmp_path / "doors.position"
    path.write_bytes(content)
    file = PositionFile(str(tmp_path), info)
    assert file.resumed is None
    assert (tmp_path / "doors.position.bad").read_bytes() == content
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"cannot read the position {path}: ")
    assert f"It is kept as {path}.bad; Lanner begins without it, and events since it was written may be missing" in told
    file.advance(5)
    file.close()
    assert json.loads(path.read_text())["position"] == 5


def test_a_position_of_another_version_of_the_plugin_is_used(tmp_path, info, caplog):
    stored(tmp_path, info, "x")
    with caplog.at_level(logging.INFO):
        file = PositionFile(str(tmp_path), plugin_info(doors(whole, "0.2.0")))
    assert file.resumed == "x"
    assert [record.getMessage() for record in caplog.records] == ["resuming from a position that version '0.1.0' of the plugin has stored"]
    file.close()


def test_two_runs_do_not_share_a_file(tmp_path, info):
    file = PositionFile(str(tmp_path), info)
    with pytest.raises(
        lanner.SourceError, match=r"doors\.position is in use by another run of the plugin: name another directory \(\$\.lanner"
    ):
        PositionFile(str(tmp_path), info)
    file.close()
    PositionFile(str(tmp_path), info).close()


def test_a_run_that_is_refused_leaves_a_write_of_the_other_alone(tmp_path, info):
    file = PositionFile(str(tmp_path), info)
    being_written = tmp_path / "doors.position.tmp"
    being_written.write_text("half")
    with pytest.raises(lanner.SourceError, match="in use"):
        PositionFile(str(tmp_path), info)
    assert being_written.read_text() == "half"
    file.close()


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("file/state", "not a directory"),
        ("file", "file exists"),
        ("\0", "embedded null byte"),
        ("/proc/state", "no such file or directory"),
    ],
)
def test_a_place_where_no_file_can_be_is_an_error_at_the_start(tmp_path, info, place, says):
    (tmp_path / "file").touch()
    with pytest.raises(lanner.SourceError) as caught:
        PositionFile(f"{tmp_path}/{place}" if place[0] != "/" else place, info)
    assert "cannot write the position" in str(caught.value)
    assert says in str(caught.value)
    assert "or `none` to store no position" in str(caught.value)


def test_a_write_that_fails_is_reported_once_counted_and_tried_again(tmp_path, info, caplog):
    folder, away = tmp_path / "state", tmp_path / "away"
    file = PositionFile(str(folder), info)
    folder.rename(away)
    file.advance(1)
    done = threading.Event()
    while file.counters.get("position writes failed", 0) < 3:
        done.wait(0.001)
    away.rename(folder)
    file.close()
    assert json.loads((folder / "doors.position").read_text())["position"] == 1
    assert len(caplog.records) == 1
    assert "Lanner retries, and until then a restart repeats events" in caplog.text


@pytest.mark.parametrize(
    ("environment", "root", "configured", "expected"),
    [
        ({}, True, "", "/var/lib/lanner"),
        ({}, False, "", "/home/me/.local/state/lanner"),
        ({"XDG_STATE_HOME": "/state"}, False, "", "/state/lanner"),
        ({"XDG_STATE_HOME": "state"}, False, "", "/home/me/.local/state/lanner"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, True, "", "/var/lib/a"),
        ({"STATE_DIRECTORY": "/var/lib/a", "LANNER_STATE_DIRECTORY": "/b"}, True, "", "/b"),
        ({"LANNER_STATE_DIRECTORY": "/b"}, True, "~/c", "/home/me/c"),
        ({"LANNER_STATE_DIRECTORY": "none"}, True, "", None),
        ({"LANNER_STATE_DIRECTORY": "/b"}, True, "none", None),
        ({}, True, "./none", "./none"),
    ],
)
def test_where_the_state_is(monkeypatch, environment, root, configured, expected):
    for name in ("LANNER_STATE_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(positionfile.os, "geteuid", lambda: 0 if root else 1000)
    assert state_directory(configured) == expected


def test_a_test_gives_a_position_and_sees_the_one_after_each_event():
    with lanner.testing.host(doors(whole), params="p", position=[1]) as host:
        assert json.loads(host.next().payload) == ["p", [1]]
        assert host.position == [1]
    with lanner.testing.host(doors(numbered(1, 2, None, 4))) as host:
        seen = []
        for _ in range(4):
            host.next()
            seen.append(host.position)
        assert seen == [1, 2, 2, 4]
    with lanner.testing.host(doors(chunks((b"a\nb\n", 1)))) as host:
        host.next()
        assert host.position is None
        host.next()
        assert host.position == 1


def test_the_position_is_among_what_an_author_sees():
    assert repr(lanner.Event("x", position="5")).endswith("position='5')")
    assert lanner.Nothing("5").position == "5"
    assert repr(lanner.Nothing("5")) == "lanner.Nothing('5')"
