"""Helpers of the tests of the Docker plugin's stream."""

import json
import time
from contextlib import contextmanager

import pytest

import lanner
import lanner.testing
from lanner.docker import Docker
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE
from .stand_in import NOW, event


def source_of(engine, params="", **config):
    """The plugin's source as a host opens it."""
    return open_source(init_plugin(Docker, {"inspect": False, "host": engine.url, **config}), params)


@contextmanager
def watching(engine, params="", **config):
    """The plugin as a test of a user would run it, with its stream open."""
    with lanner.testing.host(Docker, {"inspect": False, "host": engine.url, **config}, params) as host:
        assert host.source
        yield host


@contextmanager
def watching_stream(engine, params="", **config):
    """The plugin as a test of a user would run it, and its open stream."""
    with watching(engine, params, **config) as host:
        yield host, engine.stream()


def failure(engine, **config):
    """The message for a user if the source cannot be opened."""
    with pytest.raises(lanner.SourceError) as caught:
        source_of(engine, **config)
    return str(caught.value)


def lines(first, count=1):
    """Return this number of events, a nanosecond apart."""
    return [event(NOW + number) for number in range(first, first + count)]


def payloads(host, count):
    """The next events, as lines."""
    return [host.next().payload + b"\n" for _ in range(count)]


def gap_of(payload):
    """Return the gap that Lanner's own event reports."""
    told = json.loads(payload)
    assert (told["Type"], told["Action"]) == ("lanner", "gap"), payload
    return told["lanner"]["gap"]


def is_gap(payload):
    return payload.startswith(b'{"Type":"lanner"')


def eventually(holds):
    """Wait until `holds()` is true."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.002)
