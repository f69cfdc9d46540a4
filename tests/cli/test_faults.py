"""Faults of the machine, files that are none and early signals end in a plain message, never as a bug or a traceback."""

import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from .. import forked

pytestmark = pytest.mark.slow

LANNER = [str(Path(sys.executable).parent / "lanner")]
REPLAY = ["run", "docker", "--replay", "example"]


def command(*arguments, **options):
    """Run `lanner` to its end. With options of `subprocess.run` it is the installed one."""
    if options:
        done = subprocess.run(
            [*LANNER, *arguments], capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL, **options
        )
    else:
        done = forked.run_text(arguments, timeout=120)
    assert "Traceback" not in done.stderr
    assert "bug in Lanner" not in done.stderr
    return done


READERS = [
    [*REPLAY, "-r", "{}"],
    ["run", "docker", "-V", "{}"],
    ["run", "docker", "-L", "-r", "{}"],
    ["run", "-c", "{}"],
    ["run", "docker", "--dry-run", "--config", "@{}"],
    ["rules", "check", "{}"],
    ["rules", "test", "{}"],
    ["rules", "explain", "Gap", "--replay", "example", "-r", "{}"],
    ["inspect", "{}"],
]
"""Commands that read a file, {}, which somebody has named."""


@pytest.fixture(scope="module")
def on_pipe(tmp_path_factory):
    """Output of each of these commands if no process writes to the pipe that it reads. Each waits seconds for that: all wait at once."""
    pipe = tmp_path_factory.mktemp("pipes") / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(len(READERS)) as pool:
        return list(pool.map(lambda arguments: command(*(each.format(pipe) for each in arguments)), READERS))


@pytest.mark.parametrize("number", range(len(READERS)), ids=lambda number: " ".join(READERS[number]))
def test_a_pipe_in_the_place_of_a_file_is_an_error(on_pipe, number):
    assert on_pipe[number].returncode == 1
    assert "it is a pipe" in on_pipe[number].stdout + on_pipe[number].stderr


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_a_device_in_the_place_of_a_file_is_an_error(arguments):
    done = command(*(each.format("/dev/zero") for each in arguments))
    assert done.returncode == 1
    assert "it is a device" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([*REPLAY, "-P", "{}"], 1, "cannot write the file of -P {}: it is a pipe that no process reads"),
        ([*REPLAY, "--report", "{}"], 1, "cannot write the report {}: it is a pipe that no process reads"),
        (["build", "docker", "-o", "{}"], 1, "{} exists and is not a library, so it is not overwritten"),
    ],
    ids=["pid file", "report", "library"],
)
def test_a_pipe_without_a_reader_in_the_place_of_a_file_to_write_is_an_error(arguments, status, message, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = command(*(each.format(pipe) for each in arguments))
    assert done.returncode == status
    assert message.format(pipe) in done.stderr


@pytest.mark.parametrize("arguments", [["run"], ["fields"], ["doctor"]], ids=" ".join)
def test_a_name_of_a_plugin_that_is_too_long_for_a_file_is_an_unknown_one(arguments):
    done = command(*arguments, "x" * 300)
    assert done.returncode == (1 if arguments == ["doctor"] else 2)
    assert "no plugin named" in done.stdout + done.stderr


def test_a_working_directory_that_is_gone_is_said(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *LANNER, "run", "counter.py"], cwd=gone, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "file counter.py does not exist" in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug in Lanner" not in done.stderr


@pytest.mark.parametrize("descriptors", [8, 12, 16, 24])
def test_few_descriptors_are_no_bug(descriptors):
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (descriptors, descriptors))
    command(*REPLAY, preexec_fn=limit)


def test_standard_error_that_is_closed_costs_no_alert():
    done = subprocess.run(["sh", "-c", '"$0" "$@" 2>&-', *LANNER, *REPLAY], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert done.stdout.count("\n") > 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_run_has_begun_is_said_and_has_its_status(tmp_path, number):
    plugin = tmp_path / "slow.py"
    plugin.write_text("import sys, time\nsys.stderr.write('loading\\n')\nsys.stderr.flush()\ntime.sleep(60)\n")
    with subprocess.Popen([*LANNER, "run", str(plugin)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "loading\n"
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 128 + number
    assert f"lanner: error: ended by {number.name}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        *READERS,
        ["rules", "check", "{}/.."],
        ["run", "docker", "--replay", "{}"],
        ["fields", "{}.py"],
        ["build", "docker", "--api", "3", "-o", "{}"],
    ],
    ids=" ".join,
)
def test_a_directory_that_may_not_be_entered_is_said(tmp_path, arguments):
    closed = tmp_path / "closed"
    closed.mkdir(0)
    # root enters everything unless it lays the right to do so down
    rights = "-dac_override,-dac_read_search"
    as_user = ["setpriv", "--bounding-set", rights, "--inh-caps", rights] if os.geteuid() == 0 else []
    target = [each.format(closed / "file") for each in arguments]
    done = subprocess.run(
        [*as_user, *LANNER, *target], capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"HOME": str(closed)}
    )
    assert done.returncode == 1
    assert "permission denied" in (done.stdout + done.stderr).lower()
    assert "Traceback" not in done.stderr
    assert "bug in Lanner" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["fields", "docker"], ["rules", "check"], ["rules", "show"], ["run", "docker", "-L"], ["run", "docker", "--list"]],
    ids=" ".join,
)
def test_standard_output_on_a_full_disk_is_said(arguments):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*LANNER, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "cannot write to standard output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
