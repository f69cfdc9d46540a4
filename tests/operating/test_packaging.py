"""The files for systemd, logrotate and Prometheus match Lanner."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lanner.cli.commands import commands
from lanner.config.read import read_configuration
from lanner.operating.metrics import render
from lanner.yamlfile import placed_values

pytestmark = pytest.mark.slow

PACKAGING = Path(__file__).parents[2] / "packaging"


def analyze(*arguments):
    """Return the output of systemd-analyze; skip the test without it."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def unit(tmp_path):
    """The unit as it would be installed, but with a Lanner that is there."""
    text = (PACKAGING / "systemd" / "lanner.service").read_text()
    path = tmp_path / "lanner.service"
    path.write_text(text.replace("/opt/lanner/bin/lanner", str(Path(sys.executable).with_name("lanner"))))
    return path


@pytest.fixture
def networked(unit):
    """The unit with the ban on the network lifted."""
    folder = unit.with_name("lanner.service.d")
    folder.mkdir()
    shutil.copy(PACKAGING / "systemd" / "network.conf", folder)
    return unit


@pytest.fixture
def console_unit(tmp_path):
    """The console's unit, in the same way."""
    path = tmp_path / "lanner-console.service"
    text = (PACKAGING / "systemd" / "lanner-console.service").read_text()
    path.write_text(text.replace("/opt/lanner/bin/lanner", str(Path(sys.executable).with_name("lanner"))))
    return path


def test_systemd_accepts_the_consoles_unit(console_unit):
    done = analyze("verify", str(console_unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_of_the_consoles_unit_is_one(console_unit):
    (line,) = re.findall(
        r"^ExecStart=/opt/lanner/bin/lanner (.*)$", (PACKAGING / "systemd" / "lanner-console.service").read_text(), re.MULTILINE
    )
    command, *arguments = line.split()
    context = commands.get_command(click.Context(commands), command).make_context(command, arguments)
    assert context.params["token_file"] == "/var/lib/lanner-console/token"
    assert "StateDirectory=lanner-console\n" in console_unit.read_text()


def test_systemd_has_nothing_to_say_of_the_unit(unit):
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nor_with_the_network(networked):
    done = analyze("verify", str(networked))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("fixture", "most"), [("unit", 5), ("networked", 12), ("console_unit", 13)])
def test_it_is_sandboxed_as_the_page_says(request, fixture, most):
    """`--threshold` is ten times the figure that is printed; the page gives both figures."""
    done = analyze("security", "--offline=true", f"--threshold={most}", str(request.getfixturevalue(fixture)))
    assert done.returncode == 0, done.stdout
    figure = re.search(r"Overall exposure level for lanner\S*\.service: ([\d.]+)", done.stdout)[1]
    assert float(figure) <= most / 10


def test_the_configuration_of_the_unit_is_one():
    read = read_configuration(str(PACKAGING / "systemd" / "falco.yaml"), {}, ())
    assert (read.warnings, read.unused) == ([], [])
    assert read.falco.file_output.enabled
    assert not read.falco.webserver.enabled  # the unit has no network


def test_files_of_the_unit_are_within_what_it_may_write():
    read = read_configuration(str(PACKAGING / "systemd" / "falco.yaml"), {}, ())
    unit = (PACKAGING / "systemd" / "lanner.service").read_text()
    assert "LogsDirectory=lanner\n" in unit
    assert "StateDirectory=lanner\n" in unit
    assert read.falco.file_output.filename.startswith("/var/log/lanner/")
    assert read.falco.lanner.spool.path.startswith("/var/lib/lanner/")
    assert read.falco.lanner.store_output.enabled
    (line,) = re.findall(r"^ExecStart=(.*)$", (PACKAGING / "systemd" / "lanner-console.service").read_text(), re.MULTILINE)
    assert line.split()[2] == read.falco.lanner.store_output.path


def test_alerts_of_prometheus_name_metrics_that_there_are(busy):
    document = placed_values.load((PACKAGING / "prometheus" / "alerts.yaml").read_text(), "f.yaml")[0]
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    there = {line.split("{")[0].split(" ")[0] for line in render(busy).decode().splitlines() if not line.startswith("#")}
    named = {name for rule in rules for name in re.findall(r"\b(?:lanner|falcosecurity|process)_\w+", rule["expr"])}
    assert len(rules) == len({rule["alert"] for rule in rules})
    assert named
    assert named <= there


@pytest.mark.parametrize(
    ("what", "changes", "value"),
    [("lanner_healthy", {"unhealthy": ("stuck",)}, "0.0"), ("lanner_reload_failing", {"reload_error": ""}, "0.0")],
)
def test_and_values_that_they_have(busy, what, changes, value):
    assert f"\n{what} {value}\n" in render(dataclasses.replace(busy, **changes)).decode()


def test_logrotate_takes_its_file(tmp_path):
    program = shutil.which("logrotate") or "/usr/sbin/logrotate"
    if not Path(program).exists():
        pytest.skip("logrotate is not installed (Debian: apt-get install logrotate)")
    text = (PACKAGING / "logrotate").read_text().replace("su lanner lanner", "").replace("create 0600 lanner lanner", "create 0600")
    (tmp_path / "lanner").write_text(text.replace("/var/log/lanner", str(tmp_path)))
    (tmp_path / "lanner").chmod(0o644)
    command = [program, "--debug", "--state", str(tmp_path / "state"), str(tmp_path / "lanner")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


def test_the_page_names_metrics_that_there_are(busy):
    page = (PACKAGING.parent / "docs" / "operating.md").read_text()
    there = {line.split("{")[0].split(" ")[0] for line in render(busy).decode().splitlines() if not line.startswith("#")}
    named = re.findall(r"`((?:falcosecurity|lanner|process|\.\.\.)_\w+)`", page)
    assert len(named) > 30
    wrong = [
        name for name in named if name not in there and not (name.startswith("...") and any(each.endswith(name[3:]) for each in there))
    ]
    assert wrong == []


def test_and_all_that_lanner_adds(busy):
    page = (PACKAGING.parent / "docs" / "operating.md").read_text()
    there = {line.split("{")[0].split(" ")[0] for line in render(busy).decode().splitlines() if line.startswith("lanner_")}
    assert [name for name in there if f"`{name}`" not in page and f"`..._{name.removeprefix('lanner_output_')}`" not in page] == []
