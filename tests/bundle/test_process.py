"""Actions of a host on its own process with a plugin in it: it forks, and it exits with everything open."""

import subprocess
from pathlib import Path

import pytest

from ..waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.native]


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    program = tmp_path_factory.mktemp("forks") / "forks"
    subprocess.run(["cc", "-Wall", "-o", program, Path(__file__).with_name("forks.c"), "-ldl"], check=True)
    return program


@pytest.mark.parametrize("plugin", ["every", "recorded"])
@pytest.mark.parametrize("how", ["fork", "exit"])
def test_the_plugin_continues_and_the_process_ends(built, forks, tmp_path, plugin, how):
    recording = tmp_path / "events"
    recording.write_bytes(b"{}\n[]\n")
    params = '["{}", "[]"]' if plugin == "every" else str(recording)
    done = subprocess.run([forks, built(plugin), params, how], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "{}\n[]\nend 2\n" * (2 if how == "fork" else 1)
    assert done.returncode == 0, done.stderr
    if plugin == "every":
        assert done.stderr.count("every: the process ends") == (2 if how == "fork" else 1), "once in each process"


@pytest.mark.parametrize("how", ["unload", "exit"])
def test_a_thread_may_outlive_the_plugin(built, tmp_path, how):
    program = tmp_path / "threads"
    source = Path(__file__).with_name("threads.c")
    subprocess.run(["cc", "-Wall", "-o", program, source, "-ldl", "-pthread"], check=True)
    done = subprocess.run([program, built("every"), '["{}"]', how], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.stdout == "1\n1\njoined\n"
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("every: the process ends") == 1
