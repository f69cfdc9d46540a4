"""Find a plugin's own modules in a directory that also contains compiled plugins.

Python prefers NAME.so to NAME.py, even if NAME.so is the plugin that `lanner build` built from NAME.py. In the directories given to
`search_sources_in` a library that is not an extension module is skipped.
"""

from __future__ import annotations

import mmap
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_SOURCES: Final = ((SourceFileLoader, SOURCE_SUFFIXES), (SourcelessFileLoader, BYTECODE_SUFFIXES))
_folders: set[str] = set()


def search_sources_in(folder: Path) -> None:
    """Skip compiled plugins when Python searches this directory, or a package in it, for modules."""
    place = str(folder.resolve())
    if place in _folders:
        return
    if not _folders:
        sys.path_hooks.insert(0, _make_finder)
    _folders.add(place)
    for path in [path for path in sys.path_importer_cache if _is_in(path, place)]:
        del sys.path_importer_cache[path]


def is_extension(path: str | Path, name: str) -> bool:
    """Return whether the library is an extension module of this name, so that Python can import it."""
    last = name.rpartition(".")[2]
    return _contains(path, f"PyInit_{last}\0".encode() if last.isascii() else b"PyInitU_")


def is_plugin_library(path: Path) -> bool:
    """Return whether the file is a library that Falco loads."""
    return path.name.endswith(".so") and _contains(path, b"plugin_get_required_api_version\0")


def _contains(path: str | Path, symbol: bytes) -> bool:
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return image.find(symbol) >= 0
    except (OSError, ValueError):  # no such file, or an empty one
        return False


def _is_in(path: str, folder: str) -> bool:
    place = Path(path).resolve()
    return str(place) == folder or folder in map(str, place.parents)


def _make_finder(path: str) -> FileFinder:
    """Hook of `sys.path_hooks`."""
    if not Path(path).is_dir() or not any(_is_in(path, folder) for folder in _folders):
        raise ImportError(path)
    return _SourcesFinder(path)


class _SourcesFinder(FileFinder):
    """Finder of a directory's modules, as Python's, that skips libraries which are not extension modules."""

    def __init__(self, path: str) -> None:
        super().__init__(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), *_SOURCES)
        self._sources = FileFinder(path, *_SOURCES)

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """See importlib.abc.PathEntryFinder."""
        spec = super().find_spec(fullname, target)
        if spec is None or not isinstance(spec.loader, ExtensionFileLoader) or is_extension(spec.origin or "", fullname):
            return spec
        return self._sources.find_spec(fullname, target)

    def invalidate_caches(self) -> None:
        """See importlib.abc.PathEntryFinder."""
        super().invalidate_caches()
        self._sources.invalidate_caches()
