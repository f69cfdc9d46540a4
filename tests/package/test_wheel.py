"""The wheel, installed where nothing of the source tree is, does what README says."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel's file, from what `tools/setup` compiled."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (wheel,) = folder.glob("lanner-*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The `bin` directory of an environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=True)
    subprocess.run([folder / "env" / "bin" / "python", "-m", "pip", "-q", "--disable-pip-version-check", "install", wheel], check=True)
    return folder / "env" / "bin"


@pytest.mark.timeout(600)
def test_the_wheel_has_everything_but_the_sources_of_the_native_part(wheel):
    """Users get Python, type stubs, data and built libraries; C and C++ are in the source distribution."""
    package = ROOT / "src" / "lanner"
    listed = subprocess.run(["git", "ls-files", "-z", "."], cwd=package, capture_output=True, text=True, check=True).stdout
    names = {name.removeprefix("lanner/") for name in zipfile.ZipFile(wheel).namelist() if name.startswith("lanner/")}
    missing = set(listed.strip("\0").split("\0")) - names
    assert {Path(name).parts[0] for name in missing} == {"native"}
    assert {Path(name).suffix for name in missing} == {".c", ".cpp", ".h", ".hpp", ".cmake", ".txt"}
    built = {name for name in names if name.endswith(".so") or name == "native/loaders/probe"}
    assert {Path(name).name.partition(".")[0] for name in built} >= {
        "_native",
        "_executor",
        "_yaml",
        "loader-0",
        "loader-2",
        "loader-3",
        "probe",
    }
    assert not {Path(name).suffix for name in names} & {".c", ".cpp", ".h", ".hpp", ".cmake", ".txt"}


@pytest.mark.timeout(600)
def test_the_installed_command_replays_its_recording(installed, tmp_path):
    done = subprocess.run(
        [installed / "lanner", "run", "docker", "--replay", "example", "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({alert["rule"] for alert in alerts}) >= 20
    assert {alert["source"] for alert in alerts} == {"docker"}


@pytest.mark.timeout(600)
def test_the_installed_package_has_its_types_and_rules(installed, tmp_path):
    script = "import lanner, pathlib; p = pathlib.Path(lanner.__file__).parent; print(p); assert (p / 'py.typed').is_file()"
    where = subprocess.run([installed / "python", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(where).is_relative_to(installed.parent)
    shown = subprocess.run([installed / "lanner", "plugin", "docker", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(json.loads(shown.stdout)["rules_file"]).is_relative_to(where)


@pytest.mark.timeout(600)
def test_the_shipped_rules_pass_their_shipped_tests(installed, tmp_path):
    shown = subprocess.run([installed / "lanner", "plugin", "docker", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    tests = Path(json.loads(shown.stdout)["rules_file"]).with_name("docker_rules_test.yaml")
    subprocess.run([installed / "lanner", "rules", "test", tests], cwd=tmp_path, capture_output=True, check=True)
