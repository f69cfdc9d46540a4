"""Shared libraries for a bundle: their dependencies, and the minimum glibc for the symbols they use."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from lanner.bundle.environment import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable

# part of glibc: taken from the machine, as they must match each other
_GLIBC: Final = re.compile(
    r"(libc|libm|libmvec|libdl|libpthread|librt|libutil|libresolv|libanl|libnsl|libBrokenLocale|ld-linux[-\w]*)\.so\.\d+"
)
_LISTED: Final = re.compile(r"\s*(\S+) => (\S+) \(0x[0-9a-f]+\)|\s*(\S+) => not found")


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library: its soname, its dependencies (without glibc's), and the minimum glibc version."""

    path: Path
    soname: str
    needs: tuple[str, ...]
    glibc: tuple[int, ...]


@functools.cache  # a build meets the same libraries again behind each module
def read_library(path: Path) -> Library:
    """Read a library. Raises `BuildError` if it is not a shared library for this machine."""
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            soname, needs = "", []
            glibc: tuple[int, ...] = (2, 0)
            for section in elf.iter_sections():
                if isinstance(section, DynamicSection):
                    for tag in section.iter_tags():
                        if tag.entry.d_tag == "DT_SONAME":
                            soname = str(getattr(tag, "soname", ""))
                        elif tag.entry.d_tag == "DT_NEEDED":
                            needs.append(str(getattr(tag, "needed", "")))
                elif isinstance(section, GNUVerNeedSection):
                    names = [version.name for _, versions in section.iter_versions() for version in versions]
                    glibc = max([glibc, *(_numbers(name) for name in names if re.fullmatch(r"GLIBC_\d[\d.]*", name))])
    except (OSError, ELFError) as error:
        raise BuildError(f"cannot read the shared library {path}: {error}") from None
    return Library(path, soname, tuple(name for name in needs if not _GLIBC.fullmatch(name)), glibc)


def find_needed(paths: Iterable[Path], interpreter: str) -> dict[str, Library]:
    """Return the libraries' transitive dependencies by soname, dependencies first.

    Raises `BuildError` if one is missing on this machine.
    """
    found: dict[str, Library] = {}
    for path in paths:
        places = _resolve(path, interpreter)
        _take(read_library(path), places, found)
    return found


def _take(library: Library, places: dict[str, str], found: dict[str, Library]) -> None:
    for name in library.needs:
        if name not in found:
            needed = read_library(Path(places[name]))
            _take(needed, places, found)
            found[name] = needed


@functools.cache
def _resolve(path: Path, interpreter: str) -> dict[str, str]:
    """Return where the dynamic linker finds a library's dependencies, without running its code."""
    # as ldd does, without libraries preloaded here, which the plugin's host will not have
    environ = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ""}
    done = subprocess.run([interpreter, str(path)], capture_output=True, text=True, check=False, env=environ)  # noqa: S603 - the linker
    places: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if listed := _LISTED.fullmatch(line):
            if listed[3]:
                raise BuildError(f"{path} needs {listed[3]}, which is missing on this machine: install its package, then build again")
            places[listed[1]] = listed[2]
    missing = [name for name in read_library(path).needs if name not in places]
    if missing:
        raise BuildError(
            f"{path} needs {missing[0]}, but the dynamic linker does not find it: {done.stderr.strip() or done.stdout.strip()}"
        )
    return places


def interpreter_of(executable: str) -> str:
    """Return the dynamic linker that a program names."""
    try:
        with Path(executable).open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_INTERP"):
                return str(segment.data().rstrip(b"\0"), "utf-8")
    except (OSError, ELFError) as error:
        raise BuildError(f"cannot read {executable}: {error}") from None
    raise BuildError(
        f"{executable} is linked statically: its Python cannot be bundled. Use one with a shared library (Debian's, uv's, pyenv's)"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("GLIBC_").split("."))
