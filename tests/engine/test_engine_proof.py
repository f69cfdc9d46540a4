"""Nothing lost, nothing doubled, every gap told: a real engine and a real host are killed under load, and independent listeners compared with."""

import json
import random
import signal
import time
from collections import Counter

import pytest

from lanner.testing.dockerd import why_not

from ..waiting import PATIENCE
from .proof.listener import Listener, listing
from .proof.load import Load
from .proof.soak import soak
from .proof.watcher import Watcher

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


DISORDER = 1_000_000_000
"""Nanoseconds by which an engine's parallel publishers may be out of order."""


def volumes(lines):
    """Events of the load; others may be of containers from before the listener."""
    return [line for line in lines if b'"ID":"load-' in line]


def check(seen, received, gaps=()):
    """All that was received was seen once, and nothing was seen twice.

    Events that an engine had written to only one listener when it was killed are unknowable: they lie in a reported gap,
    as far as times go, which are not strictly in order.
    """
    doubled = [line for line, count in Counter(seen).items() if count > 1]
    assert doubled == [], doubled[:2]
    told = [json.loads(gap)["lanner"]["gap"] for gap in gaps]
    missing = [
        line
        for line in set(received) - set(seen)
        if not any(gap["from"] - DISORDER <= json.loads(line)["timeNano"] <= gap["until"] for gap in told)
    ]
    assert not missing, f"{len(missing)} of {len(received)} were not seen, such as {min(missing)!r}"


def kill_and_restart(engine, tmp_path, times):
    watcher = Watcher(tmp_path, engine.host).start()
    with Listener(engine.socket) as listener:
        for number in range(times):
            with Load(engine.socket):
                count = len(listener.lines)
                deadline = time.monotonic() + PATIENCE
                while len(listener.lines) < count + 100 and time.monotonic() < deadline:
                    time.sleep(0.02)
                listener.connected.clear()
                engine.stop(kill=True)
            engine.start()
            assert listener.connected.wait(PATIENCE)
            watcher.wait_for(lambda watcher, number=number: len(watcher.gaps) == number + 1)
        engine.docker("volume", "create", "load-last")
        last = b'"ID":"load-last"'
        watcher.wait_for(lambda watcher: last in watcher.lines[-1])
        while last not in listener.lines[-1]:
            time.sleep(0.02)
    assert watcher.process.poll() is None
    assert watcher.end() == 0
    received = volumes(listener.lines)
    assert len(received) > 50 * times
    check(volumes(watcher.lines), received, watcher.gaps)
    assert len(set(received) - set(watcher.lines)) <= 2 * times
    assert all(b'"reason":"engine restarted or out of reach"' in gap for gap in watcher.gaps)
    assert len(watcher.gaps) == times


def test_an_engine_that_is_killed_repeatedly_under_load(engine, tmp_path):
    kill_and_restart(engine, tmp_path, 4)


@pytest.mark.soak
def test_an_engine_that_is_killed_twenty_times_under_load(engine, tmp_path):
    kill_and_restart(engine, tmp_path, 20)


def test_a_host_that_is_stopped_continues_where_it_was(engine, tmp_path):
    watcher = Watcher(tmp_path, engine.host, cursor=str(tmp_path / "cursor"))
    begin = time.time()
    for _ in range(4):
        watcher.start()
        with Load(engine.socket, 1, pause=0.01) as load:
            before = load.done
            while load.done < before + 60:
                time.sleep(0.01)
            assert watcher.end() == 0
            # while Lanner is disconnected, fewer than the engine keeps
            before = load.done
            while load.done < before + 60:
                time.sleep(0.01)
    watcher.start()
    engine.docker("volume", "create", "load-end")
    watcher.wait_for(lambda watcher: b'"ID":"load-end"' in watcher.lines[-1])
    assert watcher.end() == 0
    kept = volumes(listing(engine.socket, begin, time.time()))
    assert len(kept) > 100
    check(volumes(watcher.lines), kept)
    assert watcher.gaps == []


def test_a_host_that_is_killed_loses_nothing_and_repeats_what_it_had_not_written_down(engine, tmp_path):
    chance, kills = random.Random(7), []
    watcher = Watcher(tmp_path, engine.host, cursor=str(tmp_path / "cursor"), cursorInterval=50)
    with Listener(engine.socket) as listener:
        begin = time.time_ns()
        for _ in range(6):
            watcher.start()
            with Load(engine.socket, 1, pause=0.005) as load:
                before, count = load.done, chance.randrange(20, 120)
                while load.done < before + count:
                    time.sleep(0.005)
                assert watcher.end(signal.SIGKILL) == -signal.SIGKILL, watcher.told
                kills.append(time.time_ns())
        watcher.start()
        engine.docker("volume", "create", "load-final")
        watcher.wait_for(lambda watcher: b'"ID":"load-final"' in watcher.lines[-1])
        while b'"ID":"load-final"' not in listener.lines[-1]:
            time.sleep(0.02)
    assert watcher.end() == 0
    received = volumes(listener.lines)
    assert len(received) > 200
    # what comes twice is the same to the letter, so it has the same id
    lost = sorted(set(received) - set(watcher.lines), key=received.index)
    assert not lost, (len(lost), kills, lost[0], lost[-1], watcher.told[-8:])
    # what is asked for again begins two seconds before, which may be before all this began
    later = [line for line in volumes(watcher.lines) if json.loads(line)["timeNano"] >= begin]
    assert set(later) <= set(received)
    assert watcher.gaps == []


def test_a_burst_arrives_as_a_whole(engine, tmp_path):
    watcher = Watcher(tmp_path, engine.host).start()
    with Listener(engine.socket) as listener:
        with Load(engine.socket, 8) as load:
            while load.done < 4000:
                time.sleep(0.02)
        engine.docker("volume", "create", "load-burst")
        watcher.wait_for(lambda watcher: b'"ID":"load-burst"' in watcher.lines[-1])
        while b'"ID":"load-burst"' not in listener.lines[-1]:
            time.sleep(0.02)
    assert watcher.end() == 0
    check(volumes(watcher.lines), volumes(listener.lines))
    assert watcher.gaps == []
    assert not any("dropped" in line for line in watcher.told)


def test_a_host_that_was_frozen_doubles_nothing_and_has_all_that_waited(engine, tmp_path):
    watcher = Watcher(tmp_path, engine.host).start()
    with Load(engine.socket, 1, pause=0.01) as load, Listener(engine.socket) as listener:
        watcher.process.send_signal(signal.SIGSTOP)
        before = load.done
        while load.done < before + 200:  # the engine's socket and channel hold as much
            time.sleep(0.01)
        watcher.process.send_signal(signal.SIGCONT)
        before = load.done
        while load.done < before + 20:
            time.sleep(0.01)
    engine.docker("volume", "create", "load-thawed")
    watcher.wait_for(lambda watcher: b'"ID":"load-thawed"' in watcher.lines[-1])
    assert watcher.end() == 0
    check(volumes(watcher.lines), volumes(listener.lines))


def test_a_bounded_soak_loses_doubles_and_leaks_nothing():
    if reason := why_not():
        pytest.skip(f"no real Docker engine: {reason}")
    result = soak(25, random.Random(3))
    assert (result.lost, result.doubled, result.leaked) == ([], [], [])
    assert result.events > 100


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_long_soak_loses_doubles_and_leaks_nothing():
    result = soak(1800)
    assert (result.lost, result.doubled, result.leaked) == ([], [], [])
