"""Hide symbols of a prebuilt loader: hosts infer a plugin's capabilities from the symbols it defines."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

# elf(5), 64-bit little-endian: the only kind of loader in the package
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_MAGIC: Final = b"\x7fELF\x02\x01"
_NOBITS: Final = 8
_DYNSYM: Final = 11
_WEAK_FUNCTION: Final = 2 << 4 | 2
_UNDEFINED: Final = 0


def hide_symbols(image: bytes, kept: Container[str]) -> bytes:
    """Return the library `image` with only the functions in `kept` defined. The others become undefined weak symbols."""
    result = bytearray(image)
    for at, name in _functions(image):
        if name not in kept:
            place = _SYMBOL.unpack_from(image, at)
            _SYMBOL.pack_into(result, at, place[0], _WEAK_FUNCTION, place[2], _UNDEFINED, 0, 0)
    return bytes(result)


def functions(image: bytes) -> list[str]:
    """Return the names of the functions that a shared library defines."""
    return [name for _, name in _functions(image)]


def is_truncated(image: bytes) -> bool:
    """Whether a 64-bit ELF file ends before its headers, or before what its headers place in it."""
    if image[: len(_MAGIC)] != _MAGIC:
        return False
    if len(image) < _HEADER.size:
        return True
    header = _HEADER.unpack_from(image)
    sections_end, segments_end = header[6] + header[12] * header[11], header[5] + header[10] * header[9]
    if max(sections_end, segments_end) > len(image):
        return True
    if (header[12] and header[11] < _SECTION.size) or (header[10] and header[9] < _SEGMENT.size):
        return False  # no file that a linker wrote
    sections = (_SECTION.unpack_from(image, header[6] + place * header[11]) for place in range(header[12]))
    segments = (_SEGMENT.unpack_from(image, header[5] + place * header[9]) for place in range(header[10]))
    ends = [section[4] + section[5] for section in sections if section[1] != _NOBITS] + [each[2] + each[5] for each in segments]
    return max(ends, default=0) > len(image)


def _functions(image: bytes) -> Iterator[tuple[int, str]]:
    """Yield the entry offset and name of each defined symbol in the dynamic symbol table."""
    if image[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a 64-bit little-endian ELF file")
    header = _HEADER.unpack_from(image)
    sections = [_SECTION.unpack_from(image, header[6] + place * header[11]) for place in range(header[12])]
    table = next(section for section in sections if section[1] == _DYNSYM)
    names = sections[table[6]][4]
    for at in range(table[4], table[4] + table[5], _SYMBOL.size):
        name, _, _, section, _, _ = _SYMBOL.unpack_from(image, at)
        if name and section != _UNDEFINED:
            yield at, image[names + name : image.index(b"\0", names + name)].decode()
