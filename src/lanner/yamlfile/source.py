"""Text of a YAML file, and positions in it: lines and columns for people, bytes for yaml-cpp. Nothing is parsed here."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from lanner.sdk.text.encoding import from_bytes, to_bytes

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
# a file's first four bytes to its encoding and the length of its byte order mark
_MARKS: Final = (
    (re.compile(rb"\0\0\xfe\xff", re.DOTALL), "utf-32-be", 4),
    (re.compile(rb"\0\0\0", re.DOTALL), "utf-32-be", 0),
    (re.compile(rb"\xff\xfe\0\0", re.DOTALL), "utf-32-le", 4),
    (re.compile(rb"\xfe\xff", re.DOTALL), "utf-16-be", 2),
    (re.compile(rb"\xff\xfe", re.DOTALL), "utf-16-le", 2),
    (re.compile(rb"\xef\xbb\xbf", re.DOTALL), "utf-8", 3),
    (re.compile(rb"\0[^\0\xbb\xbf\xef\xfe\xff]", re.DOTALL), "utf-16-be", 0),
    (re.compile(rb"[^\0\xbb\xbf\xef\xfe\xff]\0\0\0", re.DOTALL), "utf-32-le", 0),
    (re.compile(rb"[^\0\xbb\xbf\xef\xfe\xff]\0", re.DOTALL), "utf-16-le", 0),
)


class Place(Struct, frozen=True, gc=False):
    """A span on one line of a file. `line` and `column` count characters from 1.

    `kind` and `name` identify the item in Falco's terms ("rule", "macro", "condition expression" ...).
    """

    file: str
    line: int
    column: int
    length: int = 1
    kind: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Mark(NamedTuple):
    """A position as yaml-cpp counts: bytes of UTF-8, from 0. All lines end as the first one does, in a line feed or a carriage return."""

    offset: int
    line: int
    column: int


class SourceFile:
    """A file's name and text, by lines. A byte that is invalid UTF-8 is a surrogate in the text (`surrogateescape`)."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        """The offsets at which the lines begin, and those at which they end."""
        ends = list(_LINE_END.finditer(self.text))
        return [0, *(found.end() for found in ends)], [*(found.start() for found in ends), len(self.text)]

    @cached_property
    def _marked(self) -> tuple[list[int], list[int]]:
        """Offsets of the lines for yaml-cpp, in characters and in bytes."""
        starts, offsets = [0], [0]
        first = _LINE_END.search(self.text)
        for line in self.text.split("\r" if first and first[0] == "\r" else "\n")[:-1]:
            starts.append(starts[-1] + len(line) + 1)
            offsets.append(offsets[-1] + len(to_bytes(line)) + 1)
        return starts, offsets

    def mark(self, index: int) -> Mark:
        """Return where yaml-cpp has the character at that index. The end of the text begins a new line."""
        starts, offsets = self._marked
        line = bisect_right(starts, index) - 1
        column = len(to_bytes(self.text[starts[line] : index]))
        return Mark(offsets[line] + column, line, column if index < len(self.text) else 0)

    def place(self, begin: int, end: int, kind: str = "", name: str = "") -> Place:
        """Return the place of characters begin to end (exclusive), limited to the first line."""
        starts, ends = self._lines
        line = bisect_right(starts, begin) - 1
        length = max(1, min(end, ends[line]) - begin)
        return Place(self.name, line + 1, begin - starts[line] + 1, length, kind, name)

    def line(self, number: int) -> str:
        """Return the line with that number (from 1), without its line end."""
        starts, ends = self._lines
        return self.text[starts[number - 1] : ends[number - 1]]


class Spot(Struct, frozen=True, gc=False):
    """Characters of a file, with the kind of item in Falco's terms ("rule", "value for" ...) and its name.

    `at` is yaml-cpp's position if it differs from the beginning: a missing value is at the next token.
    """

    file: SourceFile
    begin: int
    end: int
    kind: str = ""
    name: str = ""
    at: Mark | None = None

    def place(self) -> Place:
        """Return the place as people count."""
        return self.file.place(self.begin, self.end, self.kind, self.name)

    def mark(self) -> Mark:
        """Return the position as yaml-cpp counts."""
        return self.at or self.file.mark(self.begin)


# from the item to the exact characters
Context: TypeAlias = tuple[Spot, ...]


def source_file(name: str, text: str) -> SourceFile:
    """Return a file with this text, which represents the file's bytes in UTF-8 with `surrogateescape`.

    As in yaml-cpp, the first bytes decide the encoding, with or without a byte order mark.
    """
    head = text[:4]
    if head.isascii() and "\0" not in head:
        return SourceFile(name, text)
    try:
        data = to_bytes(text)
    except UnicodeEncodeError:  # half of a surrogate pair, possible only in a caller's text: the reader refuses it
        return SourceFile(name, text)
    encoding, size = next(((encoding, size) for begin, encoding, size in _MARKS if begin.match(data)), ("utf-8", 0))
    if encoding == "utf-8":
        return SourceFile(name, from_bytes(data[size:]))
    unit = 2 if "16" in encoding else 4
    decoded = data[size : len(data) - (len(data) - size) % unit].decode(encoding, "replace")
    return SourceFile(name, decoded.replace("\4", "\ufffd"))  # yaml-cpp would stop at \4
