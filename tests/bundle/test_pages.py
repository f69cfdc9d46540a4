"""Memory of a running plugin in a C host: what only its start needs is not kept."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from ..conformance import host
from ..docker.stand_in import StandInEngine, chunk, event
from ..docker.streaming import eventually

pytestmark = [pytest.mark.slow, pytest.mark.native]


@pytest.fixture
def running(tmp_path):
    """`running(so)`: the process of a host that has got an event of the Docker plugin, and waits for the next."""
    engine = StandInEngine(f"unix://{tmp_path}/docker.sock")
    processes = []

    def start(so):
        config = json.dumps({"host": engine.url, "inspect": False})
        options = ["--seconds", "300", "--events", "2", "--bench", "--init", config, "--fields", "docker.type"]
        processes.append(subprocess.Popen([host.host(), *options, so], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        stream = engine.stream()
        stream.send(chunk(event()))
        stream.wait_until_read()
        return processes[-1].pid

    yield start
    for process in processes:
        process.kill()
        process.wait()
    engine.stop()


def mapped_constants(pid, library):
    """The kilobytes of a library's segments that are neither code nor data, and how many of them count as the process's memory."""
    size = resident = 0
    is_wanted = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := re.match(r"[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \S+ *(.*)", line):
            is_wanted = mapping[1] == "r--p" and library in mapping[2]
        elif is_wanted:
            name, value = line.split()[:2]
            size += int(value) if name == "Size:" else 0
            resident += int(value) if name == "Rss:" else 0
    return size, resident


def test_a_running_plugin_has_a_part_of_pythons_constants_mapped(bound, running):
    """A start reads three quarters of them."""
    pid = running(bound("docker"))
    assert mapped_constants(pid, "libpython")[0] > 0

    def is_mostly_unmapped():  # from the end of open on, which may be after the event was read
        size, resident = mapped_constants(pid, "libpython")
        return resident < size / 2

    eventually(is_mostly_unmapped)
