"""Several engines in one stream: whose an event is, and that one which is down, slow or mad costs the others nothing."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lanner
import lanner.testing
from lanner.docker import Docker, client, stream
from lanner.docker.gaps import Host
from lanner.native import Events
from lanner.sdk.hosting.plugin_init import init_plugin

from .stand_in import NOW, RememberingEngine, answer, chunk, event
from .streaming import eventually, gap_of, lines

pytestmark = pytest.mark.slow


@pytest.fixture
def engines(stand_in, tmp_path):
    """`engines(3)`: this number of engines."""
    return lambda count: [stand_in(f"unix://{tmp_path}/{number}.sock", RememberingEngine) for number in range(count)]


def watching(hosts, **config):
    return lanner.testing.host(Docker, {"inspect": False, "hosts": hosts, **config})


def named(engines):
    return [{"name": f"n{number}", "url": engine.url} for number, engine in enumerate(engines)]


def test_each_event_tells_whose_it_is_and_is_else_as_it_was(engines):
    first, second = engines(2)
    with watching([first.url, {"name": "db", "url": second.url}]) as host:
        assert host.source
        first.publish(event(NOW))
        one = host.next()
        second.publish(event(NOW + 1))
        other = host.next()
        assert one.payload == event(NOW)[:-2] + b',"lanner":{"host":"' + first.url.encode() + b'"}}'
        assert other.payload == event(NOW + 1)[:-2] + b',"lanner":{"host":"db"}}'
        assert [host.extract(found, "docker.host") for found in (one, other)] == [first.url, "db"]


def test_one_event_of_two_engines_is_two(engines):
    both = engines(2)
    with watching(named(both)) as host:
        assert host.source
        for engine in both:
            engine.publish(event())
        assert {host.extract(host.next(), "docker.host") for _ in both} == {"n0", "n1"}


def test_what_is_no_object_stays_as_it_is(engines):
    (engine,) = engines(1)
    with watching(named([engine])) as host:
        assert host.source
        engine.stream().send(b"13\r\n[]\n{broken\n5\n \n{}\n\r\n")
        assert [host.next().payload for _ in range(3)] == [b"{broken", b"5", b'{"lanner":{"host":"n0"}}']


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.text(), st.none() | st.just(b'{"privileged":"true"}'))
def test_what_is_added_is_one_member_and_changes_no_other(members, name, described):
    members.pop("lanner", None)
    host, events = Host(name, named=True), Events([json.dumps(members).encode()])
    host.finish(events)
    if described is not None:
        host.describe(events, 0, described)
    added = json.loads(events[0])
    expected = {"host": name.encode("utf-8", "replace").decode()}
    if described is not None:
        expected["inspect"] = json.loads(described)
    assert added.pop("lanner") == expected
    assert added == members


def test_fifty_engines(engines):
    all_of_them = engines(50)
    with watching(named(all_of_them)) as host:
        assert host.source.description.endswith(" and 47 more")
        for engine in all_of_them:
            engine.publish(*lines(0, 20))
        seen = {}
        for _ in range(1000):
            found = host.next()
            seen.setdefault(host.extract(found, "docker.host"), []).append(found.timestamp - NOW)
        assert seen == {f"n{number}": list(range(20)) for number in range(50)}


def test_an_engine_that_is_down_at_the_start_is_said_and_found_later(engines, no_pause, caplog):
    up, down = engines(2)
    down.stop()
    caplog.set_level(logging.INFO, "lanner.plugin.docker")
    with watching(named([up, down])) as host:
        assert f"n1: {down.url} (not reached yet)" in host.source.description
        up.publish(event())
        assert host.extract(host.next(), "docker.host") == "n0"
        assert host.source.connections == {"n0": True, "n1": False}
        down.start()
        eventually(lambda: host.source.connections["n1"])
        down.publish(event())
        assert host.extract(host.next(), "docker.host") == "n1"
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith(f"no Docker engine at {down.url} (from `$.hosts` of the configuration): no such file or directory.")
    assert said[0].endswith("; Lanner retries")
    assert said[1] == f"connected to n1: Docker Engine 20.10.24 (API 1.41) at {down.url}"
    assert len(said) == 2


def test_an_engine_that_does_not_answer_holds_up_nothing(engines, monkeypatch, caplog):
    monkeypatch.setattr(client, "TIMEOUT", 3600.0)
    monkeypatch.setattr(stream, "_OTHERS", 0.05)
    up, silent = engines(2)
    silent.version = None
    with watching(named([up, silent])) as host:
        assert host.source
        up.publish(event())
        assert host.extract(host.next(), "docker.host") == "n0"
    assert [record.getMessage() for record in caplog.records] == [f"{silent.url} has not answered yet; Lanner retries"]


def test_where_no_engine_can_be_reached_each_is_reported(engines):
    away, mad = engines(2)
    away.stop()
    mad.version = answer(b"<html>")
    with pytest.raises(lanner.SourceError) as caught:
        Docker.open(init_plugin(Docker, {"inspect": False, "hosts": named([away, mad])}), "")
    told = str(caught.value)
    assert told.startswith(f"no engine can be reached: no Docker engine at {away.url}")
    assert f"; {mad.url} is not a Docker engine" in told
    assert "\n" not in told


def test_one_that_is_lost_costs_the_others_nothing(engines, no_pause):
    steady, other = engines(2)
    with watching(named([steady, other])) as host:
        assert host.source
        other.publish(event())
        assert host.extract(host.next(), "docker.host") == "n1"
        other.stop()
        steady.publish(*lines(0, 10))
        assert [host.next().timestamp - NOW for _ in range(10)] == list(range(10))
        other.memory.clear()
        other.start()
        gap = host.next()
        assert host.extract(gap, "docker.host") == host.extract(gap, "docker.actor.id") == "n1"
        assert gap_of(gap.payload)["reason"] == "engine restarted or out of reach"


def test_each_engine_is_asked_with_its_own_filters(engines):
    first, second = engines(2)
    hosts = [first.url, {"url": second.url, "filters": {"type": ["volume"]}}]
    with watching(hosts, filters={"type": ["container"]}) as host:
        assert host.source
    assert "container" in first.requests[1]
    assert "volume" in second.requests[1]
    assert "container" not in second.requests[1]


def test_the_stream_ends_when_all_have_ended(engines):
    both = engines(2)
    with lanner.testing.host(Docker, {"inspect": False, "hosts": named(both)}, "since=10m&until=1s") as host:
        assert list(host.events()) == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"host": "unix:///a", "hosts": ["unix:///b"]}, "`hosts` replaces `host` and `tls`"),
        ({"tls": {"ca": "/a"}, "hosts": ["unix:///b"]}, "`hosts` replaces `host` and `tls`"),
        ({"hosts": ["unix:///b", "unix:///b"]}, "`hosts` names 'unix:///b' twice: give each engine its own `name`"),
        ({"hosts": [{"name": "a", "url": "unix:///a"}, {"name": "a", "url": "unix:///b"}]}, "`hosts` names 'a' twice"),
        ({"hosts": [{"name": "a"}]}, "an item of `hosts` has no `url`"),
        ({"hosts": [""]}, "an item of `hosts` has no `url`"),
        ({"hosts": [{"url": "unix:///a", "colour": "red"}]}, "colour"),
        ({"queuePolicy": "drop"}, "queuePolicy"),
    ],
)
def test_what_cannot_be_is_refused(config, says):
    with pytest.raises(lanner.ConfigError) as caught:
        init_plugin(Docker, config)
    assert says in str(caught.value)


def test_an_address_that_is_none_is_reported_with_where_it_is_from():
    with pytest.raises(lanner.UsageError) as caught:
        Docker.open(init_plugin(Docker, {"inspect": False, "hosts": ["npipe://a"]}), "")
    assert str(caught.value).startswith(
        "invalid engine address 'npipe://a' (from `$.hosts` of the configuration): npipe:// is not supported"
    )


@pytest.mark.parametrize("several", [False, True])
def test_a_password_in_an_address_is_for_the_proxy_alone(tcp_engine, several, no_pause):
    address = tcp_engine.url.replace("tcp://", "tcp://me:hunter2@")
    shown = tcp_engine.url.replace("tcp://", "tcp://***@")
    config = {"hosts": [address]} if several else {"host": address}
    with lanner.testing.host(Docker, config) as host:
        assert host.source
        assert list(host.source.connections) == [shown]
        connection = tcp_engine.stream()
        assert "hunter2" not in repr(host.source.description)
        connection.send(chunk(event()))
        assert b"hunter2" not in host.next().payload
        connection.close()  # the engine lists nothing: a gap
        told = host.next().payload
        assert shown.encode() in told
        assert b"hunter2" not in told
