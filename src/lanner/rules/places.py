"""Places in rules files: what people count in lines and columns, what Falco counts in bytes, and the way from an item to the characters.

In come a file's text and offsets in it; what stands there is not read here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_SKIPPED: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Place:
    """A span of one line in a file; `line` and `column` count characters from 1.

    `kind` and `name` say what stands there, in Falco's words ("rule", "macro", "condition expression" ...).
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
    """A place as yaml-cpp counts: in bytes, from 0, with lines that end in a line feed alone."""

    offset: int
    line: int
    column: int


class SourceFile:
    """A file's name and its text, with lines."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_END.finditer(self.text))]

    @cached_property
    def _feeds(self) -> tuple[list[int], list[int]]:
        """Where the lines begin that end in a line feed: in characters and in bytes."""
        starts, offsets = [0], [0]
        for line in self.text.split("\n")[:-1]:
            starts.append(starts[-1] + len(line) + 1)
            offsets.append(offsets[-1] + len(line.encode("utf-8", "surrogateescape")) + 1)
        return starts, offsets

    def mark(self, index: int) -> Mark:
        """Where yaml-cpp has the character of that index; at the end of the text it begins a line."""
        starts, offsets = self._feeds
        line = bisect_right(starts, index) - 1
        column = len(self.text[starts[line] : index].encode("utf-8", "surrogateescape"))
        return Mark(offsets[line] + column, line, column if index < len(self.text) else 0)

    def place(self, begin: int, end: int, kind: str = "", name: str = "") -> Place:
        """The place of characters begin to end (exclusive), as far as they are on one line."""
        line = bisect_right(self._starts, begin) - 1
        start, text = self._starts[line], self.line(line + 1)
        length = max(1, min(end - begin, start + len(text) - begin))
        return Place(self.name, line + 1, begin - start + 1, length, kind, name)

    def line(self, number: int) -> str:
        """The line of that number (from 1), without its end."""
        start = self._starts[number - 1]
        found = _LINE_END.search(self.text, start)
        return self.text[start : found.start() if found else len(self.text)]


@dataclass(frozen=True, slots=True)
class Spot:
    """Characters of a file, and what stands there in Falco's words ("rule", "value for" ...), with its name."""

    file: SourceFile
    begin: int
    end: int
    kind: str = ""
    name: str = ""

    def place(self) -> Place:
        """The same as people count."""
        return self.file.place(self.begin, self.end, self.kind, self.name)

    def mark(self) -> Mark:
        """Where yaml-cpp has the begin: a value that is not there where the next token begins."""
        begin = self.begin
        if begin == self.end and (found := _SKIPPED.match(self.file.text, begin)):
            begin = found.end()
        return self.file.mark(begin)


# From the item to the very characters
Context: TypeAlias = tuple[Spot, ...]
