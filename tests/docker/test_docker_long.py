"""Events that are too long, that do not end, or that no line ends separate."""

import json
import logging

import pytest

from lanner.docker import eventframer, intake
from lanner.native import ObjectFramer

from .stand_in import NOW, STREAM, answer, chunk, event
from .streaming import eventually, gap_of, lines, payloads, watching

pytestmark = pytest.mark.slow


@pytest.fixture
def short(monkeypatch):
    """Events of more than a thousand bytes are too long."""
    monkeypatch.setattr(eventframer, "ObjectFramer", lambda _, kept: ObjectFramer(1000, kept))


def long_event(time=NOW, action="create", **labels):
    attributes = {"com.example": "x" * 2000, "image": "busy:1", "name": "web"} | labels
    return event(time, status=action, id="4f2d", Action=action, Actor={"ID": "4f2d", "Attributes": attributes})


@pytest.mark.usefixtures("short")
def test_of_an_event_that_is_too_long_what_identifies_it_is_kept(remembering, caplog):
    with watching(remembering) as host:
        remembering.publish(long_event(exitCode="0", oldName="a"), *lines(1))
        found = host.next()
        assert json.loads(found.payload) == {
            "Type": "container",
            "Action": "create",
            "Actor": {"ID": "4f2d", "Attributes": {"image": "busy:1", "name": "web", "exitCode": "0", "oldName": "a"}},
            "status": "create",
            "id": "4f2d",
            "scope": "local",
            "time": NOW // 10**9,
            "timeNano": NOW,
            "lanner": {"truncated": "true", "bytes": len(long_event(exitCode="0", oldName="a")) - 1},
        }
        assert host.extract(found, "docker.truncated.bytes") == len(long_event(exitCode="0", oldName="a")) - 1
        assert found.timestamp == NOW
        assert payloads(host, 1) == lines(1)
        assert host.source.counters == {"events truncated": 1}
        said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len(said) == 1
        assert "Lanner keeps only its identifying members" in said[0]


@pytest.mark.usefixtures("short")
def test_many_of_them_are_warned_of_once_and_all_are_counted(remembering, caplog):
    with watching(remembering) as host:
        remembering.publish(*(long_event(NOW + number) for number in range(50)))
        assert [json.loads(host.next().payload)["timeNano"] for _ in range(50)] == [NOW + number for number in range(50)]
        assert host.source.counters == {"events truncated": 50}
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("inspect", [False, True])
def test_an_event_that_is_too_long_is_described_and_names_its_engine(remembering, inspect):
    with watching(remembering, host="", hosts=[{"url": remembering.url, "name": "db"}], inspect=inspect) as host:
        remembering.publish(long_event(action="start"))
        added = json.loads(host.next().payload)["lanner"]
        assert (added.pop("truncated"), added.pop("bytes") > 1000) == ("true", True)
        assert set(added) == ({"host", "inspect"} if inspect else {"host"})


@pytest.mark.usefixtures("short")
def test_an_event_that_is_too_long_is_known_again(remembering, no_pause):
    with watching(remembering) as host:
        remembering.publish(*lines(0), long_event(NOW + 1), *lines(2))
        assert [json.loads(line)["timeNano"] - NOW for line in payloads(host, 3)] == [0, 1, 2]
        remembering.stream()
        remembering.cut()
        remembering.miss(long_event(NOW + 3))
        remembering.stream()
        remembering.publish(*lines(4))
        assert [json.loads(line)["timeNano"] - NOW for line in payloads(host, 2)] == [3, 4]


@pytest.mark.usefixtures("short")
def test_an_event_that_is_too_long_in_another_form_is_reported_as_a_gap(remembering, caplog):
    with watching(remembering) as host:
        remembering.publish(*lines(0), b'{"x":"' + b"x" * 2000 + b'"}\n', *lines(1))
        seen = payloads(host, 3)
        assert seen[:2] == lines(0, 2)
        assert gap_of(seen[2])["reason"] == "event too long"
        assert gap_of(seen[2])["from"] == NOW + 1
        assert host.source.counters == {"lines too long": 1, "gaps": 1}
        assert "is lost" in caplog.text


def test_a_label_of_70_mebibytes_hides_no_event(remembering):
    with watching(remembering) as host:
        label = "x" * (70 << 20)
        remembering.publish(long_event(label=label), *lines(1))
        found = host.next()
        assert host.extract(found, "docker.truncated.bytes") > 70 << 20
        assert host.extract(found, "docker.attributes.name") == "web"
        assert len(found.payload) < 1000
        assert payloads(host, 1) == lines(1)


def test_an_event_up_to_the_limit_comes_whole_with_what_is_added(remembering):
    with watching(remembering, host="", hosts=[{"url": remembering.url, "name": "db"}], queueBytes=1 << 30) as host:
        empty = len(long_event(label="")) - 1
        remembering.publish(long_event(label="x" * (eventframer.MAX_EVENT - empty)), *lines(1))
        assert len(host.next().payload) > eventframer.MAX_EVENT
        assert host.extract(host.next(), "docker.host") == "db"
        assert host.source.counters == {}


@pytest.mark.parametrize("separator", [b"", b" ", b",", b"\r\n"])
def test_events_without_line_ends_come_one_by_one_and_at_once(engine, separator):
    with watching(engine) as host:
        stream = engine.stream()
        for first in (0, 3):
            stream.send(chunk(separator.join(line.rstrip() for line in lines(first, 3))))
            assert payloads(host, 3) == lines(first, 3)


def test_an_event_that_does_not_end_is_warned_of(engine, monkeypatch, caplog):
    monkeypatch.setattr(intake, "_UNFINISHED", 0.05)
    with watching(engine) as host:
        engine.stream().send(chunk(event()[:40]))
        eventually(lambda: "is incomplete" in caplog.text)
        assert host.source.next_batch(0.01).payloads == []


def test_a_member_that_only_lanner_writes_does_not_count(engine, caplog):
    """A member `lanner` of the engine has no effect in any spelling: the fields have no value, and the event stays."""
    own = b'{"host":"fake","gap":{"reason":"fake"},"inspect":{"privileged":"true","error":"no"},"truncated":"true","bytes":7}'
    fields = ["docker.host", "docker.gap.reason", "docker.container.privileged", "docker.container.inspect.error", "docker.truncated"]
    known = b'{"Actor":{"ID":"4f2d","Attributes":{"name":"web"}},"Type":"container","Action":"create"'
    forms = [
        known + b',"lanner":' + own + b"}",
        known + b',"lanner":' + own + b"} ",
        known + b',"lanner":' + own + b"}\r",
        known + b',"lanner" : ' + own + b" }\t",
        b" " + known + b',"lanner":' + own + b"}",
        b'{"lanner":' + own + b"," + known[1:] + b"}",
        known + b',"\\u006canner":' + own + b"}",
        known + b',"\\u006C\\u0061\\u006e\\u006E\\u0065\\u0072":' + own + b"}",
        known + b',"lanner":1,"lanner":' + own + b"}",
        known + b',"lanner":' + own + b',"lanner":' + own + b"}",
    ]
    sent = [line.replace(b"4f2d", b"%x" % number) for number, line in enumerate(forms)]
    for config in ({"inspect": False}, {"inspect": True}):
        with watching(engine, inspectTimeout=100, **config) as host:
            engine.stream().send(chunk(b"\n".join(sent) + b"\n"))
            for line in sent:
                found = host.next()
                assert host.extract(found, "docker.attributes.name") == "web", line
                values = {name: host.extract(found, name) for name in fields}
                if config["inspect"]:  # the engine describes no containers
                    assert values.pop("docker.container.inspect.error") not in {None, "no"}
                assert not any(values.values()), line
    assert "which only Lanner writes" in caplog.text


def test_the_member_elsewhere_changes_nothing(engine):
    attributes = {"lanner": "x", "name": 'lanner "lanner":{"host":"a"}}', "image": "lanner<\\"}
    sent = [
        event(Actor={"ID": "1", "Attributes": attributes}),
        event(NOW + 1, lanners={"lanner": {"host": "a"}}),
        event(NOW + 2, lanner="x"),
    ]
    with watching(engine) as host:
        engine.stream().send(chunk(b"".join(sent)))
        assert payloads(host, 3) == sent


def test_an_object_that_is_broken_off_brings_no_member(engine):
    sent = [
        b'{"lanner":{"host":"a"},"x":{"y":1}',
        b'{"lanner":{"host":"a"},"s":"x}',
        b'{"lanner":{"host":"a"},"s":"\\}',
        b'[{"lanner":{"host":"a"}}]',
    ]
    with watching(engine, host="", hosts=[{"url": engine.url, "name": "db"}]) as host:
        engine.stream().send(chunk(b"\n".join(sent) + b"\n"))
        assert [host.extract(host.next(), "docker.host") for _ in sent] == [None, None, None, "db"]


def test_a_listing_is_cut_at_the_same_length(engine, no_pause, short):
    with watching(engine) as host:
        stream = engine.stream()
        stream.send(chunk(long_event()))
        assert json.loads(host.next().payload)["timeNano"] == NOW
        engine.listing = answer(long_event() + long_event(NOW + 1))
        engine.events = STREAM + chunk(event(NOW + 2))
        stream.close()
        assert [json.loads(host.next().payload)["timeNano"] - NOW for _ in range(2)] == [1, 2]
