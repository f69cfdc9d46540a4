"""Decode JSON payloads strictly: RFC 8259, UTF-8, at most 1024 levels; of equal names the last counts.

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

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 1024

# float_hook: large numbers are valid JSON (1e999 is infinite here, msgspec by itself would reject it)
_decode_flat = msgspec.json.Decoder(float_hook=float).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
# a text, up to the end of the payload if it is not closed: matched once, without backtracking, so hostile payloads take no longer
_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TEXT_OR_DIGITS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[0-9]{400,}+', re.DOTALL)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(set(range(256)) - _STEPS.keys())
# msgspec decodes nested documents recursively; a few hundred levels fit on any caller's stack
_SURE_LEVELS: Final = 200
_recursion = threading.Lock()


def decode(payload: bytes) -> Any:
    """Return the JSON value of `payload`. Raises `PayloadError` unless all of it is valid JSON."""
    try:
        # a short payload cannot be nested too deeply
        return _decode_flat(payload) if len(payload) <= MAX_DEPTH else _decode_long(payload)
    except RecursionError:
        return _decode_again(payload, _decode_long)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if "out of range" in str(error):
            return _decode_again(payload, _decode_with_long_numbers)
        raise _invalid(error) from None


def _decode_again(payload: bytes, way: Callable[[bytes], Any]) -> Any:
    try:
        return way(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(error) from None


def _invalid(error: Exception) -> PayloadError:
    return PayloadError(f"the payload is not valid JSON: {error}")


def _decode_long(payload: bytes) -> Any:
    if payload.count(b"{") + payload.count(b"[") <= _SURE_LEVELS:
        return _decode_flat(payload)
    levels = depth(payload)
    if levels > MAX_DEPTH:
        raise PayloadError(f"the payload is nested more than {MAX_DEPTH} levels deep")
    if levels <= _SURE_LEVELS:
        return _decode_flat(payload)
    return _with_deep_stack(_decode_flat, payload)


def _with_deep_stack(way: Callable[[bytes], Any], payload: bytes) -> Any:
    with _recursion:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + 4 * MAX_DEPTH)
        try:
            return way(payload)
        finally:
            sys.setrecursionlimit(limit)


def _decode_with_long_numbers(payload: bytes) -> Any:
    # msgspec rejects integers of more than 4300 digits, which are valid JSON; 400 digits exceed 64 bits just as well
    shorter = _TEXT_OR_DIGITS.sub(lambda found: found[0] if found[0][:1] == b'"' else found[0][:400], payload)
    return _decode_long(shorter)


def members_of(place: bytes) -> dict[str, bytes]:
    """Return the members of a valid JSON object as JSON texts."""
    return {name: bytes(value) for name, value in _shallow(_decode_object, place).items()}


def items_of(place: bytes) -> list[bytes]:
    """Return the items of a valid JSON array as JSON texts."""
    return [bytes(value) for value in _shallow(_decode_array, place)]


def _shallow(way: Callable[[bytes], Any], place: bytes) -> Any:
    try:
        return way(place)
    except RecursionError:
        return _with_deep_stack(way, place)


def depth(payload: bytes) -> int:
    """Return the nesting depth of the brackets in `payload`, except in texts; any number for a payload that is not JSON."""
    brackets = _TEXT.sub(b"", payload).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
