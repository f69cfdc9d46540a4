"""Collect the modules a plugin needs beside the environment's: its own file, neighbouring modules, and pure-Python packages it imports.

Imports are read from the source text, including those inside functions. No code is executed. The standard library, Lanner, its
dependencies and every package with compiled parts stay in the environment. Packages with compiled parts are reported.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.bundle.environment import BuildError
from lanner.sdk.own_modules import is_plugin_library

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec

# Lanner's own dependencies: a process needs only one copy
_IN_THE_ENVIRONMENT: Final = frozenset({"lanner", "msgspec", "yaml", "click"})


@dataclass(slots=True)
class BundleContents:
    """Files by their name in the bundle, and the packages that stay in the environment."""

    modules: dict[str, bytes] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


def collect(module: str, search_path: Sequence[str], file: Path | None = None) -> BundleContents:
    """Collect `module` and all its imports, found along `search_path`. Raises `BuildError` if a file cannot be read.

    `file` is the source of `module` if the user named it: then the module is not searched.
    """
    result = BundleContents()
    if file is not None:
        _add([(f"{module}.py", file)], search_path, result)
    else:
        _take(module.partition(".")[0], search_path, result)
    return result


def may_be_brought(top: str) -> bool:
    """Return whether a top-level module belongs to neither the standard library, Lanner, nor Lanner's dependencies."""
    return top not in sys.stdlib_module_names and top not in _IN_THE_ENVIRONMENT


def _take(top: str, search_path: Sequence[str], result: BundleContents) -> None:
    """Add a whole top-level module or package, and what its files import."""
    if not may_be_brought(top) or top in result.left or top in result.missing or f"{top}.py" in result.modules:
        return
    if f"{top}/__init__.py" in result.modules:
        return
    spec = PathFinder.find_spec(top, list(search_path))
    files = _files(top, spec) if spec is not None else None
    if files is None:
        (result.missing if spec is None else result.left).add(top)
        return
    _add(files, search_path, result)


def _add(files: Sequence[tuple[str, Path]], search_path: Sequence[str], result: BundleContents) -> None:
    """Add the files of a module or package, and their imports."""
    for name, path in files:
        try:
            result.modules[name] = path.read_bytes()
        except OSError as error:
            raise BuildError(f"cannot read {path}: {error.strerror}") from None
    for name, path in files:
        if name.endswith(".py"):
            for imported in _imports(result.modules[name], path):
                _take(imported, search_path, result)


def _files(top: str, spec: ModuleSpec) -> list[tuple[str, Path]] | None:
    """Return the files of a module or package; None if it has compiled parts or no files."""
    if spec.submodule_search_locations is None:
        return [(f"{top}.py", Path(spec.origin))] if spec.origin and spec.origin.endswith(".py") else None
    found: list[tuple[str, Path]] = []
    for folder in map(Path, spec.submodule_search_locations):
        for path in sorted(folder.rglob("*")):
            if is_plugin_library(path):  # a result of `lanner build`
                continue
            if path.name.endswith(tuple(EXTENSION_SUFFIXES)):
                return None
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".pyi"}:
                found.append((f"{top}/{path.relative_to(folder).as_posix()}", path))
    return found


def _imports(source: bytes, path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError) as error:
        raise BuildError(f"invalid Python in {path}: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
