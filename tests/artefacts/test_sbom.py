"""The bill of materials says what is in the file."""

import hashlib
import json
import platform
import shutil
import tarfile
from importlib.metadata import version

import pytest

from lanner.bundle.archive import unpack
from lanner.docker import Docker

from .conftest import lanner

pytestmark = pytest.mark.slow


def _bill(folder):
    (path,) = folder.glob("*.cdx.json")
    document = json.loads(path.read_text("utf-8"))
    return document, {component["name"]: component for component in document["components"]}


def _image(folder, name):
    (path,) = folder.glob(f"{name}-*-linux-*.tar.gz")
    with tarfile.open(path) as tar:
        return tar.extractfile(f"lib{name}.so").read()


def test_it_is_about_the_library_that_is_packaged(bundled):
    folder, _ = bundled
    document, _ = _bill(folder)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert "timestamp" not in document["metadata"]
    about = document["metadata"]["component"]
    assert (about["name"], about["version"]) == ("docker", Docker.__plugin__.version)
    assert about["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(_image(folder, "docker")).hexdigest()}]


def test_every_library_and_package_of_the_file_is_in_it(bundled):
    folder, _ = bundled
    document, components = _bill(folder)
    places = [one["location"] for part in document["components"] for one in part.get("evidence", {}).get("occurrences", ())]
    files = unpack(_image(folder, "docker"))[1]
    assert sorted(places) == sorted(name for name in files if name.startswith("native/"))
    assert components["cpython"]["version"] == platform.python_version()
    for name in ("msgspec", "lanner"):
        assert components[name]["version"] == version(name)
        assert components[name]["purl"] == f"pkg:pypi/{name}@{version(name)}"
        assert components[name]["licenses"]
    assert {"location": "native/lanner-bridge.so"} in components["lanner"]["evidence"]["occurrences"]


def test_the_systems_libraries_have_the_versions_of_their_packages(bundled):
    if not shutil.which("dpkg-query"):
        pytest.skip("no Debian: the versions of system libraries are not known here")
    document, _ = _bill(bundled[0])
    debian = [part for part in document["components"] if part.get("purl", "").startswith("pkg:deb/")]
    assert any("libstdc++.so.6" in place["location"] for part in debian for place in part["evidence"]["occurrences"])
    assert all(part["version"] and part["purl"].startswith("pkg:deb/debian/") for part in debian)


def test_names_in_it_are_there_once_and_all_that_depends_is_named(bundled):
    document, _ = _bill(bundled[0])
    names = [document["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in document["components"])]
    assert len(names) == len(set(names))
    assert [each["ref"] for each in document["dependencies"]] == names
    assert document["dependencies"][0]["dependsOn"] == names[1:]


def test_what_a_bound_plugin_needs_is_reported_from_what_it_holds(small):
    (small / "beside.py").write_text("X = 1\n")
    (small / "small.py").write_text("import beside\n" + (small / "small.py").read_text())
    done = lanner("package", "small.py", cwd=small)
    assert done.returncode == 0, done.stderr
    _, components = _bill(small / "dist")
    assert set(components) == {"cpython", "lanner", "small.py", "beside.py"}
    assert components["beside.py"]["hashes"][0]["content"] == hashlib.sha256(b"X = 1\n").hexdigest()
    for name in ("cpython", "lanner"):
        (note,) = components[name]["properties"]
        assert note["value"].startswith("no: provided by the environment")


def test_packages_of_any_size_are_brought_and_named(small):
    # more than an argument of a command may be
    package = small / "large"
    package.mkdir()
    (package / "__init__.py").write_text(f"TEXT = {'x' * 300_000!r}\n")
    (small / "small.py").write_text("import large, msgspec\n" + (small / "small.py").read_text())
    done = lanner("package", "small.py", "--bundle", cwd=small)
    assert done.returncode == 0, done.stderr
    _, components = _bill(small / "dist")
    assert {"cpython", "lanner", "msgspec", "small.py", "large/__init__.py"} <= set(components)
