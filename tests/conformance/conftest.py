"""The conformance host and the peers, built once."""

import pytest

from . import host

APIS = ("0.3.0", "1.0.0", "2.0.0", "3.0.0", "3.12.0")


@pytest.fixture(scope="session")
def conformance_host():
    """`conformance_host(so, *options)` gives the host's report."""
    host.host()
    return host.run_host


@pytest.fixture(scope="session")
def peers():
    """The peer by the API that it requires, in the form that PEER_BREAK breaks."""
    paths = {api: host.peer_path(api, "BREAKABLE") for api in APIS}
    host.make("host", *(str(path) for path in paths.values()))
    return paths


@pytest.fixture(scope="session")
def types():
    """A plugin with a field of each type of API 3.x, broken by TYPES_BREAK."""
    path = host.BUILD / "libtypes.so"
    host.make(str(path))
    return path
