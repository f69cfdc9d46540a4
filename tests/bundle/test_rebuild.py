"""A plugin is built and used where the results of earlier builds lie beside its source."""

import importlib.machinery
import shutil
import zipfile

import pytest

from .conftest import lanner

pytestmark = pytest.mark.slow

SOURCE = """
import lanner
{imports}

class Doors(lanner.Plugin):
    "Doors."
    id, name, version, contact, event_source = 4245, "doors", "0.1.0", "me", "doors"
    fields = (lanner.field("door.name", lanner.payload["name"], "Name of the door"),)
    {init}

    def open(self, params):
        yield '{{"name": "front"}}'
"""
RULES = (
    "- rule: door\n  desc: A door was used\n  condition: door.name = front\n  output: '%door.name'\n  priority: INFO\n"
    "  source: doors\n  tags: [doors]\n"
)


def write(path, imports="", init=""):
    path.parent.mkdir(exist_ok=True)
    path.write_text(SOURCE.format(imports=imports, init=init))


def built(target, output, folder, *options):
    done = lanner("build", target, "-o", output, *options, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return next(line for line in done.stdout.splitlines() if line.startswith("modules" if "--bundle" in options else "brings"))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "doors.py")
    return tmp_path


@pytest.mark.parametrize("options", [(), pytest.param(("--bundle",), marks=pytest.mark.bundled)], ids=["bound", "bundled"])
@pytest.mark.parametrize("target", ["doors.py", "doors:Doors", "./doors.py:Doors"])
def test_a_second_build_gives_the_same_library(folder, target, options):
    """Beside a library of one name that Python imports, and then beside one of each."""
    libraries = []
    for output in ("doors.so", "doors" + importlib.machinery.EXTENSION_SUFFIXES[0], "doors.so"):
        built(target, output, folder, *options)
        libraries.append((folder / output).read_bytes())
    assert libraries[1:] == libraries[:1] * 2


def test_a_directory_of_the_plugins_name_is_not_the_plugin(folder):
    (folder / "doors").mkdir()
    (folder / "doors" / "__init__.py").write_text("")
    assert "doors" in built("doors.py", "libdoors.so", folder)
    with zipfile.ZipFile(folder / "libdoors.so") as archive:
        assert archive.namelist() == ["doors.py"]


@pytest.mark.parametrize("options", [(), pytest.param(("--bundle",), marks=pytest.mark.bundled)], ids=["bound", "bundled"])
def test_a_neighbour_is_found_beside_a_library_of_its_name(folder, options):
    write(folder / "doors.py", imports="import helper")
    (folder / "helper.py").write_text("import lanner\n")
    before = built("doors.py", "doors.so", folder, *options)
    shutil.copy(folder / "doors.so", folder / "helper.so")
    assert built("doors.py", "doors.so", folder, *options) == before
    assert "helper" in before


def test_a_plugin_in_a_package_is_built_into_its_package(tmp_path):
    write(tmp_path / "house" / "doors.py")
    (tmp_path / "house" / "__init__.py").write_text("")
    for output in ("house/doors.so", "house/libdoors.so"):
        for _ in range(2):
            assert "house" in built("house.doors:Doors", output, tmp_path)
            with zipfile.ZipFile(tmp_path / output) as archive:
                assert sorted(archive.namelist()) == ["house/__init__.py", "house/doors.py"]


@pytest.mark.parametrize("target", ["doors.py", "doors:Doors"])
def test_commands_take_the_source_beside_its_library(folder, target):
    built("doors.py", "doors.so", folder)
    (folder / "rules.yaml").write_text(RULES)
    (folder / "events").write_text('{"name": "front"}\n')
    for arguments in (
        ("plugin", target),
        ("fields", target),
        ("rules", "check", "rules.yaml", "--plugin", target),
        ("run", target, "-r", "rules.yaml", "--replay", "events"),
        ("package", target, "-o", "out"),
    ):
        done = lanner(*arguments, cwd=folder)
        assert done.returncode == 0, (arguments, done.stderr)
    found = lanner("doctor", target, "-r", "rules.yaml", cwd=folder).stdout
    assert "doors 0.1.0, event source doors, 1 field" in found


def test_an_extension_module_is_still_imported(tmp_path):
    """Compiled modules of Python go before their sources, as in Python."""
    import msgspec._core as compiled

    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    shutil.copy(compiled.__file__, tmp_path / f"_core{suffix}")
    (tmp_path / "_core.py").write_text("raise RuntimeError('the source')\n")
    write(tmp_path / "doors.py", imports="from _core import Struct")
    done = lanner("plugin", "doors:Doors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_library_that_no_host_can_init_does_not_replace_one(folder):
    built("doors.py", "doors.so", folder)
    good = (folder / "doors.so").read_bytes()
    write(folder / "doors.py", init="def __init__(self): raise OSError('not here')")
    done = lanner("build", "doors.py", "-o", "doors.so", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a host cannot init the new library, so doors.so is unchanged (remove it first if init" in done.stderr
    assert "not here" in done.stderr
    assert (folder / "doors.so").read_bytes() == good
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == ["doors.py", "doors.so"]
