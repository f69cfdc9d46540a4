"""Classes are nouns and functions begin with a verb: no name is a participle or an adjective. No two modules have one name."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lanner"
SOURCES = [*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
NOUNS = {"Feed", "Finding", "Mapping", "Need", "Nothing", "Opening", "Reading", "Recording", "Warning"}
"""Nouns that end as participles do."""
OTHERS = [
    "About",
    "After",
    "Again",
    "All",
    "Any",
    "Asleep",
    "Away",
    "Bare",
    "Before",
    "Broken",
    "Common",
    "Down",
    "Dry",
    "Each",
    "Earlier",
    "Early",
    "Every",
    "Full",
    "Fresh",
    "Former",
    "Given",
    "Gone",
    "Held",
    "Idle",
    "Inner",
    "Kept",
    "Last",
    "Late",
    "Lost",
    "Loose",
    "Newest",
    "New",
    "Next",
    "None",
    "Odd",
    "Off",
    "Old",
    "Outer",
    "Own",
    "Plain",
    "Quiet",
    "Raw",
    "Ready",
    "Real",
    "Recent",
    "Rest",
    "Seen",
    "Shown",
    "Short",
    "Single",
    "Slow",
    "Some",
    "Sent",
    "Such",
    "Taken",
    "There",
    "Unfit",
    "Up",
    "Used",
    "When",
    "Where",
    "Whole",
    "Wrong",
    "Written",
]
OPERATORS = {"All", "Some"}
"""The conditions of lanner.rules.language.typed, which are named as in logic."""


PUBLIC = {"any", "expected", "every", "fired", "listed", "next", "recorded"}
"""Words on `payload`, and functions for authors' tests, that read as a part of a sentence."""
OF_OTHERS = {"failed", "readable"}
"""Functions that C++ and Python's library call by this name."""


def definitions(kinds):
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, kinds):
                yield path, node


def is_participle(word):
    return (
        word.capitalize() not in NOUNS
        and re.search(r"(ed|ing)$", word) is not None
        and word not in {"missing", "ping", "string", "succeed"}
    )


@pytest.mark.parametrize("name", sorted({node.name for _, node in definitions(ast.ClassDef)}))
def test_a_class_is_named_by_a_noun(name):
    last = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", name)[-1]
    assert not is_participle(last), f"{name}: name the thing"
    assert name in OPERATORS or last not in OTHERS, f"{name}: name the thing"


def test_no_function_is_named_by_a_participle_alone():
    """Properties and fixtures may be."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path, node in definitions((ast.FunctionDef, ast.AsyncFunctionDef))
        if path.is_relative_to(PACKAGE)
        and is_participle(node.name.strip("_"))
        and "_" not in node.name.strip("_")
        and node.name not in PUBLIC | OF_OTHERS
        if not any(re.search("property|fixture|getter|setter", ast.unparse(each)) for each in node.decorator_list)
    ]
    assert found == []


def test_no_two_modules_have_one_name():
    rooms = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            rooms[path.name].append(path.parent.name)
    assert {name: found for name, found in rooms.items() if len(found) > 1} == {}


def test_no_two_native_files_have_one_name():
    """A file in `python/` may have the name of the class that it gives to Python."""
    files = defaultdict(set)
    for path in (PACKAGE / "native").rglob("*"):
        if path.suffix in {".cpp", ".hpp", ".c", ".h"}:
            files[path.name].add(path.parent.name)
    assert {name: rooms for name, rooms in files.items() if len(rooms - {"python"}) > 1} == {}
