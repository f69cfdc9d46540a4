"""The bundle after the loader in a plugin's .so: strings by name, then a zip file of modules (and of Python itself if bundled).

The zip file's comment is the end of the .so: it holds the offset of the strings, and checksums. The loader reads it
(lanner/native/loader/bundle.h). `unzip -l` on the .so lists the files.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanner.sdk.text.encoding import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

LICENCES: Final = "licences/"
"""The folder of licence texts."""
MARK: Final = b"lanner-bundle-2 "
_TRAILER: Final = len(MARK) + 16 + 8 + 64
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)  # the first day of zip files: the same input gives the same bytes


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file without its end record, and the offset of each file's content as it is stored."""

    data: bytes
    places: dict[str, int]


def store(files: Mapping[str, bytes]) -> Archive:
    """Write a zip file of these files in their order, uncompressed except licences, which nothing reads at run time."""
    whole = io.BytesIO()
    places = {}
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system = 3  # Unix, on every build machine
            if name.startswith(LICENCES):
                entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
            places[name] = whole.tell() - entry.compress_size
        archive.comment = bytes(_TRAILER)
    return Archive(whole.getvalue()[:-_TRAILER], places)


def pack(loader: bytes, texts: Mapping[str, str], archive: Archive) -> bytes:
    """Return the whole .so. Raises `ValueError` for a string that contains NUL."""
    parts = [loader, b"\0" * (-len(loader) % 16)]
    begin = sum(map(len, parts))
    for name, value in texts.items():
        if "\0" in name + value:
            raise ValueError(f"the text {name!r} contains a NUL")
        parts.append(to_bytes(f"{name}\0{value}\0"))
    whole = b"".join([*parts, b"\0", archive.data, MARK, b"%016x" % begin])
    return b"%b%08x%b" % (whole, zlib.crc32(whole), hashlib.sha256(whole).hexdigest().encode())


def unpack(image: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the strings and files of a plugin's .so. Raises `ValueError` if it was not built by Lanner, or was stripped or altered."""
    trailer = image[-_TRAILER:]
    if not trailer.startswith(MARK):
        raise ValueError("its end is missing: it was truncated or stripped")
    if hashlib.sha256(image[:-72]).hexdigest().encode() != trailer[-64:]:
        raise ValueError("it was altered after it was built: its SHA-256 does not match")
    begin = int(trailer[len(MARK) : len(MARK) + 16], 16)
    with zipfile.ZipFile(io.BytesIO(image)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    texts: dict[str, str] = {}
    at = begin
    while image[at] != 0:
        name_end = image.index(b"\0", at)
        value_end = image.index(b"\0", name_end + 1)
        texts[image[at:name_end].decode()] = from_bytes(image[name_end + 1 : value_end])
        at = value_end + 1
    return texts, files
