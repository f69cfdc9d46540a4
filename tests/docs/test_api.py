"""The API reference has every public name, and each public function and class has a docstring."""

import inspect
import re
from pathlib import Path

import pytest

import lanner
import lanner.rules
import lanner.sources
import lanner.testing

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
MODULES = (lanner, lanner.sources, lanner.testing, lanner.rules)
NAMES = [
    f"{module.__name__}.{name}"
    for module in MODULES
    for name in module.__all__
    if name not in {"__version__", "rules", "sources", "testing"}
]


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_has_each_public_name(name):
    assert re.search(rf"^\.\. (auto)?(class|data|function|exception|attribute):: {re.escape(name)}\b", PAGE, re.MULTILINE)


def test_the_summary_has_each_public_name_once():
    summary = re.search(r"^## Summary\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert summary is not None
    rows = re.findall(r"^\| (`lanner\..*?) \| .+ \|$", summary[1], re.MULTILINE)
    described = re.findall(r"^\.\. (?:auto)?(?:class|data|function|exception):: ([\w.]+)", PAGE, re.MULTILINE)
    assert sorted(name.strip("`") for row in rows for name in row.split(", ")) == sorted(described)


def test_the_reference_has_each_method_of_plugin():
    members = re.search(r"autoclass:: lanner\.Plugin\n   :members: (.*)", PAGE)
    assert members is not None
    public = [name for name, value in vars(lanner.Plugin).items() if not name.startswith("_") and inspect.isfunction(value)]
    assert sorted(members[1].split(", ")) == sorted(public)


@pytest.mark.parametrize("name", NAMES)
def test_each_public_function_and_class_has_a_docstring(name):
    module, _, member = name.rpartition(".")
    found = getattr(next(each for each in MODULES if each.__name__ == module), member)
    assert not (inspect.isclass(found) or inspect.isfunction(found)) or inspect.getdoc(found)


@pytest.mark.parametrize("name", NAMES)
def test_methods_of_public_classes_have_docstrings(name):
    module, _, member = name.rpartition(".")
    found = getattr(next(each for each in MODULES if each.__name__ == module), member)
    if not inspect.isclass(found) or not found.__module__.startswith("lanner"):
        return
    public = [(key, value) for key, value in vars(found).items() if not key.startswith("_") and inspect.isfunction(value)]
    assert [key for key, value in public if not inspect.getdoc(value)] == []
