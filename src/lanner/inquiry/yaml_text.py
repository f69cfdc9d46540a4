"""Strings as YAML scalars that yaml-cpp and Lanner read as the same string."""

from __future__ import annotations

import re
from typing import Final

from lanner.sdk.text.encoding import is_byte, is_half

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@=-]*( [A-Za-z0-9_./@=-]+)*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BYTE: Final = 0xFF
_PLANE: Final = 0xFFFF


def is_writable(text: str) -> bool:
    """Return whether YAML can contain the text: it has no bytes that are not UTF-8, and no halves of characters."""
    return text.isascii() or not any(is_byte(char) or is_half(char) for char in text)


def scalar(text: str) -> str:
    """Return the text as it is if YAML reads it so, else in quotes with escapes."""
    return text if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS else quote(text)


def quote(text: str) -> str:
    """Return the text in double quotes."""
    return '"' + "".join(_ESCAPED.get(char) or (char if char.isprintable() else _escape(ord(char))) for char in text) + '"'


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code <= _BYTE else f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"
