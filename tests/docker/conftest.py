"""Engines for tests that need none."""

import pytest

from .stand_in import StandInEngine


@pytest.fixture
def stand_in():
    """`stand_in(url)`: a `StandInEngine` that listens there. What it was asked is looked at in the end: nothing may write to an engine."""
    engines = []

    def start(url):
        engines.append(StandInEngine(url))
        return engines[-1]

    yield start
    for engine in engines:
        engine.stop()
    for exchange in (exchange for engine in engines for exchange in engine.exchanges):
        assert exchange.request.startswith("GET /"), exchange.request
        assert exchange.unasked == b""


@pytest.fixture
def engine(stand_in, tmp_path):
    """A `StandInEngine` on a unix socket."""
    return stand_in(f"unix://{tmp_path}/docker.sock")


@pytest.fixture
def tcp_engine(stand_in):
    """A `StandInEngine` on tcp."""
    return stand_in("tcp://127.0.0.1:0")
