"""What tests of several rooms use."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "host"))

import host

# a shell starts what it runs in the background with SIGINT ignored, and that is inherited
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def run_host():
    """`run_host(so, *options)`: what the C host saw of a plugin's .so (tests/host)."""
    return host.run_host
