"""`import lanner` is fast, exports its public names, and has the same meaning for type checkers as at run time."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lanner

CASES = Path(__file__).parents[1] / "data" / "typing"


@pytest.mark.parametrize("package", [lanner, lanner.rules, lanner.sources, lanner.testing], ids=lambda package: package.__name__)
def test_every_public_name_is_there_and_listed(package):
    assert [name for name in package.__all__ if getattr(package, name, None) is None] == []
    assert dir(package) == sorted(package.__all__)
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Plugins'"):
        _ = package.Plugins


def test_every_other_package_says_that_it_is_private():
    root = Path(lanner.__file__).parent
    public = {root, root / "rules", root / "sources", root / "testing"}
    packages = [path.parent for path in root.rglob("__init__.py") if path.parent not in public]
    assert len(packages) > 20
    assert [str(path) for path in packages if "Private" not in (path / "__init__.py").read_text("utf-8").split('"""')[1]] == []


def test_every_error_is_a_lanner_error():
    errors = [value for name in lanner.__all__ if isinstance(value := getattr(lanner, name), type) and issubclass(value, Exception)]
    assert len(errors) == 6
    assert all(issubclass(error, lanner.LannerError) for error in errors)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import lanner; lanner.__version__", ["lanner.sdk", "msgspec", "inspect", "typing", "dataclasses"]),
        (
            "import lanner; lanner.Plugin, lanner.field, lanner.Event",
            ["msgspec", "asyncio", "threading", "logging", "lanner.rules"],
        ),
        (
            "import lanner.sdk.hosting.field_reader, lanner.sdk.hosting.open_source",
            ["msgspec", "asyncio", "ssl", "lanner.sdk.hosting.reading", "lanner.rules", "lanner.host"],
        ),
        ("import lanner; lanner.Config", ["asyncio", "logging"]),
    ],
)
def test_what_is_not_used_is_not_imported(code, absent):
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert set(absent) & set(loaded.stdout.split()) == set()


def test_the_docker_plugin_is_written_on_the_public_names():
    """Except for its part of the native module, the connections that it shares with the outputs, and what saves the import of `typing`."""
    private = {
        line
        for module in Path(lanner.__file__).parent.joinpath("docker").glob("*.py")
        for line in re.findall(r"^\s*(?:from|import) (lanner\.(?!docker\b)\w[\w.]*)", module.read_text(), re.MULTILINE)
    }
    assert {name for name in private if not name.startswith("lanner.net.")} <= {
        "lanner.native",
        "lanner.sources",
        "lanner.sdk.typing_marks",
    }


def test_the_sdk_imports_nothing_of_the_rooms_that_use_it():
    for module in Path(lanner.__file__).parent.joinpath("sdk").rglob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) lanner\.(\w+)", module.read_text(), re.MULTILINE))
        assert imported <= {"sdk", "native"}, module.name


def test_the_sources_import_nothing_of_the_rooms_that_use_them():
    for module in Path(lanner.__file__).parent.joinpath("sources").glob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) lanner\.(\w+)", module.read_text(), re.MULTILINE))
        assert imported <= {"_lazy", "_version", "net", "sources", "sdk", "native"}, module.name


@pytest.mark.parametrize("case", ["plugin.py", "packages.py"])
def test_a_type_checker_sees_a_plugin_as_its_author_means_it(case):
    """The type checker must reveal T for lines that end in `# reveals T`, and report the error of lines that end in `# error: ...`."""
    mypy = pytest.importorskip("mypy.api", reason="mypy is not installed")
    path = CASES / case
    wanted = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if found := re.search(r"  # (reveals|error): (.*)$", line):
            wanted[number] = found.groups()
    assert wanted
    output, trouble, _ = mypy.run(
        ["--strict", "--no-error-summary", "--no-pretty", "--config-file=", "--cache-dir", str(Path(".mypy_cache", "typing")), str(path)]
    )
    assert trouble == ""
    told = {}
    for line in output.splitlines():
        _, number, level, text = line.split(":", 3)
        revealed = re.search(r'Revealed type is "(.*)"', text)
        if level.strip() == "error" or revealed:
            told[int(number)] = ("reveals", revealed[1].replace("builtins.", "")) if revealed else ("error", text.split()[-1])
    assert told == {number: (kind, expected) for number, (kind, expected) in wanted.items()}
