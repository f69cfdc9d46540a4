"""The reference for JSON pointers, as Falco's json plugin answers them. The native reader has the same in `values/pointer.cpp`.

That plugin reads more than JSON: numbers such as NaN and 1.2.3, any bytes in strings. It reads less, too: at most 300 levels, and only
payloads that begin with a bracket. Of equal names the first counts, but a name that is written without escapes comes before others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.sdk.text.encoding import cut_at_nul, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 300
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_TEXT: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ATOM: Final = re.compile(r"true|false|null|[+-]?(?i:nan|inf)|(?![+-](?![0-9.eE+-]))[0-9.eE+-]+")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})(?:\\u([0-9a-fA-F]{4}))?|(.))", re.DOTALL)
_PLAIN: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_INDEX: Final = re.compile(r"\+?[0-9]+|-0+", re.ASCII)


class _Text(NamedTuple):
    """A string as it is written, between its quotes."""

    written: str


class _Object(NamedTuple):
    members: list[tuple[str, Any]]


class _InvalidError(ValueError):
    """The plugin cannot read the payload."""


class Document:
    """A payload as the plugin reads it."""

    def __init__(self, payload: bytes) -> None:
        """Raise `ValueError` for a payload that the plugin cannot read."""
        if payload[:1] not in {b"{", b"["}:
            raise _InvalidError
        self._text = from_bytes(payload)
        self._at = 0
        self._root = self._value(1)
        self._blanks()
        if self._at != len(self._text):
            raise _InvalidError

    def get(self, pointer: str) -> str | None:
        """Return the text, or the value as it is written, at a pointer (RFC 6901, with or without its leading slash)."""
        place: Any = self._root
        for part in pointer.removeprefix("/").split("/") if pointer else ():
            place = _step(place, part.replace("~1", "/").replace("~0", "~"))
            if place is None:
                return None
        found = unescape(place.written) if isinstance(place, _Text) else _write(place)
        # each part is UTF-8 or bytes that are not, but together they may be UTF-8
        return cut_at_nul(from_bytes(to_bytes(found)))

    def _value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _InvalidError
        match self._text[self._at : self._at + 1]:
            case "{":
                return _Object([self._member(depth) for _ in self._items("}")])
            case "[":
                return [self._value(depth + 1) for _ in self._items("]")]
            case '"':
                return _Text(self._take(_TEXT)[1])
            case _:
                return self._take(_ATOM)[0]

    def _member(self, depth: int) -> tuple[str, Any]:
        name = self._take(_TEXT)[1]
        self._blanks()
        self._character(":")
        self._blanks()
        return name, self._value(depth + 1)

    def _items(self, end: str) -> Iterator[None]:
        """Yield before each item of an array or object."""
        self._at += 1
        self._blanks()
        if self._text.startswith(end, self._at):
            self._at += 1
            return
        while True:
            self._blanks()
            yield
            self._blanks()
            if self._text.startswith(end, self._at):
                self._at += 1
                return
            self._character(",")

    def _blanks(self) -> None:
        self._take(_BLANKS)

    def _character(self, char: str) -> None:
        if not self._text.startswith(char, self._at):
            raise _InvalidError
        self._at += 1

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _InvalidError
        self._at = found.end()
        return found


def _step(place: Any, name: str) -> Any:
    if isinstance(place, _Object):
        plain = (value for written, value in place.members if written == name and "\\" not in name)
        escaped = (value for written, value in place.members if unescape(written) == name)
        return next(plain, next(escaped, None))
    if isinstance(place, list) and _INDEX.fullmatch(name):
        digits = name.lstrip("+-0")
        # int() raises its own error for thousands of digits
        return place[int(digits or "0")] if len(digits) < 19 and int(digits or "0") < len(place) else None
    return None


def _write(place: Any) -> str:
    """Return a value as it is written, without blanks."""
    if isinstance(place, _Text):
        return f'"{place.written}"'
    if isinstance(place, list):
        return f"[{','.join(map(_write, place))}]"
    if isinstance(place, _Object):
        return "{" + ",".join(f'"{name}":{_write(value)}' for name, value in place.members) + "}"
    return str(place)


def unescape(written: str) -> str:
    """Return a string without its escapes. Invalid ones stay, and so does half of a surrogate pair at the end."""

    def replace(found: re.Match[str]) -> str:
        first, second, plain = found.groups()
        if plain is not None:
            return _PLAIN.get(plain, found[0])
        code = int(first, 16)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code) + (unescape(found[0][6:]) if second else "")
        if second is None:
            return found[0]
        low = int(second, 16)
        if code < 0xDC00 <= low <= 0xDFFF:
            return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00)
        return "\ufffd"

    return _ESCAPE.sub(replace, written)
