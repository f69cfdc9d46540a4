"""Licences of a bundle's contents: of Python, of packages (from metadata) and of system libraries (from Debian's packages)."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import Distribution

    from lanner.bundle.environment import Environment

_NAMES: Final = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_UNKNOWN: Final = "No licence text was found on the machine where this was built.\n"


def licences(environment: Environment, libraries: Iterable[Path], packages: Iterable[str]) -> dict[str, bytes]:
    """Return licence texts by file name: `python.txt`, `msgspec.txt`, `libexpat1.txt`."""
    texts = {"python.txt": _python(environment)}
    for name, text in _of_packages(environment, {*packages, "lanner"}):
        texts[f"{name}.txt"] = text
    for path, package in debian_packages(path for path in libraries if "libpython" not in path.name).items():
        name, text = _of_library(path, package)
        texts[f"{name}.txt"] = text
    return texts


def _python(environment: Environment) -> bytes:
    version = ".".join(environment.python.split(".")[:2])
    for path in (Path(environment.stdlib) / "LICENSE.txt", Path(f"/usr/share/doc/python{version}/copyright"),
                 Path(f"/usr/share/doc/libpython{version}-stdlib/copyright")):  # fmt: skip
        if path.is_file():
            return path.read_bytes()
    return b"Python is under the PSF License Agreement: https://docs.python.org/3/license.html\n"


def _of_packages(environment: Environment, tops: set[str]) -> Iterable[tuple[str, bytes]]:
    for distribution in packages_of(environment, tops):
        found = [file for file in distribution.files or [] if file.name.upper().startswith(_NAMES)]
        texts = [Path(str(distribution.locate_file(file))).read_bytes() for file in found]
        head = f"{distribution.name} {distribution.version}\n\n".encode()
        yield distribution.name, head + b"\n".join(texts or [_UNKNOWN.encode()])


def packages_of(environment: Environment, tops: set[str]) -> Iterator[Distribution]:
    """Return the environment's distributions with these top-level modules. An editable Lanner counts as their owner."""
    for distribution in distributions(path=list(environment.search_path)):
        if ({"lanner"} if distribution.name == "lanner" else _top_names(distribution)) & tops:
            yield distribution


def _top_names(distribution: Distribution) -> set[str]:
    """Return the modules and directories that the distribution installs."""
    # `files` makes a path of each of the thousands of files in an environment, which takes longer than the search for modules
    if (record := distribution.read_text("RECORD")) is not None:
        files = (line.lstrip('"').partition(",")[0] for line in record.splitlines())
    else:
        files = (str(file) for file in distribution.files or [])
    return {file.partition("/")[0].partition(".")[0] for file in files}


def debian_packages(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the Debian package that owns each file; "" if none does or this is not Debian."""
    names = {path: [str(path), str(path.resolve()), f"/usr{path.resolve()}"] for path in paths}
    owners: dict[str, str] = {}
    if names and (dpkg := shutil.which("dpkg")):
        # one call: each reads the lists of all packages. It lists what it finds, and fails if a name is unknown
        command = [dpkg, "-S", *dict.fromkeys(name for each in names.values() for name in each)]
        for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():  # noqa: S603
            owner, _, name = line.rpartition(": ")
            owners.setdefault(name, owner.partition(":")[0])
    return {path: next((owners[name] for name in each if name in owners), "") for path, each in names.items()}


def _of_library(path: Path, package: str) -> tuple[str, bytes]:
    """Group files by Debian package, or by file name if no package owns them."""
    text = Path(f"/usr/share/doc/{package}/copyright")
    if package and text.is_file():
        return package, text.read_bytes()
    return path.name.partition(".so")[0], _UNKNOWN.encode()
