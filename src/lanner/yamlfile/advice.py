"""Advice on YAML that yaml-cpp refuses, for rules, falco.yaml, options and tests alike.

The advice quotes no text of the file, because a configuration holds passwords.
"""

from __future__ import annotations

import re
from typing import Final

_QUOTE: Final = "Put the text in quotes."
_COLUMNS: Final = "keys of one item begin at the same column."
_MAP_VALUE: Final = "illegal map value"
_ADVICE: Final = {
    "illegal tab when looking for indentation": "YAML is indented with spaces: replace the tab.",
    _MAP_VALUE: f"A string that contains ': ' needs quotes; {_COLUMNS}",
    "illegal map key": f"A list or a key begins here inside of a string: {_COLUMNS}",
    "illegal EOF in scalar": "A quote is opened but never closed.",
    "illegal document indicator in scalar": "A quote is opened and not closed before this line.",
    "illegal character in scalar": "Replace the tab or control character here by a space.",
    "unexpected scalar": "Nothing may follow a closing quote on its line: put the whole text in quotes.",
    "unexpected character in block scalar": "After `|` or `>` the text begins on the next line.",
    "cannot set zero indentation for a block scalar": "After `|` or `>` leave the 0 out.",
    "plain value cannot start with flow indicator character": f"A plain text cannot begin with this character. {_QUOTE}",
    "unknown token": f"A plain text cannot begin with this character. {_QUOTE}",
    "end of sequence not found": "Items of one list begin at the same column.",
    "end of map not found": "Keys of one item begin at the same column.",
    "end of sequence flow not found": "A '[' is not closed, or a comma is missing.",
    "end of map flow not found": "A '{' is not closed, or a comma is missing.",
    "illegal flow end": "A bracket is closed here that was not opened.",
    "illegal block entry": f"A list must begin on a new line after its key, or in brackets. {_QUOTE}",
    "unknown escape character": "In double quotes a backslash begins an escape: double the backslash, or take single quotes.",
    "bad character found while scanning hex number": "After \\x, \\u and \\U write 2, 4 and 8 hexadecimal digits; or take single quotes.",
    "invalid unicode": "There is no such character: correct the escape, or take single quotes.",
    "alias not found after *": f"A `*` begins an alias. {_QUOTE}",
    "illegal character found while scanning alias": f"A `*` begins an alias. {_QUOTE}",
    "the referenced anchor is not defined": f"A `*` begins an alias. {_QUOTE}",
    "aliases can't have any content": f"A `*` begins an alias. {_QUOTE}",
    "anchor not found after &": f"A `&` begins an anchor. {_QUOTE}",
    "illegal character found while scanning anchor": f"A `&` begins an anchor. {_QUOTE}",
    "cannot assign multiple anchors": f"A `&` begins an anchor. {_QUOTE}",
    "cannot assign multiple tags": f"A `!` begins a tag. {_QUOTE}",
    "illegal character found while scanning tag handle": f"A `!` begins a tag. {_QUOTE}",
    "tag handle with no suffix": f"A `!` begins a tag. {_QUOTE}",
    "end of verbatim tag not found": f"A `!` begins a tag. {_QUOTE}",
}
NEVER_CLOSED: Final = ("This quote is never closed: all that follows is part of the text.", "Close the quote at the end of the text.")
"""Message and advice about a quote for which yaml-cpp takes the end of the file."""
_LONGEST: Final = 500
"""Characters of a line that are examined."""
_KEY: Final = re.compile(r"""[ \t]*(?:- +)*(?:[^\s'"#][^'"#]*?|'[^']*'|"[^"]*")[ \t]*:(?:[ \t]|$)""")
_NO_BLANK: Final = re.compile(r"[ \t]*(?:- +)*[\w.-]+:[^\s:/]")
_WORD: Final = re.compile(r"[ \t]*(?:- +)*[A-Za-z_][\w.-]*$")
_WORDS: Final = re.compile(r"[ \t]*(?:- +)*[A-Za-z_][\w.-]*[ \t]+\S.*$")


def advise(message: str, text: str, begin: int) -> str:
    """Return what to do about yaml-cpp's `message` at the character `begin` of a file's text, "" where nothing is to be said."""
    if message == _MAP_VALUE and (missing := _missing_colon(text, begin)):
        return missing
    return next((advice for beginning, advice in _ADVICE.items() if message.startswith(beginning)), "")


def advise_line(line: str) -> str:
    """Return the missing part of a line that looks like a key with its value but is a string, "" for any other line."""
    line = line[:_LONGEST]
    if _KEY.match(line):
        return ""
    if _NO_BLANK.match(line):
        return "write a blank after the colon, as in `key: value`"
    return "write a colon between key and value, as in `key: value`" if _WORDS.match(line) else ""


def _missing_colon(text: str, begin: int) -> str:
    """Return the missing part of the line above, whose text continues in the line of the colon at `begin`."""
    first = text.rfind("\n", 0, begin) + 1
    if begin - first > _LONGEST:
        return ""
    if _KEY.match(text[first:begin]):
        return ""
    line = text[:first].rstrip().rpartition("\n")[2][:_LONGEST]
    missing = "write a colon after the key, as in `key:`" if _WORD.match(line) else advise_line(line)
    return f"In the line above, {missing}." if missing else ""
