"""Payload bytes to Python objects, strictly: RFC 8259, UTF-8, at most 1024 levels; of equal names the last counts.

The one place that decides in Python what is "wholly valid JSON"; the native reader agrees with it (tests/native).
"""

from __future__ import annotations

import re
import sys
import threading
from typing import Any

import msgspec

from lanner.sdk.errors import PayloadError

MAX_DEPTH = 1024

# float_hook: a number is valid JSON however large it is (1e999 is infinite here, msgspec alone would refuse it)
_decoder = msgspec.json.Decoder(float_hook=float)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
# msgspec decodes a nested document by recursion; a few hundred levels fit under any caller
_SURE_LEVELS = 200
_recursion = threading.Lock()


def decode(payload: bytes) -> Any:
    """The JSON value of `payload`. Raises `PayloadError` where it is not wholly valid JSON."""
    try:
        if payload.count(b"{") + payload.count(b"[") <= _SURE_LEVELS:
            return _decoder.decode(payload)
        return _decode_deep(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"the payload is not valid JSON: {error}") from None


def _decode_deep(payload: bytes) -> Any:
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


def depth(payload: bytes) -> int:
    """How deep the brackets of `payload` nest, those in texts left out; of a payload that is not JSON, some number."""
    level = deepest = 0
    for match in _TOKEN.finditer(payload):
        first = match[0][0]
        if first in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif first in b"]}":
            level -= 1
    return deepest
