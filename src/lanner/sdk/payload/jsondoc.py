r"""Decode JSON payloads strictly: RFC 8259, at most 1024 levels; of equal names the last counts.

Strings need not be UTF-8: a byte that is not becomes an escape (`lanner.sdk.text.encoding`), and half of a surrogate pair, written as
\ud800, stays as these six characters. Both would otherwise hide an event from every rule.

Only this module decides in Python whether all of a payload is valid JSON. The native reader agrees with it (tests/native).
"""

from __future__ import annotations

import re
import sys
import threading
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lanner.sdk.errors import PayloadError
from lanner.sdk.text.encoding import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 1024

# float_hook: large numbers are valid JSON (1e999 is infinite here, msgspec by itself would reject it)
decode_short = msgspec.json.Decoder(float_hook=float).decode
"""Decode a payload of at most `MAX_DEPTH` bytes, which cannot be nested too deeply. If it fails, `decode` has the value or the reason."""
# a string, up to the end of the payload if it is not closed: matched once, without backtracking, so hostile payloads take no longer
_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TEXT_OR_DIGITS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[0-9]{400,}+', re.DOTALL)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(set(range(256)) - _STEPS.keys())
# msgspec decodes nested documents recursively; a few hundred levels fit on any caller's stack
_SURE_LEVELS: Final = 200
_recursion = threading.Lock()
# Strings that msgspec must not see: valid pairs, which may stand for a stand-in, halves of pairs, bytes that are not UTF-8, and stand-ins
_ODD: Final = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    "|(?P<escape>\\\\[\0-\x7f])|[\udc80-\udcff\U0010ff00-\U0010ffff]",
    re.DOTALL,
)
# The character that stands for the byte 0
_FIRST_BYTE: Final = 0x10FF00
_BYTES: Final = {_FIRST_BYTE + byte: from_bytes(bytes([byte])) for byte in range(256)}


def decode(payload: bytes) -> Any:
    """Return the JSON value of `payload`. Raises `PayloadError` unless all of it is valid JSON."""
    return decode_any(payload)[0]


def decode_any(payload: bytes) -> tuple[Any, bool]:
    """Return the JSON value of `payload`, and whether all its strings are UTF-8. Raises `PayloadError`."""
    try:
        return _decode(payload), True
    except PayloadError:
        readable = _make_readable(payload)
        if readable == payload:
            raise
        return _restore_bytes(_decode(readable)), False


def _make_readable(payload: bytes) -> bytes:
    """Return the payload with a character instead of each byte that is not UTF-8, and escapes of half pairs as plain text."""

    def replace(found: re.Match[str]) -> str:
        if found["escape"]:
            return found[0]
        if found["half"]:
            return "\\" + found[0]
        char = found[0]
        if found["pair"]:
            char = found[0].encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
            if ord(char) < _FIRST_BYTE:
                return found[0]
        return "".join(chr(_FIRST_BYTE + byte) for byte in to_bytes(char))

    return _ODD.sub(replace, from_bytes(payload)).encode()


def _restore_bytes(document: Any) -> Any:
    """Replace the characters by their bytes, in all strings and names."""
    root = [document]
    rest: list[Any] = [root]
    while rest:
        place = rest.pop()
        items = list(place.items() if isinstance(place, dict) else enumerate(place))
        if isinstance(place, dict):
            place.clear()
        for key, item in items:
            if isinstance(item, (dict, list)):
                rest.append(item)
            place[_bytes_in(key)] = _bytes_in(item)
    return root[0]


def _bytes_in(value: Any) -> Any:
    return from_bytes(to_bytes(value.translate(_BYTES))) if isinstance(value, str) else value


def _decode(payload: bytes) -> Any:
    try:
        # a short payload cannot be nested too deeply
        return decode_short(payload) if len(payload) <= MAX_DEPTH else _decode_long(payload)
    except RecursionError:
        return _decode_again(payload, _decode_long)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if "out of range" in str(error):
            return _decode_again(payload, _decode_with_long_numbers)
        raise _make_error(error) from None


def _decode_again(payload: bytes, way: Callable[[bytes], Any]) -> Any:
    try:
        return way(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _make_error(error) from None


def _make_error(error: Exception) -> PayloadError:
    return PayloadError(f"the payload is not valid JSON: {error}")


def _decode_long(payload: bytes) -> Any:
    if payload.count(b"{") + payload.count(b"[") <= _SURE_LEVELS:
        return decode_short(payload)
    levels = depth(payload)
    if levels > MAX_DEPTH:
        raise PayloadError(f"the payload is nested more than {MAX_DEPTH} levels deep")
    if levels <= _SURE_LEVELS:
        return decode_short(payload)
    with _recursion:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + 4 * MAX_DEPTH)
        try:
            return decode_short(payload)
        finally:
            sys.setrecursionlimit(limit)


def _decode_with_long_numbers(payload: bytes) -> Any:
    # msgspec rejects integers of more than 4300 digits, which are valid JSON; 400 digits exceed 64 bits just as well
    shorter = _TEXT_OR_DIGITS.sub(lambda found: found[0] if found[0][:1] == b'"' else found[0][:400], payload)
    return _decode_long(shorter)


def depth(payload: bytes) -> int:
    """Return the nesting depth of the brackets in `payload`, except in strings; any number for a payload that is not JSON."""
    brackets = _TEXT.sub(b"", payload).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
