"""What tests of several rooms use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "host"))

import host


@pytest.fixture(scope="session")
def run_host():
    """`run_host(so, *options)`: what the C host saw of a plugin's .so (tests/host)."""
    return host.run_host
