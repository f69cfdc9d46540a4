"""One private dockerd for all tests here. Where none can be started they are skipped, with the reason."""

import pytest

from lanner.testing.dockerd import Dockerd, why_not


@pytest.fixture(scope="session")
def _dockerd():
    if reason := why_not():
        pytest.skip(f"no real Docker engine: {reason}")
    with Dockerd() as engine:
        yield engine


@pytest.fixture
def engine(_dockerd):
    """The engine, running and empty but for its image."""
    yield _dockerd
    if not _dockerd.running:
        _dockerd.start()
    _dockerd.clear()
