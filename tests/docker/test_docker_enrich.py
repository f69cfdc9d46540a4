"""With `inspect`, events of containers contain the engine's description, in order, and the reader never waits for it."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lanner.testing
from lanner.docker import Docker

from ..waiting import PATIENCE
from .stand_in import NOW, RememberingEngine, answer, event
from .streaming import eventually, gap_of, is_gap, payloads, watching

pytestmark = pytest.mark.slow

ID = "4f2d" * 16
CONTAINER = {"Id": ID, "Image": "sha256:0d5d", "HostConfig": {"Privileged": True}, "Mounts": [], "Config": {"User": ""}}


def started(number, action="start", identity=ID):
    return event(NOW + number, Action=action, Actor={"ID": identity, "Attributes": {}})


def others(first, count):
    """Events that are not asked about."""
    return [event(NOW + number, Action="die") for number in range(first, first + count)]


class AskedEngine(RememberingEngine):
    """Describes its containers once `free` is set."""

    def __init__(self, url):
        self.free = threading.Event()
        self.free.set()
        super().__init__(url)

    def respond(self, exchange, target):
        if "/containers/" in target:
            assert self.free.wait(PATIENCE)
            exchange.send(answer(CONTAINER))
        else:
            super().respond(exchange, target)


@pytest.fixture
def asked(stand_in, tmp_path):
    return stand_in(f"unix://{tmp_path}/docker.sock", AskedEngine)


def test_a_description_is_one_member_of_the_event_and_a_field(asked):
    with watching(asked, inspect=True) as host:
        asked.publish(started(0), started(1, "die"))
        found, other = host.next(), host.next()
        assert host.extract(found, "docker.container.privileged") == "true"
        assert list(json.loads(found.payload)["lanner"]) == ["inspect"]
        assert found.payload.startswith(started(0)[:-2])
        assert other.payload == started(1, "die").rstrip()
        assert sum("/containers/" in request for request in asked.requests) == 1


def test_the_name_of_the_engine_is_beside_it(asked):
    with lanner.testing.host(Docker, {"hosts": [{"name": "db", "url": asked.url}], "inspect": True}) as host:
        assert host.source
        asked.publish(started(0), started(1, "die"))
        found, other = host.next(), host.next()
        assert json.loads(found.payload)["lanner"]["host"] == json.loads(other.payload)["lanner"]["host"] == "db"
        assert host.extract(found, "docker.container.privileged") == "true"


def test_without_the_option_nothing_is_asked(asked):
    with watching(asked) as host:
        asked.publish(started(0))
        assert payloads(host, 1) == [started(0)]
    assert not any("/containers/" in request for request in asked.requests)


def test_reading_continues_while_the_engine_is_asked_and_the_order_stays(asked):
    """An engine drops a listener's events after 100 ms, and this one takes until the last of them."""
    asked.free.clear()
    with watching(asked, inspect=True, inspectTimeout=20_000) as host:
        stream = asked.stream()
        asked.publish(*others(0, 5), started(5))
        assert payloads(host, 5) == others(0, 5)  # what is before it does not wait
        eventually(lambda: any("/containers/" in request for request in asked.requests))
        for number in range(10, 3010, 100):
            asked.publish(*others(number, 100))
        stream.wait_until_read()
        asked.free.set()
        seen = [host.next() for _ in range(3001)]
        assert [each.timestamp - NOW for each in seen] == [5, *range(10, 3010)]
        assert host.extract(seen[0], "docker.container.privileged") == "true"


def test_an_answer_that_does_not_come_costs_its_timeout_and_no_event(asked):
    asked.free.clear()
    with watching(asked, inspect=True, inspectTimeout=20) as host:
        asked.publish(*[started(number, identity=f"{number:064x}") for number in range(10)])
        seen = [host.next() for _ in range(10)]
        assert [host.extract(each, "docker.container.inspect.error") for each in seen] == ["timeout"] * 3 + ["skipped"] * 7
    asked.free.set()


def test_close_ends_the_asking(asked):
    asked.free.clear()
    with watching(asked, inspect=True, inspectTimeout=60_000):
        asked.publish(started(0))
        eventually(lambda: any("/containers/" in request for request in asked.requests))
    asked.free.set()
    asked.wait_until_idle()


def test_what_has_no_room_is_reported_with_the_asking_as_well(asked):
    with watching(asked, inspect=True, queueEvents=10) as host:
        for number in range(0, 1000, 10):
            asked.publish(*others(number, 10))
        eventually(lambda: host.source.counters.get("events dropped", 0) >= 900)
        asked.publish(*others(1000, 1))
        own, gaps = [], []
        while not gaps or len(own) + host.source.counters["events dropped"] < 1001:
            (line,) = payloads(host, 1)
            (gaps if is_gap(line) else own).append(line)
        assert own == sorted(own, key=others(0, 1001).index)
        assert {gap_of(gap)["reason"] for gap in gaps} == {"queue full"}


@pytest.mark.parametrize("inspect", [True, False])
def test_a_run_names_the_rules_that_cannot_match_where_it_is_turned_off(asked, inspect):
    config = json.dumps({"host": asked.url, "inspect": inspect})
    command = [Path(sys.executable).with_name("lanner"), "run", "docker", "--config", config, "--duration", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    warning = "warning: 9 rules cannot match, because the fields that they test have no value: Privileged container, "
    assert (warning in done.stderr) == (not inspect)
    assert ("To change this, leave out `inspect: false`" in done.stderr) == (not inspect)


def test_it_is_on_if_nothing_else_is_said():
    assert Docker.__plugin__.config().inspect
