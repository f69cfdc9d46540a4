"""Convert text from outside (events, engines, files, plugins) to text that a terminal or a log can show.

Everything that Lanner prints for people passes through here, with escapes for all characters that are not printable: control
characters, direction marks, line separators, bytes that are not UTF-8. The text of alerts is Falco's: only on a terminal
(`escape_unprintable`) and in syslog (`escape_controls`) does Lanner escape a part of it.
"""

from __future__ import annotations

from typing import Any, Final

from lanner.sdk.text.encoding import is_byte, is_half

_BYTE: Final = 0xDC00
"""The escape of a byte is this code point and the byte."""
_ASTRAL: Final = 0x10000
_LONGEST_WORD: Final = 500
_LONGEST_LINE: Final = 4000
_HEAD: Final = 2 / 3


def printable(text: str) -> str:
    """Return `text` with escapes for all unprintable characters except line feeds: for a string with Lanner's own line layout."""
    return text if text.isprintable() else "\n".join(map(printable_line, text.split("\n")))


def printable_line(text: str) -> str:
    """Return `text` as one line, with escapes for all unprintable characters. Use it for every string from outside."""
    return text if text.isprintable() else "".join([char if char.isprintable() else _escape(char) for char in text])


def message_line(text: str) -> str:
    """Return `text` as one printable line of a message, shortened as `shorten` does it."""
    return shorten(printable_line(text))


def shorten(line: str) -> str:
    """Return a line without its middle if it is long, and the same for each long word: names in messages may have a megabyte."""
    if len(line) <= _LONGEST_WORD:
        return line
    import re  # `lanner --version` imports next to nothing

    line = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: without_middle(word[0], _LONGEST_WORD), line)
    return without_middle(line, _LONGEST_LINE)


def without_middle(text: str, limit: int) -> str:
    """Return `text`, or its beginning and its end with `limit` characters together and the count of the others between."""
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


# C0, DEL and C1, and single bytes that are not UTF-8 (a terminal may take 9B for an escape sequence's start). The escapes are
# also what JSON would write, so that a line of JSON remains one.
_CONTROLS: Final = {
    **{code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{ord(char): escape for char, escape in (("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\b", "\\b"), ("\f", "\\f"))},
    **{_BYTE + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)},
}


def escape_controls(line: str) -> str:
    """Return an alert's line with escapes for control characters: text from events must not control a terminal or forge a line."""
    return line if line.isascii() and line.isprintable() else line.translate(_CONTROLS)


def escape_unprintable(line: str) -> str:
    """Return an alert's line with escapes for all unprintable characters, direction marks included. A line of JSON keeps its meaning."""
    if line.isprintable():
        return line
    return "".join([char if char.isprintable() else _CONTROLS.get(ord(char)) or _json_escape(char) for char in line])


def escape_bytes(text: str) -> str:
    """Return `text` as Unicode can write it, with escapes for bytes that are not UTF-8: for machines that read UTF-8."""
    return text if text.isascii() else "".join([_escape(char) if is_byte(char) or is_half(char) else char for char in text])


def escape_bytes_in(value: Any) -> Any:
    """Return a JSON value whose strings are all as `escape_bytes` returns them. Tuples become lists."""
    if isinstance(value, str):
        return escape_bytes(value)
    if isinstance(value, dict):
        return {escape_bytes(key): escape_bytes_in(each) for key, each in value.items()}
    return [escape_bytes_in(each) for each in value] if isinstance(value, list | tuple) else value


def one_column_each(text: str) -> str:
    """Return `text` with exactly one printable character for each character, for a line with marks below it."""
    return "".join([char if char.isprintable() else " " if char == "\t" else "\ufffd" for char in text])


def _escape(char: str) -> str:
    if is_byte(char):
        return f"\\x{ord(char) - _BYTE:02x}"
    return char.encode("unicode_escape").decode()


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < _ASTRAL:
        return f"\\u{code:04x}"
    code -= _ASTRAL
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def join_port(host: str, port: int) -> str:
    """Return host and port as in a URL: an IPv6 address is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
