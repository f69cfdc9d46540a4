"""Builds the conformance host and the hand-written plugin `peer`, and runs the host. `conformance_host --help` tells its options."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "host"


def make(*targets: str) -> None:
    """Builds what is not there yet, or older than its sources. Several test workers may ask at once."""
    command = ["make", "-s", f"-j{os.cpu_count() or 1}", "-C", str(HERE), f"BUILD={BUILD}", *targets]
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{made.stdout}{made.stderr}")


@functools.cache
def host() -> Path:
    make("host")
    return BUILD / "conformance_host"


def peer_path(api: str, variant: str = "") -> Path:
    """Return the path of the peer that requires this API; for the variants see peer.cpp."""
    return BUILD / f"peer-{api}{variant and '-'}{variant}" / "libpeer.so"


def run_host(
    so: Path | str,
    *options: str,
    beside: Iterable[Path | str] = (),
    env: dict[str, str] | None = None,
    timeout: float = 100,
) -> dict[str, Any]:
    """The host's report, with its exit status as `exit` and what the plugin printed as `stderr`.

    `beside` are further plugins in the same process; `env` adds to the environment.
    """
    # a busy machine may need longer than the 30 s after which the host stops by itself
    command = [str(host()), "--seconds", str(0.8 * timeout), *options, str(so), *map(str, beside)]
    done = subprocess.run(command, capture_output=True, timeout=timeout, env={**os.environ, **(env or {})}, check=False)
    stderr = done.stderr.decode(errors="replace")
    if done.returncode not in {0, 1} or not done.stdout:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{stderr}")
    return {**json.loads(done.stdout), "exit": done.returncode, "stderr": stderr}
