"""Payload bytes to Python objects, strictly: RFC 8259, UTF-8, at most 1024 levels; of equal names the last counts.

The one place that decides in Python what is "wholly valid JSON"; the native reader agrees with it (tests/native).
"""

from __future__ import annotations

import re
import sys
import threading
from itertools import accumulate
from typing import Any, Final

import msgspec

from lanner.sdk.errors import PayloadError

MAX_DEPTH: Final = 1024

# float_hook: a number is valid JSON however large it is (1e999 is infinite here, msgspec alone would refuse it)
_decoder = msgspec.json.Decoder(float_hook=float)
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
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if "out of range" in str(error):
            return _decode_with_long_numbers(payload)
        raise PayloadError(f"the payload is not valid JSON: {error}") from None


def _decode(payload: bytes) -> Any:
    if payload.count(b"{") + payload.count(b"[") <= _SURE_LEVELS:
        return _decoder.decode(payload)
    levels = depth(payload)
    if levels > MAX_DEPTH:
        raise PayloadError(f"the payload is nested more than {MAX_DEPTH} levels deep")
    if levels <= _SURE_LEVELS:
        return _decoder.decode(payload)
    with _recursion:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + 4 * MAX_DEPTH)
        try:
            return _decoder.decode(payload)
        finally:
            sys.setrecursionlimit(limit)


def _decode_with_long_numbers(payload: bytes) -> Any:
    # msgspec refuses integers of more than 4300 digits, which JSON does not; 400 digits are as far from 64 bits as 4300
    shorter = _TEXT_OR_DIGITS.sub(lambda found: found[0] if found[0][:1] == b'"' else found[0][:400], payload)
    try:
        return _decode(shorter)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"the payload is not valid JSON: {error}") from None


def depth(payload: bytes) -> int:
    """How deep the brackets of `payload` nest, those in texts left out; of a payload that is not JSON, some number."""
    brackets = _TEXT.sub(b"", payload).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
