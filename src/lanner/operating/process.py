"""Resource usage of this process and its machine, from /proc, under the names of Falco's `resource_utilization_enabled`.

Values that cannot be read (in a container, or a sandbox with ProcSubset=pid) are omitted.
"""

from __future__ import annotations

import os
import resource
import time
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def resources() -> dict[str, float]:
    """Return CPU use since the start in percent of one CPU, memory in KiB, and the machine's totals, by Falco's names."""
    found: dict[str, float] = {}
    for read in (_own_cpu, _own_memory, _own_share, _machine_cpu, _machine_memory, _machine_files):
        with suppress(OSError, ValueError, KeyError, IndexError):
            found |= read()
    return found


def boot_time() -> int | None:
    """Return the boot time of the machine in ns since 1970, or None if the system does not tell."""
    with suppress(OSError, ValueError):
        for line in _text("/proc/stat").splitlines():
            if line.startswith("btime "):
                return int(line.split()[1]) * 1_000_000_000
    return None


def _own_cpu() -> dict[str, float]:
    # after the name, which may contain any character: field 22 is the start time in ticks since boot
    fields = _text("/proc/self/stat").rpartition(")")[2].split()
    alive = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / _TICKS
    return {"cpu_usage_perc": round(100 * time.process_time() / max(alive, 1 / _TICKS), 1)}


def _own_memory() -> dict[str, float]:
    size, resident, *_ = map(int, _text("/proc/self/statm").split())
    page = resource.getpagesize() // 1024
    return {"memory_rss_kb": resident * page, "memory_vsz_kb": size * page}


def _own_share() -> dict[str, float]:
    return {"memory_pss_kb": _kib("/proc/self/smaps_rollup")["Pss"]}


def _machine_cpu() -> dict[str, float]:
    lines = {line.split()[0]: line.split()[1:] for line in _text("/proc/stat").splitlines() if line}
    ticks = list(map(int, lines["cpu"]))
    idle = ticks[3] + ticks[4]  # idle and iowait
    return {
        "host_cpu_usage_perc": round(100 * (1 - idle / max(sum(ticks[:8]), 1)), 1),
        "host_procs_running": int(lines["procs_running"][0]),
    }


def _machine_memory() -> dict[str, float]:
    kib = _kib("/proc/meminfo")
    return {"host_memory_used_kb": kib["MemTotal"] - kib["MemFree"] - kib["Buffers"] - kib["Cached"]}


def _machine_files() -> dict[str, float]:
    return {"host_open_fds": int(_text("/proc/sys/fs/file-nr").split()[0])}


def _kib(path: str) -> dict[str, int]:
    """Parse lines such as `MemTotal:  1024 kB`."""
    lines = (line.split() for line in _text(path).splitlines() if line.endswith(" kB"))
    return {fields[0].removesuffix(":"): int(fields[1]) for fields in lines}


def _text(path: str) -> str:
    return Path(path).read_text("ascii", "replace")
