"""The tutorial: its commands and edits, one after another, lead to a checked plugin and a library, and print what the text says."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lanner.new.kinds import SOURCES

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
COMMANDS = Path(sys.executable).parent
YIELD = re.compile(r"^ +yield lanner\.Event\(.*\n", re.MULTILINE)
LAST_FIELD = re.compile(r'^ +lanner\.field\("disks\.used\.percent".*\n', re.MULTILINE)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def run(folder, command):
    paths = {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "PYTHONPATH": str(folder / "disks" / "src")}
    environment = os.environ | paths | {"PYTEST_ADDOPTS": "", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}
    cwd = folder if command.startswith("lanner new") else folder / "disks"
    done = subprocess.run(command, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=290)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The directory in which `lanner new` was run; pip is not: the package's metadata is written instead of installed."""
    folder = tmp_path_factory.mktemp("tutorial")
    create, enter, install, *_ = blocks("sh")[0].splitlines()
    assert (enter, install) == ("cd disks", "pip install -e '.[dev]'")
    run(folder, create)
    project = tomllib.loads((folder / "disks" / "pyproject.toml").read_text())["project"]
    ((group, points),) = project["entry-points"].items()
    metadata = folder / "disks" / "src" / "lanner_disks-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items()))
    return folder


def test_its_files_exist(folder):
    files = re.findall(r"^\| `([\w./]+)` \| ", PAGE, re.MULTILINE)
    assert len([name for name in files if "." in name]) == 8
    assert [name for name in files if "." in name and not (folder / "disks" / name).is_file()] == []


def test_the_recording_raises_the_alerts_of_the_text(folder):
    replay, live = (block.strip() for block in blocks("sh")[1:3])
    assert run(folder, replay).stdout == blocks("text")[0]
    assert "0 alerts" in run(folder, live).stderr


def test_the_edits_lead_to_a_checked_plugin_and_a_library(folder, known_types):
    known_types(folder / "disks")
    _, event, field = blocks("text")
    (test,) = blocks("python")
    rule, case = blocks("yaml")
    plugin = folder / "disks" / "src" / "lanner_disks" / "plugin.py"
    text, changed = YIELD.subn(lambda _: event, plugin.read_text())
    assert changed == 1
    text, changed = LAST_FIELD.subn(lambda found: found[0] + field, text)
    assert changed == 1
    plugin.write_text(text)
    for path, more in (
        (plugin.with_name("disks_rules.yaml"), rule),
        (folder / "disks" / "tests" / "disks_rules_test.yaml", case),
        (folder / "disks" / "tests" / "test_plugin.py", f"\n{test}"),  # one blank line: `make format` adds the other
    ):
        path.write_text(path.read_text() + more)
    check, build = blocks("sh")[3:]
    for command in check.splitlines():
        checked = run(folder, command)
    assert " passed" in checked.stdout
    assert "4 tests, 0 failed" in checked.stdout
    assert "0 errors" in checked.stdout
    for command in build.splitlines():
        done = run(folder, command)
    assert "disks.free.gib" in done.stdout


def test_the_table_has_each_kind_of_source():
    table = PAGE[PAGE.index("## Other event sources") :]
    assert re.findall(r"^\| `(\w+)` \| ", table, re.MULTILINE) == list(SOURCES)
