"""Archives for falcoctl, their names and checksums. The same input gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import re
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Mapping

# the machine's name in `uname -m` and archive names, and in OCI
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
# falcoctl requires a semantic version without build metadata; registry tags cannot contain "+"
_VERSION: Final = re.compile(r"[0-9A-Za-z.-]+")


class PackageError(LannerError):
    """The plugin cannot be packaged."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """An archive: `name` and `version` for falcoctl, the archive's file name and content."""

    name: str
    version: str
    file: str
    data: bytes


def plugin_artefact(name: str, version: str, machine: str, image: bytes) -> Artefact:
    """Return the archive of a plugin's .so: `NAME-VERSION-linux-MACHINE.tar.gz` containing lib<name>.so."""
    return Artefact(name, version, f"{name}-{version}-linux-{machine}.tar.gz", archive({f"lib{name}.so": image}, mode=0o755))


def rules_artefact(plugin: str, version: str, files: Mapping[str, bytes]) -> Artefact:
    """Return the archive of a plugin's rules files: `PLUGIN-rules-VERSION.tar.gz` containing the files by name."""
    return Artefact(f"{plugin}-rules", version, f"{plugin}-rules-{version}.tar.gz", archive(files, mode=0o644))


def archive(files: Mapping[str, bytes], *, mode: int) -> bytes:
    """Return a tar.gz of these files in order, with owner 0 and no dates."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(whole.getvalue(), compresslevel=9, mtime=0)


def machine_here() -> str:
    """Return this machine's architecture for archive names, `x86_64` or `aarch64`. Raises `PackageError` for others."""
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _ARCHITECTURES:
        raise PackageError(
            f"plugins can be packaged on Linux on {' and '.join(_ARCHITECTURES)}, but this is {platform.system()} on {machine}"
        )
    return machine


def oci_architecture(machine: str) -> str:
    """Return the architecture's name in OCI: `amd64`, `arm64`."""
    return _ARCHITECTURES[machine]


def check_version(version: str) -> None:
    """Raise `PackageError` for a version that falcoctl and registries refuse."""
    if not _VERSION.fullmatch(version):
        raise PackageError(
            f"the plugin's version {version} has build metadata, which falcoctl and registries refuse: remove the + and the part after it"
        )


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return input for `sha256sum -c`."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def place(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name below the folder, each atomically. Raises `PackageError`."""
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        except OSError as error:
            raise PackageError(f"cannot write {path}: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
