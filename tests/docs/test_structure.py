"""Imports go in one direction: no modules import each other in a circle, and the rooms keep to the order in CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lanner"


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path):
    """Yield the modules of this package that a module imports, including in functions and for types only."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from inner & MODULES.keys() or {node.module}


FACES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
"""Packages' `__init__` modules, which import their public names late."""


@pytest.fixture(scope="module")
def imports():
    """The modules of this package that each one imports. Reading all of them takes a second."""
    return {name: set(imports_of(path)) - {name} for name, path in MODULES.items()}


def room_of(name):
    parts = name.split(".")
    return parts[1] if len(parts) > 2 or (len(parts) == 2 and name in FACES) else None


def floors(sentence):
    text = re.search(sentence + r" ([^.]*)\.", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))[1]
    return {room.strip(" `"): number for number, floor in enumerate(text.split("→")) for room in floor.split(",")}


def test_no_modules_import_each_other_in_a_circle(imports):
    """Removing modules that import none of the rest leaves nothing: a circle would stay."""
    left = {name: targets - FACES for name, targets in imports.items() if name not in FACES}
    while ground := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ground:
            del left[name]
    assert left == {}


def test_imports_between_rooms_keep_to_the_order_in_contributing(imports):
    order = floors("Imports go in one direction:")
    assert order.keys() == {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    backwards = [
        (name, target)
        for name, targets in imports.items()
        for target in targets
        if (room := room_of(name)) and (other := room_of(target)) and room != other and order[room] >= order[other]
    ]
    assert backwards == []


@pytest.mark.parametrize("room", ["sdk"])
def test_imports_inside_a_room_keep_to_the_order_in_contributing(imports, room):
    order = floors(f"Inside `{room}`:")

    def floor_of(name):
        parts = name.split(".")
        return order[parts[2]] if len(parts) > 3 else max(order.values())

    inside = {name for name in MODULES if name.startswith(f"lanner.{room}.") and name not in FACES}
    backwards = [(name, target) for name in inside for target in imports[name] & inside if floor_of(name) > floor_of(target)]
    assert backwards == []


def test_a_room_has_few_modules():
    """A reader looks through a room before opening a module."""
    sizes = {path: len([*path.glob("*.py")]) for path in [PACKAGE, *PACKAGE.rglob("*")] if path.is_dir()}
    assert {path.name: size for path, size in sizes.items() if size > 26} == {}
