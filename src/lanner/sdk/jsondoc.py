"""Payload bytes to Python objects, strictly: RFC 8259, UTF-8, at most 1024 levels; of equal names the last counts.

The one place that decides in Python what is "wholly valid JSON"; the native reader agrees with it (tests/native).
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

# float_hook: a number is valid JSON however large it is (1e999 is infinite here, msgspec alone would refuse it)
_decode_flat = msgspec.json.Decoder(float_hook=float).decode
# a text, to the end of the payload where it is not closed: matched once, without a second try, so hostile payloads cost no more
_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TEXT_OR_DIGITS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[0-9]{400,}+', re.DOTALL)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(set(range(256)) - _STEPS.keys())
# msgspec decodes a nested document by recursion; a few hundred levels fit under any caller
_SURE_LEVELS: Final = 200
_recursion = threading.Lock()


def decode(payload: bytes) -> Any:
    """The JSON value of `payload`. Raises `PayloadError` where it is not wholly valid JSON."""
    try:
        # what is so short is not nested deeper than is allowed
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
    with _recursion:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + 4 * MAX_DEPTH)
        try:
            return _decode_flat(payload)
        finally:
            sys.setrecursionlimit(limit)


def _decode_with_long_numbers(payload: bytes) -> Any:
    # msgspec refuses integers of more than 4300 digits, which JSON does not; 400 digits are as far from 64 bits as 4300
    shorter = _TEXT_OR_DIGITS.sub(lambda found: found[0] if found[0][:1] == b'"' else found[0][:400], payload)
    return _decode_long(shorter)


def depth(payload: bytes) -> int:
    """How deep the brackets of `payload` nest, those in texts left out; of a payload that is not JSON, some number."""
    brackets = _TEXT.sub(b"", payload).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
