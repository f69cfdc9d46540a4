"""Prepare shared libraries for compression, by a tenth of their packed size. `native/loader/image.c` restores them.

Tables of addresses grow by similar steps: each word becomes its difference to the word one row before. These are the relocations (three
words of 8 bytes in a row) and the search table of stack frames (two of 4 bytes). In code for x86-64 a call has the distance to its
function: it becomes the function's address, which is the same in all its calls.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_DYNAMIC: Final = struct.Struct("<QQ")
_PART: Final = struct.Struct("<IIHH")
_X86_64: Final = 62
_LOAD, _TABLE_OF_DYNAMIC, _FRAMES = 1, 2, 0x6474E550
_EXECUTABLE: Final = 1
_RELOCATIONS, _SIZE_OF_RELOCATIONS = 7, 8
# the version, and a count of 4 bytes with rows of two offsets of 4 bytes
_FRAMES_BEGIN: Final = re.compile(rb"\x01.\x03\x3b", re.DOTALL)
_FRAMES_ROWS: Final = 12
_CALL: Final = re.compile(rb"[\xe8\xe9].{4}", re.DOTALL)
"""Calls and jumps. Each match is 5 bytes, and the search continues after it, here as in `image.c`."""


class _Segment(NamedTuple):
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    alignment: int


class _Part(NamedTuple):
    """A part of a file: a table, or code if it has no columns."""

    begin: int
    end: int
    columns: int
    width: int


def strip_symbols(image: bytes) -> bytes:
    """Return the file without symbols and debug information, which follow the last loadable segment."""
    header = list(_HEADER.unpack_from(image))
    end = max([header[5] + header[9] * header[10], *(segment.offset + segment.size for segment in _segments(image))])
    header[6] = header[12] = header[13] = 0  # no section headers
    return _HEADER.pack(*header) + image[_HEADER.size : end]


def prepare(image: bytes) -> tuple[bytes, bytes]:
    """Return the list of changed parts, as `image.c` reads it, and the changed file."""
    parts = _parts(image)
    changed = bytearray(image)
    for part in parts:
        # old linkers put tables between code: `image.c` restores the last part first
        change = _differences if part.columns else _absolute_calls
        changed[part.begin : part.end] = change(bytes(changed[part.begin : part.end]), part)
    return bytes([len(parts)]) + b"".join(_PART.pack(*part) for part in parts), bytes(changed)


def _segments(image: bytes) -> list[_Segment]:
    header = _HEADER.unpack_from(image)
    return [_Segment(*_SEGMENT.unpack_from(image, header[5] + place * header[9])) for place in range(header[10])]


def _parts(image: bytes) -> list[_Part]:
    segments = _segments(image)
    found = []
    for segment in segments:
        end = segment.offset + segment.size
        if segment.kind == _LOAD and segment.flags & _EXECUTABLE and _HEADER.unpack_from(image)[2] == _X86_64:
            found.append(_Part(segment.offset, end, 0, 0))
        elif segment.kind == _TABLE_OF_DYNAMIC:
            tags = dict(_DYNAMIC.iter_unpack(image[segment.offset : end]))
            if (place := _offset(segments, tags.get(_RELOCATIONS))) is not None:
                found.append(_Part(place, place + tags[_SIZE_OF_RELOCATIONS], 3, 8))
        elif segment.kind == _FRAMES and _FRAMES_BEGIN.match(image, segment.offset):
            found.append(_Part(segment.offset + _FRAMES_ROWS, segment.offset + _FRAMES_ROWS + (segment.size - _FRAMES_ROWS) // 8 * 8, 2, 4))
    return found


def _offset(segments: list[_Segment], address: int | None) -> int | None:
    """Return where the content of an address is in the file."""
    for segment in segments:
        if address is not None and segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    return None


def _differences(table: bytes, part: _Part) -> bytes:
    form = struct.Struct(f"<{len(table) // part.width}{'Q' if part.width == 8 else 'I'}")
    words = form.unpack(table)
    limit = (1 << 8 * part.width) - 1
    return form.pack(*((word - above) & limit for word, above in zip(words, (*(0,) * part.columns, *words), strict=False)))


def _absolute_calls(code: bytes, _part: _Part) -> bytes:
    def to_absolute(call: re.Match[bytes]) -> bytes:
        target = int.from_bytes(call[0][1:], "little") + call.start()
        return call[0][:1] + (target & 0xFFFF_FFFF).to_bytes(4, "big")  # big-endian: the bytes that calls share are together

    return _CALL.sub(to_absolute, code)
