"""`lanner build` as an author uses it."""

import shutil
import site
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lanner.bundle.archive import unpack
from lanner.bundle.elf import functions
from lanner.docker import Docker

from .conftest import PLUGINS, lanner

pytestmark = pytest.mark.slow


def test_it_says_what_it_made_and_what_to_do_with_it(tmp_path):
    done = lanner("build", "docker", "-o", "libdocker.so", cwd=tmp_path)
    assert done.returncode == 0
    assert f"docker {Docker.__plugin__.version} (sourcing, extraction)" in done.stdout
    assert "3.0.0: Falco 0.35 and later" in done.stdout
    assert sys.prefix in done.stdout
    assert "docker_rules.yaml" in done.stdout
    assert f"library_path: {tmp_path / 'libdocker.so'}" in done.stdout
    assert f"rules_files: [{Docker.__plugin__.rules}]" in done.stdout
    assert done.stderr == ""


def test_it_names_the_file_after_the_plugin(tmp_path):
    assert lanner("build", "docker", cwd=tmp_path).returncode == 0
    assert lanner("build", PLUGINS / "every.py", "-o", tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["libdocker.so", "libevery.so"]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in "ab":
        assert lanner("build", PLUGINS / "every.py", "-o", tmp_path / name).returncode == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_is_small(bound):
    assert bound("docker").stat().st_size <= 200_000


def test_neighbours_are_packed_in_and_run_where_the_source_is_gone(tmp_path, run_host):
    shutil.copytree(PLUGINS, tmp_path / "source")
    so = tmp_path / "libevery.so"
    assert lanner("build", tmp_path / "source" / "every.py", "-o", so).returncode == 0
    shutil.rmtree(tmp_path / "source")
    with zipfile.ZipFile(so) as archive:
        assert {"every.py", "neighbour.py", "neighbours/__init__.py", "neighbours/deep.py"} <= set(archive.namelist())
    report = run_host(so, "--open", '["{}"]')
    assert report["violations"] == []
    assert report["runs"][0]["count"] == 1


def test_module_and_class_name_a_plugin_too(tmp_path, run_host):
    (tmp_path / "mine.py").write_text((PLUGINS / "recorded.py").read_text("utf-8"), "utf-8")
    done = lanner("build", "mine:Recorded", "-o", "libmine.so", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run_host(tmp_path / "libmine.so", "--info")["violations"] == []


def test_only_the_symbols_of_its_capabilities_are_there(built):
    symbols = set(functions(built("every").read_bytes()))
    assert {"plugin_open", "plugin_get_progress", "plugin_list_open_params", "plugin_extract_fields", "plugin_get_init_schema"} <= symbols
    assert all(symbol.startswith("plugin_") for symbol in symbols)
    assert "plugin_get_progress" not in functions(built("docker").read_bytes())


@pytest.mark.parametrize(
    ("api", "version", "warnings"),
    [
        ("3", "3.0.0", []),
        (
            "2",
            "2.0.0",
            ["every.bool (bool) becomes", "every.ip (ipaddr) becomes a string", "every.time (abstime) becomes a number of nanoseconds"],
        ),
        ("1", "1.0.0", ["every.reltime (reltime) becomes a number of nanoseconds"]),
        ("0.3", "0.3.0", ["every.keys is omitted: API 0.3 has no lists"]),
    ],
)
def test_what_an_older_api_cannot_say_is_said(tmp_path, api, version, warnings):
    so = tmp_path / "libevery.so"
    done = lanner("build", PLUGINS / "every.py", "--api", api, "-o", so)
    assert done.returncode == 0
    assert unpack(so.read_bytes())[0]["api"] == version
    for warning in warnings:
        assert f"lanner: warning: {warning}" in done.stderr
    assert ("warning" in done.stderr) == bool(warnings)


def test_a_build_that_fails_leaves_what_was_there(tmp_path):
    so = tmp_path / "libit.so"
    so.write_text("before")
    plugin = tmp_path / "it.py"
    plugin.write_text("import lanner\n\nclass It(lanner.Plugin):\n    '''It'''\n")
    done = lanner("build", plugin, "-o", so)
    assert done.returncode == 1
    assert "plugin class It" in done.stderr
    assert "Traceback" not in done.stderr
    assert so.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["it.py", "libit.so"]


def test_the_file_takes_the_place_of_one_that_is_open(tmp_path):
    so = tmp_path / "libdocker.so"
    so.write_bytes(b"\x7fELF before")
    with so.open("rb") as before:
        assert lanner("build", "docker", "-o", so).returncode == 0
        assert before.read() == b"\x7fELF before"
    assert so.stat().st_mode & stat.S_IXUSR
    assert so.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "no plugin named 'nothing'"),
        (
            ["docker", "-o", "/nowhere/libdocker.so"],
            "cannot write /nowhere/libdocker.so: No such file or directory: create the directory /nowhere first",
        ),
        (["docker", "--python", "/nowhere/python"], "cannot run /nowhere/python: No such file or directory"),
        (["docker", "--python", "/bin/false"], "/bin/false cannot serve plugins"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, arguments, says):
    done = lanner("build", *arguments, cwd=tmp_path)
    assert done.returncode == (2 if arguments == ["nothing"] else 1)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_python_without_lanner_is_reported(tmp_path):
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    done = lanner("build", "docker", "--python", python, "-o", tmp_path / "libdocker.so")
    assert done.returncode == 1
    assert f"{python} cannot serve plugins" in done.stderr
    assert f"{python} -m pip install /path/to/lanner" in done.stderr


def test_another_environment_serves_the_plugin_where_it_is_named(tmp_path, run_host):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    # its packages are ours, which saves an installation
    (packages,) = Path(tmp_path, "env", "lib").glob("python3*/site-packages")
    (packages / "ours.pth").write_text("".join(f"import site; site.addsitedir({place!r})\n" for place in site.getsitepackages()))
    so = tmp_path / "libevery.so"
    done = lanner("build", PLUGINS / "every.py", "--python", tmp_path / "env" / "bin" / "python", "-o", so)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "env") in done.stdout
    assert unpack(so.read_bytes())[0]["prefix"] == str(tmp_path / "env")
    report = run_host(so, "--open", '["{}"]')
    assert report["violations"] == []
    assert report["runs"][0]["count"] == 1


def _plugin(path, body):
    path.write_text(
        "import lanner\n\nclass It(lanner.Plugin):\n    '''It'''\n    id, name, version, event_source = 4244, 'it', '0.1.0', 'it'\n"
        f"    contact = 'me'\n    {body}\n"
    )
    return path


def test_a_file_that_is_no_library_is_not_replaced(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("- rule: mine\n")
    done = lanner("build", "docker", "-o", rules)
    assert done.returncode == 1
    assert f"{rules} exists and is not a library" in done.stderr
    assert rules.read_text() == "- rule: mine\n"


def test_a_plugin_that_can_never_open_is_not_written(tmp_path):
    so = tmp_path / "libit.so"
    so.write_bytes(b"\x7fELF before")
    done = lanner("build", _plugin(tmp_path / "it.py", "def open(self, params): return None"), "-o", so)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no host can open it, so it was not written: plugin it: open returned NoneType" in done.stderr
    assert so.read_bytes() == b"\x7fELF before"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["it.py", "libit.so"]


def test_a_file_named_as_a_module_of_pythons_is_not_built(tmp_path):
    so = tmp_path / "libit.so"
    done = lanner("build", _plugin(tmp_path / "json.py", "def open(self, params): yield ''"), "-o", so)
    assert (done.returncode, done.stdout) == (1, "")
    assert "json.py has the name of a module that every host has already, json: rename the file" in done.stderr
    assert not so.exists()


def test_an_import_of_an_unknown_module_is_a_warning(tmp_path):
    plugin = tmp_path / "it.py"
    plugin.write_text(
        "import lanner\n\nclass It(lanner.Plugin):\n    '''It'''\n    id, name, version, event_source = 4244, 'it', '0.1.0', 'it'\n"
        "    contact = 'me'\n    def open(self, params):\n        import missing_module\n        yield ''\n"
    )
    done = lanner("build", plugin, "-o", tmp_path / "libit.so")
    assert done.returncode == 0
    assert "not found, so imports of it will fail: missing_module" in done.stderr


def test_what_a_plugin_prints_is_no_error(tmp_path):
    plugin = _plugin(tmp_path / "it.py", "def __init__(self): print('hello', flush=True)\n    def open(self, params): yield ''")
    done = lanner("build", plugin, "-o", tmp_path / "libit.so")
    assert (done.returncode, done.stderr) == (0, "")


SOURCE = """
import time

import lanner

class It(lanner.Plugin):
    "It."
    id, name, version, contact, event_source = 4242, "it", "0.1.0", "me", "it"

    def open(self, params):
        {body}
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("yield undefined_name", "NameError: name 'undefined_name' is not defined"),
        ("raise OSError('no such device')\n        yield b''", "OSError: no such device"),
        ("yield 5", "open yielded int"),
        ("yield b'x'\n        raise OSError('later')", ""),
        ("yield b'x'", ""),
        ("return\n        yield", ""),
        ("time.sleep(0.5)\n        yield b'x'", ""),
    ],
)
def test_a_source_that_fails_at_its_first_step_is_a_warning(tmp_path, body, said):
    (tmp_path / "it.py").write_text(SOURCE.format(body=body))
    done = lanner("build", "it.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "libit.so").exists()
    warning = "warning: its event source fails before the first event on this machine: plugin it: "
    assert (warning in done.stderr) == bool(said), done.stderr
    assert said in done.stderr


def test_a_source_that_cannot_be_opened_is_reported_with_the_path_of_the_file(tmp_path):
    so = tmp_path / "libit.so"
    body = "def open(self, params):\n        raise OSError('not here\\nand not now')"
    done = lanner("build", _plugin(tmp_path / "it.py", body), "-o", so)
    assert done.returncode == 0, done.stderr
    assert "opened      failed: plugin it: open: " in done.stdout
    assert str(so) in done.stdout.partition("opened      failed")[2].splitlines()[0]
    assert ".libit.so." not in done.stdout
