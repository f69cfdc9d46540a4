"""Advice on compiled plugins, which Lanner's host does not run: what to name instead of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lanner.bundle.archive import MARK, unpack
from lanner.sdk.files import read_whole

_MOST_BYTES: Final = 1 << 30


def advise_library(library: str) -> str:
    """Return what to write instead of the path of a shared library: the Python plugin that `lanner build` made it from, if known."""
    path = Path(library)
    target = _read_target(path)
    module, _, class_name = (target or path.stem.removeprefix("lib")).partition(":")
    for folder in (path.parent, Path()):
        source = folder / f"{module.rpartition('.')[2]}.py"
        if source.is_file():
            which = "the plugin that it was built from" if target else "the Python file in its directory, if that is the plugin"
            return f"write {f'{source}:{class_name}' if class_name else str(source)!r}, {which}"
    return f"it was built from {target}: write that class, as path/to/file.py[:Class] or module:Class" if target else ""


def _read_target(path: Path) -> str | None:
    """Return the class that `lanner build` built the library from, as module:Class; None for another file."""
    try:
        image = read_whole(path, _MOST_BYTES)
        return unpack(image)[0].get("plugin") if MARK in image else None
    except (OSError, ValueError, KeyError, IndexError):
        return None
