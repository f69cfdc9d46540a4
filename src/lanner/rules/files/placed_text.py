"""Strings that know the place of each character in a file.

A condition is assembled before it is parsed: YAML folds and unescapes it, appended parts follow after a blank, lists
are expanded, exceptions are added. The input are the scalars, the output is a `Text`, and for any offset in it the spot in the
file: exact if the characters are in the file, else the name of the list, or the nearest spot. Nothing is parsed here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from lanner.yamlfile.source import Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.yamlfile.reader import Scalar
    from lanner.yamlfile.source import SourceFile

_SPACE: Final = " \t\n\v\f\r"
_BLANKS: Final = " \t\r\n\x85\u2028\u2029"
_NO_BLANKS: Final = str.maketrans(dict.fromkeys(_BLANKS))
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)+")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n[ \t]*|[\r\n][ \t]*|.)|\r\n|.", re.DOTALL)
_ESCAPED: Final = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED_BLANKS: Final = {"N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029", "\t": "\t"}


class Piece(Struct, frozen=True, gc=False):
    """`size` characters from `begin`, from a scalar's value at `offset`. All of them belong to one name if `whole` is its length there."""

    begin: int
    size: int
    scalar: Scalar
    offset: int
    whole: int = 0

    def value_offset(self, inside: int) -> int:
        """Return the offset in the scalar's value of the character at `inside` in the piece."""
        return self.offset if self.whole else self.offset + inside


class Text(Struct, frozen=True, gc=False):
    """A string and its pieces in order. Characters between pieces are in no file."""

    text: str
    pieces: tuple[Piece, ...] = ()

    @classmethod
    def of(cls, scalar: Scalar) -> Text:
        """Return a scalar's value as a string."""
        return cls(scalar.value, (Piece(0, len(scalar.value), scalar, 0),))

    def strip(self) -> Text:
        """Return the text without blanks at both ends."""
        stripped = self.text.strip(_SPACE)
        begin = len(self.text) - len(self.text.lstrip(_SPACE))
        builder = TextBuilder()
        builder.add_text(self, begin, begin + len(stripped))
        return builder.build()

    def spot(self, offset: int, length: int = 1, kind: str = "", name: str = "") -> Spot | None:
        """Return the place in a file of `length` characters from `offset`. None only if no part of the text is in one."""
        piece = self.piece_at(offset)
        if piece is None:
            return None
        inside = max(0, min(offset - piece.begin, piece.size))
        begin = piece.value_offset(inside)
        size = piece.whole or max(1, min(length, piece.size - inside))
        first = index_in_file(piece.scalar, begin)
        last = index_in_file(piece.scalar, begin + size - 1) + 1 if size > 1 else first + 1
        return Spot(piece.scalar.file, first, max(first + 1, last), kind, name)

    def scalar_spot(self, kind: str) -> Spot | None:
        """Return the place of the first scalar of the text, including quotes."""
        return self.pieces[0].scalar.spot(kind) if self.pieces else None

    def piece_at(self, offset: int) -> Piece | None:
        """Return the piece with the character at `offset`, or the nearest before it, or the first. None only without pieces."""
        if not self.pieces:
            return None
        return self.pieces[max(0, bisect_right(self.pieces, offset, key=lambda piece: piece.begin) - 1)]


class TextBuilder:
    """Builder of a string from others."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self.size = 0

    def add(self, part: str) -> None:
        """Add characters that are in no file."""
        self.parts.append(part)
        self.size += len(part)

    def add_text(self, text: Text, begin: int = 0, end: int | None = None) -> None:
        """Add a string, or its characters from `begin` to `end` (exclusive)."""
        stop = len(text.text) if end is None else end
        if begin >= stop:
            return
        first = max(0, bisect_right(text.pieces, begin, key=lambda piece: piece.begin) - 1) if begin else 0
        for number in range(first, len(text.pieces)):
            piece = text.pieces[number]
            if piece.begin >= stop:
                break
            cut = max(0, begin - piece.begin)
            size = min(piece.begin + piece.size, stop) - piece.begin - cut
            if size > 0:
                here = self.size + piece.begin + cut - begin
                self.pieces.append(Piece(here, size, piece.scalar, piece.value_offset(cut), piece.whole))
        self.add(text.text[begin:stop])

    def add_as(self, part: str, scalar: Scalar, offset: int, length: int) -> None:
        """Add characters that replace `length` characters of a scalar's value from `offset`."""
        if part:
            self.pieces.append(Piece(self.size, len(part), scalar, offset, max(1, length)))
            self.add(part)

    def strip(self, chars: str) -> None:
        """Remove these characters from the end."""
        while self.parts:
            kept = self.parts[-1].rstrip(chars)
            self.size -= len(self.parts[-1]) - len(kept)
            if kept:
                self.parts[-1] = kept
                break
            self.parts.pop()
        self._cut_pieces()

    def take_off(self, end: str) -> bool:
        """Remove this one character from the end, if it is the last."""
        if not self.parts or not self.parts[-1].endswith(end):
            return False
        self.parts[-1] = self.parts[-1][:-1]
        if not self.parts[-1]:
            self.parts.pop()
        self.size -= 1
        self._cut_pieces()
        return True

    def _cut_pieces(self) -> None:
        while self.pieces and self.pieces[-1].begin + self.pieces[-1].size > self.size:
            last = self.pieces.pop()
            if last.begin < self.size:
                self.pieces.append(replace(last, size=self.size - last.begin))

    def build(self) -> Text:
        """Return the text built so far."""
        return Text("".join(self.parts), tuple(self.pieces))


def join(first: Text, second: Text) -> Text:
    """Join both with a blank: the meaning of `append`."""
    begin = len(first.text) + 1
    moved = (Piece(begin + each.begin, each.size, each.scalar, each.offset, each.whole) for each in second.pieces)
    return Text(f"{first.text} {second.text}", (*first.pieces, *moved))


def index_in_file(scalar: Scalar, offset: int) -> int:
    """Return the index in the file's text of the character at `offset` in the scalar's value.

    YAML's folding, indentation and line ends change only blanks, so the n-th non-blank character of the value is the n-th
    of the scalar in the file. If this does not hold (it always should), the result is the start of the scalar.
    """
    before = scalar.value[:offset]
    blanks = len(before) - len(before.rstrip(_BLANKS))
    at_blank = offset >= len(scalar.value) or scalar.value[offset] in _BLANKS
    wanted = (before if at_blank else scalar.value[: offset + 1]).translate(_NO_BLANKS)
    chars, indices, first = _characters(scalar.file, scalar.begin, scalar.end, scalar.style)
    if wanted != chars[: len(wanted)] and not _is_same(wanted, chars):
        return scalar.begin
    position = indices[len(wanted) - 1] if wanted else scalar.begin
    if not at_blank:
        return position
    return min(position + 1 + blanks, scalar.end) if wanted else first


def _is_same(wanted: str, chars: str) -> bool:
    """Return whether characters equal those of a file, in which a byte that is invalid UTF-8 counts as U+FFFD."""
    return len(wanted) <= len(chars) and all(
        there == char or (char == "\ufffd" and "\udc80" <= there <= "\udcff") for char, there in zip(wanted, chars, strict=False)
    )


@lru_cache(maxsize=4)
def _characters(file: SourceFile, begin: int, end: int, style: str) -> tuple[str, array[int], int]:
    """Return a scalar's non-blank characters, the index of each in the file, and the first index of all."""
    written = list(_iterate_written(file, begin, end, style))
    kept = [(char, index) for char, index in written if char not in _BLANKS]
    return "".join(char for char, _ in kept), array("Q", (index for _, index in kept)), written[0][1] if written else begin


def _iterate_written(file: SourceFile, begin: int, end: int, style: str) -> Iterator[tuple[str, int]]:
    """Yield the scalar's characters in the file, each with its index there: without quotes and header, escapes resolved."""
    text = file.text
    if found := _PROPERTIES.match(text, begin, end):
        begin = found.end()
    if style in ("|", ">"):
        begin = text.find("\n", begin, end) + 1 or end
    elif style:
        begin, end = begin + 1, end - 1
    if style == '"':
        for found in _ESCAPE.finditer(text, begin, end):
            if char := _unescape(found[0]):
                yield char, found.start()
        return
    skip = False
    for index in range(begin, end):
        skip = not skip and style == "'" and text[index] == "'"
        if not skip:
            yield text[index], index


def _unescape(written: str) -> str:
    if len(written) == 1 or written[0] != "\\":
        return written[:1]
    kind = written[1]
    if kind in "\r\n":
        return ""
    if kind in "xuU":
        return chr(int(written[2:], 16))  # noqa: FURB166 - the prefix is YAML's
    return _ESCAPED.get(kind) or _ESCAPED_BLANKS.get(kind, kind)
