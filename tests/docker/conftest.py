"""Stand-ins for engines, on sockets, on TCP and behind TLS."""

import pytest

from lanner.docker import watch

from .stand_in import RememberingEngine, StandInEngine
from .tls_engines import Certificates, TlsEngine, context_of


@pytest.fixture
def stand_in():
    """`stand_in(url, kind)`: a listening `StandInEngine`, or one of that kind. Its requests are checked in the end: nothing may write to an engine."""
    engines = []

    def start(url, kind=StandInEngine):
        engines.append(kind(url))
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


@pytest.fixture
def remembering(stand_in, tmp_path):
    """A `RememberingEngine` on a unix socket."""
    return stand_in(f"unix://{tmp_path}/docker.sock", RememberingEngine)


@pytest.fixture
def no_pause(monkeypatch):
    """Lost connections are reopened at once."""
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(watch, "_STEADY", 0.0)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The certificates of `tls_engine` and its clients."""
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_engine(certificates):
    """`tls_engine(own, version)`: a stand-in engine behind TLS."""
    engines = []

    def start(own=None, version=None):
        engines.append(TlsEngine(context_of(certificates, own, version)))
        return engines[-1]

    yield start
    for engine in engines:
        engine.stop()
