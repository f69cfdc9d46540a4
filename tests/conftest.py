"""Fixtures of several rooms, which workers share."""

import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

import host

from lanner.abi.versions import APIS

from . import packed

# Examples of a property. A test with cheap or expensive ones multiplies or divides `settings.default.max_examples`. `make soak` uses
# `deep`. In tools/sanitize an example is to reach the code, which takes five times as long there; `make test` has compared the results.
EXAMPLES = {"lanner": 50, "deep": 5000, "sanitize": 20}
for name, number in EXAMPLES.items():
    settings.register_profile(name, max_examples=number, deadline=None)  # an example takes as long as the machine's load makes it
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
settings.load_profile("sanitize" if SANITIZED else "lanner")

# An ignored signal is inherited by every process that a test starts, and Lanner leaves it ignored. A shell ignores SIGINT in
# what it runs in the background, nohup ignores SIGHUP. A handler is not inherited, so the tests' processes begin with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else lambda *_: None)

# Variables of the user, of CI or of an outer make would change what Lanner, pytest, make, git or urllib do in the tests
_OUTER = {
    *("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS", "COLUMNS", "LINES", "CI", "GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR"),
    *("CLICOLOR", "CLICOLOR_FORCE", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY", "LANGUAGE", "NOTIFY_SOCKET"),
    *("WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "SSH_AUTH_SOCK", "SOURCE_DATE_EPOCH", "PYTHONWARNINGS"),
}
for name in list(os.environ):
    if name.upper() in _OUTER or name.startswith(("DOCKER_", "FALCO_", "XDG_", "GIT_", "LC_")):
        del os.environ[name]
os.environ["LANG"] = "C.UTF-8"  # bash warns of a locale that is not installed
os.umask(0o022)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Exempt collected tests from the garbage collector, which would traverse thousands of them repeatedly."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config, items):
    """Mark the users of a fixture `bundled`. Let workers begin with the files that take longest, so that they end together."""
    if SANITIZED:
        repeated = [item for item in items if _repeats_a_loader(item)]
        items[:] = [item for item in items if item not in repeated]
        config.hook.pytest_deselected(items=repeated)
    for item in items:
        if "bundled" in item.fixturenames:
            item.add_marker(pytest.mark.bundled)
    if "PYTEST_XDIST_WORKER" in os.environ:
        stages = {item.path: 2 for item in items}
        for item in items:
            stage = 0 if item.get_closest_marker("engine") else 1 if item.get_closest_marker("slow") else 2
            stages[item.path] = min(stages[item.path], stage)
        items.sort(key=lambda item: stages[item.path])


def _repeats_a_loader(item):
    """Return whether another version of the plugin API has the same structs, and so the same C code."""
    api = item.callspec.params.get("api") if hasattr(item, "callspec") else None
    return api in APIS and api not in {each.number: each.name for each in APIS.values()}.values()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give the tests of a file to one worker, which shares their fixtures; and all tests of the Docker engine, as there is one."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # by the number of tests, which says nothing about their time

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "tests/engine" if file.startswith("tests/engine/") else file

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    """Escape lone surrogates, as in names that are not UTF-8: xdist cannot send a report with them and would end the whole run."""
    return _encodable((yield))


def _encodable(data):
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {_encodable(key): _encodable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(_encodable, data))
    return data


@pytest.fixture(scope="session")
def shared_directory(tmp_path_factory):
    """The directory of files that all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made"


@pytest.fixture(scope="session", autouse=True)
def _packed_once(shared_directory):
    folder = shared_directory / "packed"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[packed.FOLDER] = str(folder)


@pytest.fixture(scope="session")
def made_once(shared_directory):
    """`made_once(name, make)`: the path that `make(path)` wrote. All workers of a run share it; the first to ask makes it."""

    def get(name, make):
        path = shared_directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = path.with_name(f"{path.name}.done")
            if not done.exists():
                if path.is_dir():  # an attempt that failed
                    shutil.rmtree(path)
                make(path)
                done.touch()
        return path

    return get


@pytest.fixture
def public_path():
    """A directory that other users may enter. Into tmp_path they may not: each pytest that starts closes the directory of all runs."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def known_types(made_once):
    """`known_types(folder)`: let mypy begin there with what it knows of Lanner and pytest, which takes nine tenths of its time."""

    def make(folder):
        folder.mkdir()
        (folder / "all.py").write_text("import lanner\nimport lanner.sources\nimport lanner.testing\nimport pytest\n")
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "all.py"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return lambda folder: shutil.copytree(made_once("types", make) / ".mypy_cache", folder / ".mypy_cache")


@pytest.fixture(scope="session")
def run_host():
    """`run_host(so, *options)`: what the C host saw of a plugin's .so (tests/conformance)."""
    return host.run_host
