"""A cursor over the text of a rules file, and how far scalars reach as yaml-cpp reads them.

In comes a text of bytes (each as one character); the cursor counts lines and columns as yaml-cpp does, and raises `YamlCppError` where
that stops. What else there is between scalars is the scanner's matter (yamlscan.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BLANK_OR_END: Final = r"(?=[ \t\r\n]|\Z)"
BREAK: Final = re.compile(r"\r\n|\n|\r")
_LINE: Final = re.compile(r"[^\r\n]*")
DOCUMENT: Final = re.compile(rf"(---|\.\.\.){_BLANK_OR_END}")
_PLAIN_END: Final = re.compile(rf":{_BLANK_OR_END}|[ \t\r\n]#")
_PLAIN_END_IN_FLOW: Final = re.compile(r":(?=[ \t\r\n,\]}]|\Z)|[,?\[\]{}]|[ \t\r\n]#")
_PLAIN_RUN: Final = re.compile(r"[^\s:,?\[\]{}]+", re.ASCII)
_QUOTED_RUN: Final = re.compile(r"[^\s\\\"']+", re.ASCII)
_HEADER: Final = re.compile(r"([+-][0-9]|[0-9][+-]|[+-]|[0-9])?")
_ESCAPES: Final = {"x": 2, "u": 4, "U": 8}


class YamlCppError(Exception):
    """yaml-cpp reads no further; `offset`, `line` and `column` are its own (from 0)."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: bytes from the begin, lines and bytes in the line, from 0."""

    offset: int
    line: int
    column: int


@dataclass(slots=True)
class Cursor:
    """A place in a text, and steps over what stands there."""

    text: str
    at: int = 0
    line: int = 0
    line_start: int = 0
    ended: bool = False

    def mark(self) -> Mark:
        """Where the scanner stands, which may be behind the next token. At the end yaml-cpp begins a line."""
        return Mark(self.at, self.line, 0 if self.ended else self.column)

    @property
    def column(self) -> int:
        """Bytes since the line began."""
        return self.at - self.line_start

    def char(self) -> str:
        """What stands here, nothing at the end."""
        return self.text[self.at : self.at + 1]

    def _run(self, pattern: re.Pattern[str]) -> None:
        """Step over characters of no meaning here, or over one of any."""
        found = pattern.match(self.text, self.at)
        self.eat(len(found[0]) if found else 1)

    def rest(self) -> str:
        """The rest of the line."""
        found = _LINE.match(self.text, self.at)
        return found[0] if found else ""

    def error(self, message: str) -> YamlCppError:
        """The error that something is wrong here."""
        return YamlCppError(message, self.mark())

    def eat(self, count: int = 1) -> None:
        """Step over characters."""
        eaten = self.text[self.at : self.at + count]
        self.at += len(eaten)
        if "\n" in eaten:
            self.line += eaten.count("\n")
            self.line_start = self.at - (len(eaten) - 1 - eaten.rindex("\n"))

    # Scalars

    def read_plain(self, indent: int, *, in_flow: bool) -> bool:
        """Step over a plain scalar whose lines are indented so far; tells whether it ended because a line was not."""
        end = _PLAIN_END_IN_FLOW if in_flow else _PLAIN_END
        while self.char():
            while self.char() and not end.match(self.text, self.at) and not BREAK.match(self.text, self.at):
                if self.column == 0 and DOCUMENT.match(self.text, self.at):
                    break
                self._run(_PLAIN_RUN)
            at_document = self.column == 0 and DOCUMENT.match(self.text, self.at)
            if not self.char() or at_document or end.match(self.text, self.at):
                break
            if not self._next_line(indent, end):
                return True
        return False

    def _next_line(self, indent: int, end: re.Pattern[str]) -> bool:
        """Step to the next line's text; False if that is not indented enough to go on."""
        found = BREAK.match(self.text, self.at)
        self.eat(len(found[0]) if found else 0)
        while self.char() == " " and self.column < indent and not end.match(self.text, self.at):
            self.eat()
        while self.char() in {" ", "\t"}:
            if self.char() == "\t" and self.column < indent:
                raise self.error("illegal tab when looking for indentation")
            if end.match(self.text, self.at):
                break
            self.eat()
        return bool(BREAK.match(self.text, self.at)) or self.column >= indent

    def read_quoted(self, quote: str) -> None:
        """Step over a scalar in quotes."""
        self.eat()
        while True:
            char = self.char()
            if not char:
                raise self.error("illegal EOF in scalar")
            if self.column == 0 and DOCUMENT.match(self.text, self.at):
                raise self.error("illegal document indicator in scalar")
            if char == quote == "'" and self.text.startswith("''", self.at):
                self.eat(2)
            elif char == quote:
                break
            elif char == "\\" and quote == '"':
                self._escape()
            else:
                self._run(_QUOTED_RUN)
        self.eat()

    def _escape(self) -> None:
        self.eat()
        if found := BREAK.match(self.text, self.at):
            self.eat(len(found[0]))
            return
        char = self.char()
        self.eat()
        if char in _ESCAPES:
            digits = self.text[self.at : self.at + _ESCAPES[char]]
            self.eat(len(digits))
            if not re.fullmatch("[0-9a-fA-F]*", digits):
                raise self.error("bad character found while scanning hex number")
            value = int(digits or "0", 16)
            if 0xD800 <= value <= 0xDFFF or value > 0x10FFFF:
                raise self.error(f"invalid unicode: {value}")
        elif char not in "0abt\tnvfre \"'\\/N_LP":
            raise self.error(f"unknown escape character: {char}")

    def read_block(self, outer: int) -> None:
        """Step over a block scalar in a block that is indented so far."""
        self.eat()
        header = _HEADER.match(self.text, self.at)
        indent, detect = outer + 1, True
        for char in header[0] if header else "":
            self.eat()
            if char == "0":
                raise self.error("cannot set zero indentation for a block scalar")
            if char.isdigit():
                indent, detect = outer + int(char), False
        while self.char() in {" ", "\t"}:
            self.eat()
        if self.char() == "#":
            self.eat(len(self.rest()))
        if self.char() and not BREAK.match(self.text, self.at):
            raise self.error("unexpected character in block scalar")
        self._block_lines(indent, detect=detect)

    def _block_lines(self, indent: int, *, detect: bool) -> None:
        while self.char():
            if line := self.rest():
                detect = False
                self.eat(len(line))
            found = BREAK.match(self.text, self.at)
            if found is None:
                return
            self.eat(len(found[0]))
            while self.char() == " " and (self.column < indent or detect):
                self.eat()
            if detect:
                indent = max(indent, self.column)
            if self.char() == "\t" and self.column < indent:
                raise self.error("illegal tab when looking for indentation")
            if not BREAK.match(self.text, self.at) and self.column < indent:
                return
