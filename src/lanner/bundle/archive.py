"""What stands behind the loader in a plugin's .so: texts by name, then a zip file of modules whose comment tells where they begin.

The loader reads it (lanner/native/loader/bundle.h); `unzip -l` on the .so shows the modules too.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK: Final = b"lanner-bundle-1 "
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)  # of zip files: the same input gives the same bytes


def pack(loader: bytes, texts: Mapping[str, str], modules: Mapping[str, bytes]) -> bytes:
    """The whole file. Raises `ValueError` for a text with a NUL."""
    parts = [loader, b"\0" * (-len(loader) % 16)]
    begin = sum(map(len, parts))
    for name, value in texts.items():
        if "\0" in name + value:
            raise ValueError(f"the text {name!r} contains a NUL")
        parts.append(f"{name}\0{value}\0".encode("utf-8", "surrogateescape"))
    parts.append(b"\0")
    return b"".join(parts) + _zip(modules, MARK + b"%016x" % begin)


def unpack(image: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The texts and modules of a plugin's .so. Raises `ValueError` where it is none of ours, or was stripped."""
    mark, begin = image[-32:-16], image[-16:]
    if mark != MARK:
        raise ValueError("it has no bundle at its end: it was not made by `lanner build`, or it was stripped")
    with zipfile.ZipFile(io.BytesIO(image)) as archive:
        modules = {name: archive.read(name) for name in archive.namelist()}
    words = image[int(begin, 16) :].split(b"\0")
    texts: dict[str, str] = {}
    for name, value in zip(words[::2], words[1::2], strict=False):
        if not name:
            break
        texts[name.decode()] = value.decode("utf-8", "surrogateescape")
    return texts, modules


def _zip(modules: Mapping[str, bytes], comment: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(modules):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system = 3  # Unix, wherever it is built
            archive.writestr(entry, modules[name])
        archive.comment = comment
    return whole.getvalue()
