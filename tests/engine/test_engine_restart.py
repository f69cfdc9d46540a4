"""The Docker plugin's source goes on when the engine is stopped and started, whether it ends well or is killed."""

import time

import pytest

import lanner.testing
from lanner.docker import Docker

pytestmark = pytest.mark.engine


def wait_for_volume(host, name):
    """Read events up to the one of the volume's creation; ones of an earlier life of the engine must not come again."""
    seen = []
    while True:
        event = host.next(timeout=60)
        seen.append(event.payload)
        if host.extract(event, "docker.type") == "volume" and host.extract(event, "docker.actor.id") == name:
            return seen


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_the_source_goes_on_after_a_restart(engine, kill):
    with lanner.testing.host(Docker, {"host": engine.host}, f"since={time.time_ns() / 1e9:.9f}") as host:
        engine.docker("volume", "create", "before")
        seen = wait_for_volume(host, "before")
        for name in ("first", "second"):
            engine.stop(kill=kill)
            engine.start()
            engine.docker("volume", "create", name)
            seen += wait_for_volume(host, name)
        engine.docker("volume", "rm", "before", "first", "second")
    assert len(seen) == len(set(seen))


def test_an_engine_that_is_away_is_waited_for_and_then_read(engine):
    with lanner.testing.host(Docker, {"host": engine.host}, f"since={time.time_ns() / 1e9:.9f}") as host:
        assert str(engine.socket) in host.source.description
        engine.stop()
        with pytest.raises(TimeoutError):
            host.next(timeout=0.5)
        engine.start()
        engine.docker("volume", "create", "after")
        wait_for_volume(host, "after")
        engine.docker("volume", "rm", "after")
