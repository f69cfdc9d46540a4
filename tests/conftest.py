"""What tests of several rooms use."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

import host

# An ignored signal is inherited by every process that a test starts, and Lanner leaves it ignored. A shell ignores SIGINT in
# what it runs in the background, nohup ignores SIGHUP. A handler is not inherited, so the tests' processes begin with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else lambda *_: None)


@pytest.fixture(scope="session")
def run_host():
    """`run_host(so, *options)`: what the C host saw of a plugin's .so (tests/conformance)."""
    return host.run_host
