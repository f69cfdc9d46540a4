"""The directory of spools: whether a run could write it. Nothing is created."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def spool_file(directory: str | Path, output: str) -> Path:
    """Return the file of an output's spool."""
    return Path(directory, f"{output}.sqlite")


def find_parent(path: Path) -> Path | None:
    """Return the directory, or its nearest parent that exists."""
    return next((each for each in (path, *path.parents) if each.is_dir()), None)


def find_spool_problem(directory: str, outputs: Iterable[str] = ()) -> str:
    """Return why these outputs could not use this directory of spools, or ""."""
    path = Path(directory)
    occupied = next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), None)
    if occupied is not None:
        return f"{occupied} is not a directory"
    folder = find_parent(path)
    if folder is None or not os.access(folder, os.W_OK | os.X_OK):
        return f"no permission to write to {folder or path}"
    for name in outputs:
        file = spool_file(directory, name)
        if file.is_symlink() or (file.exists() and not file.is_file()):
            return f"{file} is not a regular file"
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            return f"no permission to write {file}"
    return ""
