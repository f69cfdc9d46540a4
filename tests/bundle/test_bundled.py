"""A .so with its own Python: without other software, beside other plugins, and its messages if it cannot run."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from inotify_simple import INotify, flags

from lanner.abi.versions import APIS
from lanner.bundle.archive import unpack
from lanner.bundle.builder import build, write
from lanner.bundle.environment import describe
from lanner.bundle.libraries import _GLIBC, interpreter_of
from lanner.bundle.python_runtime import assemble
from lanner.docker import Docker

from ..docker.stand_in import STREAM, StandInEngine, chunk
from ..forked import LANNER
from .conftest import ROOT, lanner

pytestmark = [pytest.mark.slow, pytest.mark.bundled]

RECORDINGS = ROOT / "tests" / "data" / "docker-engine-20.10-events.jsonl"
USER = "65534"


@pytest.fixture(scope="session")
def host_program(run_host, bundled):
    """The C host's file, built."""
    run_host(bundled("docker"), "--info")
    return ROOT / "build" / "host" / "conformance_host"


@pytest.fixture
def bare(tmp_path, bundled, host_program):
    """The folder of a root file system that has the C host, glibc and the plugin, and nothing else."""
    root = tmp_path / "root"
    for folder in ("proc", "run", "lib64"):
        (root / folder).mkdir(parents=True)
    linker = Path(interpreter_of(str(host_program)))
    shutil.copy(linker, root / "lib64" / linker.name)
    for library in linker.resolve().parent.iterdir():
        if _GLIBC.fullmatch(library.name) and library.name != linker.name:
            shutil.copy(library, root / "lib64" / library.name)
    shutil.copy(host_program, root / "host")
    shutil.copy(bundled("docker"), root / "libdocker.so")
    (root / "run").chmod(0o777)
    root.chmod(0o755)
    return root


def enter(root, *command, proc=True, writable="", environ=None):
    """Run a command with `root` as its read-only root, as an unprivileged user; `writable` is a mount's type and options for /tmp."""
    steps = [f"mount --bind {root} {root}"]
    if writable:
        (root / "tmp").mkdir()
        steps.append(f"mount -t tmpfs -o mode=1777{writable} tmpfs {root}/tmp")
    if proc:
        steps.append(f"mount -t proc proc {root}/proc")
    linker = next((root / "lib64").glob("ld-linux*")).name
    steps.append(f"mount -o remount,bind,ro {root}")
    steps.append(f'exec chroot --userspec={USER}:{USER} {root} /lib64/{linker} --library-path /lib64 "$@"')
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(steps), "sh", *command],
        capture_output=True, text=True, check=False, timeout=120, env=environ or {"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "stderr": done.stderr}


def needs_mounts():
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a separate root file system needs root and the right to mount")


def init_error(report):
    init = report["runs"][0]["init"]
    assert init["rc"] == "failure", report
    return init["error"]


def test_it_runs_without_python_and_without_a_writable_disk(bare):
    needs_mounts()
    engine = StandInEngine(f"unix://{bare}/run/engine.sock")
    (bare / "run" / "engine.sock").chmod(0o777)
    payloads = RECORDINGS.read_bytes().splitlines()
    engine.events = STREAM + b"".join(chunk(line + b"\n") for line in payloads)
    try:
        report = enter(
            bare, "/host", "--init", '{"host": "unix:///run/engine.sock", "inspect": false}', "--fields", "docker.type,docker.action", "--events",
            str(len(payloads)), "/libdocker.so",
        )  # fmt: skip
    finally:
        engine.stop()
    assert report["violations"] == []
    assert [event["payload"].encode() for event in report["runs"][0]["events"]] == payloads
    types = [event["fields"]["docker.type"] for event in report["runs"][0]["events"]]
    assert types == [json.loads(payload)["Type"] for payload in payloads]


def test_without_proc_it_runs_from_a_directory_that_it_leaves_empty(bare):
    needs_mounts()
    report = enter(bare, "/host", "--info", "/libdocker.so", proc=False)
    assert report["info"]["name"] == "docker"
    report = enter(bare, "/host", "--init", "{}", "/libdocker.so", proc=False, writable="")
    assert "Mount /proc" in init_error(report)
    assert "LANNER_CACHE_DIR" in init_error(report)


def test_a_private_directory_stands_in_for_memory_files(bare):
    needs_mounts()
    report = enter(bare, "/host", "--open", "since=soon", "/libdocker.so", proc=False, writable=",exec")
    assert report["runs"][0]["init"]["rc"] == "success", report["runs"][0]["init"]


def test_a_directory_that_runs_nothing_is_of_no_use(bare):
    needs_mounts()
    report = enter(bare, "/host", "/libdocker.so", proc=False, writable=",noexec")
    assert "no directory allows executable files" in init_error(report)


def test_memory_files_may_be_forbidden(bundled, host_program, tmp_path):
    program = tmp_path / "no_memfd"
    subprocess.run(["cc", "-Wall", "-o", program, Path(__file__).with_name("no_memfd.c")], check=True)
    cache = tmp_path / "cache"
    cache.mkdir()
    command = [program, host_program, "--init", "{}", "--open", "since=soon", bundled("docker")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LANNER_CACHE_DIR": str(cache)})
    assert json.loads(done.stdout)["runs"][0]["init"]["rc"] == "success", done.stdout
    assert list(cache.iterdir()) == []


def test_without_memory_files_a_kill_leaves_nothing_behind(bundled, host_program, tmp_path):
    """No file ever gets a name, so that no moment exists at which a kill would leave one."""
    program = tmp_path / "no_memfd"
    subprocess.run(["cc", "-Wall", "-o", program, Path(__file__).with_name("no_memfd.c")], check=True)
    cache = tmp_path / "cache"
    cache.mkdir()
    with INotify() as changes:
        changes.add_watch(cache, flags.CREATE | flags.MOVED_TO)
        command = [program, host_program, "--init", "{}", "--open", "since=soon", bundled("docker")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LANNER_CACHE_DIR": str(cache)})
        assert json.loads(done.stdout)["runs"][0]["init"]["rc"] == "success", done.stdout
        assert changes.read(timeout=0) == []


def test_the_environment_of_python_has_no_effect(bundled, run_host):
    environ = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PYTHONVERBOSE": "1", "PYTHONSTARTUP": "/nowhere", "PYTHONUTF8": "0"}
    report = run_host(bundled("every"), "--open", '["{}"]', env=environ)
    assert report["violations"] == []
    assert "import" not in report["stderr"]


def test_two_bundled_and_a_bound_plugin_live_in_one_process(bundled, bound, run_host):
    docker, every = bundled("recorded"), bundled("every")
    for first, *others in ([docker, every, bound("rude")], [bound("rude"), docker, every], [every, bound("recorded"), docker]):
        report = run_host(first, "--open", "[]", "--open", "[]", beside=others)
        assert [run["init"]["rc"] for run in report["runs"]] == ["success"] * 3, report


@pytest.fixture
def other_python(tmp_path):
    """The Docker plugin with a Python that says that it is another."""
    environment = replace(describe(), python="3.11.99")
    runtime = assemble(environment, "lanner.docker:Docker", {})
    write(build(Docker, "lanner.docker:Docker", APIS["3"], environment, {}, runtime).image, tmp_path / "libother.so")
    return tmp_path / "libother.so"


def test_another_python_in_the_same_process_is_refused(bundled, other_python, run_host):
    report = run_host(bundled("every"), "--open", "[]", beside=[other_python])
    errors = [run["init"]["error"] for run in report["runs"] if run["init"]["rc"] == "failure"]
    assert len(errors) == 1
    assert "is already in this process; this one brings Python 3.11.99" in errors[0]
    assert "build all plugins with the same" in errors[0]


LATE = '''
import importlib
import lanner

class Config(lanner.Config):
    late: bool = False

class Late(lanner.Plugin):
    """Imports late, by a name that a search cannot find."""
    name = "late"
    version = "1.0.0"
    contact = "someone"
    id = 999
    event_source = "late"

    config: Config

    def __init__(self):
        if self.config.late:
            importlib.import_module("".join(["wa", "ve"]))

    def open(self, params):
        yield b"{}"
'''


def test_an_import_by_a_computed_name_is_reported_and_can_be_included(tmp_path, run_host):
    (tmp_path / "late.py").write_text(LATE, "utf-8")
    so = tmp_path / "liblate.so"
    assert lanner("build", tmp_path / "late.py", "--bundle", "-o", so).returncode == 0
    assert run_host(so)["violations"] == []
    error = init_error(run_host(so, "--init", '{"late": true}'))
    assert "No module named 'wave'" in error
    assert "lanner build --bundle --include wave" in error
    assert lanner("build", tmp_path / "late.py", "--bundle", "--include", "wave", "-o", so).returncode == 0
    report = run_host(so, "--init", '{"late": true}')
    assert report["runs"][0]["init"]["rc"] == "success"


RESOURCES = LATE.replace(
    'yield b"{}"',
    """from importlib.resources import as_file, files
        folder = files("pack")
        assert folder.is_dir() and "data.txt" in [each.name for each in folder.iterdir()]
        with as_file(folder / "data.txt") as path:
            assert path.read_bytes() == folder.joinpath("data.txt").read_bytes()
        assert not (folder / "nothing").is_file()
        yield b"read"
""",
)


def test_data_files_of_packages_are_there_for_importlib_resources(tmp_path, run_host):
    (tmp_path / "late.py").write_text("import pack\n" + RESOURCES, "utf-8")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "data.txt").write_text("data")
    so = tmp_path / "liblate.so"
    done = lanner("build", tmp_path / "late.py", "--bundle", "-o", so)
    assert done.returncode == 0, done.stderr
    assert [event["payload"] for event in run_host(so, "--keep", "all")["runs"][0]["events"]] == ["read"]


def test_a_module_that_is_excluded_is_not_there(tmp_path, bundled):
    so = tmp_path / "libdocker.so"
    assert lanner("build", "docker", "--bundle", "--exclude", "difflib", "-o", so).returncode == 0
    names = zipfile.ZipFile(so).namelist()
    assert "runtime/difflib.code" not in names
    assert "runtime/difflib.code" in zipfile.ZipFile(bundled("docker")).namelist()


def test_host_names_in_other_letters_are_for_plugins_that_import_socket(tmp_path, bundled):
    """The tables of IDNA are 7 % of the Docker plugin, which passes names in ASCII as bytes."""
    tables = {"runtime/encodings/idna.code"}
    if "unicodedata" not in sys.builtin_module_names:  # Debian's Python has it inside
        tables.add("native/unicodedata")
    assert not tables & set(zipfile.ZipFile(bundled("docker")).namelist())
    (tmp_path / "own.py").write_text("import socket\n" + LATE, "utf-8")
    for plugin, options in ((tmp_path / "own.py", []), ("docker", ["--include", "encodings.idna"])):
        done = lanner("build", plugin, "--bundle", *options, "-o", tmp_path / "lib.so")
        assert done.returncode == 0, done.stderr
        assert tables <= set(zipfile.ZipFile(tmp_path / "lib.so").namelist())


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--bundle", "--include", "no_such_module"], 1, "--include no_such_module: no such module"),
        (["--include", "wave"], 2, "add --bundle"),
    ],
)
def test_wrong_options_are_reported(tmp_path, options, status, says):
    done = lanner("build", "docker", *options, "-o", tmp_path / "libdocker.so")
    assert done.returncode == status
    assert says in done.stderr
    assert not (tmp_path / "libdocker.so").exists()


EXTENSION = """
#include <Python.h>
extern int helps(void);
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "helped", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_helped(void) {
  PyObject* made = PyModule_Create(&module);
  PyModule_AddIntConstant(made, "answer", helps());
  return made;
}
"""
HELPED = LATE.replace(
    '        if self.config.late:\n            importlib.import_module("".join(["wa", "ve"]))',
    "        import helped\n        self.it = helped.answer",
)


@pytest.fixture
def helped(tmp_path):
    """A plugin that needs an extension module, which needs a shared library in the same folder."""
    import sysconfig

    (tmp_path / "helped.c").write_text(EXTENSION)
    (tmp_path / "helper.c").write_text("int helps(void) { return 42; }")
    (tmp_path / "late.py").write_text(HELPED.replace('yield b"{}"', "yield str(self.it).encode()"), "utf-8")
    library, module = tmp_path / "libhelper.so.1", tmp_path / f"helped{sysconfig.get_config_var('EXT_SUFFIX')}"
    cc = ["cc", "-shared", "-fPIC"]
    subprocess.run([*cc, "-Wl,-soname,libhelper.so.1", "-o", library, tmp_path / "helper.c"], check=True)
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run([*cc, include, "-Wl,-rpath,$ORIGIN", "-o", module, tmp_path / "helped.c", library], check=True)
    return tmp_path


def test_extension_modules_come_along_with_the_libraries_that_they_need(helped, run_host):
    so = helped / "liblate.so"
    done = lanner("build", helped / "late.py", "--bundle", "-o", so)
    assert done.returncode == 0, done.stderr
    (helped / "libhelper.so.1").unlink()
    report = run_host(so, "--keep", "all")
    assert report["violations"] == []
    assert [event["payload"] for event in report["runs"][0]["events"]] == ["42"]


def test_a_library_that_is_missing_when_it_is_built_is_reported(helped):
    (helped / "libhelper.so.1").unlink()
    done = lanner("build", helped / "late.py", "--bundle", "-o", helped / "liblate.so")
    assert done.returncode == 1
    assert "needs libhelper.so.1, which is missing on this machine" in done.stderr


def test_it_is_small_and_brings_its_licences(bundled):
    so = bundled("docker")
    texts, files = unpack(so.read_bytes())
    lean = "libz.so.1" not in texts["natives"]  # else it is Debian's, which has more built in
    assert so.stat().st_size <= (8_000_000 if lean else 11_000_000)
    assert b"PSF" in files["licences/python.txt"] or b"Python Software Foundation" in files["licences/python.txt"]
    assert b"Apache License" in files["licences/lanner.txt"]
    assert "licences/msgspec.txt" in files


def test_the_same_input_gives_the_same_bytes(bundled, tmp_path):
    """By the installed command, which shares nothing with this run."""
    subprocess.run([LANNER, "build", "docker", "--bundle", "-o", tmp_path / "lib.so"], check=True, capture_output=True)
    assert (tmp_path / "lib.so").read_bytes() == bundled("docker").read_bytes()
