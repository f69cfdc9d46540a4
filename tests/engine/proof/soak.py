"""Hours of what may happen to a watcher, by chance: load, an engine that is killed, hosts that are stopped and killed, rules that change.

`tools/soak-docker SECONDS` runs it on a private engine. At the end it prints the numbers of lost, doubled and leaked items, which must be 0.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from lanner.testing.dockerd import Dockerd

from .listener import Listener
from .load import Load
from .watcher import RULE, Watcher

_DISORDER = 1_000_000_000  # ns: publishers of an engine are parallel
_MOST_GROWTH = 16 * 1024
"""KiB by which a process may grow; what Python's own tables take in steps is among it."""


class Result(NamedTuple):
    """The result. `unknowable`: events in reported gaps, which the engine had written to only one listener when it was killed."""

    events: int
    gaps: int
    lost: list
    doubled: list
    leaked: list
    unknowable: int


def soak(seconds, chance=None, say=lambda text: None):
    """Run for that long, and return a `Result`."""
    chance = chance or random.Random()
    with tempfile.TemporaryDirectory(prefix="lanner-soak-") as folder, Dockerd() as engine:
        return _Soak(engine, Path(folder), chance, say).run(seconds)


class _Soak:
    def __init__(self, engine, folder, chance, say):
        self._engine, self._chance, self._say = engine, chance, say
        self._watcher = Watcher(folder, engine.host, cursor=str(folder / "cursor"), cursorInterval=100)
        self._repeatable = set()  # what a killed host had not written down yet
        self._kills = 0

    def run(self, seconds):
        watcher = self._watcher.start()
        begin = time.time_ns()
        until = time.monotonic() + seconds * 0.6
        with Listener(self._engine.socket) as listener:
            while time.monotonic() < until:
                action = self._chance.choice([self._kill_engine, self._stop_host, self._kill_host, self._change_rules, self._only_load])
                self._say(action.__name__.strip("_").replace("_", " "))
                with Load(self._engine.socket, 2, pause=0.002):
                    time.sleep(self._chance.uniform(0.2, 1.5))
                    action(listener)
            # one host through the rest, to see whether it grows
            until = time.monotonic() + seconds * 0.4
            self._settle(listener)  # without a connection it has fewer descriptors
            before = _taken(watcher.process.pid)
            while time.monotonic() < until:
                with Load(self._engine.socket, 2, pause=0.002):
                    time.sleep(min(1.0, max(0.1, until - time.monotonic())))
                    self._chance.choice([self._kill_engine, self._change_rules, self._only_load])(listener)
            self._settle(listener)
            after = _taken(watcher.process.pid)
            until = time.monotonic() + 30
            while time.monotonic() < until and any(after[what] > before[what] for what in ("descriptors", "threads")):
                time.sleep(0.1)  # rules may be loading, or a connection ending
                after = _taken(watcher.process.pid)
        watcher.end()
        return self._judge(listener, begin, before, after)

    def _only_load(self, _listener):
        pass

    def _kill_engine(self, listener):
        self._kills += 1
        listener.connected.clear()
        self._engine.stop(kill=True)
        self._engine.start()
        assert listener.connected.wait(60)
        connected = len(self._watcher.gaps)
        self._watcher.wait_for(lambda watcher: len(watcher.gaps) > connected or watcher.gaps)

    def _stop_host(self, _listener):
        assert self._watcher.end(signal.SIGTERM) == 0, self._watcher.told[-5:]
        self._watcher.start()

    def _kill_host(self, _listener):
        self._watcher.end(signal.SIGKILL)
        self._repeatable |= set(self._watcher.lines[-2000:])
        self._watcher.start()

    def _change_rules(self, _listener):
        new = self._watcher.rules.with_name("new")
        new.write_text(RULE + f"# {self._chance.random()}\n")
        new.rename(self._watcher.rules)

    def _settle(self, listener):
        name = f"load-last-{time.time_ns()}"
        self._engine.docker("volume", "create", name)
        last = name.encode()
        self._watcher.wait_for(lambda watcher: last in watcher.lines[-1])
        while last not in listener.lines[-1]:
            time.sleep(0.02)

    def _judge(self, listener, begin, before, after):
        seen, received = self._watcher.lines, [line for line in listener.lines if b'"ID":"load-' in line]
        gaps = [json.loads(gap)["lanner"]["gap"] for gap in self._watcher.gaps]
        missing = [line for line in set(received) - set(seen) if json.loads(line)["timeNano"] >= begin]
        unknowable = [
            line for line in missing if any(gap["from"] - _DISORDER <= json.loads(line)["timeNano"] <= gap["until"] for gap in gaps)
        ]
        lost = [line for line in missing if line not in set(unknowable)]
        doubled = [line for line, count in Counter(seen).items() if count > 1 and line not in self._repeatable]
        leaked = [
            f"{what}: {before[what]} to {after[what]}"
            for what, slack in (("descriptors", 0), ("threads", 0), ("memory", _MOST_GROWTH))
            if after[what] > before[what] + slack
        ]
        return Result(len(received), len(gaps), lost, doubled, leaked, len(unknowable))


def _taken(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return {
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": int(status.partition("Threads:")[2].split()[0]),
        "memory": int(status.partition("VmRSS:")[2].split()[0]),
    }


def main():
    """The command."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    seed = int(os.environ.get("LANNER_SOAK_SEED", time.time_ns()))
    print(f"soaking for {seconds:g} s (LANNER_SOAK_SEED={seed})", flush=True)
    result = soak(seconds, random.Random(seed), lambda text: print(f"  {text}", flush=True))
    print(f"{result.events:,} events, {result.gaps} gaps, {result.unknowable} events in them that the engine sent to only one listener")
    for what, found in (("lost", result.lost), ("doubled", result.doubled), ("leaked", result.leaked)):
        for each in found[:5]:
            print(f"{what}: {each!r}")
    print(f"lost {len(result.lost)}, doubled {len(result.doubled)}, leaked {len(result.leaked)}")
    sys.exit(1 if result.lost or result.doubled or result.leaked else 0)


if __name__ == "__main__":
    main()
