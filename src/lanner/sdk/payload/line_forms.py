"""The reference for payloads that are lines: of a pattern, logfmt, CEF. The native reader has the same in `values/line_forms.cpp`.

Strings are `str` with escapes for bytes that are not UTF-8 (`lanner.sdk.text.encoding`).
"""

from __future__ import annotations

import re
from typing import Any, Final

from lanner.sdk.payload.pointer import unescape
from lanner.sdk.text.encoding import cut_at_nul, from_bytes, is_byte

_SUBSTITUTE: Final = "\x1a"
_LOGFMT: Final = re.compile(
    r'(?P<key>[^\x00-\x20="]++)(?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^\x00-\x20]*+))|"?)|["=\x00-\x20]', re.DOTALL
)
CEF_HEADER: Final = ("cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_CEF_FIELD: Final = re.compile(r"((?:[^|\\]|\\.)*+)\|", re.DOTALL)
_CEF_PART: Final = re.compile(r"(?P<key>(?:^|(?<=[\x00-\x20]))[0-9A-Za-z_.\[\]-]++=)|\\.|.", re.DOTALL)
_BLANKS: Final = "".join(map(chr, range(0x21)))
_CEF_ESCAPE: Final = re.compile(r"\\([\\|=nr])")


class Line:
    """One payload as a line."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    def group(self, expression: str, name: str) -> str | None:
        """Return the text of a group of a pattern that matches the whole line, except a newline at its end."""
        found = self.match(expression)
        begin, end = found.span(found.re.groupindex[name.encode()]) if found else (-1, -1)
        return None if begin < 0 else cut_at_nul(from_bytes(self._payload[begin:end]))

    def match(self, expression: str) -> Any:
        """Return the match of a pattern, or None. Each byte that is not UTF-8 matches as the character U+001A (SUB)."""
        line = from_bytes(self._payload.removesuffix(b"\n").removesuffix(b"\r"))
        return _compile(expression).fullmatch("".join([_SUBSTITUTE if is_byte(char) else char for char in line]).encode())

    def logfmt(self) -> dict[str, str]:
        """Return the pairs of key=value; of equal keys the last counts."""
        pairs = {}
        for found in _LOGFMT.finditer(from_bytes(self._payload)):
            if found["quoted"] is not None:
                pairs[found["key"]] = cut_at_nul(unescape(found["quoted"]))
            elif found["plain"] is not None:
                pairs[found["key"]] = cut_at_nul(found["plain"])
        return pairs

    def cef(self) -> dict[str, str]:
        """Return the fields of the header and the extension; of equal keys the last counts."""
        _, begin, rest = from_bytes(self._payload).partition("CEF:")
        written = {}
        for name in CEF_HEADER:
            found = _CEF_FIELD.match(rest)
            if not begin or not found:
                return {}
            written[name], rest = found[1], rest[found.end() :]
        return {name: cut_at_nul(_cef_text(text)) for name, text in (written | _cef_extension(rest)).items()}


def _cef_extension(text: str) -> dict[str, str]:
    """Return the pairs of an extension as they are written: a value ends before the next key."""
    pairs, key = {}, None
    for part in _CEF_PART.finditer(text.rstrip(_BLANKS)):
        if part["key"]:
            key = part["key"][:-1]
            pairs[key] = ""
        elif key:
            pairs[key] += part[0]
    return {key: value.rstrip(_BLANKS) for key, value in pairs.items()}


def _cef_text(written: str) -> str:
    return _CEF_ESCAPE.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), written)


def _compile(expression: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(expression.encode(), options)
