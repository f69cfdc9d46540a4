"""The Docker plugin's source resumes when the engine is stopped and started, cleanly or by a kill: no event is lost or duplicated."""

import json
import time

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE

pytestmark = pytest.mark.engine


class Reader:
    """Reads events up to known ones; `events` are the engine's own and `gaps` Lanner's gap events."""

    def __init__(self, host):
        self._host = host
        self.events, self.gaps = [], []

    def read_up_to_volume(self, name, action="create"):
        while True:
            event = json.loads(self._host.next(timeout=PATIENCE).payload)
            if event["Type"] == "lanner":
                self.gaps.append(event["lanner"]["gap"])
                continue
            self.events.append(event)
            if (event["Type"], event["Action"], event["Actor"]["ID"]) == ("volume", action, name):
                return


def identity(event):
    """The identity of an event, regardless of the listener."""
    actor = event["Actor"]
    return event["timeNano"], event["Type"], event["Action"], actor["ID"], tuple(sorted(actor["Attributes"].items()))


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_each_event_comes_once_over_restarts_and_each_restart_is_reported(engine, kill):
    expected = []
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.host}, f"since={time.time_ns() / 1e9:.9f}") as host:
        assert host.source
        reader = Reader(host)
        for life in range(3):
            with engine.recorded() as recording:
                for number in range(20):
                    engine.docker("volume", "create", f"life{life}-{number}")
                recording.wait_for_action("volume", "create")
                recording.wait_for(lambda event, last=f"life{life}-19": event["Actor"]["ID"] == last)
                reader.read_up_to_volume(f"life{life}-19")
                expected += map(json.loads, recording.lines)
            assert len(reader.gaps) == life
            if life < 2:
                engine.stop(kill=kill)
                engine.start()
    seen = [identity(event) for event in reader.events]
    assert len(seen) == len(set(seen))
    assert set(map(identity, expected)) <= set(seen)
    assert {gap["reason"] for gap in reader.gaps} == {"engine restarted or out of reach"}
    assert all(gap["from"] < gap["until"] for gap in reader.gaps)


def test_an_engine_that_is_unreachable_is_waited_for_and_then_read(engine):
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.host}, f"since={time.time_ns() / 1e9:.9f}") as host:
        assert str(engine.socket) in host.source.description
        reader = Reader(host)
        engine.docker("volume", "create", "before")
        reader.read_up_to_volume("before")
        engine.stop()
        with pytest.raises(TimeoutError):
            host.next(timeout=0.5)
        engine.start()
        engine.docker("volume", "create", "after")
        reader.read_up_to_volume("after")
        assert len(reader.gaps) == 1


def test_a_watcher_that_was_away_gets_all_that_the_engine_still_has_once(engine, tmp_path):
    """Beside an independent list of what happened meanwhile."""

    def opened():
        return open_source(init_plugin(Docker, {"inspect": False, "host": engine.host, "cursor": str(tmp_path / "cursor")}))

    def read(source, last):
        seen = []
        while not seen or seen[-1]["Actor"]["ID"] != last:
            seen += map(json.loads, source.next_batch(60).payloads)
        source.next_batch(0)  # with the next call a host acknowledges these
        source.close()
        return seen

    source = opened()
    began = f"{time.time_ns() / 1e9:.9f}"
    for number in range(10):
        engine.docker("volume", "create", f"first{number}")
    seen = read(source, "first9")
    for number in range(30):
        engine.docker("volume", "create", f"second{number}")
    source = opened()
    engine.docker("volume", "create", "third")
    seen += read(source, "third")
    listed = engine.docker("events", "--since", began, "--until", f"{time.time_ns() / 1e9:.9f}", "--format", "{{json .}}")
    assert list(map(identity, seen)) == [identity(json.loads(line)) for line in listed.splitlines()]
