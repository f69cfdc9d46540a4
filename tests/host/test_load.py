"""A plugin by the name that a user wrote: built in, module:Class, or a file."""

import sys

import pytest

from lanner.bundle.archive import pack, store
from lanner.docker import Docker
from lanner.host.plugin_loader import PluginImportError, PluginNotFoundError, load_plugin
from lanner.sdk.errors import LannerError

DOORS = '''
import lanner

class Doors(lanner.Plugin):
    """Doors."""

    name, version, contact, extract_sources = "doors", "0.1.0", "the tests", ("doors",)
    fields = [lanner.field("doors.name", lanner.payload["name"], "The name")]
'''
NOT_ONE = "\nclass Windows(Doors):\n    '''Windows.'''\n    name = 'windows'\n"


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "modules", sys.modules.copy())


@pytest.fixture
def file(tmp_path):
    def write(name, code):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
        return path

    return write


def said(name):
    with pytest.raises((PluginNotFoundError, PluginImportError)) as caught:
        load_plugin(str(name))
    assert isinstance(caught.value, LannerError)
    return str(caught.value)


def test_a_built_in_plugin_has_a_plain_name():
    assert load_plugin("docker") is Docker


def test_a_class_of_an_installed_module():
    assert load_plugin("lanner.docker.docker_plugin:Docker") is Docker


def test_a_class_of_a_module_in_the_working_directory(file):
    file("doors_here.py", DOORS)
    assert load_plugin("doors_here:Doors").__name__ == "Doors"


def test_a_file_in_the_working_directory_does_not_stand_in_for_a_module_of_python(file):
    file("csv.py", "raise SystemExit('mine')")
    assert "csv has no Doors" in said("csv:Doors")


@pytest.mark.parametrize("name", ["doors.py", "./doors.py", "doors.py:Doors", "{}/doors.py"])
def test_the_one_plugin_of_a_file(file, tmp_path, name):
    file("doors.py", DOORS)
    assert load_plugin(name.format(tmp_path)).__name__ == "Doors"


def test_one_of_the_plugins_of_a_file_is_named(file):
    path = file("doors.py", DOORS + NOT_ONE)
    assert load_plugin(f"{path}:Windows").__name__ == "Windows"
    assert said(path) == f"cannot determine which class of {path} is the plugin: it has Doors, Windows; say which: {path}:Doors"


def test_a_plugin_that_a_file_imports_is_not_the_plugin_of_the_file(file):
    path = file("mine.py", "from lanner.docker import Docker\n" + DOORS)
    assert load_plugin(str(path)).__name__ == "Doors"
    assert load_plugin(f"{path}:Docker") is Docker


def test_a_file_imports_what_is_beside_it(file):
    file("rooms/hinges_beside.py", "NAME = 'hinges'")
    path = file(
        "rooms/doors.py", DOORS.replace('"doors", "0', 'NAME, "0').replace("import lanner", "import lanner\nfrom hinges_beside import NAME")
    )
    assert load_plugin(str(path)).name == "hinges"


def test_a_name_that_is_none_is_answered_with_what_there_is():
    assert said("dockre") == (
        "no plugin named 'dockre': did you mean 'docker'? "
        "built-in plugins: docker; name your own as module:Class or path/to/file.py[:Class]"
    )
    assert said("doors").startswith("no plugin named 'doors': built-in plugins: docker")
    assert said("").startswith("invalid plugin name '': built-in plugins")
    assert said(":Doors").startswith("invalid plugin name ':Doors': built-in plugins")


def test_a_file_without_its_ending_is_recognised(file):
    file("doors.py", DOORS)
    assert said("doors") == "no plugin named 'doors': to name the file, write doors.py"


@pytest.mark.parametrize("name", ["./doors.so", "doors.so", "./libdoors.so:Doors"])
def test_a_compiled_plugin_is_refused_with_what_to_name_instead(name):
    assert "is a compiled plugin, but Lanner's host runs Python classes" in said(name)


def test_a_python_file_beside_a_compiled_plugin_is_suggested(file):
    path = file("doors.py", DOORS)
    assert said("./libdoors.so").endswith("write 'doors.py', the Python file in its directory, if that is the plugin")
    assert said(str(path.with_name("libdoors.so"))).endswith(
        f"write {str(path)!r}, the Python file in its directory, if that is the plugin"
    )


def test_the_class_that_a_library_was_built_from_is_suggested(file, tmp_path):
    library = tmp_path / "libother.so"
    library.write_bytes(pack(b"", {"plugin": "doors:Doors"}, store({})))
    assert said(str(library)).endswith("it was built from doors:Doors: write that class, as path/to/file.py[:Class] or module:Class")
    path = file("doors.py", DOORS)
    assert said(str(library)).endswith(f"write '{path}:Doors', the plugin that it was built from")


def test_a_file_that_is_not_there_or_none_is_said(file, tmp_path):
    assert said("rooms/doors.py").startswith("the plugin file rooms/doors.py does not exist: built-in plugins")
    assert said(f"{tmp_path}/").startswith(f"the plugin file {tmp_path} is a directory: built-in plugins")
    path = file("doors.txt", DOORS)
    assert said(path) == f"{path} is not a Python file: {str(path)!r} must name a file that ends in .py, or module:Class"


def test_a_class_that_is_not_there_is_answered_with_those_that_are(file):
    path = file("doors.py", DOORS + "\nLock = 7\n")
    assert said(f"{path}:Window") == f"{path} has no Window: it has Doors"
    assert said(f"{path}:Lock") == f"{path} has a Lock, but not as a class derived from lanner.Plugin: it has Doors"
    assert said("json:JSONDecoder").endswith("it has no class that derives from lanner.Plugin")
    assert said(file("empty.py", "")).endswith("it has no class that derives from lanner.Plugin")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("x = 1\nx.y\n", "line 2: AttributeError: 'int' object has no attribute 'y'"),
        ("def f():\n    1 / 0\n\n\nf()\n", "line 2: ZeroDivisionError: division by zero"),
        ("import nowhere_at_all\n", "line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("raise SystemExit(3)\n", "line 1: SystemExit: 3"),
        ("x = (\n", "SyntaxError: '(' was never closed (doors.py, line 1)"),
        ("x = '\xff'\n".encode("latin-1"), "SyntaxError: "),
        ("x = 1\0\n", "source code string cannot contain null bytes|SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_said_with_the_line(tmp_path, code, problem):
    path = tmp_path / "doors.py"
    path.write_bytes(code if isinstance(code, bytes) else code.encode())
    text = said(path)
    assert text.startswith(f"cannot import the plugin {path}: ")
    assert any(each in text for each in problem.split("|"))
    assert "\n" not in text


def test_a_module_that_cannot_be_imported_is_said():
    assert said("nowhere_at_all:Doors") == "cannot import the plugin nowhere_at_all: ModuleNotFoundError: No module named 'nowhere_at_all'"
    for name in ("..:Doors", ".docker:Doors", " :Doors", "a..b:Doors"):
        assert said(name).startswith(f"cannot import the plugin {name.partition(':')[0]}: ")
