"""Convert text from outside (events, engines, files, plugins) to text that a terminal or a log can show.

Everything that Lanner prints for people passes through here. Alerts do not: their bytes are Falco's (see `lanner.outputs.stdout`).
All characters that are not printable are escaped: control characters, direction marks, line separators, bytes that are not UTF-8.
"""

from __future__ import annotations

from typing import Any, Final

_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
"""The surrogates for bytes that are not UTF-8, as in names of files."""
_ASTRAL: Final = 0x10000
_LONGEST_WORD: Final = 500
_LONGEST_LINE: Final = 4000
_HEAD: Final = 2 / 3


def printable(text: str) -> str:
    """Return `text` with escapes for all unprintable characters except line feeds: for a text with Lanner's own line layout."""
    return text if text.isprintable() else "\n".join(map(printable_line, text.split("\n")))


def printable_line(text: str) -> str:
    """Return `text` as one line, with escapes for all unprintable characters: for each part of a text that comes from outside."""
    return text if text.isprintable() else "".join([char if char.isprintable() else _escape(char) for char in text])


def message_line(text: str) -> str:
    """Return `text` as one printable line of a message, shortened as `shorten` does it."""
    return shorten(printable_line(text))


def shorten(line: str) -> str:
    """Return a line without its middle if it is long, and the same for each long word: names in messages may have a megabyte."""
    if len(line) <= _LONGEST_WORD:
        return line
    import re  # `lanner --version` imports next to nothing

    line = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: _without_middle(word[0], _LONGEST_WORD), line)
    return _without_middle(line, _LONGEST_LINE)


def _without_middle(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = int(limit * _HEAD)
    tail = limit - head
    return f"{text[:head]}[... {len(text) - limit:,} characters ...]{text[-tail:]}"


def printable_json(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as JSON with JSON's escapes for unprintable characters; with `indent`, on several lines."""
    import json  # `lanner --version` imports next to nothing

    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join([char if char.isprintable() or char == "\n" else _json_escape(char) for char in text])


def _escape(char: str) -> str:
    code = ord(char)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < _ASTRAL:
        return f"\\u{code:04x}"
    code -= _ASTRAL
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
